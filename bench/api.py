"""What the Python API adds to the core: one decision, a what-if, a drain probe, each with its distribution.

    python -m bench.api         a JSON line each; `python -m bench.table` makes a table of them

The core decides the same in the same run, from its own arrays; both must decide alike. Wall time of single calls, the
clock's own taken off: medians are robust on a busy machine, the last percent is not.
"""

import json
import time
from array import array
from collections.abc import Callable
from typing import Any

import numpy as np

from binwright import Fleet
from binwright._core import place
from binwright.bench.fleets import hosts_of, requests_of
from binwright.bench.workloads import Answers

RESOURCES = 4
GROWN = 8  # hosts are so many times as large, so that everything fits
MANY = 100  # items of a what-if
MOVED = 30  # items of the host that is drained

Times = dict[str, Any]


def fleet_of(hosts: int) -> Fleet:
    given = hosts_of(hosts, RESOURCES)
    capacity, used = (
        {f"r{i}": GROWN * np.array(column) for i, column in enumerate(kept)} for kept in (given.capacity, given.used)
    )
    return Fleet(capacity, used)


def wanted(fleet: Fleet, count: int) -> list[Any]:
    """As many requests, no two alike."""
    asked = requests_of(hosts_of(64, RESOURCES), count, statics=False)
    return [
        fleet.request({f"r{i}": amount + number for i, amount in enumerate(one.demand)})
        for number, one in enumerate(asked)
    ]


def nanoseconds(run: Callable[[], Any], rounds: int, after: Callable[[Any], Any]) -> np.ndarray:
    """How long each call of `run` took; what it gives goes to `after`, untimed."""
    clock, took = time.perf_counter_ns, np.empty(rounds, np.int64)
    for i in range(rounds):
        start = clock()
        found = run()
        took[i] = clock() - start
        after(found)
    return took - idle(rounds)


def idle(rounds: int) -> int:
    clock, took = time.perf_counter_ns, np.empty(rounds, np.int64)
    for i in range(rounds):
        start = clock()
        took[i] = clock() - start
    return int(np.median(took))


def told(work: str, hosts: int, core: float, took: np.ndarray) -> Times:
    median, last = (int(value) for value in np.percentile(took, (50, 99)))
    return {"work": work, "hosts": hosts, "core_ns": round(core), "median_ns": median, "p99_ns": last}


def one_decision(hosts: int, rounds: int) -> list[Times]:
    """`Fleet.place(request)`, warm, and the same with its host read; the core's share is that of one long batch."""
    fleet = fleet_of(hosts)
    (request,) = wanted(fleet, 1)
    fleet.place(request, count=MANY)
    answers, state, found = Answers(rounds), fleet._state, []
    core = float("inf")
    for _ in range(5):
        token = fleet.checkpoint()
        start = time.perf_counter_ns()
        place.place_same(state, request.index, *answers.columns())
        core = min(core, (time.perf_counter_ns() - start) / rounds)
        fleet.rollback(token)
    token = fleet.checkpoint()
    took = nanoseconds(lambda: fleet.place(request), rounds, lambda result: found.append(int(result.hosts[0])))
    assert found == list(answers.hosts)
    fleet.rollback(token)
    found.clear()
    read = nanoseconds(lambda: int(fleet.place(request).hosts[0]), rounds, found.append)
    assert found == list(answers.hosts)
    return [
        told("one decision: `place(request)`", hosts, core, took),
        told("the same, and its host read: `int(place(request).hosts[0])`", hosts, core, read),
    ]


def what_if(hosts: int, rounds: int) -> Times:
    """Checkpoint, `MANY` placed, rollback."""
    fleet = fleet_of(hosts)
    (request,) = wanted(fleet, 1)
    fleet.place(request, count=2)
    answers, state = Answers(MANY), fleet._state

    def by_core() -> None:
        token = state.checkpoint()
        place.place_same(state, request.index, *answers.columns())
        state.rollback(token)

    def by_api() -> Any:
        token = fleet.checkpoint()
        result = fleet.place(request, count=MANY)
        fleet.rollback(token)
        return result.hosts

    def right(chosen: Any) -> None:
        assert chosen.tolist() == list(answers.hosts)

    core = nanoseconds(by_core, rounds, lambda _: None)
    return told(
        f"what-if: checkpoint, {MANY} placed, rollback", hosts, np.median(core), nanoseconds(by_api, rounds, right)
    )


def drain(hosts: int, rounds: int) -> Times:
    """A host is closed, its `MOVED` items of as many classes are released and placed elsewhere, all is taken back."""
    fleet = fleet_of(hosts)
    requests = wanted(fleet, MOVED)
    fleet.place_many(requests, np.arange(MOVED * hosts - MOVED) % MOVED)
    items = fleet.claim_many(requests, np.arange(MOVED), np.zeros(MOVED, np.int64))
    state, queue, answers = fleet._state, array("q", [one.index for one in requests]), Answers(MOVED)

    def by_core() -> None:
        token = state.checkpoint()
        state.fleet.set_flags(0, 1)
        place.release(state, items)
        place.place_queue(state, queue, *answers.columns())
        state.rollback(token)

    def by_api() -> Any:
        token = fleet.checkpoint()
        fleet.cordon(0)
        fleet.release(items)
        result = fleet.place_many(requests)
        fleet.rollback(token)
        return result.hosts

    def right(chosen: Any) -> None:
        assert chosen.tolist() == list(answers.hosts)
        assert 0 not in answers.hosts
        assert -1 not in answers.hosts

    core = nanoseconds(by_core, rounds, lambda _: None)
    caption = f"drain probe: a host closed, its {MOVED} items placed elsewhere, rollback"
    return told(caption, hosts, np.median(core), nanoseconds(by_api, rounds, right))


def measured(rounds: int = 20_000) -> list[Times]:
    """All of them."""
    found = one_decision(5_000, rounds)
    found += [what_if(hosts, rounds // 20) for hosts in (1_000, 100_000)]
    return [*found, drain(1_000, rounds // 20)]


if __name__ == "__main__":
    for one in measured():
        print(json.dumps(one))
