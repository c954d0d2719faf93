"""Which CPUs of a host cell the dedicated CPUs of a guest cell get (openstack spec 6.3).

One host cell and one guest cell; memory and overcommit are `numa_fit`'s. Of a set of threads the service takes the
first ones in the order in which CPython walks a set of integers; the order is that of the values themselves, not of a
seed, and is taken over so that pinnings are equal to the service's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from binwright.openstack.nova.numa_cells import GuestCell, HostCell

__all__ = ["pinned"]

Threads = Sequence[frozenset[int]]


def pinned(host: HostCell, guest: GuestCell, reserved: int) -> GuestCell | None:
    """The guest cell on this host cell with its pinning and `reserved` CPUs for the emulator, None if it cannot be."""
    cores = [threads & host.free_pcpus for threads in host.siblings]
    cores = [threads for threads in cores if threads]
    alone = guest.thread_policy == "isolate"
    for count, sets in _ways(host, guest, cores):
        if count * len(sets) < len(guest.pcpuset):
            continue
        cpus = (cpu for threads in sets for cpu in list(threads)[:count])
        pinning = dict(zip(sorted(guest.pcpuset), cpus))
        emulator = _emulator_cpus(cores, set(pinning.values()), reserved, alone)
        if len(emulator) == reserved:
            return replace(guest, id=host.id, pinning=pinning, reserved=emulator)
    return None


def _ways(host: HostCell, guest: GuestCell, cores: Threads) -> Iterator[tuple[int, Threads]]:
    """(threads used of each core, the free threads of the cores that have as many), in the order of trying."""
    most = host.threads_per_core

    def at_least(count: int) -> Threads:
        return [threads for threads in cores if len(threads) >= count]

    if guest.thread_policy == "isolate":
        # a cell of a mixed guest that has no dedicated CPU fails here
        if guest.pcpuset and at_least(most) and (most == 1 or host.pcpuset == host.cpuset):
            yield 1, at_least(most)
        return
    fewest = 2 if guest.thread_policy == "require" else 1
    for count in range(most, fewest - 1, -1):
        if at_least(count):
            yield count, at_least(count)
    if fewest == 1:
        yield 1, [frozenset({cpu}) for threads in cores for cpu in threads]


def _emulator_cpus(cores: Threads, taken: set[int], reserved: int, alone: bool) -> frozenset[int]:
    """The first CPUs that the pinning leaves; a guest that is alone on its cores leaves whole cores only."""
    left = [cpu for threads in cores if not (alone and threads & taken) for cpu in threads if cpu not in taken]
    return frozenset(left[:reserved])
