"""Sweeps: the same results from threads, processes, Dask and here; workers that die; scenarios that fail."""

import os
import signal
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context

import numpy as np
import pytest

import binwright
from binwright import Fleet, InputError
from binwright.sweeping import _NotSeen

SPAWNED = partial(ProcessPoolExecutor, 2, mp_context=get_context("spawn"))


def fleet_of(hosts=20):
    return Fleet({"cpu": np.arange(10, 10 + hosts), "memory": np.full(hosts, 64)})


def packed(fleet, cpu):
    """How many fit, and where: changes the copy that it gets."""
    result = fleet.place(fleet.request({"cpu": cpu, "memory": 3}), 200)
    return int((result.hosts >= 0).sum()), result.hosts.tolist()


def picky(fleet, cpu):
    if cpu == 3:
        raise ValueError("three is not served")
    return packed(fleet, cpu)


def deadly(fleet, scenario):
    """Kills its process the first time it comes to `scenario`'s file."""
    cpu, file = scenario
    if file and not os.path.exists(file):
        open(file, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    return packed(fleet, cpu)


def always_deadly(fleet, cpu):
    if cpu == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return packed(fleet, cpu)


@pytest.mark.parametrize("executor", [partial(ThreadPoolExecutor, 3), SPAWNED], ids=["threads", "processes"])
def test_results_are_the_same_whatever_the_executor(executor):
    fleet, seen = fleet_of(), []
    here = binwright.sweep(packed, fleet, range(1, 6))
    assert here == [packed(fleet.fork(), cpu) for cpu in range(1, 6)]
    assert binwright.sweep(packed, fleet, range(1, 6), executor, lambda *done: seen.append(done)) == here
    assert seen == [(number, 5) for number in range(1, 6)]
    assert not fleet.used.any()


def test_an_executor_that_is_given_stays_open():
    with ThreadPoolExecutor(2) as pool:
        assert (
            binwright.sweep(packed, fleet_of(), [1, 2], pool) == binwright.sweep(packed, fleet_of(), [2, 1], pool)[::-1]
        )
        assert pool.submit(int).result() == 0


def test_the_first_failure_in_order_is_raised():
    for executor in (None, partial(ThreadPoolExecutor, 2), SPAWNED):
        with pytest.raises(ValueError, match="three is not served"):
            binwright.sweep(picky, fleet_of(), [1, 3, 2], executor)


@pytest.mark.parametrize("made", [True, False], ids=["an executor that can be made again", "one that is broken then"])
def test_what_a_dead_worker_had_is_run_again(tmp_path, made):
    scenarios = [(1, ""), (2, str(tmp_path / "killed")), (3, ""), (4, "")]
    wanted = binwright.sweep(packed, fleet_of(), [1, 2, 3, 4])
    if made:
        assert binwright.sweep(deadly, fleet_of(), scenarios, SPAWNED) == wanted
    else:
        with SPAWNED() as pool:
            assert binwright.sweep(deadly, fleet_of(), scenarios, pool) == wanted
    assert (tmp_path / "killed").exists()


def test_a_scenario_that_kills_every_worker_is_named():
    with pytest.raises(InputError, match="sweep: scenario 1 ended its worker 3 times"):
        binwright.sweep(always_deadly, fleet_of(), [1, 2, 3], SPAWNED)


class Odd(Exception):
    """Wants two arguments, and so does not come back from a pickle."""

    def __init__(self, what, why):
        super().__init__(f"{what}: {why}")


def oddly(fleet, cpu):
    raise Odd("cpu", cpu)


@pytest.mark.parametrize("executor", [None, SPAWNED], ids=["here", "processes"])
def test_an_error_that_does_not_pickle_keeps_its_words(executor):
    with pytest.raises(RuntimeError, match="Odd: cpu: 1"):
        binwright.sweep(oddly, fleet_of(), [1], executor)


def test_a_thing_that_does_not_pickle_is_refused():
    with pytest.raises(InputError, match="sweep: the thing does not pickle: "):
        binwright.sweep(packed, lambda: None, [1])


class FarAway(Executor):
    """Workers that cannot see this machine's memory, as those of another one."""

    def __init__(self):
        self.sent = 0

    def submit(self, work, *arguments, **more):
        future = Future()
        function, scenario, path, data = arguments
        if data is None:
            future.set_exception(_NotSeen(path))
        else:
            self.sent += 1
            future.set_result(work(function, scenario, path, data))
        return future


def test_workers_elsewhere_are_sent_the_bytes():
    far = FarAway()
    assert binwright.sweep(packed, fleet_of(), [1, 2], far) == binwright.sweep(packed, fleet_of(), [1, 2])
    assert far.sent == 2


def test_what_is_no_executor_is_refused():
    with pytest.raises(InputError, match="sweep: executor 3 has no submit and makes no executor"):
        binwright.sweep(packed, fleet_of(), [1], 3)


def test_nothing_to_do_is_nothing():
    assert binwright.sweep(packed, fleet_of(), [], SPAWNED) == []


def test_a_real_dask_cluster_gives_the_same(tmp_path):
    distributed = pytest.importorskip("distributed", reason="extra dask: pip install 'binwright[dask]'")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        scenarios = [(cpu, "") for cpu in range(1, 9)] + [(9, str(tmp_path / "killed"))]
        found = binwright.sweep(deadly, fleet_of(), scenarios, client.get_executor(retries=0))
    assert found == binwright.sweep(packed, fleet_of(), range(1, 10))
