"""The servers of a cloud as items to pack: those that exist and those that are wanted, by the amounts of their flavors.

Anti-affinity groups become "at most so many a host"; zones, traits and other policies are listed as not evaluated.
"""

from __future__ import annotations

from collections.abc import Iterable

from binwright.demand import Demand, Item
from binwright.formats.files import Blob
from binwright.openstack.dumps import read_dump
from binwright.openstack.flavors import flavor_groups
from binwright.openstack.pending import Catalogue, wanted_servers
from binwright.outcome import NotEvaluated

__all__ = ["to_items"]

_GONE = ("DELETED", "SOFT_DELETED", "SHELVED_OFFLOADED", "ERROR")


def to_items(name: str, blobs: Iterable[Blob]) -> Demand:
    """The items of one cloud; VCPU, MEMORY_MB, DISK_GB and other classes in their own units. Raises InputError."""
    cloud = read_dump(name, blobs)
    catalogue = Catalogue(cloud.flavors)
    demand = Demand(name, "openstack")
    at: dict[str, int] = {}
    traits = []
    asked = [
        (one.name, one.id, catalogue.flavor_of(one), one.from_volume)
        for one in cloud.servers
        if one.host is not None and one.status not in _GONE
    ]
    asked += [(one.name, one.uid, one.flavor, one.from_volume) for one in wanted_servers(cloud)]
    for server, uid, flavor, from_volume in asked:
        groups = flavor_groups(flavor, from_volume=from_volume)
        if uid is not None:
            at[uid] = len(demand.items)
        demand.items.append(Item(server, groups.totals()))
        if any(group.required or group.forbidden for group in groups.groups.values()):
            traits.append(server)
    zoned = [one.name for one in wanted_servers(cloud) if one.zone is not None]
    others = []
    for group in cloud.server_groups:
        members = sorted(at[member] for member in group.members if member in at)
        if group.policy == "anti-affinity" and len(members) > group.most:
            demand.at_most.append((members, group.most))
        elif group.policy != "anti-affinity" and len(members) > 1:
            others.append(group.name)
    for rule, names in (("availability zone", zoned), ("traits", traits), ("server group policy", others)):
        if names:
            demand.not_evaluated.append(NotEvaluated(rule, len(names), names[0]))
    return demand
