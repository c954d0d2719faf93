"""Column generation beside other users of HiGHS in the process, without HiGHS, and repeated."""

import subprocess
import sys

import numpy as np
import pytest

from binwright.packing import Bins, Items, pack

WEIGHTS = [[9, 10], [3, 5], [13, 10], [7, 7], [5, 3], [11, 4], [2, 9]]
COUNTS = [30, 11, 27, 31, 18, 22, 25]


def test_another_number_of_threads_elsewhere_does_not_matter():
    """HiGHS has one pool of threads a process; a fresh process, because the pool stays."""
    pytest.importorskip("highspy")
    program = f"""
import highspy, numpy as np
solver = highspy.Highs()
solver.setOptionValue("output_flag", False)
solver.setOptionValue("threads", 3)
chosen = solver.addBinaries(4)
solver.addConstr(solver.qsum(chosen) >= 2)
solver.minimize(solver.qsum(chosen))
from binwright.packing import Items, pack
result = pack(Items({WEIGHTS}, {COUNTS}), [40, 40], iterations=300)
assert result.iterations > 0 and not result.notes, (result.iterations, result.notes)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=100)
    assert ended.returncode == 0, ended.stderr


def test_without_the_solver_the_rest_answers(monkeypatch):
    monkeypatch.setitem(sys.modules, "binwright.packing.master", None)
    for name in ("exact", "branch", "dive", "generate"):
        monkeypatch.delitem(sys.modules, f"binwright.packing.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "highspy", None)
    monkeypatch.delitem(sys.modules, "binwright.packing.master")
    result = pack(Items(WEIGHTS, COUNTS), [40, 40], iterations=300)
    assert result.status in ("feasible", "optimal")
    assert result.bound <= result.value
    assert result.status == "optimal" or result.notes == [
        "no column generation: highspy is not installed: pip install 'binwright[solver]'"
    ]
    result.verify()


def test_iterations_are_reproducible():
    pytest.importorskip("highspy")
    first, second = (pack(Items(WEIGHTS, COUNTS), [40, 40], iterations=120) for _ in range(2))
    assert first.patterns == second.patterns
    assert first.proof == second.proof
    assert [(m.iterations, m.value, m.bound) for m in first.history] == [
        (m.iterations, m.value, m.bound) for m in second.history
    ]


def test_progress_and_history_never_get_worse():
    moments = []
    result = pack(Items(WEIGHTS, COUNTS), [40, 40], iterations=120, progress=moments.append)
    assert moments == result.history
    values = [moment.value for moment in moments if moment.value is not None]
    bounds = [moment.bound for moment in moments]
    assert values == sorted(values, reverse=True)
    assert bounds == sorted(bounds)
    assert result.bound == bounds[-1] <= values[-1] == result.value


def test_part_filled_bins_are_used_first():
    """A live fleet: two bins that are paid for and half full, and new ones to buy."""
    bins = Bins([[10, 10], [10, 10]], price=[0, 1], stock=[2, None], used=[[5, 5], [0, 0]], names=["open", "new"])
    result = pack(Items([[5, 5]], [5]), bins, iterations=100)
    assert (result.value, result.bound, result.status) == (2, 2, "optimal")
    assert sum(count for kind, _, count in result.patterns if kind == 0) == 2


def test_too_little_stock_is_infeasible():
    result = pack(Items([[6]], [5]), Bins([[10]], stock=[4]), iterations=100)
    assert (result.status, result.value, result.unpacked) == ("infeasible", None, [])


def test_items_that_fit_no_bin_are_named():
    result = pack(np.array([[3, 3], [11, 1], [3, 3]]), [10, 10])
    assert (result.status, result.unpacked) == ("infeasible", [1])
