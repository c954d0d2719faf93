"""Float64 profiles beside their reference, bit for bit: spans, fixed bounds, multipliers and ratios by host."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from binwright import Fleet, Profile
from binwright.float_scores import free_score, near_score, raw_score, used_score
from binwright.terms import Ref, SoftTerm
from tests.reference import float_profile

BOUND = st.one_of(st.none(), st.sampled_from([0.0, 1.5, 7.0]))
NUMBER = st.floats(-50, 50).map(lambda value: value + 0.0)


@st.composite
def situations(draw):
    hosts = draw(st.integers(1, 7))
    column = st.lists(st.integers(0, 40), min_size=hosts, max_size=hosts)
    numbers = st.lists(NUMBER, min_size=hosts, max_size=hosts)
    bounds = [draw(st.tuples(BOUND, BOUND)) for _ in range(4)]
    bounds = [(low, high) if None in (low, high) or low <= high else (high, low) for low, high in bounds]
    return {
        "capacity": draw(column),
        "ratio": draw(numbers),
        "multiplier": draw(numbers),
        "raw": draw(numbers),
        "weights": draw(st.lists(NUMBER, min_size=4, max_size=4)),
        "bounds": bounds,
        "demand": draw(st.integers(0, 5)),
        "steps": draw(st.lists(st.sampled_from(["place", "release", "multiplier", "undo"]), max_size=12)),
    }


@given(situations())
def test_equals_the_reference(drawn):
    hosts = len(drawn["capacity"])
    w, b = drawn["weights"], [{"low": low, "high": high} for low, high in drawn["bounds"]]
    profile = Profile(
        scores=(
            free_score("free", "x", ratio="ratio", weight=w[0], multiplier="own", **b[0]),
            used_score("used", "x", weight=w[1], **b[1]),
            raw_score("raw", weight=w[2], **b[2]),
            near_score("near", weight=w[3], **b[3]),
        )
    )
    fleet = Fleet({"x": np.array(drawn["capacity"])}, profile=profile)
    ratio, multiplier = list(drawn["ratio"]), [w[0]] * hosts
    fleet.set_column("ratio", range(hosts), ratio)
    counter = fleet.counter()
    request = fleet.request(
        {"x": drawn["demand"]},
        raw={"raw": drawn["raw"]},
        terms=[SoftTerm("near", (Ref(counter, weight=-2),))],
        contributes={counter: 1},
    )
    placed: list[tuple[int, int]] = []

    def check():
        used = [sum(drawn["demand"] for _, host in placed if host == h) for h in range(hosts)]
        feasible = [
            h for h in range(hosts) if drawn["demand"] == 0 or drawn["capacity"][h] - used[h] >= drawn["demand"]
        ]
        terms = [
            {"raw": [float_profile.free(drawn["capacity"][h], used[h], ratio[h]) for h in range(hosts)], **b[0]},
            {"raw": used, **b[1]},
            {"raw": drawn["raw"], **b[2]},
            {"raw": [-2 * sum(host == h for _, host in placed) for h in range(hosts)], **b[3]},
        ]
        for term, weight in zip(terms, w, strict=True):
            term["multiplier"] = [weight] * hosts
        terms[0]["multiplier"] = multiplier
        expected = float_profile.totals(terms, feasible)
        got = fleet.explain(request)
        assert {h: got.scores.totals[h] for h in feasible} == expected
        best = max(expected.values(), default=None)
        assert got.ties.tolist() == [h for h in feasible if expected[h] == best]
        return expected

    for step in drawn["steps"]:
        expected = check()
        if step == "place":
            result = fleet.place(request)
            if expected:
                best = max(expected.values())
                assert result.hosts[0] == min(h for h in expected if expected[h] == best)
                assert result.scores[0] == best
                placed.append((int(result.items[0]), int(result.hosts[0])))
            else:
                assert result.hosts[0] == -1
                assert math.isnan(result.scores[0])
        elif step == "release" and placed:
            fleet.release(placed.pop()[0])
        elif step == "multiplier":
            multiplier = list(drawn["multiplier"])
            fleet.set_column("own", range(hosts), multiplier)
        elif step == "undo":
            token = fleet.checkpoint()
            fleet.place(request, 3)
            fleet.set_column("own", 0, 99.0)
            fleet.rollback(token)
    check()
