"""Candidates written by template: a hole that names nothing is refused, as it would be read from anywhere."""

import numpy as np
import pytest

from binwright._core.candidate_list import listed
from binwright._core.candidates import Question
from binwright._core.rowtable import RowTable
from binwright._core.texts import MOST, RowTexts, Template, written

AMOUNT = 1


@pytest.fixture
def found():
    """Two units, in the span both, on either of two rows: four candidates."""
    nothing: frozenset[str] = frozenset()
    stock = (0, 10, 0, 1, 10, 1)
    table = RowTable([(-1, nothing, nothing, [stock]), (0, nothing, nothing, [stock])], [[]])
    no_labels, no_members = (clauses.filter_number((), nothing) for clauses in (table.labels, table.members))
    group = (((0, AMOUNT),), no_labels, no_members, -1, True, False, False, False)
    return listed(table, Question((group, group), ()), np.array([0], np.int32))


def body(found, made, first=0, end=2):
    texts = RowTexts((b"A", b"B"), np.array([0, 1], np.int32))
    return written(found, texts, first, end, made, b"[", b"|", [b"x", b"y"], b"]", b", ")


def test_holes_take_the_rows_of_units_and_of_the_span(found):
    def made(firsts):
        span = [(b"+", MOST + number) for number in range(len(set(firsts)))]
        return Template([(b"", 0), (b"", 1), *span, (b".", -1)])

    assert body(found, made) == b"[AA+A., AB+A+B., BA+A+B., BB+B.|x, y]"


@pytest.mark.parametrize("hole", [-2, 2 * MOST, 2**31 - 1])
def test_a_hole_that_no_template_has(hole):
    with pytest.raises(ValueError, match=f"template: hole {hole}"):
        Template([(b"", hole)])


@pytest.mark.parametrize("hole", [2, MOST - 1, MOST + 1, 2 * MOST - 1])
def test_a_hole_past_the_units_or_the_rows_of_the_span(found, hole):
    with pytest.raises(ValueError, match="holes past 2 units, 1 rows of the span"):
        body(found, lambda firsts: Template([(b"", hole)]))


def test_a_span_of_one_unit_has_no_holes(found):
    with pytest.raises(ValueError, match="holes past 2 units, 0 rows of the span"):
        body(found, lambda firsts: Template([(b"", MOST)]), 1, 2)


def test_no_template(found):
    with pytest.raises(ValueError, match="holes past 2 units"):
        body(found, lambda firsts: None)
