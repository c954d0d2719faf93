"""A trace of arrivals and departures, played on a fleet in one call: who found a host, where, and what was used then.

A trace is four arrays, one entry a job. Knows fleets and arrays; of files and of what a job is, nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from binwright import arrays
from binwright.arrays import Int64Array
from binwright.arrow import ArrowTable
from binwright.errors import InputError
from binwright.fleet import Fleet
from binwright.request import Request
from binwright.verdict import Verdict

__all__ = ["TraceResult", "distinct_requests", "run_trace"]


@dataclass(frozen=True, slots=True, eq=False)
class TraceResult:
    """What a trace became; arrays have one entry a job, in the order in which jobs were given.

    hosts: int64 (jobs,), -1 = none. scores: (jobs,), as in `PlaceResult`. verdicts: uint8 (jobs,) of `Verdict`. items:
    int64 (jobs,), -1 = none; those of jobs that have left are released. used: int64 (resources, jobs), the
    demands of the jobs that are there just after each arrival, added up, in the order of `Fleet.resources`.
    """

    hosts: Int64Array
    scores: npt.NDArray[Any]
    verdicts: npt.NDArray[np.uint8]
    items: Int64Array
    used: Int64Array
    resources: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.hosts)

    def __repr__(self) -> str:
        return f"TraceResult({self.placed} of {len(self)} placed)"

    @property
    def placed(self) -> int:
        """How many jobs found a host."""
        return int((self.verdicts == Verdict.PLACED).sum())

    def to_arrow(self) -> ArrowTable:
        """A row a job: host, score, verdict, item, and used_NAME for each resource."""
        columns = {"host": self.hosts, "score": self.scores, "verdict": self.verdicts, "item": self.items}
        return ArrowTable(columns | {f"used_{name}": row for name, row in zip(self.resources, self.used)})

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.to_arrow().__arrow_c_stream__(requested_schema)


def distinct_requests(fleet: Fleet, demands: Mapping[str, Any]) -> tuple[list[Request], Int64Array]:
    """A request for each different row of `demands`, and which of them each row is: int64 (rows,).

    demands: by resource, an integer a row. Raises InputError as `Fleet.request` does, and for columns of different
    lengths.
    """
    columns = {name: arrays.integers(f"distinct_requests: {name!r}", column) for name, column in demands.items()}
    if not columns:
        raise InputError("distinct_requests: demands name no resource")
    arrays.same_length("distinct_requests", columns)
    rows, which = np.unique(np.stack(list(columns.values()), axis=1), axis=0, return_inverse=True)
    requests = [fleet.request(dict(zip(columns, row))) for row in rows.tolist()]
    return requests, which.reshape(-1).astype(np.int64)


def run_trace(fleet: Fleet, requests: Sequence[Request], which: Any, arrives: Any, leaves: Any) -> TraceResult:
    """Place job i, of `requests[which[i]]`, when it arrives, and release it when it leaves.

    which, arrives, leaves: integers (jobs,); times in any one unit. At equal times jobs leave before others arrive, and
    jobs arrive in the order given; one that leaves when it arrives is placed and released before the next. A job that
    finds no host is gone. The trace ends with its last arrival: who leaves later stays in the fleet.

    Raises InputError for arrays of different lengths, for `which` outside the requests, and for a job that leaves
    before it arrives; then nothing has changed.
    """
    columns = {
        name: arrays.integers(f"run_trace: {name}", column)
        for name, column in (("which", which), ("arrives", arrives), ("leaves", leaves))
    }
    jobs = arrays.same_length("run_trace", columns)
    numbers, arriving, leaving = columns.values()
    if jobs and not 0 <= numbers.min() <= numbers.max() < len(requests):
        raise InputError(f"run_trace: which: {numbers.min()}..{numbers.max()} for {len(requests)} requests")
    early = np.flatnonzero(leaving < arriving)
    if len(early):
        job = int(early[0])
        raise InputError(f"run_trace: job {job} leaves at {leaving[job]}, before it arrives at {arriving[job]}")
    events, is_arrival = _in_order(arriving, leaving)
    hosts, items = np.full(jobs, -1, np.int64), np.full(jobs, -1, np.int64)
    scores = np.full(jobs, np.nan) if fleet.profile.float_scores else np.full(jobs, -1, np.int64)
    verdicts = np.zeros(jobs, np.uint8)
    bounds = [0, *(np.flatnonzero(np.diff(is_arrival)) + 1).tolist(), len(events)]
    for start, stop in pairwise(bounds):
        some = events[start:stop]
        if start == stop:
            continue
        if is_arrival[start]:
            result = fleet.place_many(requests, numbers[some])
            hosts[some], scores[some] = result.hosts, result.scores
            verdicts[some], items[some] = result.verdicts, result.items
        else:
            held = items[some]
            fleet.release(held[held >= 0])
    return TraceResult(
        hosts,
        scores,
        verdicts,
        items,
        _used(fleet, requests, numbers, hosts, events, is_arrival),
        tuple(fleet.resources),
    )


def _in_order(arriving: Int64Array, leaving: Int64Array) -> tuple[Int64Array, npt.NDArray[np.bool_]]:
    """Every event up to the time of the last arrival: its job, and whether that arrives."""
    jobs = len(arriving)
    turn = np.arange(jobs)
    at_once = leaving == arriving  # leaves in its own turn among the arrivals
    time = np.concatenate((arriving, leaving))
    phase = np.concatenate((np.ones(jobs, np.int8), at_once.astype(np.int8)))
    last = np.concatenate((np.zeros(jobs, np.int8), np.ones(jobs, np.int8)))
    order = np.lexsort((last, np.concatenate((turn, turn)), phase, time))
    order = order[time[order] <= arriving.max()] if jobs else order
    return order % max(jobs, 1), order < jobs


def _used(
    fleet: Fleet,
    requests: Sequence[Request],
    which: Int64Array,
    hosts: Int64Array,
    job: Int64Array,
    is_arrival: npt.NDArray[np.bool_],
) -> Int64Array:
    """(resources, jobs): the demands of the jobs that are there just after each arrival."""
    used = np.zeros((len(fleet.resources), len(hosts)), np.int64)
    if not len(hosts):
        return used
    asked = np.array([[one.demand.get(name, 0) for name in fleet.resources] for one in requests], np.int64)
    sign = np.where(is_arrival, 1, -1) * (hosts[job] >= 0)
    for row in range(len(used)):
        used[row, job[is_arrival]] = np.cumsum(sign * asked[which[job], row])[is_arrival]
    return used
