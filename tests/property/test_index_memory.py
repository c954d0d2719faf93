"""The bound on what indexes hold is kept while they grow, and no decision is another one for it."""

import random
from array import array

import pytest

from bench.index_workloads import asked, fleet_under
from binwright._core import place
from binwright.bench.fleets import hosts_of, requests_of
from binwright.bench.workloads import Answers

HOSTS, CLASSES, ROUNDS = 2_000, 6, 30


def lives(seed: int, most: int | None) -> tuple[list[int], int]:
    """The hosts of some batches of classes under soft spread, and the most that indexes held after any."""
    rng = random.Random(seed)
    hosts = hosts_of(HOSTS, 4)
    state = fleet_under(hosts, "spread")
    numbers = [asked(state, "spread", wanted) for wanted in requests_of(hosts, CLASSES, statics=False)]
    state.indexes.off = most is None
    if most is not None:
        state.indexes.most_bytes = most
    found, held = [], 0
    for _ in range(ROUNDS):
        answers = Answers(rng.randint(2, 300))
        if rng.random() < 0.5:
            place.place_same(state, rng.choice(numbers), *answers.columns())
        else:
            place.place_queue(state, array("q", rng.choices(numbers, k=len(answers.hosts))), *answers.columns())
        found += answers.hosts
        held = max(held, state.indexes.bytes)
    assert most is None or state.indexes.answered or most < 100_000
    return found, held


@pytest.mark.parametrize("seed", [random.SystemRandom().randrange(2**32) for _ in range(3)])
def test_the_bound_is_kept_while_indexes_grow(seed):
    scanned, _ = lives(seed, None)
    free, held = lives(seed, 1 << 28)
    assert free == scanned
    for share in (0.9, 0.5, 0.2, 0.01):
        bounded, most = lives(seed, int(held * share))
        assert bounded == scanned
        assert most <= held * share
