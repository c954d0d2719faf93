"""The cheapest bins for what a source runs and wants: the layer's items, the catalogue's bins, one packing problem."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from binwright.demand import Demand
from binwright.errors import InputError
from binwright.outcome import NotEvaluated
from binwright.packing.catalogue import Catalogue
from binwright.packing.documents import Instance
from binwright.packing.problem import Bins, Items
from binwright.stack.sources import Source, find_sources

# resource of a layer -> column of the catalogue, and how many base units one unit of the column is
COLUMNS = {
    "kubernetes": {
        "cpu": ("vcpus", 1000),
        "memory": ("memory_mb", 1 << 20),
        "ephemeral-storage": ("disk_gb", 1 << 30),
    },
    "openstack": {"VCPU": ("vcpus", 1), "PCPU": ("vcpus", 1), "MEMORY_MB": ("memory_mb", 1), "DISK_GB": ("disk_gb", 1)},
}


def demands(paths: Iterable[str], input: str) -> list[Demand]:
    """The items of every source that `paths` name. Raises InputError for the first bad path or object."""
    return [demand_of(source) for source in find_sources(paths, input)]


def demand_of(source: Source) -> Demand:
    """Hand a source to its layer; the other layer's modules are not imported."""
    if source.layer == "openstack":
        from binwright.openstack.to_items import to_items as servers

        return servers(source.name, source.blobs)
    from binwright.kubernetes.to_items import to_items as pods

    return pods(source.name, source.blobs)


def problem_of(demand: Demand, catalogue: Catalogue) -> tuple[Instance, list[NotEvaluated]]:
    """The packing problem, and what of the input it leaves out.

    Raises InputError when the source has no items, or the catalogue lacks cpu and memory altogether.
    """
    if not demand.items:
        raise InputError(f"{demand.source}: nothing to pack")
    left_out = list(demand.not_evaluated)
    wanted = dict.fromkeys(name for item in demand.items for name, amount in item.amounts.items() if amount)
    columns = {name: COLUMNS[demand.layer].get(name, (name, 1)) for name in wanted}
    resources = [name for name in wanted if columns[name][0] in catalogue.resources]
    if not resources:
        raise InputError(f"{catalogue.source}: no column for {', '.join(wanted)}")
    for name in wanted:
        if name not in resources:
            users = [item.name for item in demand.items if item.amounts.get(name)]
            left_out.append(NotEvaluated(f"resource {name} (no such column in the catalogue)", len(users), users[0]))
    # two resources of one column (VCPU and PCPU) share it
    groups = list(dict.fromkeys(columns[name][0] for name in resources))
    factors = {columns[name][0]: columns[name][1] for name in resources}
    members = {group: [name for name in resources if columns[name][0] == group] for group in groups}
    weights = [[sum(item.amounts.get(name, 0) for name in members[group]) for group in groups] for item in demand.items]
    overhead = [sum(demand.overhead.get(name, 0) for name in members[group]) for group in groups]
    bins = with_overhead(catalogue, groups, factors, overhead, demand.overhead_items)
    eligible = None
    selecting = [item.name for item in demand.items if item.labels]
    if selecting and any(catalogue.labels):
        eligible = np.array(
            [[item.labels.items() <= labels.items() for labels in catalogue.labels] for item in demand.items], bool
        )
    elif selecting:
        left_out.append(NotEvaluated("nodeSelector (no labels in the catalogue)", len(selecting), selecting[0]))
    items = Items(
        weights,
        names=[item.name for item in demand.items],
        at_most=demand.at_most,
        conflicts=demand.conflicts,
        together=demand.together,
        eligible=eligible,
    )
    return Instance(demand.source, items, bins, tuple(members[group][0] for group in groups)), left_out


def with_overhead(
    catalogue: Catalogue, groups: list[str], factors: dict[str, int], overhead: list[int], items: int
) -> Bins:
    """The catalogue's bins with what every one of them holds besides; a kind too small for it is out of stock."""
    plain = catalogue.bins(groups, factors)
    most = [max(limit - items, 0) if limit >= 0 else -1 for limit in catalogue.max_items]
    holds = [bool((row >= overhead).all()) for row in plain.capacity]
    used = [np.minimum(row, overhead).tolist() for row in plain.capacity]
    stock = [stock if able else 0 for stock, able in zip(catalogue.stock, holds)]
    return Bins(plain.capacity.tolist(), catalogue.prices, stock, used=used, max_items=most, names=catalogue.names)
