"""Elimination: what it proves is the optimum of trying everything, and the checker refuses what is not proven."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from binwright.packing import Bins, CheckFailed, Items, pack
from binwright.packing.certificate import Certificate
from binwright.packing.check import TooHard
from binwright.packing.form import make_form
from binwright.packing.problem import read
from binwright.packing.remains import Remains, check_cases, contents_worth
from binwright.packing.search import Search

pytest.importorskip("highspy")
from binwright.packing.eliminate import Elimination
from binwright.packing.pool import all_contents


def searched(weights, counts, capacity, over):
    """(problem, search after elimination, optimum) with the best known packing `over` bins above the optimum."""
    problem = read(Items(weights, counts), capacity)
    form = make_form(problem)
    optimum = pack(problem.items, problem.bins, iterations=300)
    assert optimum.status == "optimal"
    search = Search(form, None, 10_000, None)
    search.cost = optimum.cost + over
    prices, most = form.weights[:, 0] * 1000, int(form.capacity[0, 0]) * 1000
    first = Certificate("volume", tuple(prices.tolist()), most, (0,))
    least = int(prices @ form.counts) - (search.cost - 2) * most
    contents = all_contents(form, prices, max(least, 1))
    Elimination(search, problem, contents, first).run()
    return problem, search, optimum.cost


@pytest.mark.parametrize("seed", range(30))
def test_what_is_proven_is_the_optimum(seed):
    rng = np.random.default_rng(seed)
    weights = rng.choice(np.arange(20, 70), 8, replace=False)
    problem, search, optimum = searched(weights, np.r_[np.ones(6, int), 2, 2], 100, 0)
    if search.cases is not None:
        bound, proof = search.cases
        assert bound == optimum
        check_cases(problem, proof, bound)
        with pytest.raises((CheckFailed, TooHard)):
            check_cases(problem, proof, bound + 1)
        halved = replace(proof.steps[0], scale=proof.steps[0].scale // 2)
        with pytest.raises(CheckFailed, match="worth more than its bin"):
            check_cases(problem, Remains([halved]), bound)


def test_some_are_proven_so():
    """Volume says 3, and of what would fill three bins nothing remains; without the last prices much does."""
    problem, search, optimum = searched([48, 47, 46, 36, 35, 34, 33], [1] * 7, 100, 0)
    assert search.cases is not None
    bound, proof = search.cases
    assert bound == optimum == 4
    check_cases(problem, proof, 4)
    assert proof.to_dict()["steps"]
    with pytest.raises(CheckFailed, match="leaves contents"):
        check_cases(problem, Remains(proof.steps[:1]), 4)
    worth_more = replace(proof.steps[0], scale=proof.steps[0].scale // 2)
    with pytest.raises(CheckFailed, match="worth more than its bin"):
        check_cases(problem, Remains([worth_more]), 4)


@pytest.mark.parametrize("seed", range(20))
def test_nothing_above_the_optimum_is_proven(seed):
    rng = np.random.default_rng(seed)
    _, search, optimum = searched(rng.choice(np.arange(20, 70), 8, replace=False), np.ones(8, int), 100, 1)
    assert search.cases is None
    assert search.cost >= optimum


@pytest.mark.parametrize("seed", range(8))
def test_the_checker_goes_through_all_contents(seed):
    rng = np.random.default_rng(seed)
    weights, counts = rng.integers(1, 12, 6), rng.integers(1, 4, 6)
    problem = read(Items(weights, counts, names="abcdef"), 25)
    prices = rng.integers(1, 12, 6)
    step = Certificate("volume", tuple(prices.tolist()), 40, (0,))
    bound = int(prices @ counts) // 40 + 1
    least = min(int(prices @ counts) - (bound - 2) * 40, 41)
    expected = {
        copies
        for copies in product(*(range(count + 1) for count in counts.tolist()))
        if np.dot(copies, weights) <= 25 and np.dot(copies, prices) >= least
    }
    assert {tuple(row) for row in contents_worth(problem, step, bound).tolist()} == expected


@pytest.mark.parametrize(
    ("items", "bins"),
    [
        (Items([5, 4], conflicts=[(0, 1)]), Bins([9])),
        (Items([[5, 1], [4, 2]]), Bins([[9, 9]])),
        (Items([5, 4]), Bins([[9], [7]])),
        (Items([5, 4]), Bins([9], stock=[4])),
    ],
)
def test_elimination_is_refused_where_rules_could_break_it(items, bins):
    problem = read(items, bins)
    step = Certificate("volume", (5, 4), 9, (0,) * problem.kinds)
    with pytest.raises(CheckFailed, match="elimination"):
        check_cases(problem, Remains([step]), 1)
