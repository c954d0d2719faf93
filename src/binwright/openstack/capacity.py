"""Capacity and use of a cloud's hosts: from Placement where the input has it, else from the hypervisors' columns.

Capacity is that of Placement's inventories, else of the hypervisors' columns with Nova's initial ratios; use is that of
Placement's allocations, else the inventories' `used`, else the hypervisors' columns, else the servers' flavors. Each
choice is told in `Hosts.notes`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace
from uuid import NAMESPACE_DNS, uuid5

from binwright.errors import InputError
from binwright.openstack.cloud import Cloud, Hypervisor, Server
from binwright.openstack.flavors import flavor_groups
from binwright.openstack.hosts import COLUMNS, HostNames, Hosts, class_key
from binwright.openstack.pending import Catalogue
from binwright.openstack.placement.inventory import Inventory
from binwright.openstack.placement.tree import Forest, Provider

__all__ = ["Oversold", "cloud_hosts", "oversold"]

# Nova's initial_*_allocation_ratio for a host whose ratio nobody set (its configuration defaults).
INITIAL_RATIOS = {"VCPU": 4.0, "MEMORY_MB": 1.0, "DISK_GB": 1.0}


@dataclass(frozen=True, slots=True)
class Oversold:
    """A provider of a host of which more is used than it may give, in the class's units: `capacity` is
    (total - reserved) x allocation ratio.
    """

    host: str
    provider: str
    resource: str
    capacity: int
    used: int


def oversold(hosts: Hosts) -> list[Oversold]:
    """Every provider and class of which servers have more than there is, as after a ratio was made smaller; by
    provider, then by class as it lists them.
    """
    forest = hosts.forest
    return [
        Oversold(forest.providers[forest.root(uuid)].name, provider.name, name, inventory.capacity, used)
        for uuid, provider in forest.providers.items()
        for name, inventory in provider.inventories.items()
        if (used := provider.used.get(name, 0)) > inventory.capacity and not _whole_node(inventory, used)
    ]


def cloud_hosts(cloud: Cloud, pending: Collection[Server] = ()) -> Hosts:
    """The hosts of a cloud. What `pending` servers already hold in Placement is not counted: a claim replaces it.

    Raises InputError when the input has neither inventories nor hypervisor columns, naming the missing file, for a
    provider tree that is none, and for a server whose flavor or host is needed and unknown.
    """
    if "providers" in cloud.present and "inventories" in cloud.present:
        hosts = _from_placement(cloud, {server.id for server in pending if server.id})
    else:
        hosts = _from_hypervisors(cloud)
    _service_states(cloud, hosts)
    return hosts


def _from_placement(cloud: Cloud, pending: set[str]) -> Hosts:
    notes = ["capacity: Placement inventories, (total - reserved) x allocation_ratio"]
    forest = Forest(replace(provider, used=dict(provider.used)) for provider in cloud.providers)
    hosts = _hosts(cloud, _join(cloud, forest, notes), forest, notes)
    _placement_use(cloud, pending, hosts)
    _placement_totals(hosts)
    return hosts


def _join(cloud: Cloud, forest: Forest, notes: list[str]) -> list[tuple[Hypervisor | None, Provider | None]]:
    """Each hypervisor with its root provider, by name or uuid; without hypervisors the roots that do not share."""
    roots = forest.roots()
    if "hypervisors" not in cloud.present:
        notes.append("hosts: the root providers, because hypervisors.json is missing")
        return [(None, provider) for provider in roots if not provider.sharing]
    by_key = {provider.uuid: provider for provider in roots} | {provider.name: provider for provider in roots}
    pairs = [(one, by_key.get(one.hostname) or by_key.get(one.id or "")) for one in cloud.hypervisors]
    lost = [one.hostname for one, provider in pairs if provider is None]
    if lost:
        notes.append(f"no resource provider, so nothing is placed there: {_some(lost)}")
    return list(pairs)


def _placement_use(cloud: Cloud, pending: set[str], hosts: Hosts) -> None:
    """Correct the providers' use: without what the pending servers hold, and from the flavors if nothing tells it."""
    providers = hosts.forest.providers
    if "allocations" in cloud.present:
        hosts.notes.append("used: Placement allocations")
        for consumer in pending & cloud.consumers.keys():
            for uuid, amounts in cloud.consumers[consumer].items():
                for name, amount in amounts.items():
                    providers[uuid].used[name] -= amount
    elif any(any(provider.used.values()) for provider in providers.values()):
        hosts.notes.append("used: the inventories' used column, because allocations/ is missing")
    else:
        for provider, amounts in zip(hosts.providers, _used_by_flavors(cloud, hosts, skip=pending)):
            if provider is not None:
                _charge(hosts, provider, amounts)


def _charge(hosts: Hosts, root: Provider, amounts: dict[str, int]) -> None:
    """Use of a host's tree from sums: what the root does not offer is taken of the providers below it, in order.

    Pinned CPUs are VCPU where nobody offers PCPU, as in Nova's second query.
    """
    tree = hosts.forest.tree(root.uuid)
    for name, amount in amounts.items():
        if name == "PCPU" and not any(name in provider.inventories for provider in tree):
            name = "VCPU"
        for provider in tree:
            inventory = provider.inventories.get(name)
            if inventory is not None:
                taken = amount if provider is root else min(amount, max(inventory.capacity, 0))
                provider.used[name] = provider.used.get(name, 0) + taken
                amount -= taken
        if amount:
            hosts.notes.append(f"used: {amount} {name} of the servers on {root.name} is of no provider in its tree")


def _placement_totals(hosts: Hosts) -> None:
    for provider in hosts.forest.providers.values():
        for name, inventory in provider.inventories.items():
            taken = provider.used.get(name, 0)
            _add_total(hosts, name, 1 if _whole_node(inventory, taken) else inventory.capacity, taken)
    over = Counter(one.resource for one in oversold(hosts))
    hosts.notes += [
        f"{name}: {count} providers use more than their capacity"
        for name, count in sorted(over.items(), key=lambda item: class_key(item[0]))
    ]


def _whole_node(inventory: Inventory, used: int) -> bool:
    """Whether it is a bare-metal node in use, which is reserved as well (openstack spec 10); in a total it is one node,
    and in use.
    """
    return used == inventory.total == inventory.reserved == inventory.max_unit == 1


def _from_hypervisors(cloud: Cloud) -> Hosts:
    if "hypervisors" not in cloud.present:
        missing = "inventories/: missing" if "providers" in cloud.present else "hypervisors.json: missing"
        raise InputError(f"{cloud.name}: {missing}, so the capacity of the hosts is unknown")
    known = [
        name
        for name, (total, _) in COLUMNS.items()
        if any(getattr(one, total) is not None for one in cloud.hypervisors)
    ]
    if cloud.hypervisors and not {"VCPU", "MEMORY_MB"} <= set(known):
        missing = "inventories/" if "providers" in cloud.present else "providers.json and inventories/"
        raise InputError(
            f"{cloud.name}: {missing}: missing, and hypervisors.json has no vCPUs and Memory MB columns, "
            "so the capacity of the hosts is unknown"
        )
    ratios = ", ".join(f"{name} {INITIAL_RATIOS[name]}" for name in known)
    notes = [f"capacity: hypervisors.json with Nova's initial ratios ({ratios}), because inventories/ is missing"]
    roots = [_root_of(one, known) for one in cloud.hypervisors]
    hosts = _hosts(cloud, list(zip(cloud.hypervisors, roots)), Forest(roots), notes)
    hosts.unknown = frozenset(COLUMNS) - set(known)
    used = _used_by_columns(cloud, known, notes)
    if used is None:
        used = _used_by_flavors(cloud, hosts, skip=set())
    for root, amounts in zip(roots, used):
        root.used = amounts
        for name, inventory in root.inventories.items():
            _add_total(hosts, name, inventory.capacity, amounts.get(name, 0))
    return hosts


def _root_of(one: Hypervisor, known: list[str]) -> Provider:
    """The provider that Nova would make of a hypervisor's columns, with a uuid from its name."""
    inventories = {}
    for name in known:
        total = getattr(one, COLUMNS[name][0])
        if total is None:
            raise InputError(f"{one.where}: {COLUMNS[name][0]}: missing, and there is no inventories/")
        inventories[name] = Inventory(total, max_unit=max(total, 1), allocation_ratio=INITIAL_RATIOS[name])
    return Provider(str(uuid5(NAMESPACE_DNS, one.hostname)), one.hostname, where=one.where, inventories=inventories)


def _used_by_columns(cloud: Cloud, known: list[str], notes: list[str]) -> list[dict[str, int]] | None:
    """The hypervisors' own used columns, None unless every host has all that are needed."""
    used = [{name: getattr(one, COLUMNS[name][1]) for name in known} for one in cloud.hypervisors]
    if any(amount is None for amounts in used for amount in amounts.values()):
        return None
    notes.append("used: the used columns of hypervisors.json")
    return used


def _used_by_flavors(cloud: Cloud, hosts: Hosts, skip: set[str]) -> list[dict[str, int]]:
    """Amounts per host from the flavors of the servers it runs."""
    if "servers" not in cloud.present:
        raise InputError(
            f"{cloud.name}: servers.json: missing, and allocations/ too, so the use of the hosts is unknown"
        )
    hosts.notes.append("used: the flavors of the servers on each host, because allocations/ is missing")
    catalogue = Catalogue(cloud.flavors)
    used: list[dict[str, int]] = [{} for _ in hosts.names]
    for server in cloud.servers:
        if server.host is None or server.id in skip:
            continue
        found = hosts.lookup.find(server.host)
        if len(found) != 1:
            what = "is no host of hypervisors.json" if not found else "is several hosts of hypervisors.json"
            raise InputError(f"{server.where}: host: {server.host!r} {what}")
        amounts = used[found[0]]
        groups = flavor_groups(catalogue.flavor_of(server), from_volume=server.from_volume)
        for name, amount in groups.totals().items():
            amounts[name] = amounts.get(name, 0) + amount
    return used


def _hosts(
    cloud: Cloud, pairs: list[tuple[Hypervisor | None, Provider | None]], forest: Forest, notes: list[str]
) -> Hosts:
    names = [one.hostname if one is not None else provider.name for one, provider in pairs]  # type: ignore[union-attr]
    service_hosts = [one.service_host if one is not None else None for one, _ in pairs]
    return Hosts(
        names=names,
        providers=[provider for _, provider in pairs],
        forest=forest,
        down=[False] * len(pairs),
        disabled=[False] * len(pairs),
        hypervisors=[one for one, _ in pairs],
        lookup=HostNames(names, service_hosts),
        notes=notes,
    )


def _service_states(cloud: Cloud, hosts: Hosts) -> None:
    """Down and disabled compute services, from the hypervisors' columns and from services.json."""
    for index, one in enumerate(hosts.hypervisors):
        if one is not None:
            hosts.down[index] = (one.state or "").casefold() == "down"
            hosts.disabled[index] = (one.status or "").casefold() == "disabled"
    for service in cloud.services:
        if service.binary not in (None, "nova-compute"):
            continue
        for index in hosts.lookup.find(service.host):
            hosts.down[index] |= (service.state or "").casefold() == "down"
            hosts.disabled[index] |= (service.status or "").casefold() == "disabled"


def _add_total(hosts: Hosts, name: str, capacity: int, used: int) -> None:
    before = hosts.totals.get(name, (0, 0))
    hosts.totals[name] = (before[0] + capacity, before[1] + used)


def _some(names: list[str], most: int = 3) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
