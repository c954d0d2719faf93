"""Equal requests of resources alone: what finds the next best host after the best was taken, against the scan.

BINWRIGHT_SEED=N repeats a run (each prints its N).
"""

import os
import random

import pytest

from binwright import Fleet, Profile, Rule
from binwright._core import kernels
from binwright.profile import least_allocated

HOSTS = (1, 2, 31, 32, 33, 100, 1025, 1500, 33_000)  # up to four levels of keys
WIDE = 2**46  # beyond it shares are divided as integers


def life(rng: random.Random) -> int:
    """A fleet and its twin that scans, through placements among other changes; how many decisions were by index."""
    hosts = rng.choice(HOSTS)
    names = ["cpu", "memory", "disk"][: rng.randint(1, 3)]
    size = rng.choice((10, 400, 5_000, WIDE))
    few = [rng.randint(size // 2, size) for _ in range(rng.randint(1, 4))]
    none = 0.3 if rng.random() < 0.2 else 0
    capacity = {name: [0 if rng.random() < none else rng.choice(few) for _ in range(hosts)] for name in names}
    scored = {name: rng.choice((1, 1, 3)) for name in rng.sample(names, rng.randint(1, len(names)))}
    score = least_allocated(scored, weight=rng.choice((1, 2, 100)))
    fleet = Fleet(capacity, profile=Profile(rules=(Rule("fit", kind="fit"),), scores=(score,)))
    part = rng.choice((5, 30, 300, 3000))
    demand = {name: max(1, size // rng.randint(part, 2 * part)) for name in names}
    request, other = fleet.request(demand), fleet.request({names[0]: max(1, size // 50)})
    twin = fleet.fork()
    twin._state.indexes.off = True
    both, items = (fleet, twin), []
    for _ in range(20):
        count = rng.randint(2, 60)
        ours, theirs = (each.place(request, count=count) for each in both)
        assert (ours.hosts.tolist(), ours.scores.tolist()) == (theirs.hosts.tolist(), theirs.scores.tolist())
        assert ours.verdicts.tolist() == theirs.verdicts.tolist()
        items += ours.items[ours.items >= 0].tolist()
        kind, host, amount = rng.randrange(6), rng.randrange(hosts), rng.randint(0, size)
        if kind == 0 and items:
            gone = [items.pop(rng.randrange(len(items))) for _ in range(rng.randint(1, min(5, len(items))))]
            for each in both:
                each.release(gone)
        elif kind == 1:
            for each in both:
                each.resize(host, {names[-1]: amount})
        elif kind == 2:
            for each in both:
                each.cordon([host])
        elif kind == 3:
            for each in both:
                each.place(other, count=2)
        elif kind == 4:
            tokens = [each.checkpoint() for each in both]
            for each, token in zip(both, tokens, strict=True):
                each.place(request, count=3)
                each.rollback(token)
    assert (fleet.used == twin.used).all()
    return fleet._state.indexes.answered


def test_capacities_that_a_double_cannot_divide():
    """One unit short of a whole percent of 100 * 2^48, which the quotient of doubles rounds up."""
    percent = 2**48
    profile = Profile(rules=(Rule("fit", kind="fit"),), scores=(least_allocated({"cpu": 1}),))
    fleet = Fleet({"cpu": [100 * percent] * 2}, {"cpu": [1, 1]}, profile=profile)
    placed = fleet.place(fleet.request({"cpu": percent}), count=6)
    assert placed.scores.tolist() == [98, 98, 97, 97, 96, 96]
    assert placed.hosts.tolist() == [0, 1, 0, 1, 0, 1]


@pytest.mark.parametrize("copy", kernels.available())
def test_the_next_best_host_is_the_one_that_the_scan_finds(copy):
    first = int(os.environ.get("BINWRIGHT_SEED") or random.SystemRandom().randrange(2**32))
    print(f"BINWRIGHT_SEED={first}")
    before = kernels.current()
    kernels.use(copy)
    try:
        answered = 0
        for number in range(40):
            try:
                answered += life(random.Random(first + number))
            except Exception as error:
                error.add_note(f"BINWRIGHT_SEED={first + number}, kernels {copy}")
                raise
    finally:
        kernels.use(before)
    assert answered > 1000
