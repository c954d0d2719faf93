"""Bounds against exact totals: never below them, hardly above, on every kernel copy; and decisions at their seams.

Random lives beside a fleet that scans are in test_index.py. Here every small value is asked, as random decisions alone
do not notice wrong arithmetic.
"""

import random
from itertools import product

import numpy as np
import pytest

from binwright import Fleet, Profile, Rule
from binwright._core import kernels
from binwright.profile import balanced_allocation, least_allocated, most_allocated, static_score
from binwright.terms import Ref, at_most

LOCAL = {
    "least": least_allocated({"a": 1, "b": 3}),
    "one": least_allocated({"b": 5}),
    "hundreds": least_allocated({"a": 300, "b": 100}),
    "most": most_allocated({"a": 2, "b": 1}),
    "balanced": balanced_allocation(("a", "b")),
    "three": balanced_allocation(("a", "b", "slot")),
}
FIT = (Rule("fit", kind="fit"), Rule("closed"))


@pytest.fixture(params=kernels.available(), autouse=True)
def copy(request):
    before = kernels.current()
    kernels.use(request.param)
    yield
    kernels.use(before)


def both(capacity, used, scores, **more) -> list[Fleet]:
    """The same fleet twice; one decides by bounds alone, the other one always scans."""
    profile = Profile(rules=FIT, scores=scores)
    arrays = [{name: np.array(column) for name, column in given.items()} for given in (capacity, used)]
    fleets = [Fleet(*arrays, profile=profile, **more) for _ in range(2)]
    fleets[0]._state.indexes.none = True
    fleets[1]._state.indexes.off = True
    return fleets


def bounds_and_totals(fleet: Fleet, request) -> tuple[np.ndarray, np.ndarray]:
    """Of every host: the bound of its total, and the total; -1 = not feasible."""
    state = fleet._state
    key = np.zeros(state.fleet.stride, np.uint16)
    assert state.indexes.filter.bounds(state.classes, request.index, key)
    totals = fleet.explain(request).scores.totals
    return key[: len(fleet)].astype(np.int64) - 1, np.asarray(totals)


def decided_alike(fleets: list[Fleet], requests: list[list], times: int) -> int:
    """Both place the requests in turn; how many of them bounds decided."""
    before = fleets[0]._state.indexes.filter.answered
    which = np.arange(times * len(requests)) % len(requests)
    ours, theirs = (fleet.place_many([pair[i] for pair in requests], which) for i, fleet in enumerate(fleets))
    assert ours.hosts.tolist() == theirs.hosts.tolist()
    assert ours.scores.tolist() == theirs.scores.tolist()
    assert ours.verdicts.tolist() == theirs.verdicts.tolist()
    return fleets[0]._state.indexes.filter.answered - before


@pytest.mark.parametrize("unit", [1, 2**30 + 7, 2**50])
@pytest.mark.parametrize("none", [False, True])
@pytest.mark.parametrize("kind", LOCAL)
def test_every_small_amount(kind, none, unit):
    """Capacity 0 or 1..5 and used 0..5 of two resources; the largest unit takes the wide arithmetic."""
    cells = list(product(range(0 if none else 1, 6), range(6)))
    hosts = list(product(cells, cells))
    capacity = {"a": [a[0] * unit for a, _ in hosts], "b": [b[0] * unit for _, b in hosts], "slot": [1] * len(hosts)}
    used = {"a": [a[1] * unit for a, _ in hosts], "b": [b[1] * unit for _, b in hosts], "slot": [0] * len(hosts)}
    fleets = both(capacity, used, (LOCAL[kind],), scored_only=("a", "b"))
    requests = []
    for a, b in ((0, 0), (1, 0), (2, 1), (1, 3), (0, 5)):
        amounts = {"a": a * unit, "b": b * unit, "slot": 1}
        requests.append([fleet.request({"slot": 1}, score=amounts, commit={"slot": 1}) for fleet in fleets])
        bounds, totals = bounds_and_totals(fleets[0], requests[-1][0])
        assert np.all(totals >= 0)
        assert np.all(bounds >= totals)
        if not none and kind != "three":  # the range of three says less than their deviation
            assert np.mean(bounds > totals) < 0.2  # whole percents are at a seam here, and bounds say the upper one
            assert np.all(bounds <= totals + 1)
    decided = decided_alike(fleets, requests, len(hosts) // len(requests))
    assert decided > (len(hosts) // 4 if not none else 0)


def test_every_percent():
    """Each use and demand of capacities that divide and do not divide a hundred: fit and share, host by host."""
    rows = [(whole, taken) for whole in (1, 2, 3, 7, 64, 99, 100, 101, 128, 1000) for taken in range(whole + 2)]
    capacity, used = ([row[i] for row in rows] for i in (0, 1))
    scores = (least_allocated({"a": 1}), most_allocated({"a": 1}, weight=101))
    fleets = both({"a": capacity}, {"a": used}, scores)
    close = checked = 0
    for amount in (1, 2, 3, 5, 10, 33, 50, 64, 99, 100, 101, 500, 1000):
        bounds, totals = bounds_and_totals(fleets[0], fleets[0].request({"a": amount}))
        assert np.all(bounds >= totals)
        close += int(np.sum(bounds <= totals + 1 + 101))
        checked += len(rows)
    assert close > 0.97 * checked


def test_bounds_are_close_on_large_hosts():
    """On amounts like real ones hardly a bound is above its total."""
    dice = np.random.default_rng(3)
    size = dice.choice([8, 16, 64, 96], 5000)
    capacity = {"cpu": size * 1000, "memory": size * 2**32 + 12345, "items": np.full(5000, 110)}
    used = {name: np.array(c * dice.uniform(0, 0.9, 5000), np.int64) for name, c in capacity.items()}
    scores = (least_allocated({"cpu": 1, "memory": 1}), balanced_allocation(("cpu", "memory")))
    fleets = both(capacity, used, scores)
    for cpu, memory in ((1, 1), (250, 2**29), (777, 2**31 + 5), (4000, 2**34), (90_000, 2**38)):
        request = fleets[0].request({"cpu": cpu, "memory": memory, "items": 1})
        bounds, totals = bounds_and_totals(fleets[0], request)
        assert np.all(bounds >= totals)
        assert np.mean(bounds != totals) < 0.03


def test_sizes_far_apart():
    """Hosts a million times smaller than others, requests larger than all: bounds still hold."""
    dice = random.Random(11)
    capacity = [dice.choice((0, 1, 3, 1000, 10**6, 2**40, 2**56)) for _ in range(600)]
    used = [dice.randrange(c + 1) for c in capacity]
    scores = (least_allocated({"a": 1}), most_allocated({"a": 1}), balanced_allocation(("a", "b"), weight=3))
    fleets = both({"a": capacity, "b": capacity[::-1]}, {"a": used, "b": used[::-1]}, scores)
    requests = []
    for amount in (1, 2, 999, 10**6, 2**39, 2**45, 2**55, 2**56):
        demand = {"a": amount, "b": dice.randrange(amount + 1)}
        requests.append([fleet.request(demand) for fleet in fleets])
        bounds, totals = bounds_and_totals(fleets[0], requests[-1][0])
        assert np.all(bounds >= totals)
    decided_alike(fleets, requests, 40)


@pytest.mark.parametrize("normalise", [None, "max", "reverse", "minmax"])
def test_static_columns(normalise):
    """Classes that say the same share a column; extremes follow the feasible hosts; repairs are seen."""
    dice = np.random.default_rng(7)
    hosts = 700
    capacity = {"a": dice.integers(50, 60, hosts)}
    scores = (least_allocated({"a": 1}), static_score("raw", normalise=normalise, weight=2))
    fleets = both(capacity, {"a": np.zeros(hosts, np.int64)}, scores)
    said = [dice.random(hosts) < 0.7 for _ in range(5)]
    raws = [dice.integers(0, 8, hosts) for _ in range(5)]
    raws[0][:] = 0
    raws[1][9] = 12345
    requests = [
        [fleet.request({"a": 1 + i % 40}, eligible=said[i % 5], raw={"raw": raws[i % 5]}) for fleet in fleets]
        for i in range(60)
    ]
    filter = fleets[0]._state.indexes.filter
    assert decided_alike(fleets, requests, 3) > 150
    assert filter.statics.bytes == 5 * 2 * (768 + 3)
    for host in (9, 3, 650):
        for pair in requests[:12]:
            for fleet, request in zip(fleets, pair, strict=True):
                fleet.repair(request, host, raw={"raw": 20_000})
        for fleet in fleets:
            fleet.cordon([host - 1])
        assert decided_alike(fleets, requests, 1) > 30
    while decided_alike(fleets, requests, 4) > 10:  # until the fleet is nearly full
        pass
    filter.statics.most_bytes = 1
    decided_alike(fleets, requests, 1)


SCORED = {
    "free": (least_allocated({"a": 1, "b": 3}, weight=2),),
    "even": (least_allocated({"a": 1, "b": 1}), balanced_allocation(("a", "b"))),
    "more even than free": (least_allocated({"a": 1, "b": 1}), balanced_allocation(("a", "b"), weight=5)),
    "taken": (most_allocated({"a": 1, "b": 1}), least_allocated({"b": 1}, weight=3)),
    "three": (least_allocated({"a": 1, "b": 1, "c": 2}, weight=2), balanced_allocation(("a", "b", "c"))),
}


@pytest.mark.parametrize("scored", SCORED)
def test_blocks_that_are_not_read(scored):
    """In a fleet of 20,000 most blocks have no host that could win; the answers are the scan's all the same."""
    dice = np.random.default_rng(5)
    hosts = 20_000
    capacity = {name: dice.choice([400, 1000, 1600], hosts) for name in "abc"}
    used = {name: np.array(column * dice.uniform(0.1, 0.9, hosts), np.int64) for name, column in capacity.items()}
    fleets = both(capacity, used, (*SCORED[scored], static_score("raw", weight=1)))
    said, raw = dice.random(hosts) < 0.5, dice.integers(0, 3, hosts)
    requests = []
    for i in range(24):
        given = {} if i % 3 else {"eligible": said, "raw": {"raw": raw}}
        demand = {"a": int(dice.integers(1, 5)), "b": int(dice.integers(0, 5)), "c": int(dice.integers(0, 3))}
        requests.append([fleet.request(demand, **given) for fleet in fleets])
    filter = fleets[0]._state.indexes.filter
    decided = decided_alike(fleets, requests, 6)
    assert decided > 100
    if scored in ("free", "even"):
        assert filter.read < 40 * decided  # of 79
    for fleet in fleets:
        fleet.cordon(np.arange(0, hosts, 7))
        fleet.release(fleet.place(requests[0][fleet is fleets[1]], count=9).items)
    assert decided_alike(fleets, requests, 3) > 60
    for host in (300, 19_998, 5_001, 12_346):  # the best by far, once it is heard of
        for fleet in fleets:
            fleet.resize(host, dict.fromkeys("abc", 2**40))
        ours, theirs = (fleet.place(requests[1][i]) for i, fleet in enumerate(fleets))
        assert (ours.hosts.tolist(), ours.scores.tolist()) == (theirs.hosts.tolist(), theirs.scores.tolist())
        if scored in ("free", "even", "three"):
            assert ours.hosts.tolist() == [host]
        for fleet in fleets:
            fleet.cordon([host])


def test_conditions_of_one_host():
    """A term that looks at each host alone is asked of the hosts with the highest bounds."""
    fleets = both({"a": [100, 90, 80] * 100}, {"a": [0] * 300}, (least_allocated({"a": 1}),))
    requests = []
    for fleet in fleets:
        counter = fleet.counter()
        apart = at_most("closed", Ref(counter), 0, own=1)
        made = [fleet.request({"a": 1 + i}, terms=[apart], contributes={counter: 1}) for i in range(7)]
        requests.append(made + [fleet.request({"a": 2 + i}) for i in range(7)])
    fleets[0].place(requests[0][0])
    assert decided_alike(fleets, list(zip(*requests, strict=True)), 15) > 100


def test_what_is_not_bounded_is_scanned():
    """Too many weights for 16 bits, and too many shares."""
    capacity, used = {"a": [10, 20, 30]}, {"a": [0, 0, 0]}
    for scores in ((least_allocated({"a": 1}, weight=700),), (static_score("raw", weight=2**20),)):
        fleets = both(capacity, used, scores)
        requests = [[fleet.request({"a": i}) for fleet in fleets] for i in (1, 2, 3)]
        if scores[0].kind == "static":
            requests = [[f.request({"a": i}, raw={"raw": [1, 2, 3]}) for f in fleets] for i in (1, 2, 3)]
        assert decided_alike(fleets, requests, 3) == 0
