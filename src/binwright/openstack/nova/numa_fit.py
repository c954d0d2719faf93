"""Whether a guest's NUMA cells fit a host's, and onto which (openstack spec 6.2).

Joins memory, CPUs, pinning, devices and networks; changes nothing. Host cells are tried in the service's order: the
first choice in which every guest cell fits wins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from binwright.openstack.nova import pci
from binwright.openstack.nova.numa_cells import ANY, KIB_PER_MIB, LARGE, SMALL, GuestCell, GuestTopology, HostCell
from binwright.openstack.nova.numa_pinning import pinned

__all__ = ["Devices", "Limits", "fit"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Overcommit of floating CPUs and memory (None: not limited), and the networks that the guest is on."""

    cpu: float | None = None
    ram: float | None = None
    physnets: frozenset[str] = frozenset()
    tunneled: bool = False


@dataclass(frozen=True, slots=True)
class Devices:
    """A host's PCI pools (None: it says nothing of devices), what is asked of them, and Placement's choice."""

    pools: Sequence[pci.Pool] | None = None
    requests: Sequence[Mapping[str, Any]] = ()
    mapped: pci.Mapped | None = None


def fit(
    host: Sequence[HostCell],
    guest: GuestTopology,
    limits: Limits = Limits(),
    devices: Devices = Devices(),
    packing: bool = False,
) -> GuestTopology | None:
    """The guest with host cells, page sizes and pinning chosen; None if it does not fit.

    packing: [compute] packing_host_numa_cells_allocation_strategy, fullest cells first.
    """
    if len(host) < len(guest.cells):
        return None
    sockets = {cell.id: cell.socket for cell in host}
    for placed in _choices(_ordered(host, guest, devices, packing), guest, limits):
        chosen = [cell.id for cell in placed]
        if devices.pools is not None:
            left = pci.without_devices(devices.pools, devices.requests, devices.mapped, chosen, sockets)
            if left is None:
                continue
        if _networks_reach(host, chosen, limits):
            return replace(guest, cells=placed)
    return None


def _ordered(host: Sequence[HostCell], guest: GuestTopology, devices: Devices, packing: bool) -> list[HostCell]:
    """The order of trying: stable sorts, the last weighs most. As many cells as the guest has stay as they are."""
    cells = list(host)
    if len(cells) == len(guest.cells):
        return cells
    cells.sort(key=lambda cell: cell.free_memory, reverse=not packing)
    if guest.cells[0].pinned:
        cells.sort(key=lambda cell: len(cell.free_pcpus), reverse=not packing)
    else:
        cells.sort(key=lambda cell: cell.cpu_usage, reverse=packing)
    if devices.pools is not None:
        counts = {
            cell.id: pci.device_count(pool for pool in devices.pools if pool["numa_node"] == cell.id) for cell in cells
        }
        cells.sort(key=lambda cell: counts[cell.id], reverse=bool(devices.requests))
    return cells


def _choices(cells: Sequence[HostCell], guest: GuestTopology, limits: Limits) -> Iterator[tuple[GuestCell, ...]]:
    """Every way to give the guest's cells different host cells, in lexicographic order of the host cells.

    A pair of cells is judged once.
    """
    fitted = [
        [_on_cell(cell, part, limits, guest.reserved_cpus(number)) for cell in cells]
        for number, part in enumerate(guest.cells)
    ]

    def descend(number: int, taken: frozenset[int]) -> Iterator[tuple[GuestCell, ...]]:
        if number == len(guest.cells):
            yield ()
            return
        for index, part in enumerate(fitted[number]):
            if part is not None and index not in taken:
                for rest in descend(number + 1, taken | {index}):
                    yield part, *rest

    return descend(0, frozenset())


def _on_cell(host: HostCell, guest: GuestCell, limits: Limits, reserved: int) -> GuestCell | None:
    """A guest cell on one host cell, None if it does not fit."""
    wanted = guest.memory * KIB_PER_MIB
    if guest.pagesize is not None:
        size = _page_size(host, guest.pagesize, wanted)
        if size is None:
            return None
        guest = replace(guest, pagesize=size)
    elif host.mempages:
        pages = min(host.mempages, key=lambda one: one.size_kb)
        if wanted % pages.size_kb or wanted > pages.size_kb * (pages.free if guest.pinned else pages.total):
            return None
    elif guest.memory > (host.free_memory if guest.pinned else host.memory):
        return None
    if guest.cpu_policy != "dedicated" and not _floating_fits(host, guest, limits):
        return None
    if not guest.pinned:
        return replace(guest, id=host.id)
    if len(guest.pcpuset) + reserved > min(len(host.pcpuset), len(host.free_pcpus)):
        return None
    return pinned(host, guest, reserved)


def _page_size(host: HostCell, wish: int, wanted: int) -> int | None:
    """The first size, among those wished for, of which enough pages are free."""
    sizes = sorted(host.mempages, key=lambda pages: pages.size_kb, reverse=True)
    if wish == SMALL:
        sizes = sizes[-1:]
    elif wish == LARGE:
        sizes = sizes[:-1]
    elif wish != ANY:
        sizes = [pages for pages in sizes if pages.size_kb == wish]
    for pages in sizes:
        if wanted % pages.size_kb == 0 and wanted <= pages.size_kb * pages.free:
            return pages.size_kb
    return None


def _floating_fits(host: HostCell, guest: GuestCell, limits: Limits) -> bool:
    """Floating CPUs and memory within the overcommit."""
    cpus = len(guest.cpuset)
    if cpus > len(host.cpuset):
        return False
    if limits.cpu is not None and host.cpu_usage + cpus > len(host.cpuset) * limits.cpu:
        return False
    return limits.ram is None or host.memory_usage + guest.memory <= host.memory * limits.ram


def _networks_reach(host: Sequence[HostCell], chosen: Sequence[int], limits: Limits) -> bool:
    """A network that is near some cell of the host must be near one of the chosen."""
    for physnet in sorted(limits.physnets):
        near = {cell.id for cell in host if physnet in cell.physnets}
        if near and near.isdisjoint(chosen):
            return False
    tunneled = {cell.id for cell in host if cell.tunneled}
    return not (limits.tunneled and tunneled and tunneled.isdisjoint(chosen))
