"""Does a guest topology fit a host topology, and onto which cells?

Joins cells, pinning, PCI and network affinity; changes nothing. Source: openstack spec 6.2.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations

from tests.reference.openstack import pci
from tests.reference.openstack.numa import (
    ANY,
    LARGE,
    SMALL,
    GuestCell,
    GuestTopology,
    HostCell,
    left_memory,
    left_pages,
    unpinned,
)
from tests.reference.openstack.numa_pinning import pack


@dataclass(frozen=True)
class Limits:
    """Overcommit and network limits of a fit; None in a place: not limited."""

    cpu: float | None = None
    ram: float | None = None
    physnets: frozenset[str] = frozenset()
    tunneled: bool = False

    @classmethod
    def from_json(cls, limits: dict | None) -> Limits:
        told = limits or {}
        network = told.get("network_metadata") or {"physnets": (), "tunneled": False}
        networks = frozenset(network.get("physnets", ())), bool(network.get("tunneled"))
        return cls(told.get("cpu"), told.get("ram"), *networks)


def fit(
    host: tuple[HostCell, ...],
    guest: GuestTopology,
    limits: Limits = Limits(),
    pools: list[dict] | None = None,
    pci_requests: list[dict] | None = None,
    mapping: dict[str, list[str]] | None = None,
    packing: bool = False,
) -> GuestTopology | None:
    """The guest with host cells, page sizes and pinning chosen, or None (spec 6.2).

    `pools`: the host's PCI pools, None without PCI statistics; `packing`: [compute]
    packing_host_numa_cells_allocation_strategy.
    """
    order = order_cells(host, guest, pools, pci_requests, packing)
    for chosen in permutations(order, len(guest.cells)):  # none if the host has too few
        spare = [int(guest.emulator_threads_policy == "isolate"), *[0] * len(guest.cells)]
        placed = [fit_cell(*pair, limits, more) for *pair, more in zip(chosen, guest.cells, spare)]
        if (
            all(placed)
            and devices_reach(host, [cell.id for cell in chosen], pools, pci_requests or [], mapping)
            and networks_reach(host, chosen, limits)
        ):
            return GuestTopology(tuple(placed), guest.emulator_threads_policy)
    return None


def order_cells(
    host: tuple[HostCell, ...],
    guest: GuestTopology,
    pools: list[dict] | None,
    pci_requests: list[dict] | None,
    packing: bool,
) -> list[HostCell]:
    """Spec 6.2.1 as one key: the sort that comes last is compared first. Equal counts: no sorting at all."""
    upward = 1 if packing else -1  # packing reverses (a) and (b) only

    def key(cell: HostCell) -> tuple[int, int, int]:
        memory = upward * left_memory(cell)  # (a) avail_memory descending
        if guest.cells[0].is_pinned:
            cpus = upward * len(unpinned(cell))  # (b) free pcpus descending
        else:
            cpus = -upward * cell.cpu_usage  # (b) cpu_usage ascending
        near = sum(pool["count"] for pool in pools or () if pool["numa_node"] == cell.id)
        return -near if pci_requests else near, cpus, memory  # (c)

    return list(host) if len(host) == len(guest.cells) else sorted(host, key=key)


def fit_cell(host: HostCell, guest: GuestCell, limits: Limits, reserved: int) -> GuestCell | None:
    """One guest cell on one host cell, by the bullets of spec 6.2.3."""
    if not memory_fits(host, guest):
        return None
    if guest.pagesize is not None:
        guest = replace(guest, pagesize=page_size(host, guest))
    floating = len(guest.cpuset)
    if guest.cpu_policy != "dedicated":  # shared, mixed, none
        ratios = (
            (limits.cpu, host.cpu_usage + floating, len(host.cpuset)),
            (limits.ram, host.memory_usage + guest.memory, host.memory),
        )
        over = any(ratio is not None and wanted > ratio * have for ratio, wanted, have in ratios)
        if over or floating > len(host.cpuset):
            return None
    if not guest.is_pinned:
        return replace(guest, id=host.id)
    needed = len(guest.pcpuset) + reserved
    enough = needed <= len(host.pcpuset) and needed <= len(unpinned(host))
    return pack(host, guest, reserved) if enough else None


def memory_fits(host: HostCell, guest: GuestCell) -> bool:
    """By the page size asked for; else by the host's smallest pages; else by plain memory."""
    if guest.pagesize is not None:
        return page_size(host, guest) is not None
    if not host.mempages:
        return guest.memory <= (left_memory(host) if guest.is_pinned else host.memory)
    smallest = sorted(host.mempages, key=lambda row: row.size_kb)[0]
    have = left_pages(smallest) if guest.is_pinned else smallest.total
    pages, rest = divmod(guest.memory * 1024, smallest.size_kb)
    return not rest and pages <= have


def page_size(host: HostCell, guest: GuestCell) -> int | None:
    """The first candidate size of which enough pages are free; None if there is none."""
    rows = {row.size_kb: row for row in host.mempages}
    falling = sorted(rows)[::-1]
    match guest.pagesize:
        case value if value == SMALL:
            falling = falling[-1:]
        case value if value == LARGE:
            falling = falling[:-1]
        case value if value != ANY:
            falling = [value] if value in rows else []
    for size in falling:
        pages, rest = divmod(guest.memory * 1024, size)
        if not rest and pages <= left_pages(rows[size]):
            return size
    return None


def devices_reach(
    host: tuple[HostCell, ...],
    chosen: list[int],
    pools: list[dict] | None,
    pci_requests: list[dict],
    mapping: dict[str, list[str]] | None,
) -> bool:
    """Section 7 with the chosen cells; a host without PCI statistics is not asked here."""
    if pools is None:
        return True
    return pci.apply_requests(pools, pci_requests, mapping, chosen, {cell.id: cell.socket for cell in host}) is not None


def networks_reach(host: tuple[HostCell, ...], chosen: tuple[HostCell, ...], limits: Limits) -> bool:
    """Spec 6.2.4: what is affine to some cell of the host must be to a chosen one; tunnelled networks likewise."""

    def offered(cells: tuple[HostCell, ...]) -> set[str]:
        nets = {f"physnet {name}" for cell in cells for name in cell.physnets}
        return nets | {"tunnel" for cell in cells if cell.tunneled}

    wanted = {f"physnet {name}" for name in limits.physnets} | ({"tunnel"} if limits.tunneled else set())
    return wanted & offered(host) <= offered(chosen)
