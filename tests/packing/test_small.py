"""Small problems of every shape beside brute force; each certificate beside an oracle that tries every content."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from binwright.packing import Bins, Items, check_certificate, pack
from tests.reference import packing as truth


@st.composite
def problems(draw):
    """Types, counts, bins with price and stock, and rules, small enough to try everything."""
    resources = draw(st.integers(1, 3))
    largest = draw(st.sampled_from([4, 10, 50, 10**6]))
    types = draw(st.integers(1, 4))
    least = draw(st.sampled_from([0, 0, 0, -largest // 3]))  # a negative weight makes room
    weights = [[draw(st.integers(least, largest)) for _ in range(resources)] for _ in range(types)]
    counts = [draw(st.integers(0, 3)) for _ in range(types)]
    kinds = draw(st.integers(1, 3))
    capacity = [[draw(st.integers(0, 2 * largest)) for _ in range(resources)] for _ in range(kinds)]
    price = [draw(st.integers(0, 5)) for _ in range(kinds)]
    stock = [draw(st.none() | st.integers(0, 4)) for _ in range(kinds)]
    rows = st.integers(0, types - 1)
    rules = {}
    if draw(st.booleans()):
        rules["conflicts"] = draw(st.lists(st.tuples(rows, rows), max_size=3))
        some = st.lists(rows, min_size=1, max_size=3)
        rules["at_most"] = draw(st.lists(st.tuples(some, st.integers(1, 3)), max_size=2))
        rules["together"] = draw(st.sampled_from([[], [[0]], [[0, types - 1]]])) if types > 1 else []
        may = [[draw(st.booleans()) or draw(st.booleans()) for _ in range(kinds)] for _ in range(types)]
        rules["eligible"] = np.array(may)
    most = draw(st.none() | st.integers(1, 4))
    return weights, counts, capacity, price, stock, rules, most


def allowed_by(weights, counts, rules, most):
    """The rules of `problems` as truth.least_cost wants them."""

    def allowed(copies, kind):
        if most is not None and sum(copies) > most:
            return False
        if "eligible" in rules and any(number and not rules["eligible"][at][kind] for at, number in enumerate(copies)):
            return False
        for left, right in rules.get("conflicts", ()):
            if copies[left] > 1 if left == right else copies[left] and copies[right]:
                return False
        for rows, limit in rules.get("at_most", ()):
            if sum(copies[row] for row in set(rows)) > limit:
                return False
        for rows in rules.get("together", ()):
            if any(copies[row] for row in rows) and any(copies[row] != counts[row] for row in rows):
                return False
        return True

    return allowed


@given(problems())
def test_beside_brute_force(problem):
    weights, counts, capacity, price, stock, rules, most = problem
    allowed = allowed_by(weights, counts, rules, most)
    items = list(zip(weights, counts))
    cheapest = truth.least_cost(items, list(zip(capacity, price, stock)), allowed)
    result = pack(
        Items(weights, counts, **rules),
        Bins(capacity, price, stock, max_items=most),
        iterations=200,
    )
    if cheapest is None:
        assert result.cost is None
        return
    assert result.bound <= cheapest
    if result.cost is not None:
        assert result.value >= cheapest
    if result.status == "optimal":
        assert result.value == cheapest
    proof = result.proof
    for kind in range(len(capacity)):
        cuts = [(cut.rows, cut.fine) for cut in proof.cuts]
        worth = truth.most_worth(
            items, capacity[kind], proof.duals, lambda copies, _, kind=kind: allowed(copies, kind), cuts
        )
        relief = proof.reliefs[kind]
        assert stock[kind] == 0 or worth <= proof.scale * int(result.problem.bins.prices[kind]) + relief
        assert stock[kind] is not None or relief == 0


@given(st.lists(st.integers(1, 20), min_size=1, max_size=9), st.integers(20, 40))
def test_one_resource_is_solved(weights, capacity):
    """One row an item, equal rows counted together: the optimum, and every item in the bin that it is said to be in."""
    result = pack(weights, capacity, iterations=500)
    distinct = sorted(set(weights))
    items = [((weight,), weights.count(weight)) for weight in distinct]
    assert result.bound <= result.value
    assert result.value >= truth.least_cost(items, [((capacity,), 1, None)], lambda copies, kind: True)
    bins, kinds = result.assignment()
    assert len(bins) == len(weights)
    assert (np.bincount(bins, weights=weights) <= capacity).all()
    assert len(kinds) == result.bins == bins.max() + 1


def test_the_checker_refuses_a_wrong_certificate():
    from dataclasses import replace

    from binwright.packing import CheckFailed

    result = pack(Items([60, 40, 55], [2, 3, 1]), 100)
    assert (result.value, result.bound, result.status) == (3, 3, "optimal")
    with pytest.raises(CheckFailed, match="worth more than"):
        check_certificate(result.problem, replace(result.proof, scale=result.proof.scale // 2))


def test_one_weight_makes_room_while_another_takes_it():
    """Items that take room in one resource and make it in another: a bin is only right or wrong as a whole."""
    weights, counts = [[-1, 2], [4, -1], [3, 0], [1, 1]], [3, 2, 2, 1]
    capacity, price, stock = [[2, 3], [8, 1]], [3, 1], [1, 3]
    least = truth.least_cost(list(zip(weights, counts)), list(zip(capacity, price, stock)), lambda copies, kind: True)
    result = pack(Items(weights, counts), Bins(capacity, price, stock), iterations=200)
    assert 0 < result.bound <= least
    assert result.cost is None or result.value >= least
    result.verify()
