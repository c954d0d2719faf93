"""Times of the search for rows: `python -m pytest bench/test_groups.py`.

One host, one decision each: is there an assignment, and place with the rows claimed, then rolled back. *open*: every
group may have every row. *stairs*: group i may have the last i + 1 rows only, so that the first assignment is the one
that matching in order finds last. Each benchmark asserts that its answer is right.
"""

import numpy as np
import pytest

from bench.test_engine import measure
from binwright import Fleet, Group, GroupRules

CASES = [
    pytest.param(8, 8, id="8-on-8"),
    pytest.param(64, 64, id="64-on-64"),
    pytest.param(65, 64, id="65-on-64"),
]


def one_host(rows: int) -> Fleet:
    """A host with that many rows of one unit; row j carries the labels of the groups that may have it."""
    fleet = Fleet({"cpu": np.array([1_000])})
    labels = [[f"group {i}" for i in range(rows) if j >= rows - 1 - i] for j in range(rows)]
    fleet.add_rows({"unit": np.ones(rows, np.int64)}, np.zeros(rows, np.int64), labels=labels)
    return fleet


def groups(kind: str, count: int, rows: int) -> list[Group]:
    if kind == "open":
        return [Group({"unit": 1}, isolated=True) for _ in range(count)]
    return [Group({"unit": 1}, isolated=True, required=[f"group {min(i, rows - 1)}"]) for i in range(count)]


@pytest.mark.parametrize(("count", "rows"), CASES)
@pytest.mark.parametrize("kind", ["open", "stairs"])
def test_exists(benchmark, kind, count, rows):
    fleet = one_host(rows)
    request = fleet.request({"cpu": 1}, groups=groups(kind, count, rows))
    state, answers = fleet._state, np.empty(1, np.uint8)
    measure(benchmark, lambda: state.scan.row_answers(state.classes, request.index, answers), lambda: None, 1, 1, 1)
    assert answers.tolist() == [count <= rows]


@pytest.mark.parametrize(("count", "rows"), CASES)
@pytest.mark.parametrize("kind", ["open", "stairs"])
def test_place(benchmark, kind, count, rows):
    fleet = one_host(rows)
    request = fleet.request({"cpu": 1}, groups=groups(kind, count, rows))
    tokens, results = [fleet.checkpoint()], []

    def reset():
        fleet.rollback(tokens.pop())
        tokens.append(fleet.checkpoint())

    measure(benchmark, lambda: results.append(fleet.place(request)), reset, 1, 1, 1)
    got = [device.row for device in results[-1].devices(0)] if results[-1].placed else []
    ordered = range(rows) if kind == "open" else reversed(range(rows))
    assert got == (list(ordered) if count <= rows else [])


def test_a_pigeonhole_below_one_row_is_pruned(benchmark):
    """Nine isolated groups below the same cell of eight rows: nine on eight is refused without trying them all."""
    fleet = Fleet({"cpu": np.array([1_000])})
    cells = fleet.add_rows({"cell": np.ones(2, np.int64)}, np.zeros(2, np.int64))
    fleet.add_rows({"unit": np.ones(16, np.int64)}, np.zeros(16, np.int64), parents=np.repeat(cells, 8))
    rules = GroupRules(subtrees=[range(10)])
    nine = [Group({"cell": 1}), *(Group({"unit": 1}, isolated=True) for _ in range(9))]
    request = fleet.request({"cpu": 1}, groups=nine, group_rules=rules)
    state, answers = fleet._state, np.empty(1, np.uint8)
    measure(benchmark, lambda: state.scan.row_answers(state.classes, request.index, answers), lambda: None, 1, 1, 1)
    assert answers.tolist() == [0]
