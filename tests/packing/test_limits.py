"""Limits hold on every path: searches get steps beforehand, checks end with the clock, what is checked is kept."""

import json
import lzma
import time
from pathlib import Path

import numpy as np
import pytest

from binwright.packing import Bins, Items, TooHard, check_certificate, pack
from binwright.packing.bounds import best_bound
from binwright.packing.effort import LEAST, STEPS_A_SECOND, STEPS_AN_ITERATION, Effort
from binwright.packing.form import make_form
from binwright.packing.greedy import best_greedy
from binwright.packing.problem import Problem

pytest.importorskip("highspy")


def pods(count):
    """Items that all differ, thirty a bin, in two resources of unlike units; five kinds of bins."""
    rng = np.random.default_rng(11)
    cores = rng.choice([50, 100, 200, 250, 500], count) + rng.integers(0, 20, count)
    items = Items(np.column_stack([cores, rng.integers(2**25, 2**29, count)]))
    rooms = [[1620, 6007291904], [3610, 13738442752], [7600, 29844570112], [7600, 6007291904], [7600, 62056824832]]
    return items, Bins(rooms, [10, 20, 40, 29, 53])


def test_steps_within_the_clock():
    now = [0.0]
    effort = Effort(lambda: now[0], 10.0, None)
    assert effort.allowance(10**6, 3) == 10**6
    now[0] = 9.9
    assert effort.allowance(10**9, 4) == pytest.approx(0.1 * STEPS_A_SECOND / 4, abs=1)
    effort.took(10**6, 10.0)  # a slow machine
    assert effort.allowance(10**9, 4) == pytest.approx(0.1 * (STEPS_A_SECOND + 10**5) / 2 / 4, abs=1)
    now[0] = 11.0
    assert effort.allowance(10**9, 4) == LEAST


def test_steps_of_all_iterations():
    effort = Effort(time.perf_counter, None, 10)
    assert effort.allowance(10**9, 2) == 5 * STEPS_AN_ITERATION
    effort.took(9 * STEPS_AN_ITERATION, 1.0)
    assert effort.allowance(10**9, 2) == STEPS_AN_ITERATION // 2


@pytest.mark.parametrize("seconds", [0.5, 2.0])
def test_a_time_limit_holds_where_pricing_and_checks_are_hard(seconds):
    items, bins = pods(240)
    before = time.process_time()
    result = pack(items, bins, time_limit=seconds, clock=time.process_time)
    took = time.process_time() - before
    assert took < seconds + 0.5
    assert result.status in ("optimal", "feasible")
    assert 0 < result.bound <= result.value
    result.verify()


def test_iterations_are_a_limit_of_work_too():
    items, bins = pods(120)
    first, again = (pack(items, bins, iterations=12) for _ in range(2))
    assert (first.cost, first.least, first.patterns) == (again.cost, again.least, again.patterns)
    assert 0 < first.bound <= first.value


def test_rules_without_a_solver_end_with_the_clock():
    weights = np.random.default_rng(5).integers(100, 4000, (400, 4))
    form = make_form(Problem(Items(weights), Bins([10_000] * 4)))
    assert best_bound(form, lambda: True).kind == "volume"
    cost, packing = best_greedy(form, 0, lambda: 0.0)
    assert sum(count for _, _, count in packing) == cost
    assert cost >= best_greedy(form, 0)[0]


def test_a_check_that_is_told_to_give_up():
    weights = np.random.default_rng(3).integers(15, 60, (40, 2))
    result = pack(Items(weights), Bins([100, 100]), iterations=100)
    assert result.proof.kind == "column-generation"
    with pytest.raises(TooHard):
        check_certificate(result.problem, result.proof, lambda: True)


def test_the_primal_simplex_goes_on_where_the_dual_one_was_stopped(monkeypatch):
    weights = np.random.default_rng(8).integers(200, 700, 60)
    usual = pack(Items(weights), 1000, iterations=100)
    monkeypatch.setattr("binwright.packing.master.PIVOTS", 0)
    result = pack(Items(weights), 1000, iterations=100)
    assert (result.cost, result.bound, result.notes) == (usual.cost, usual.bound, usual.notes)


def test_a_linear_program_that_finds_no_end_costs_no_answer(monkeypatch):
    monkeypatch.setattr("binwright.packing.master.PIVOTS", 0)
    monkeypatch.setattr("binwright.packing.master.LAST_PIVOTS", 0)
    items, bins = pods(60)
    result = pack(items, bins, iterations=100)
    assert result.notes == ["no column generation: the linear program failed"]
    assert 0 < result.bound <= result.value
    result.verify()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["600_20000_DI_4", "600_20000_DI_37"])
def test_a_dual_simplex_that_turns_in_a_circle(name):
    """Each of these once stayed in one linear program of a dive for good."""
    path = Path(__file__).parents[3] / "shared" / "data" / "packing" / "bp1d" / "bp1d_selection.jsonl.xz"
    if not path.exists():
        pytest.skip("needs ../shared/data/packing")
    with lzma.open(path, "rt") as lines:
        instance = next(one for one in map(json.loads, lines) if one["name"] == name)
    rows = np.array(instance["items"])
    before = time.process_time()
    result = pack(Items(rows[:, :-1], rows[:, -1]), instance["capacity"], time_limit=20, clock=time.process_time)
    assert time.process_time() - before < 22
    assert result.bound == 198 <= result.value <= 199
