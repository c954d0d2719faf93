"""All contents that a packing can use, beside trying everything; and the packing from them."""

from itertools import product

import numpy as np
import pytest

from binwright.packing import Items, check_packing
from binwright.packing.bounds import best_bound
from binwright.packing.expand import expand
from binwright.packing.form import make_form
from binwright.packing.greedy import best_greedy
from binwright.packing.problem import read
from binwright.packing.search import Search

pytest.importorskip("highspy")
from binwright.packing import pool
from binwright.packing.generate import root, start_patterns
from binwright.packing.master import Master
from binwright.packing.pricer import Pricing


@pytest.mark.parametrize("seed", range(8))
def test_contents_are_all_that_are_worth_enough(seed):
    rng = np.random.default_rng(seed)
    weights, counts = rng.integers(0, 12, 6), rng.integers(1, 4, 6)
    form = make_form(read(Items(weights, counts, names="abcdef"), 25))
    prices = rng.integers(1, 12, form.types)
    best = max(
        sum(n * int(price) for n, price in zip(copies, prices))
        for copies in product(*(range(count + 1) for count in form.counts.tolist()))
        if sum(n * int(weight) for n, weight in zip(copies, form.weights[:, 0])) <= form.capacity[0, 0]
    )
    expected = {
        copies
        for copies in product(*(range(count + 1) for count in form.counts.tolist()))
        if sum(n * int(weight) for n, weight in zip(copies, form.weights[:, 0])) <= form.capacity[0, 0]
        and sum(n * int(price) for n, price in zip(copies, prices)) >= best - 4
    }
    found = set()
    for types, copies in pool.all_contents(form, prices, best - 4):
        held = np.zeros(form.types, int)
        held[types] = copies
        found.add(tuple(held.tolist()))
    assert found == expected


def test_too_many_contents_are_given_up(monkeypatch):
    monkeypatch.setattr(pool, "MOST_CONTENTS", 3)
    form = make_form(read(Items([2, 3, 4], [3, 3, 3]), 9))
    assert pool.all_contents(form, np.array([2, 3, 4]), 1) is None


def test_a_packing_from_all_contents():
    """Triplets that fill their bins: first fit and rounding down need more, and what is found keeps every rule."""
    rng = np.random.default_rng(34)
    weights = []
    for _ in range(20):
        first, second = int(rng.integers(380, 480)), int(rng.integers(255, 265))
        weights += [first, second, 1000 - first - second]
    problem = read(np.array(weights), 1000)
    form = make_form(problem)
    search = Search(form, None, 10_000, None)
    search.proved(best_bound(form))
    search.found(*best_greedy(form, search.bound))
    master, pricing = Master(form), Pricing(form)
    start_patterns(search, master)
    solution = root(search, master, pricing)
    assert search.cost > search.bound
    assert pool.complete(search, problem, master, pricing, solution)
    assert search.cost == check_packing(problem, expand(form, search.packing)) == 20
