"""The volume bound where every kind of bin may run out: small and dear ones only count where they are needed."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from binwright.packing.problem import Bins, Items
from binwright.packing.solve import pack


def test_bins_of_several_sizes_are_counted_largest_first():
    result = pack(Items([[1]], [17]), Bins([[5], [10], [2]], stock=[2, 1, 1]), iterations=0)
    assert (result.bound, result.value) == (3, 3)


def test_large_prices_are_not_rounded_away():
    """16 units in bins of 8 at 3,000 and 4,001: both are needed."""
    result = pack(Items([[1]], [16]), Bins([[8], [8]], [3000, 4001], stock=[1, 1]), iterations=0)
    assert (result.bound, result.value) == (7001, 7001)


def test_free_bins_that_may_run_out_are_filled_first():
    result = pack(Items([[1]], [16]), Bins([[8], [8], [8]], [0, 1, 1], stock=[1, 1, 1]), iterations=0)
    assert (result.bound, result.value) == (1, 1)


@given(st.data())
def test_the_bound_is_never_above_a_packing(data):
    kinds = data.draw(st.integers(1, 4))
    capacity = data.draw(st.lists(st.integers(1, 20), min_size=kinds, max_size=kinds))
    prices = data.draw(st.lists(st.integers(0, 5000), min_size=kinds, max_size=kinds))
    sizes = data.draw(st.lists(st.integers(1, max(capacity)), min_size=1, max_size=8))
    stock = data.draw(st.lists(st.integers(0, 3), min_size=kinds, max_size=kinds))
    result = pack(Items(np.array(sizes)[:, None]), Bins([[one] for one in capacity], prices, stock=stock), iterations=0)
    assert result.value is None or result.bound <= result.value
