"""The pricing kernel beside trying everything: bounded knapsacks in several resources, with pairs that are fined."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from binwright._core.pricing import Pricer


@st.composite
def knapsacks(draw):
    types, resources = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    whole = st.lists(st.integers(0, 9), min_size=resources, max_size=resources)
    weights = draw(st.lists(whole, min_size=types, max_size=types))
    counts = draw(st.lists(st.integers(0, 3), min_size=types, max_size=types))
    prices = draw(st.lists(st.integers(0, 30), min_size=types, max_size=types))
    capacity = draw(st.lists(st.integers(0, 20), min_size=resources, max_size=resources))
    cuts = draw(st.lists(st.tuples(st.sets(st.integers(0, types - 1), min_size=1), st.integers(0, 20)), max_size=4))
    return weights, counts, prices, capacity, cuts


def priced(cuts, types):
    """Arrays of `fine_pairs`."""
    listed = [[number for number, (members, _) in enumerate(cuts) if type_ in members] for type_ in range(types)]
    starts = np.cumsum([0, *map(len, listed)]).astype(np.int32)
    flat = np.array([number for each in listed for number in each], np.int32)
    return starts, flat, np.array([fine for _, fine in cuts], np.int64)


def worth(copies, prices, cuts):
    total = sum(number * price for number, price in zip(copies, prices))
    return total - sum(fine * (sum(copies[type_] for type_ in members) // 2) for members, fine in cuts)


@given(knapsacks())
def test_the_best_content_is_found_and_bounded(case):
    weights, counts, prices, capacity, cuts = case
    pricer = Pricer(np.array(weights, np.int64), np.array(counts, np.int64), np.array(capacity, np.int64))
    pricer.fine_pairs(*priced(cuts, len(weights)))
    found = np.zeros((4, len(weights)), np.int64)
    count, bound, _ = pricer.solve(np.array(prices, np.int64), np.array(counts, np.int64), 0, 10**6, found)
    best = max(
        worth(copies, prices, cuts)
        for copies in product(*(range(number + 1) for number in counts))
        if all(sum(number * row[r] for number, row in zip(copies, weights)) <= room for r, room in enumerate(capacity))
    )
    assert bound == max(best, 0)
    if best > 0:
        assert worth(found[count - 1].tolist(), prices, cuts) == best


@given(knapsacks())
def test_once_more_with_fewer_copies_is_as_good_as_anew(case):
    weights, counts, prices, capacity, cuts = case
    arrays = np.array(prices, np.int64), np.array(counts, np.int64)
    found = np.zeros((4, len(weights)), np.int64)
    fewer = np.array([max(count - 1 - at % 2, 0) for at, count in enumerate(counts)], np.int64)
    pricers = [Pricer(np.array(weights, np.int64), arrays[1], np.array(capacity, np.int64)) for _ in range(2)]
    for pricer in pricers:
        pricer.fine_pairs(*priced(cuts, len(weights)))
    pricers[0].solve(*arrays, 0, 10**6, found)
    count, bound, _ = pricers[0].again(fewer, 0, 10**6, found)
    anew = np.zeros((4, len(weights)), np.int64)
    _, expected, _ = pricers[1].solve(arrays[0], fewer, 0, 10**6, anew)
    assert bound == expected
    if count:
        assert (found[count - 1] <= fewer).all()
        assert (found[count - 1] @ np.array(weights, np.int64) <= np.array(capacity)).all()
        assert worth(found[count - 1].tolist(), prices, cuts) == bound
    with pytest.raises(ValueError, match="different lengths"):
        pricers[0].again(fewer[1:], 0, 1, found)


def test_a_search_that_gives_up_bounds_from_above():
    rng = np.random.default_rng(7)
    weights = rng.integers(20, 60, (30, 3))
    counts, prices = np.full(30, 4), rng.integers(50, 90, 30)
    pricer = Pricer(weights, counts, np.array([200, 200, 200]))
    found = np.zeros((1, 30), np.int64)
    _, whole, _ = pricer.solve(prices, counts, 0, 10**8, found)
    _, early, steps = pricer.solve(prices, counts, 0, 10, found)
    assert steps == 11
    assert early >= whole


@pytest.mark.parametrize(
    ("starts", "cuts", "fines", "words"),
    [
        ([0, 1], [0], [1], "different lengths"),
        ([0, 1, 2], [0, 1], [1], "a cut that is not there"),
        ([0, 2, 1], [0], [1], "end before they start"),
        ([0, 1, 1], [0], [-1], "a fine outside"),
    ],
)
def test_wrong_cuts_are_refused(starts, cuts, fines, words):
    pricer = Pricer(np.array([[1], [2]]), np.array([1, 1]), np.array([3]))
    with pytest.raises(ValueError, match=words):
        pricer.fine_pairs(np.array(starts, np.int32), np.array(cuts, np.int32), np.array(fines, np.int64))
