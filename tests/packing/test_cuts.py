"""Finding cuts that a fractional solution breaks."""

import numpy as np
import pytest

from binwright.packing import Items
from binwright.packing.certificate import can_cut
from binwright.packing.form import make_form
from binwright.packing.problem import read

pytest.importorskip("highspy")
from binwright.packing.cuts import null_space, violated
from binwright.packing.master import Master, Solution


def halves(form, sets):
    """A master with these sets of types as patterns, each taken by half."""
    master = Master(form)
    master.add([(0, (np.array(types), np.ones(len(types), np.int64))) for types in sets])
    amounts = np.full(len(master.patterns), 0.5)
    nothing = np.zeros(0)
    return master, Solution(0.0, amounts, np.zeros(form.types), np.zeros(1), 0.0, nothing)


def test_three_items_of_which_every_two_share_half_a_bin():
    form = make_form(read(Items([40, 41, 42, 43]), 100))
    master, solution = halves(form, [(0, 1), (0, 2), (1, 2)])
    assert violated(form, master, solution, can_cut(form)) == [(0, 1, 2)]
    master.cut([(0, 1, 2)])
    assert violated(form, master, solution, can_cut(form)) == []


def test_a_circle_of_five_is_found_by_elimination():
    form = make_form(read(Items([40, 41, 42, 43, 44]), 100))
    master, solution = halves(form, [(0, 1), (1, 2), (2, 3), (3, 4), (0, 4)])
    assert violated(form, master, solution, can_cut(form)) == [(0, 1, 2, 3, 4)]


def test_what_must_stay_together_with_several_copies_is_in_no_cut():
    form = make_form(read(Items([[40], [41], [5]], [1, 1, 2], together=[(2,)]), 100))
    assert can_cut(form).tolist() == [True, True, False]


@pytest.mark.parametrize("seed", range(3))
def test_sets_of_rows_that_add_up_to_nothing(seed):
    rows = np.random.default_rng(seed).integers(0, 2, (9, 5)).astype(bool)
    sets = null_space(rows)
    assert len(sets) >= 4
    for members in sets:
        assert len(members)
        assert not (rows[members].sum(axis=0) % 2).any()
