"""Bytes per host: what the core allocates for a fleet, what the process grows by; names, classes and items apart.

    python -m bench.memory [HOSTS ...]      prints one JSON object a fleet size and number of resources

The core's bytes are malloc's own count of what is in use (glibc's mallinfo2), so nothing that it holds is missed; the
process's are its resident set in /proc. Each size runs in a process of its own.
"""

import ctypes
import gc
import json
import subprocess
import sys
from array import array
from pathlib import Path

import numpy as np

from binwright import Fleet
from binwright._core import place
from binwright.bench.fleets import Wanted, hosts_of, least_allocated, register, repeated, requests_of, state_of
from binwright.bench.workloads import Answers

ROOT = Path(__file__).parents[1]
HOSTS = (1_000, 5_000, 100_000, 1_000_000)
RESOURCES = (4, 8)
ITEMS = 200_000
CLASSES = 8
DIFFERENT = 4  # requests decided before the core is weighed: the first by the scan, the others by bounds


class MallInfo(ctypes.Structure):
    """struct mallinfo2 of glibc 2.33 and newer."""

    names = ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")
    _fields_ = [(name, ctypes.c_size_t) for name in names]


def allocated() -> int:
    """Bytes that malloc has given out and not got back, large blocks of their own included."""
    gc.collect()
    mallinfo2 = ctypes.CDLL(None).mallinfo2
    mallinfo2.restype = MallInfo
    found = mallinfo2()
    return found.uordblks + found.hblkhd


def resident() -> int:
    """Bytes of the process that are in memory, without what malloc keeps for later."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))


def core_bytes(count: int, resources: int) -> dict[str, float]:
    """Per host: the state of a fleet that has decided by scan and by bounds, of which the block filter's columns; a
    class's mask and raw column. Per item: its record, and its entry in the journal of changes.
    """
    hosts = hosts_of(count, resources)
    plain, with_statics = requests_of(hosts, DIFFERENT, statics=False), requests_of(hosts, 1, statics=True)
    specs = least_allocated(resources)
    answers = Answers(DIFFERENT)
    start = allocated()
    state = state_of(hosts, specs)
    different = array("q", [register(state, wanted) for wanted in plain])
    place.place_queue(state, different, *answers.columns())
    built = allocated()
    assert (set(answers.verdicts), state.items.alive, state.fleet.hosts) == ({0}, DIFFERENT, count)
    assert state.indexes.filter.answered == DIFFERENT - 1
    for _ in range(CLASSES):
        register(state, Wanted(plain[0].demand, mask=with_statics[0].mask))
    masks = allocated()
    for _ in range(CLASSES):
        register(state, Wanted(plain[0].demand, raw={0: with_statics[0].raw[0]}))
    raws = allocated()
    copy = state.fork()
    forked = allocated() - raws
    numbers, ids = array("q", bytes(8 * ITEMS)), array("q", bytes(8 * ITEMS))
    chosen = repeated(array("q", range(min(count, ITEMS))), ITEMS)
    before = allocated()
    assert place.claim(state, numbers, chosen, ids) == -1
    claimed = allocated() - before
    del copy
    before = allocated()
    copy = state.fork()
    records = allocated() - before - forked
    assert copy.items.alive == ITEMS + DIFFERENT
    return {
        "core_bytes_per_host": (built - start) / count,
        "filter_bytes_per_host": state.indexes.filter.bytes / count,
        "class_mask_bytes_per_host": (masks - built) / CLASSES / count,
        "class_raw_column_bytes_per_host": (raws - masks) / CLASSES / count,
        "item_record_bytes": records / ITEMS,
        "item_with_journal_bytes": claimed / ITEMS,
    }


def process_bytes(count: int, resources: int) -> dict[str, float]:
    """Growth of the process by a Fleet from arrays that has placed once; per host, what names add in Python objects."""
    warm = Fleet({"r": np.full(10, 100)})
    warm.place(warm.request({"r": 1}))
    given = hosts_of(count, resources)
    capacity, used = ({f"r{i}": np.array(c) for i, c in enumerate(kept)} for kept in (given.capacity, given.used))
    hosts_of.cache_clear()
    del given
    start = resident()
    fleet = Fleet(capacity, used)
    result = fleet.place(fleet.request(dict.fromkeys(capacity, 1)))
    assert result.placed == 1
    grown = resident() - start
    names = [f"host-{host:07d}.example" for host in range(count)]
    named = Fleet(capacity, names=names)
    assert named.host(names[-1]) == count - 1
    names_bytes = sum(sys.getsizeof(name) for name in names) + sys.getsizeof(named._names) + sys.getsizeof(named._index)
    return {
        "process_bytes": grown,
        "process_bytes_before": start,
        "name_bytes_per_host": names_bytes / count,
    }


def measured(count: int, resources: int) -> dict[str, float]:
    """One fleet size, each half in a fresh process."""
    found: dict[str, float] = {"hosts": count, "resources": resources}
    for half in ("core", "process"):
        command = [sys.executable, "-m", "bench.memory", f"--{half}", str(count), str(resources)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        found |= json.loads(done.stdout)
    return found


def main() -> None:
    if sys.argv[1:2] in (["--core"], ["--process"]):
        half = core_bytes if sys.argv[1] == "--core" else process_bytes
        print(json.dumps(half(int(sys.argv[2]), int(sys.argv[3]))))
        return
    for count in map(int, sys.argv[1:] or HOSTS):
        for resources in RESOURCES:
            print(json.dumps(measured(count, resources)), flush=True)


if __name__ == "__main__":
    main()
