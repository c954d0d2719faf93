"""Every local score and normaliser of the index against the scan's, over all small values: random decisions alone do
not notice wrong arithmetic.

Each host takes one item (resource "slot"), so that placing until nothing fits names every host's total in turn.
"""

import random
from itertools import product

import numpy as np
import pytest

from binwright import Fleet, Profile, Rule
from binwright.profile import (
    balanced_allocation,
    count_score,
    least_allocated,
    most_allocated,
    requested_to_capacity_ratio,
    spread_score,
    static_score,
)
from binwright.terms import Ref, SoftTerm

LOCAL = {
    "least": least_allocated({"a": 1, "b": 3}),
    "most": most_allocated({"a": 2, "b": 1}),
    "balanced": balanced_allocation(("a", "b")),
    "three": balanced_allocation(("a", "b", "slot")),
    "ratio": requested_to_capacity_ratio({"a": 1, "b": 2}, [(0, 0), (40, 7), (70, 3), (100, 10)]),
}
FIT = (Rule("fit", kind="fit"),)


def both(capacity, used, scores, labels=None) -> list[Fleet]:
    """The same fleet twice; the second one always scans."""
    profile = Profile(rules=FIT, scores=scores)
    arrays = [{name: np.array(column) for name, column in given.items()} for given in (capacity, used)]
    free = [name for name in capacity if name != "slot"]
    fleets = [Fleet(*arrays, profile=profile, scored_only=free, labels=labels) for _ in range(2)]
    fleets[1]._state.indexes.off = True
    return fleets


def read_singly(fleet: Fleet, request) -> None:
    """Have the index read every host by itself, a few between two decisions."""
    for first in range(0, len(fleet), 16):
        hosts = np.arange(first, min(first + 16, len(fleet)))
        fleet.cordon(hosts)
        fleet.uncordon(hosts)
        fleet.release(fleet.place(request, count=2).items)


def drained(fleets: list[Fleet], requests) -> None:
    """Both fleets place one item a host, in the same order, with the same totals."""
    ours, theirs = (fleet.place(request, count=len(fleet)) for fleet, request in zip(fleets, requests, strict=True))
    assert ours.hosts.tolist() == theirs.hosts.tolist()
    assert ours.scores.tolist() == theirs.scores.tolist()
    assert ours.placed == len(fleets[0])
    assert fleets[0]._state.indexes.answered >= ours.placed


@pytest.mark.parametrize("unit", [1, 2**30 + 7, 2**50])
@pytest.mark.parametrize("kind", LOCAL)
def test_local_scores(kind, unit):
    """Capacity 0..4 and used 0..5 of two resources; the largest unit takes the wide arithmetic."""
    cells = list(product(range(5), range(6)))
    hosts = list(product(cells, cells))
    capacity = {"a": [a[0] * unit for a, _ in hosts], "b": [b[0] * unit for _, b in hosts], "slot": [1] * len(hosts)}
    used = {"a": [a[1] * unit for a, _ in hosts], "b": [b[1] * unit for _, b in hosts], "slot": [0] * len(hosts)}
    for wanted in ((0, 0), (1, 0), (2, 1), (1, 3)):
        fleets = both(capacity, used, (LOCAL[kind],))
        amounts = {"a": wanted[0] * unit, "b": wanted[1] * unit, "slot": 1}
        requests = [fleet.request({"slot": 1}, score=amounts, commit={"slot": 1}) for fleet in fleets]
        read_singly(fleets[0], requests[0])
        drained(fleets, requests)


@pytest.mark.parametrize("normalise", [None, "max", "reverse", "minmax"])
def test_normalised_raw_scores(normalise):
    """Raw scores 0..60, each range of feasible ones that cordons leave."""
    raw = np.repeat(np.arange(61), 2)
    dice = random.Random(1)
    for step in range(40):
        fleets = both({"slot": [1] * 122}, {"slot": [0] * 122}, (static_score("raw", normalise=normalise, weight=7),))
        requests = [fleet.request({"slot": 1}, raw={"raw": raw}) for fleet in fleets]
        low, high = sorted(dice.sample(range(62), 2)) if step else (0, 61)
        outside = np.flatnonzero((raw < low) | (raw >= high))
        for fleet, request in zip(fleets, requests, strict=True):
            fleet.place(request, count=1)
            fleet.cordon(outside)
        ours, theirs = (
            fleet.place(request, count=122 - len(outside)) for fleet, request in zip(fleets, requests, strict=True)
        )
        assert ours.hosts.tolist() == theirs.hosts.tolist()
        assert ours.scores.tolist() == theirs.scores.tolist()


def test_counts_that_would_overflow():
    """20,000 items of 2**16 with a weight of 2**31 - 1 in a term of three sums, each for at most a third of 2**61."""
    near = [0, 20_000, 5_000, 19_000, 1]
    fleets = both({"slot": [1] * 5}, {"slot": [0] * 5}, (count_score("near"),), {"zone": ["a", "a", "b", None, "b"]})
    requests = []
    for fleet in fleets:
        fleet.counter()
        fleet.claim(fleet.request({}, contributes={0: 2**16}), np.repeat(np.arange(5), near))
        refs = tuple(Ref(0, key, weight=weight) for key, weight in ((None, 2**31 - 1), ("zone", -5), (None, 2**30)))
        requests.append(fleet.request({"slot": 1}, terms=[SoftTerm("near", refs)]))
        fleet.place(requests[-1], count=0)
    drained(fleets, requests)


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("score", ["count", "spread"])
def test_counts_and_spreads(score, seed):
    """Counts of 0..40 a host and 0..400 a zone, some hosts without a zone."""
    dice = random.Random(seed)
    hosts = 90
    made = count_score("near", weight=5) if score == "count" else spread_score("near", weight=5)
    zones = [dice.choice(("a", "b", "c", None)) if dice.random() < 0.9 else f"z{i}" for i in range(hosts)]
    capacity = {"slot": [1] * hosts, "a": [9] * hosts}
    fleets = both(capacity, {"slot": [0] * hosts, "a": [0] * hosts}, (made,), {"zone": zones})
    near = [dice.randrange(41) for _ in range(hosts)]
    weights = [dice.choice((-7, -1, 1, 2, 100, 12345)) for _ in range(3)]
    refs = (
        Ref(0, "zone", weight=weights[0], max_skew=dice.randint(1, 6)),
        Ref(0, None, weight=weights[1], max_skew=dice.randint(1, 6), per_host=dice.random() < 0.5),
        Ref(1, dice.choice((None, "zone")), weight=weights[2], max_skew=1),
    )
    require_all = dice.random() < 0.5
    requests = []
    for fleet in fleets:
        fleet.counter()
        fleet.counter()
        filler = fleet.request({}, contributes={0: 1, 1: 3})
        fleet.claim(filler, np.repeat(np.arange(hosts), near))
        requests.append(fleet.request({"slot": 1}, contributes={0: 1}, terms=[SoftTerm("near", refs, require_all)]))
    drained(fleets, requests)
