"""The servers of a cloud as items to pack: those that exist and those that are wanted, by the amounts of their flavors.

Anti-affinity groups become "at most so many a host", affinity groups one host for all; zones, traits, hints and other
policies are listed as not evaluated.
"""

from __future__ import annotations

from collections.abc import Iterable

from binwright.demand import Demand, Item
from binwright.formats.files import Blob
from binwright.openstack.dumps import read_dump
from binwright.openstack.flavors import flavor_groups
from binwright.openstack.nova.server_groups import group_hint
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
        (one.name, one.id, catalogue.flavor_of(one), one.from_volume, one.hints)
        for one in cloud.servers
        if one.host is not None and one.status not in _GONE
    ]
    wanted = wanted_servers(cloud)
    asked += [(one.name, one.uid, one.flavor, one.from_volume, one.hints) for one in wanted]
    hinted: dict[str, set[int]] = {}  # by id or name of the group
    for server, uid, flavor, from_volume, hints in asked:
        groups = flavor_groups(flavor, from_volume=from_volume)
        if uid is not None:
            at[uid] = len(demand.items)
        if (hint := group_hint(hints)) is not None:
            hinted.setdefault(hint, set()).add(len(demand.items))
        demand.items.append(Item(server, groups.totals()))
        if any(group.required or group.forbidden for group in groups.groups.values()):
            traits.append(server)
    zoned = [one.name for one in wanted if one.zone is not None]
    otherwise = [one.name for one in wanted if one.hints.keys() - {"group"}]
    known = {key for group in cloud.server_groups for key in (group.id, group.name)}
    unknown = [demand.items[min(some)].name for hint, some in hinted.items() if hint not in known]
    others = []
    stay: list[list[int]] = []
    for group in cloud.server_groups:
        joining = hinted.get(group.id or "", set()) | hinted.get(group.name, set())
        members = sorted(joining | {at[member] for member in group.members if member in at})
        if group.policy == "anti-affinity" and len(members) > group.most:
            demand.at_most.append((members, group.most))
        elif group.policy == "affinity" and len(members) > 1:
            stay.append(members)
        elif group.policy not in ("anti-affinity", "affinity") and len(members) > 1:
            others.append(group.name)
    demand.together = _joined(stay)
    for rule, names in (
        ("availability zone", zoned),
        ("traits", traits),
        ("server group policy", others),
        ("server group that is not in the dump", unknown),
        ("scheduler hints", otherwise),
    ):
        if names:
            demand.not_evaluated.append(NotEvaluated(rule, len(names), names[0]))
    return demand


def _joined(groups: list[list[int]]) -> list[list[int]]:
    """Groups that share a member as one."""
    joined: list[set[int]] = []
    for group in map(set, groups):
        apart = [other for other in joined if not other & group]
        joined = [*apart, group.union(*(other for other in joined if other & group))]
    return [sorted(group) for group in joined]
