"""Does a guest topology fit a host topology, and onto which cells?

Joins cells, pinning, PCI and network affinity; changes nothing. Source: openstack spec 6.2.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations

from tests.reference.openstack import pci
from tests.reference.openstack.numa import ANY, LARGE, SMALL, GuestCell, GuestTopology, HostCell
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
        limits = limits or {}
        network = limits.get("network_metadata") or {}
        physnets, tunneled = frozenset(network.get("physnets", ())), bool(network.get("tunneled"))
        return cls(limits.get("cpu"), limits.get("ram"), physnets, tunneled)


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
    if len(host) < len(guest.cells):
        return None
    sockets = {cell.id: cell.socket for cell in host}
    for chosen in permutations(order_cells(host, guest, pools, pci_requests, packing), len(guest.cells)):
        placed = []
        for number, (host_cell, guest_cell) in enumerate(zip(chosen, guest.cells)):
            reserved = 1 if number == 0 and guest.emulator_threads_policy == "isolate" else 0
            placed.append(fit_cell(host_cell, guest_cell, limits, reserved))
        if None in placed:
            continue
        cells = [cell.id for cell in placed]
        devices = pools is None or pci.apply_requests(pools, pci_requests or [], mapping, cells, sockets) is not None
        if devices and network_fits(host, chosen, limits):
            return replace(guest, cells=tuple(placed))
    return None


def order_cells(
    host: tuple[HostCell, ...],
    guest: GuestTopology,
    pools: list[dict] | None,
    pci_requests: list[dict] | None,
    packing: bool,
) -> list[HostCell]:
    """The order in which host cells are tried: stable sorts, the last one dominant (spec 6.2.1)."""
    cells = list(host)
    if len(cells) == len(guest.cells):
        return cells
    cells.sort(key=lambda cell: cell.avail_memory, reverse=not packing)
    if guest.cells[0].is_pinned:
        cells.sort(key=lambda cell: len(cell.free_pcpus), reverse=not packing)
    else:
        cells.sort(key=lambda cell: cell.cpu_usage, reverse=packing)
    if pools is not None:
        devices = {cell.id: pci.total([p for p in pools if p["numa_node"] == cell.id]) for cell in cells}
        cells.sort(key=lambda cell: devices[cell.id], reverse=bool(pci_requests))
    return cells


def fit_cell(host: HostCell, guest: GuestCell, limits: Limits, reserved: int) -> GuestCell | None:
    """One guest cell on one host cell: pages or memory, CPUs, pinning, overcommit (spec 6.2.3)."""
    guest_kb = guest.memory * 1024
    if guest.pagesize is not None:
        size = choose_page_size(host, guest.pagesize, guest_kb)
        if size is None:
            return None
        guest = replace(guest, pagesize=size)
    elif host.mempages:
        pages = min(host.mempages, key=lambda p: p.size_kb)
        count = pages.free if guest.is_pinned else pages.total
        if guest_kb > count * pages.size_kb or guest_kb % pages.size_kb:
            return None
    elif guest.memory > (host.avail_memory if guest.is_pinned else host.memory):
        return None
    if guest.cpu_policy != "dedicated":
        if len(guest.cpuset) > len(host.cpuset):
            return None
        if limits.cpu is not None and host.cpu_usage + len(guest.cpuset) > len(host.cpuset) * limits.cpu:
            return None
        if limits.ram is not None and host.memory_usage + guest.memory > host.memory * limits.ram:
            return None
    if guest.is_pinned:
        wanted = len(guest.pcpuset) + reserved
        if wanted > len(host.pcpuset) or wanted > len(host.free_pcpus):
            return None
        return pack(host, guest, reserved)
    return replace(guest, id=host.id)


def choose_page_size(host: HostCell, wish: int, guest_kb: int) -> int | None:
    """The first of the candidate sizes of which enough pages are free (spec 6.2.3)."""
    sizes = sorted((pages.size_kb for pages in host.mempages), reverse=True)
    candidates = {SMALL: sizes[-1:], LARGE: sizes[:-1], ANY: sizes}.get(wish, [wish])
    free = {pages.size_kb: pages.free for pages in host.mempages}
    for size in candidates:
        if size in free and guest_kb <= free[size] * size and guest_kb % size == 0:
            return size
    return None


def network_fits(host: tuple[HostCell, ...], chosen: tuple[HostCell, ...], limits: Limits) -> bool:
    """A physical or tunnelled network that has affinity to some cell must have it to a chosen one (spec 6.2.4)."""
    for physnet in limits.physnets:
        if any(physnet in cell.physnets for cell in host) and not any(physnet in cell.physnets for cell in chosen):
            return False
    if limits.tunneled and any(cell.tunneled for cell in host):
        return any(cell.tunneled for cell in chosen)
    return True
