"""NUMA cells of hosts and guests: what they hold, and what a guest takes of a host (openstack spec 6.2, 6.4).

Sizes: memory in MiB, pages in KiB, CPUs as sets of numbers. Decides nothing about fitting.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from binwright.errors import InputError, StateError

__all__ = ["ANY", "LARGE", "PINNED", "SMALL", "GuestCell", "GuestTopology", "HostCell", "Pages", "used_by"]

SMALL, LARGE, ANY = -1, -2, -3
"""Page sizes that are wishes; the size itself is chosen on the host cell."""

PINNED = ("dedicated", "mixed")
"""CPU policies with dedicated CPUs."""

KIB_PER_MIB = 1024


@dataclass(frozen=True, slots=True)
class Pages:
    """Pages of one size: `size_kb` KiB each, the rest in pages."""

    size_kb: int
    total: int
    used: int = 0
    reserved: int = 0

    @property
    def free(self) -> int:
        return self.total - self.used - self.reserved


@dataclass(frozen=True, slots=True)
class HostCell:
    """A NUMA cell of a host: `cpuset` for floating CPUs, `pcpuset` for dedicated ones."""

    id: int
    cpuset: frozenset[int]
    pcpuset: frozenset[int]
    memory: int
    cpu_usage: int = 0
    memory_usage: int = 0
    pinned_cpus: frozenset[int] = frozenset()
    siblings: tuple[frozenset[int], ...] = ()
    socket: int | None = None
    mempages: tuple[Pages, ...] = ()
    physnets: frozenset[str] = frozenset()
    tunneled: bool = False

    @property
    def free_pcpus(self) -> frozenset[int]:
        """CPUs that may still be pinned."""
        return self.pcpuset - self.pinned_cpus

    @property
    def free_memory(self) -> int:
        return self.memory - self.memory_usage

    @property
    def threads_per_core(self) -> int:
        return max((len(threads) for threads in self.siblings), default=1)


@dataclass(frozen=True, slots=True)
class GuestCell:
    """A NUMA cell of a guest. Once placed, `id` is the host cell's, `pinning` leads from guest CPU to host CPU."""

    id: int
    cpuset: frozenset[int]
    pcpuset: frozenset[int]
    memory: int
    pagesize: int | None = None
    cpu_policy: str | None = None
    thread_policy: str | None = None
    pinning: dict[int, int] = field(default_factory=dict)
    reserved: frozenset[int] = frozenset()

    @property
    def pinned(self) -> bool:
        """Whether it has dedicated CPUs by policy."""
        return self.cpu_policy in PINNED


@dataclass(frozen=True, slots=True)
class GuestTopology:
    """The cells of a guest; with the emulator policy "isolate" the first one has a CPU more."""

    cells: tuple[GuestCell, ...]
    emulator_policy: str | None = None

    def reserved_cpus(self, number: int) -> int:
        """CPUs that cell `number` needs beside its own."""
        return int(number == 0 and self.emulator_policy == "isolate")


def used_by(cells: Iterable[HostCell], guest: GuestTopology) -> tuple[HostCell, ...]:
    """The cells of a host when a placed guest has come.

    Raises StateError for a CPU that is pinned already or unknown, InputError for a cell without any page size.
    """
    after = []
    for cell in cells:
        for part in guest.cells:
            if part.id == cell.id:
                cell = _taken(cell, part)
        after.append(cell)
    return tuple(after)


def _taken(cell: HostCell, part: GuestCell) -> HostCell:
    if not cell.mempages:
        raise InputError(f"NUMA cell {cell.id}: mempages: no page size is given")
    size = min(pages.size_kb for pages in cell.mempages) if part.pagesize is None else part.pagesize
    count = part.memory * KIB_PER_MIB // size
    cpus = part.reserved.union(part.pinning.values())
    if part.thread_policy == "isolate":
        cpus = cpus.union(*(threads for threads in cell.siblings if threads & cpus))
    if not cpus <= cell.free_pcpus:
        raise StateError(f"NUMA cell {cell.id}: CPUs {sorted(cpus - cell.free_pcpus)} are pinned already or unknown")
    return replace(
        cell,
        memory_usage=cell.memory_usage + part.memory,
        cpu_usage=cell.cpu_usage + len(part.cpuset),
        pinned_cpus=cell.pinned_cpus | cpus,
        mempages=tuple(
            replace(pages, used=pages.used + count) if pages.size_kb == size else pages for pages in cell.mempages
        ),
    )
