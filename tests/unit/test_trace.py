"""Traces in one call: the same as walking through the events one by one, and refused whole where they are none."""

import random

import numpy as np
import pyarrow as pa
import pytest

from binwright import Fleet, InputError, distinct_requests, run_trace
from binwright.verdict import Verdict


def walked(fleet, requests, which, arrives, leaves):
    """Event by event, as the words say it: (hosts, used after each arrival)."""
    jobs = sorted(range(len(which)), key=lambda job: arrives[job])
    items, hosts, used, here = {}, [-1] * len(which), [None] * len(which), set()
    for job in jobs:
        gone = sorted((one for one in here if leaves[one] <= arrives[job]), key=lambda one: (leaves[one], one))
        for one in gone:
            fleet.release(items[one])
            here.remove(one)
        (host,), (item,) = (lambda found: (found.hosts, found.items))(fleet.place(requests[which[job]]))
        hosts[job], items[job] = int(host), item
        used[job] = fleet.used.sum(axis=1).tolist()
        if host >= 0:
            here.add(job)
            if leaves[job] == arrives[job]:
                fleet.release(item)
                here.remove(job)
    return hosts, used


@pytest.mark.parametrize("seed", range(40))
def test_like_walking_through_the_events(seed):
    draw = random.Random(seed)
    print(f"seed {seed}")
    jobs = draw.choice([1, 2, 30, 200])
    end = draw.choice([3, 40, 1000])
    arrives = [draw.randrange(end) for _ in range(jobs)]
    leaves = [at + draw.choice([0, 0, 1, 5, end]) for at in arrives]
    demands = {"cpu": [draw.randint(1, 4) for _ in range(jobs)], "memory": [draw.randint(1, 3) for _ in range(jobs)]}
    fleet = Fleet({"cpu": [8, 5, 9], "memory": [6, 9, 7]})
    requests, which = distinct_requests(fleet, demands)
    assert [[one.demand["cpu"], one.demand["memory"]] for one in (requests[k] for k in which)] == [
        list(row) for row in zip(*demands.values())
    ]
    assert len(requests) == len(set(zip(*demands.values())))
    other = fleet.fork()
    found = run_trace(fleet, requests, which, arrives, leaves)
    hosts, used = walked(other, requests, which, arrives, leaves)
    assert found.hosts.tolist() == hosts
    assert found.used.T.tolist() == used
    assert (found.verdicts == Verdict.PLACED).tolist() == [host >= 0 for host in hosts]
    assert found.placed == sum(host >= 0 for host in hosts)
    last = max(arrives)
    stay = [job for job in range(jobs) if hosts[job] >= 0 and leaves[job] > last]
    assert sorted(found.items[stay].tolist()) == sorted(item for host in range(3) for item in fleet.items_on(host))


def test_leaving_makes_room_at_the_same_time():
    fleet = Fleet({"cpu": [1]})
    one = fleet.request({"cpu": 1})
    found = run_trace(fleet, [one], [0, 0, 0, 0], [0, 5, 5, 6], [5, 5, 9, 7])
    assert found.hosts.tolist() == [0, 0, 0, -1]  # the second leaves in its own turn, the fourth meets the third
    assert fleet.used.tolist() == [[1]]
    assert found.used.tolist() == [[1, 1, 1, 1]]


def test_as_a_table():
    fleet = Fleet({"cpu": [4]})
    found = run_trace(fleet, [fleet.request({"cpu": 3})], [0, 0], [0, 1], [9, 9])
    table = pa.table(found)
    assert table.column_names == ["host", "score", "verdict", "item", "used_cpu"]
    assert (table["host"].to_pylist(), table["used_cpu"].to_pylist()) == ([0, -1], [3, 3])
    assert (len(found), repr(found)) == (2, "TraceResult(1 of 2 placed)")
    assert len(run_trace(fleet, [], [], [], [])) == 0


@pytest.mark.parametrize(
    ("which", "arrives", "leaves", "message"),
    [
        ([0, 1], [0, 1], [1, 2], "run_trace: which: 0..1 for 1 requests"),
        ([-1, 0], [0, 1], [1, 2], "run_trace: which: -1..0 for 1 requests"),
        ([0, 0], [0, 3], [1, 2], "run_trace: job 1 leaves at 2, before it arrives at 3"),
        ([0], [0, 3], [1, 4], "run_trace: columns differ in length: 'which' has 1, 'arrives' has 2, 'leaves' has 2"),
        ([0, 0], [0.5, 3], [1, 4], "run_trace: arrives: needs integers, has float64"),
    ],
)
def test_what_is_no_trace_is_refused_whole(which, arrives, leaves, message):
    fleet = Fleet({"cpu": [4]})
    request = fleet.request({"cpu": 1})
    with pytest.raises(InputError) as error:
        run_trace(fleet, [request], which, arrives, leaves)
    assert (str(error.value), fleet.used.tolist()) == (message, [[0]])


def test_demands_that_are_none_are_refused():
    fleet = Fleet({"cpu": [4]})
    for demands, message in (
        ({}, "distinct_requests: demands name no resource"),
        ({"cpu": [1.5]}, "distinct_requests: 'cpu': needs integers, has float64"),
        ({"gpu": [1]}, "request: demand: unknown resource 'gpu' (the fleet has cpu)"),
    ):
        with pytest.raises(InputError) as error:
            distinct_requests(fleet, demands)
        assert str(error.value) == message
    requests, which = distinct_requests(fleet, {"cpu": np.array([], np.int64)})
    assert (requests, len(which)) == ([], 0)
