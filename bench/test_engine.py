"""Times of the engine, with pytest-benchmark: `python -m pytest bench -m "not slow"` is all but a million hosts.

`python -m bench.table` makes the README's table of them.

Times inform and do not gate (`python -m binwright.bench instructions` does). Each benchmark asserts that its answer is
right, and carries in `extra_info` its ratio to a calibration loop that was timed right before it.
"""

import numpy as np
import pytest

from bench import index_workloads
from binwright import Fleet
from binwright.bench.fleets import hosts_of
from binwright.bench.times import calibration, seconds_of
from binwright.bench.workloads import WORKLOADS, make

HOSTS = (1_000, 5_000, 100_000, 1_000_000)
RESOURCES = (4, 8)
SECONDS = 0.6  # of measuring a benchmark, between 3 and 40 rounds

CASES = [
    pytest.param(hosts, resources, marks=pytest.mark.slow if hosts >= 1_000_000 else (), id=f"{hosts}x{resources}")
    for hosts in HOSTS
    for resources in RESOURCES
]


def measure(benchmark, run, reset, hosts: int, resources: int, decisions: int) -> None:
    """Time `run`, each round after `reset`, and note what the table needs."""
    reset()
    once = seconds_of(run)
    reset()
    unit = calibration()
    rounds = max(3, min(40, int(SECONDS / once)))
    benchmark.pedantic(run, setup=lambda: reset(), rounds=rounds, warmup_rounds=1)
    if not benchmark.enabled:
        return
    best = benchmark.stats.stats.min
    benchmark.extra_info.update(
        hosts=hosts,
        resources=resources,
        decisions=decisions,
        ns_per_host=round(best * 1e9 / hosts / max(decisions, 1), 3),
        calibration_seconds=unit,
        calibrations=round(best / unit, 3),
    )
    if decisions:
        benchmark.extra_info["decisions_per_second"] = round(decisions / best, 1)


@pytest.mark.parametrize(("hosts", "resources"), CASES)
@pytest.mark.parametrize("name", WORKLOADS)
def test_core(benchmark, name, hosts, resources):
    unit = make(name, hosts, resources)
    measure(benchmark, unit.run, unit.reset, hosts, resources, unit.decisions)
    unit.check()


@pytest.mark.parametrize("hosts", [5_000, 100_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", index_workloads.INDEXED)
def test_index(benchmark, name, hosts):
    unit = index_workloads.make(name, hosts)
    measure(benchmark, unit.run, unit.reset, hosts, index_workloads.RESOURCES, unit.decisions)
    unit.check()


@pytest.mark.parametrize(("hosts", "resources"), CASES)
def test_fleet_from_numpy(benchmark, hosts, resources):
    """The public constructor, checks of every amount included; nameless hosts."""
    given = hosts_of(hosts, resources)
    capacity, used = ({f"r{i}": np.array(c) for i, c in enumerate(kept)} for kept in (given.capacity, given.used))
    made = []
    measure(benchmark, lambda: made.append(Fleet(capacity, used)), made.clear, hosts, resources, 0)
    assert np.array_equal(made[-1].capacity, np.array(given.capacity))
    assert np.array_equal(made[-1].used, np.array(given.used))
