"""Host and guest NUMA cells: what they hold, and how a host's usage changes when a guest comes or goes.

Decides nothing about fitting. Source: openstack spec 6.2 (first paragraph), 6.4.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

SMALL, LARGE, ANY = -1, -2, -3  # page sizes that are wishes, not sizes

PINNED_POLICIES = ("dedicated", "mixed")


@dataclass(frozen=True)
class Pages:
    """Pages of one size in a host cell; sizes in KiB, the rest in pages."""

    size_kb: int
    total: int
    used: int = 0
    reserved: int = 0

    @property
    def free(self) -> int:
        return self.total - self.used - self.reserved


@dataclass(frozen=True)
class HostCell:
    """One NUMA cell of a host; memory in MiB."""

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
        network = cell.get("network_metadata") or {}
        return cls(
            id=cell["id"],
            cpuset=frozenset(cell["cpuset"]),
            pcpuset=frozenset(cell["pcpuset"]),
            memory=cell["memory"],
            cpu_usage=cell["cpu_usage"],
            memory_usage=cell["memory_usage"],
            pinned_cpus=frozenset(cell["pinned_cpus"]),
            siblings=tuple(frozenset(threads) for threads in cell["siblings"]),
            socket=cell["socket"],
            mempages=tuple(Pages(**pages) for pages in cell["mempages"]),
            physnets=frozenset(network.get("physnets", ())),
            tunneled=bool(network.get("tunneled")),
        )

    def to_json(self) -> dict:
        """Without network_metadata, as the recorded topologies after consumption (spec 13)."""
        return {
            "id": self.id,
            "cpuset": sorted(self.cpuset),
            "pcpuset": sorted(self.pcpuset),
            "memory": self.memory,
            "cpu_usage": self.cpu_usage,
            "memory_usage": self.memory_usage,
            "pinned_cpus": sorted(self.pinned_cpus),
            "siblings": [sorted(threads) for threads in self.siblings],
            "socket": self.socket,
            "mempages": [vars(pages) for pages in self.mempages],
        }

    @property
    def free_pcpus(self) -> frozenset[int]:
        return self.pcpuset - self.pinned_cpus

    @property
    def avail_memory(self) -> int:
        return self.memory - self.memory_usage

    @property
    def threads_per_core(self) -> int:
        return max((len(threads) for threads in self.siblings), default=1)


@dataclass(frozen=True)
class GuestCell:
    """One NUMA cell of a guest; its id becomes that of the host cell once it is placed."""

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
        return {
            "id": self.id,
            "cpuset": sorted(self.cpuset),
            "pcpuset": sorted(self.pcpuset),
            "memory": self.memory,
            "pagesize": self.pagesize,
            "cpu_policy": self.cpu_policy,
            "cpu_thread_policy": self.cpu_thread_policy,
            "cpu_pinning": {str(guest): host for guest, host in sorted(self.cpu_pinning.items())},
            "cpuset_reserved": sorted(self.cpuset_reserved),
        }


@dataclass(frozen=True)
class GuestTopology:
    """The NUMA topology of a guest."""

    cells: tuple[GuestCell, ...]
    emulator_threads_policy: str | None = None

    def to_json(self) -> dict:
        cells = [cell.to_json() for cell in self.cells]
        return {"cells": cells, "emulator_threads_policy": self.emulator_threads_policy}


def host_cells(topology: dict | None) -> tuple[HostCell, ...] | None:
    return None if topology is None else tuple(HostCell.from_json(cell) for cell in topology["cells"])


def usage_after(cells: tuple[HostCell, ...], guest: GuestTopology, free: bool = False) -> tuple[HostCell, ...]:
    """The host cells after a placed guest came, or after it went with `free` (spec 6.4).

    Raises IndexError, as the peer does, where a guest's cell meets a host cell without any page size, and ValueError
    when an already pinned or unknown CPU is to be pinned.
    """
    after = []
    for cell in cells:
        for guest_cell in guest.cells:
            if guest_cell.id == cell.id:
                cell = _cell_after(cell, guest_cell, -1 if free else 1)
        after.append(cell)
    return tuple(after)


def _cell_after(cell: HostCell, guest: GuestCell, sign: int) -> HostCell:
    """One host cell with one more, or one less, guest cell; usage is floored at 0."""
    mempages = _pages_after(cell, guest, sign)
    taken = set(guest.cpu_pinning.values()) | guest.cpuset_reserved
    if guest.cpu_thread_policy == "isolate":
        taken |= {cpu for threads in cell.siblings if threads & taken for cpu in threads}
    if sign > 0 and not taken <= cell.free_pcpus:
        raise ValueError(f"cell {cell.id}: CPUs {sorted(taken - cell.free_pcpus)} are pinned already or unknown")
    return replace(
        cell,
        memory_usage=max(0, cell.memory_usage + sign * guest.memory),
        cpu_usage=max(0, cell.cpu_usage + sign * len(guest.cpuset)),
        pinned_cpus=cell.pinned_cpus | taken if sign > 0 else cell.pinned_cpus - taken,
        mempages=mempages,
    )


def _pages_after(cell: HostCell, guest: GuestCell, sign: int) -> tuple[Pages, ...]:
    """Pages of the guest's size, or of the smallest one, are used."""
    size = guest.pagesize if guest.pagesize is not None else sorted(p.size_kb for p in cell.mempages)[0]
    count = guest.memory * 1024 // size
    return tuple(
        replace(pages, used=max(0, pages.used + sign * count)) if pages.size_kb == size else pages
        for pages in cell.mempages
    )
