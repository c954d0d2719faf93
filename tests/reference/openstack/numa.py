"""NUMA cells of hosts and guests as records, and what a guest that comes or goes changes on a host.

Decides nothing about fitting. Source: openstack spec 6.2 (first paragraph), 6.4.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace

SMALL, LARGE, ANY = -1, -2, -3  # page sizes that are wishes, not sizes
PINNED_POLICIES = ("dedicated", "mixed")


@dataclass(frozen=True)
class Pages:
    """One row of mempages: a size in KiB, the rest counted in pages."""

    size_kb: int
    total: int
    used: int = 0
    reserved: int = 0


@dataclass(frozen=True)
class HostCell:
    """A host cell of spec 6.2; memory in MiB."""

    id: int
    cpuset: frozenset[int]
    pcpuset: frozenset[int]
    memory: int
    cpu_usage: int
    memory_usage: int
    pinned_cpus: frozenset[int]
    siblings: tuple[frozenset[int], ...]
    socket: int | None
    mempages: tuple[Pages, ...]
    physnets: frozenset[str] = frozenset()
    tunneled: bool = False

    @classmethod
    def from_json(cls, cell: dict) -> HostCell:
        known = {name: cell[name] for name in ("id", "memory", "cpu_usage", "memory_usage", "socket")}
        sets = {name: frozenset(cell[name]) for name in ("cpuset", "pcpuset", "pinned_cpus")}
        near = cell.get("network_metadata") or {"physnets": (), "tunneled": False}
        return cls(
            **known,
            **sets,
            siblings=tuple(map(frozenset, cell["siblings"])),
            mempages=tuple(Pages(**row) for row in cell["mempages"]),
            physnets=frozenset(near.get("physnets", ())),
            tunneled=bool(near.get("tunneled")),
        )

    def to_json(self) -> dict:
        """As recorded after consumption: sets sorted, without network_metadata (spec 13)."""
        told = asdict(self)
        del told["physnets"], told["tunneled"]
        told["siblings"] = [sorted(core) for core in told["siblings"]]
        told["mempages"] = list(told["mempages"])
        return {name: sorted(value) if isinstance(value, frozenset) else value for name, value in told.items()}


def unpinned(cell: HostCell) -> frozenset[int]:
    """free_pcpus = pcpuset - pinned."""
    return cell.pcpuset.difference(cell.pinned_cpus)


def left_memory(cell: HostCell) -> int:
    """avail_memory = memory - memory_usage."""
    return cell.memory - cell.memory_usage


def left_pages(row: Pages) -> int:
    """free pages = total - used - reserved."""
    return row.total - (row.used + row.reserved)


def threads_per_core(cell: HostCell) -> int:
    """tpc = max |s|; a cell that lists no siblings has no SMT."""
    return max(map(len, cell.siblings)) if cell.siblings else 1


@dataclass(frozen=True)
class GuestCell:
    """A guest cell of spec 6.1; its id becomes that of the host cell once it is placed."""

    id: int
    cpuset: frozenset[int]  # floating CPUs
    pcpuset: frozenset[int]  # dedicated CPUs
    memory: int
    pagesize: int | None = None
    cpu_policy: str | None = None
    cpu_thread_policy: str | None = None
    cpu_pinning: dict[int, int] = field(default_factory=dict)
    cpuset_reserved: frozenset[int] = frozenset()

    @property
    def is_pinned(self) -> bool:
        return self.cpu_policy in PINNED_POLICIES

    def to_json(self) -> dict:
        told = asdict(self)
        for name in ("cpuset", "pcpuset", "cpuset_reserved"):
            told[name] = sorted(told[name])
        told["cpu_pinning"] = {f"{guest}": cpu for guest, cpu in sorted(self.cpu_pinning.items())}
        return told


@dataclass(frozen=True)
class GuestTopology:
    """The NUMA topology of a guest."""

    cells: tuple[GuestCell, ...]
    emulator_threads_policy: str | None = None

    def to_json(self) -> dict:
        told = [cell.to_json() for cell in self.cells]
        return {"emulator_threads_policy": self.emulator_threads_policy, "cells": told}


def host_cells(topology: dict | None) -> tuple[HostCell, ...] | None:
    return tuple(map(HostCell.from_json, topology["cells"])) if topology is not None else None


def usage_after(cells: tuple[HostCell, ...], guest: GuestTopology, free: bool = False) -> tuple[HostCell, ...]:
    """The host cells once a placed guest has come, or with `free` gone (spec 6.4).

    Raises IndexError, as the peer does, for a host cell without any page size, and ValueError when a CPU is to be
    pinned that is pinned already or unknown.
    """
    changed = {cell.id: cell for cell in cells}
    for part in guest.cells:
        if part.id in changed:
            changed[part.id] = (left_by if free else taken_by)(changed[part.id], part)
    return tuple(changed[cell.id] for cell in cells)


def cpus_of(cell: HostCell, part: GuestCell) -> set[int]:
    """Pinned and reserved CPUs, with isolate all their siblings too."""
    cpus = {*part.cpu_pinning.values(), *part.cpuset_reserved}
    if part.cpu_thread_policy != "isolate":
        return cpus
    for core in cell.siblings:
        if not cpus.isdisjoint(core):
            cpus = cpus.union(core)
    return cpus


def pages_of(cell: HostCell, part: GuestCell) -> tuple[int, int]:
    """(size, pages) of a guest cell: its own page size, or the host cell's smallest."""
    size = part.pagesize
    if size is None:
        size = sorted(row.size_kb for row in cell.mempages)[0]
    elif not cell.mempages:
        raise IndexError("mempages")
    return size, part.memory * 1024 // size


def taken_by(cell: HostCell, part: GuestCell) -> HostCell:
    """A guest cell has come; a CPU that is pinned already or unknown is an error."""
    (size, pages), cpus = pages_of(cell, part), cpus_of(cell, part)
    wrong = cpus - unpinned(cell)
    if wrong:
        raise ValueError(f"cell {cell.id}: CPUs {sorted(wrong)} are unknown or pinned already")
    rows = [replace(row, used=row.used + pages * (row.size_kb == size)) for row in cell.mempages]
    return replace(
        cell,
        pinned_cpus=cell.pinned_cpus.union(cpus),
        mempages=tuple(rows),
        memory_usage=cell.memory_usage + part.memory,
        cpu_usage=cell.cpu_usage + len(part.cpuset),
    )


def left_by(cell: HostCell, part: GuestCell) -> HostCell:
    """A guest cell has gone: the inverse, floored at 0."""
    (size, pages), cpus = pages_of(cell, part), cpus_of(cell, part)
    rows = [replace(row, used=max(row.used - pages, 0)) if row.size_kb == size else row for row in cell.mempages]
    return replace(
        cell,
        pinned_cpus=cell.pinned_cpus.difference(cpus),
        mempages=tuple(rows),
        memory_usage=max(cell.memory_usage - part.memory, 0),
        cpu_usage=max(cell.cpu_usage - len(part.cpuset), 0),
    )
