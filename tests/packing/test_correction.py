"""Sequential value correction: packings that first fit does not find, also of several kinds of bins in stock."""

import numpy as np
import pytest

from binwright.packing import Bins, Items, check_packing, pack
from binwright.packing.correct import Correction
from binwright.packing.expand import expand
from binwright.packing.form import make_form
from binwright.packing.pricer import Pricing
from binwright.packing.problem import read
from binwright.packing.search import Search
from binwright.packing.state import State


def corrected(items, bins, turns, iterations=1000):
    """(cost, problem, patterns) after so many turns."""
    problem = read(items, bins)
    form = make_form(problem)
    search = Search(form, None, iterations, None)
    Correction(search, Pricing(form)).run(State(form, form.counts, form.stock, []), turns)
    return search, problem, [] if search.packing is None else expand(form, search.packing)


def test_better_than_first_fit():
    """As few bins as the volume needs, where first and best fit decreasing take more."""
    weights = np.random.default_rng(3).integers(200, 350, 120)
    first = pack(weights, 1000, iterations=0)
    assert first.value > first.bound
    search, problem, patterns = corrected(weights, 1000, 20)
    assert search.cost == check_packing(problem, patterns) < first.value


@pytest.mark.parametrize("seed", range(4))
def test_kinds_and_stocks_are_kept(seed):
    rng = np.random.default_rng(seed)
    items = Items(rng.integers(1, 40, (12, 2)), rng.integers(1, 6, 12), conflicts=[(0, 1), (2, 2)])
    bins = Bins([[60, 60], [100, 80]], [3, 5], [4, None])
    search, problem, patterns = corrected(items, bins, 5)
    assert check_packing(problem, patterns) == search.cost


def test_it_stops_with_the_iterations():
    search, _, _ = corrected(np.array([6, 6, 5, 5, 4]), 10, 50, iterations=3)
    assert search.iterations <= 3
