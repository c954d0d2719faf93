"""The leaves of terms over counters on every small value and at the extremes: logarithm, spread, min-max, sums.

Random decisions do not notice a score that is off by one. One fleet whose hosts hold fixed counts serves thousands of
requests, each eligible on other hosts; the whole columns of raw and normalised scores are compared.
"""

import itertools
import math
import random

import numpy as np
import pytest

import binwright
from binwright._core import kernels
from binwright._core.spread import exact_log
from binwright.terms import Ref, SoftTerm, at_most, distinct, skew
from tests.reference import arithmetic
from tests.reference.kubernetes.arithmetic import natural_log

COUNTS = (0, 0, 1, 1, 2, 3, 4, 5, 7, 12, 100, 65536)
LARGEST_WEIGHT = 2**31 - 1


@pytest.fixture(params=kernels.available())
def copy_of_kernels(request):
    before = kernels.current()
    kernels.use(request.param)
    yield request.param
    kernels.use(before)


def counted_fleet(counts, labels=None):
    """(fleet, counter): host h holds counts[h]; any number of 0 .. 2**31 in a few items."""
    profile = binwright.Profile(
        rules=(binwright.Rule("term"), binwright.Rule("fit", kind="fit")),
        scores=(binwright.spread_score("spread"), binwright.count_score("count")),
    )
    fleet = binwright.Fleet({"cpu": np.zeros(len(counts), np.int64)}, profile=profile, labels=labels)
    counter = fleet.counter()
    for bit in (1, 2**8, 2**16):
        unit = fleet.request({}, contributes={counter: bit})
        digits = [count // 2**16 if bit == 2**16 else count // bit % 2**8 for count in counts]
        fleet.claim(unit, np.repeat(np.arange(len(counts)), digits))
    assert [fleet.count(counter, host) for host in range(len(counts))] == list(counts)
    return fleet, counter


def scores(fleet, term, hosts):
    """(raw, normalised) of one score for a request that may use these hosts only."""
    table = fleet.explain(fleet.request({}, terms=[term], eligible=np.array(hosts))).scores
    row = table.names.index(term.score)
    return [table.raw[row, host] for host in hosts], [table.normalised[row, host] for host in hosts]


def test_logarithm_of_every_size():
    sizes = range(2, 20003)
    assert [exact_log(float(size)) for size in sizes] == [natural_log(float(size)) for size in sizes]
    assert all(abs(exact_log(float(size)) - math.log(size)) <= math.ulp(math.log(size)) for size in sizes)


def test_logarithm_elsewhere():
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    for _ in range(20000):
        x = math.ldexp(1 + rng.random(), rng.randint(-1000, 1000))
        assert exact_log(x) == natural_log(x), x
    half = math.sqrt(0.5)
    for edge in (1.0, 2.0, half, math.nextafter(half, 0), math.nextafter(half, 1), 5e-324):
        assert exact_log(edge) == natural_log(edge), edge


def spread_of(counts, max_skews, sizes):
    """(raw, normalised) of hosts that hold counts[h][r] in constraint r."""
    raw = []
    for row in counts:
        total = 0.0
        for count, max_skew, size in zip(row, max_skews, sizes, strict=True):
            total += float(count) * natural_log(float(size + 2)) + float(max_skew - 1)
        raw.append(arithmetic.round_half_away(total))
    low, high = min(raw), max([0, *raw])
    return raw, [100 if high == 0 else arithmetic.divide(100 * (high + low - value), high) for value in raw]


@pytest.mark.parametrize("per_host", [False, True])
def test_spread_every_small_choice_of_hosts(per_host):
    fleet, counter = counted_fleet(COUNTS)
    for size in (1, 2, 3):
        for hosts in itertools.combinations(range(len(COUNTS)), size):
            for max_skew in (1, 2, 6)[: 4 - size]:
                term = SoftTerm("spread", (Ref(counter, max_skew=max_skew, per_host=per_host),))
                want = spread_of([[COUNTS[host]] for host in hosts], [max_skew], [size])
                assert scores(fleet, term, hosts) == want, (hosts, max_skew)


def test_spread_adds_its_constraints_in_order():
    """Sixteen addends: another order would round to another double now and then."""
    rng = random.Random(20261123)
    counts = [rng.randint(0, 2**16) for _ in range(40)]
    fleet, counter = counted_fleet(counts)
    for _ in range(60):
        hosts = sorted(rng.sample(range(40), rng.randint(1, 40)))
        skews = [rng.randint(1, 2**31 - 1) if rng.random() < 0.3 else rng.randint(1, 9) for _ in range(16)]
        term = SoftTerm("spread", tuple(Ref(counter, max_skew=max_skew) for max_skew in skews))
        rows = [[counts[host]] * 16 for host in hosts]
        assert scores(fleet, term, hosts) == spread_of(rows, skews, [len(hosts)] * 16)


def test_spread_rounds_half_away_and_not_by_adding_a_half():
    """Every count up to 2000 on every size up to 12: the sums nearest to a half included."""
    counts = list(range(2000))
    fleet, counter = counted_fleet(counts)
    nearest = 1.0
    for size in range(1, 13):
        for first in range(0, 2000 - size, 97):
            hosts = list(range(first, first + size))
            term = SoftTerm("spread", (Ref(counter),))
            assert scores(fleet, term, hosts) == spread_of([[counts[h]] for h in hosts], [1], [size])
            nearest = min(nearest, *(abs(counts[h] * natural_log(size + 2.0) % 1 - 0.5) for h in hosts))
    assert nearest < 1e-3


def test_per_host_spread_counts_the_feasible_hosts_that_have_the_key():
    labels = {"name": ["a", "b", "a", None, "c", None]}
    fleet, counter = counted_fleet((4, 1, 2, 9, 7, 0), labels)
    ref = Ref(counter, "name", per_host=True)
    raw, normal = scores(fleet, SoftTerm("spread", (ref,)), (0, 1, 2, 3, 5))  # hosts 3 and 5 are ignored: size 3
    want_raw, want = spread_of([[4], [1], [2]], [1], [3])
    assert (raw[:3], normal[:3], normal[3:]) == (want_raw, want, [0, 0])
    raw, normal = scores(fleet, SoftTerm("spread", (ref,), require_all=False), (0, 1, 2, 3, 5))  # all five count
    assert raw == [arithmetic.round_half_away(count * natural_log(7.0)) for count in (4, 1, 2)] + [0, 0]
    assert normal[3:] == [100, 100]
    raw, normal = scores(fleet, SoftTerm("spread", (Ref(counter, "name"),), require_all=False), (0, 1, 2, 3, 5))
    assert raw == [arithmetic.round_half_away(count * natural_log(5.0)) for count in (6, 1, 6)] + [0, 0]


@pytest.mark.usefixtures("copy_of_kernels")
@pytest.mark.parametrize("weights", [(1,), (-1,), (3, -2), (0,), (100, -100), (LARGEST_WEIGHT,), (-LARGEST_WEIGHT, 1)])
def test_count_min_max_every_small_choice_of_hosts(weights):
    """Negative raw scores, equal ones, and weights up to 2**31 - 1."""
    fleet, counter = counted_fleet(COUNTS)
    other = fleet.counter()
    fleet.claim(fleet.request({}, contributes={other: 1}), [0, 3, 6, 6, 8, 10])
    values = [[COUNTS[h], fleet.count(other, h)] for h in range(len(COUNTS))]
    refs = tuple(Ref((counter, other)[r], weight=weight) for r, weight in enumerate(weights))
    for size in (1, 2, 3):
        for hosts in itertools.combinations(range(len(COUNTS)), size):
            raw = [sum(w * v for w, v in zip(weights, values[h], strict=False)) for h in hosts]
            want = raw, arithmetic.normalise(raw, "minmax")
            assert scores(fleet, SoftTerm("count", refs), hosts) == want, hosts


@pytest.mark.usefixtures("copy_of_kernels")
def test_count_min_max_far_apart():
    """Differences beyond 2**52, where the kernels cannot convert: still the quotient of the nearest doubles."""
    counts = [0, 1, *(top + d for top in (2**20, 2**21) for d in (-1, 0, 1)), *(k * 2**26 // 100 for k in range(101))]
    fleet, counter = counted_fleet(counts)
    for weight in (2**31 - 1, -(2**31 - 1), 2**31 - 2**7 - 1):
        for hosts in [range(len(counts)), *(range(k) for k in range(2, 9)), range(3, 30)]:
            raw = [weight * counts[host] for host in hosts]
            want = raw, arithmetic.normalise(raw, "minmax")
            assert scores(fleet, SoftTerm("count", (Ref(counter, weight=weight),)), list(hosts)) == want


@pytest.mark.usefixtures("copy_of_kernels")
def test_counts_past_int32_and_sums_that_would_pass_int64():
    fleet, counter = counted_fleet((0, 2**31 + 5, 2**31 - 1, 3), labels={"zone": ["a", "a", "b", None]})
    for limit, rejected in ((2**31 - 1, [1]), (2**31 - 2, [1, 2])):
        request = fleet.request({}, terms=[at_most("term", Ref(counter), limit, own=0)])
        first = fleet.explain(request).verdicts_by_host().tolist()
        assert [host for host, position in enumerate(first) if position != 255] == rejected
    zone = fleet.request({}, terms=[skew("term", Ref(counter, "zone"), 6, own=2**31 - 1, least_domains=1)])
    assert fleet.explain(zone).verdicts_by_host().tolist() == [2, 2, 2, 2]
    refs = tuple(Ref(counter, weight=sign * LARGEST_WEIGHT) for sign in (1, 1, 1, 1))
    raw, normal = scores(fleet, SoftTerm("count", refs), [0, 1, 2, 3])
    assert raw[0] == 0 < raw[3] < raw[2] <= raw[1] <= 2**61  # four like this would pass 2**63: each counts for 2**59
    assert (normal[0], normal[1]) == (0, 100)


def test_skew_at_the_hosts_themselves():
    """A host is a domain of its own: the smallest count of any counted host, not of an earlier request."""
    fleet, counter = counted_fleet((5, 3, 4, 9))
    some = fleet.members([0, 2, 3])
    for members, least, smallest in ((None, 1, 3), (some, 1, 4), (None, 5, 0), (fleet.members([]), 1, 0), (some, 4, 0)):
        for limit in range(8):
            ref = Ref(counter, members=members)
            request = fleet.request({}, terms=[skew("term", ref, limit, own=1, least_domains=least)])
            counted = [0, 1, 2, 3] if members is None else [0, 2, 3] if members == some else []
            values = [count if host in counted else 0 for host, count in enumerate((5, 3, 4, 9))]
            passing = [host for host in range(4) if values[host] + 1 - smallest <= limit]
            verdicts = fleet.explain(request).verdicts_by_host()
            assert np.flatnonzero(verdicts == 255).tolist() == passing, (members, least, limit)


def test_distinct_every_small_number():
    """Keys in use, wanted keys and the limit: what is new and what is held may just reach the limit."""
    profile = binwright.Profile(rules=(binwright.Rule("term"), binwright.Rule("fit", kind="fit")))
    for held, wanted, shared in itertools.product(range(4), range(4), range(4)):
        if shared > min(held, wanted):
            continue
        fleet = binwright.Fleet({"slots": np.arange(9)}, profile=profile, scored_only=("slots",))
        total = fleet.counter()
        keys = [fleet.counter(feeds=total) for _ in range(8)]
        fleet.claim(fleet.request({}, contributes=dict.fromkeys(keys[:held], 1)), np.repeat(np.arange(9), 2))
        asked = keys[held - shared : held - shared + wanted]
        request = fleet.request({}, terms=[distinct("term", asked, total, "slots")])
        after = held + wanted - shared
        verdicts = fleet.explain(request).verdicts_by_host()
        assert np.flatnonzero(verdicts == 255).tolist() == [s for s in range(9) if wanted == shared or after <= s]
