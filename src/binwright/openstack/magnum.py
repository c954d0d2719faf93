"""Magnum's node groups as wishes: every node a server of the group's flavor, in the server group of its role.

A group that has a status is Magnum's own, and its servers are in Nova's list; a group without one is wished for, in the
words of `openstack coe nodegroup create` (openstack spec 11).
"""

from __future__ import annotations

from collections.abc import Iterable

from binwright.errors import InputError
from binwright.openstack.cloud import NodeGroup, ServerGroup, VolumeWish, Wish
from binwright.openstack.wishes import Wishes
from binwright.units import shown

__all__ = ["AFFINITY_POLICY", "to_requests"]

AFFINITY_POLICY = "soft-anti-affinity"
"""Magnum's `[cluster]nodes_affinity_policy`, as it is by default."""


def to_requests(groups: Iterable[NodeGroup], *, policy: str = AFFINITY_POLICY) -> Wishes:
    """The nodes of the groups that are wished for, named CLUSTER-GROUP-0, CLUSTER-GROUP-1, ...

    The labels availability_zone, boot_volume_size and boot_volume_type decide zone and root volume. Raises InputError.
    """
    wishes = Wishes()
    known: dict[str, ServerGroup] = {}
    for group in groups:
        if group.status is not None:
            continue
        cluster = group.cluster or "cluster"
        role = f"magnum:{cluster}:{'master' if group.role == 'master' else 'worker'}"
        known.setdefault(role, ServerGroup(id=role, name=role, policy=policy))
        root, root_type = _boot_volume(group), group.labels.get("boot_volume_type") or None
        zone = group.labels.get("availability_zone") or None
        for number in range(group.node_count):
            name = f"{cluster}-{group.name}-{number}"
            wishes.servers.append(
                Wish(
                    name=name,
                    flavor_ref=group.flavor_ref,
                    project=group.project,
                    zone=zone,
                    from_volume=root > 0,
                    image=group.image,
                    hints={"group": role},
                    where=group.where,
                )
            )
            volumes = (
                ("root", root, root_type),
                ("docker", group.docker_volume_size or 0, group.labels.get("docker_volume_type") or None),
            )
            wishes.volumes += [
                VolumeWish(f"{name}-{what}", size, type=kind, zone=zone, project=group.project, where=group.where)
                for what, size, kind in volumes
                if size
            ]
    wishes.server_groups = list(known.values())
    return wishes


def _boot_volume(group: NodeGroup) -> int:
    """Size of the root volume in GiB, 0 without one."""
    text = group.labels.get("boot_volume_size") or "0"
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise InputError(f"{group.where}: labels: boot_volume_size {shown(text)} is not a whole number of GiB")
    return int(text)
