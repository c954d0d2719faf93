"""Nothing is left behind: what malloc and Python have given out is the same after many lives as after a few.

Needs glibc's mallinfo2. `.ci/sanitize` runs the lives under the address sanitizer too, for reads after a free.
"""

import ctypes
import gc
import pickle
import random
import sys

import numpy as np
import pytest

from binwright import Fleet, InputError
from binwright.packing import Bins, Items, pack
from tests.property.pairs import Pair

WARM, LIVES = 300, 60  # allocators and NumPy fill their caches over some hundred lives
ALLOWED = 16 << 10  # bytes in all that the lives may leave: what is cached moves by a few hundred


class Mallinfo2(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost",
    ))  # fmt: skip


@pytest.fixture
def held():
    """held() -> (bytes that malloc has given out, blocks that Python has given out)."""
    try:
        mallinfo2 = ctypes.CDLL(None).mallinfo2
    except (AttributeError, OSError):
        pytest.skip("this C library has no mallinfo2")
    mallinfo2.restype = Mallinfo2

    def now():
        gc.collect()
        found = mallinfo2()
        return found.uordblks + found.hblkhd, sys.getallocatedblocks()

    return now


def random_life():
    pair = Pair(random.Random(7), 33)
    for _ in range(40):
        pair.step()
    pair.check()


def forks_and_rollbacks():
    fleet = Fleet({"cpu": np.full(3000, 8), "memory": np.full(3000, 64)}, labels={"zone": ["a", "b", "c"] * 1000})
    requests = [fleet.request({"cpu": 1 + i % 3, "memory": i}, eligible={"zone": ["a", "c"]}) for i in range(8)]
    for _ in range(3):
        token = fleet.checkpoint()
        placed = fleet.fork().place_many(requests, np.arange(200) % 8)
        placed.explain(3)
        fleet.place_many(requests, np.arange(200) % 8).ties(5)
        fleet.add_hosts({"cpu": [3], "memory": [5]}, labels={"zone": ["b"]})
        fleet.rollback(token)


def pickles():
    fleet = Fleet({"cpu": np.full(500, 8)})
    fleet.place(fleet.request({"cpu": 1}), 300)
    other, request = pickle.loads(pickle.dumps((fleet, fleet.request({"cpu": 1}))))
    other.place(request)


def refusals():
    fleet = Fleet({"cpu": np.full(50, 8)})
    for bad in ({"cpu": -1}, {"disk": 1}, {"cpu": 2**60}):
        with pytest.raises(InputError):
            fleet.request(bad)
    with pytest.raises(InputError):
        fleet.release([5])
    with pytest.raises(InputError):
        Fleet({"cpu": [1, -2]})


def packings():
    pack(Items([[3, 4], [6, 1], [2, 7]], [50, 20, 30]), Bins([[10, 20]]), iterations=2)


@pytest.mark.parametrize("life", [random_life, forks_and_rollbacks, pickles, refusals, packings])
def test_lives_leave_nothing(life, held):
    for _ in range(WARM):
        life()
    bytes_before, blocks_before = held()
    for _ in range(LIVES):
        life()
    bytes_after, blocks_after = held()
    print(f"{bytes_after - bytes_before:+} bytes, {blocks_after - blocks_before:+} blocks after {LIVES} lives")
    assert bytes_after - bytes_before < ALLOWED
    assert blocks_after - blocks_before < LIVES
