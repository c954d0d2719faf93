"""Every workload of bench/ runs and is right at a small size, and notices a wrong answer."""

import pytest

from bench import index_workloads
from binwright.bench.workloads import WORKLOADS, make


@pytest.mark.parametrize("resources", [4, 8])
@pytest.mark.parametrize("name", WORKLOADS)
def test_workload_is_right_and_repeatable(name, resources):
    unit = make(name, 300, resources, decisions=60)
    for _ in range(2):
        unit.run()
        unit.check()
        unit.reset()


@pytest.mark.parametrize("name", index_workloads.INDEXED)
def test_index_workload_is_right_and_repeatable(name, monkeypatch):
    monkeypatch.setattr(index_workloads, "MOST", 500)
    unit = index_workloads.make(name, 300)
    for _ in range(2):
        unit.run()
        unit.check()
        unit.reset()
    unit.run()
    unit.answers.hosts[3] += 1
    with pytest.raises(AssertionError):
        unit.check()


@pytest.mark.parametrize("name", ["equal", "classes", "profile"])
@pytest.mark.parametrize("column", ["hosts", "scores", "verdicts"])
def test_a_wrong_decision_is_noticed(name, column):
    unit = make(name, 300, 4, decisions=40)
    unit.run()
    getattr(unit.answers, column)[17] += 1
    with pytest.raises(AssertionError):
        unit.check()


def test_a_placing_that_did_not_happen_is_noticed():
    unit = make("equal", 300, 4, decisions=40)
    unit.run()
    unit.reset()
    with pytest.raises(AssertionError):
        unit.check()


@pytest.mark.parametrize("name", ["full", "too_large"])
def test_a_wrong_refusal_is_noticed(name):
    unit = make(name, 300, 4, decisions=5)
    unit.run()
    unit.answers.verdicts[2] ^= 3
    with pytest.raises(AssertionError):
        unit.check()


def test_the_same_seed_gives_the_same_work():
    first, second = (make("profile", 500, 8, decisions=30) for _ in range(2))
    for unit in (first, second):
        unit.run()
    assert first.answers.hosts == second.answers.hosts
    assert first.wanted[0].raw == second.wanted[0].raw
    assert len(set(first.answers.hosts)) >= 4  # not one host over and over
