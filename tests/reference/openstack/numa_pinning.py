"""Which host CPUs the dedicated CPUs of one guest cell get.

One host cell, one guest cell; no memory, no other cell. Source: openstack spec 6.3.
"""

from __future__ import annotations

from dataclasses import replace

from tests.reference.openstack.numa import GuestCell, HostCell, threads_per_core, unpinned

CpuSets = list[frozenset[int]]


def pack(host: HostCell, guest: GuestCell, reserved: int) -> GuestCell | None:
    """The guest cell with its pinning and `reserved` CPUs for the emulator; None if it does not fit (spec 6.3)."""
    tpc = threads_per_core(host)
    free = [core & unpinned(host) for core in host.siblings]
    at_least = {t: [threads for threads in free if len(threads) >= t] for t in range(1, tpc + 1)}
    isolate = guest.cpu_thread_policy == "isolate"
    attempts: list[tuple[int, CpuSets]] = []
    if isolate:
        # a cell of a mixed guest without dedicated CPUs fails here in nova itself
        if guest.pcpuset and at_least[tpc] and (tpc == 1 or host.pcpuset == host.cpuset):
            attempts = [(1, at_least[tpc])]
    elif guest.cpu_thread_policy == "require":
        attempts = [(t, at_least[t]) for t in range(tpc, 1, -1) if at_least[t]]
    else:
        attempts = [(t, at_least[t]) for t in range(tpc, 0, -1) if at_least[t]]
        attempts.append((1, [frozenset({cpu}) for threads in at_least[1] for cpu in threads]))
    for threads, sets in attempts:
        pinning = pin(threads, sets, guest.pcpuset)
        emulator = emulator_cpus(at_least[1], pinning, reserved, isolate)
        if pinning is not None and len(emulator) == reserved:
            return replace(guest, id=host.id, cpu_pinning=pinning, cpuset_reserved=emulator)
    return None


def pin(threads: int, sets: CpuSets, guest_cpus: frozenset[int]) -> dict[int, int] | None:
    """Guest CPUs, ascending, onto the first `threads` CPUs of every set in order (spec 6.3).

    "First" is CPython's iteration order of a small set of integers, an accident of the peer that recorded pinnings
    show; any other choice within the same sets is as good.
    """
    if threads * len(sets) < len(guest_cpus):
        return None
    host_cpus = [cpu for one in sets for cpu in list(one)[:threads]]
    return dict(zip(sorted(guest_cpus), host_cpus))


def emulator_cpus(sets: CpuSets, pinning: dict[int, int] | None, reserved: int, isolate: bool) -> frozenset[int]:
    """The first CPUs that the pinning leaves; with isolate it leaves whole sets only (spec 6.3)."""
    pinned = set((pinning or {}).values())
    left = [cpu for one in sets if not (isolate and one & pinned) for cpu in one if cpu not in pinned]
    return frozenset(left[:reserved])
