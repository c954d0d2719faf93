"""Seeded fleets and requests for the workloads, as plain arrays and as a state of the core: same seed, same bytes.

Touches the standard library and `binwright._core`; never numpy or the Python face: callgrind counts the engine.
"""

from __future__ import annotations

import random
from array import array
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from binwright._core.columns import Columns
from binwright._core.request import RequestClass, Statics
from binwright._core.state import State
from binwright._core.terms import Terms

ELIGIBLE, CORDON, FIT, ROWS = 0, 1, 2, 3  # positions of the rules
PERIOD = 99_991  # hosts drawn one by one; longer fleets repeat them, which no branch predictor learns
SIZES = (32, 64, 96)  # a host has 32, 64 or 96 times
UNITS = (1_000, 4 * 2**30, 4, 10 * 2**30, 1, 25, 2**21, 7)  # of each resource this many, and
DEMANDS = (250, 500 * 2**20, 1, 2**30, 1, 5, 2**20, 3)  # a request wants about this many


@dataclass(frozen=True)
class Hosts:
    """Capacity and used of every host, one int64 array (hosts,) a resource; of each, a request wants one to three times
    `shares`.
    """

    capacity: list[array[int]]
    used: list[array[int]]
    shares: tuple[int, ...] = DEMANDS

    @property
    def count(self) -> int:
        return len(self.capacity[0])


@dataclass(frozen=True)
class Wanted:
    """One request class: amounts by resource, rejected hosts (uint32 masks), raw scores by slot (int64)."""

    demand: array[int]
    mask: array[int] | None = None
    raw: dict[int, array[int]] = field(default_factory=dict)


def least_allocated(resources: int) -> list[dict[str, Any]]:
    """Score terms of a fleet without a profile: least allocated over every resource, equal weights."""
    return [term("least", range(resources))]


def default_profile(resources: int) -> list[dict[str, Any]]:
    """Score terms of kube-scheduler's default profile as far as one request sees them: least allocated and balanced
    over the first two resources, a column normalised in reverse (weight 3) and one to its maximum (weight 2).
    """
    statics = [term("static", (), 3, "reverse"), term("static", (), 2, "max")]
    return [term("least", (0, 1)), term("balanced", (0, 1)), *statics]


def term(kind: str, columns: Any, weight: int = 1, normalise: str | None = None) -> dict[str, Any]:
    ones = [1] * len(columns)
    optional = [False] * len(columns)
    return {
        "kind": kind, "weight": weight, "columns": list(columns), "weights": ones, "optional": optional, "table": (),
        "normalise": normalise,
    }  # fmt: skip


@lru_cache(maxsize=2)
def hosts_of(count: int, resources: int, seed: int = 1) -> Hosts:
    """`count` hosts with `resources` (at most 8) resources, each 10 to 60 % used."""
    dice = random.Random(seed)
    drawn = min(count, PERIOD)
    sizes = dice.choices(SIZES, k=drawn)
    capacity = [array("q", [size * UNITS[r] for size in sizes]) for r in range(resources)]
    used = [array("q", [amount * dice.randrange(10, 61) // 100 for amount in column]) for column in capacity]
    return Hosts([repeated(column, count) for column in capacity], [repeated(column, count) for column in used])


def repeated(column: array[int], count: int) -> array[int]:
    return (column * (count // len(column) + 1))[:count]


def requests_of(hosts: Hosts, classes: int, statics: bool, seed: int = 2) -> list[Wanted]:
    """`classes` different requests of one to three shares of every resource. With `statics` each rejects one host in
    twenty and has two raw columns of small numbers, as counted taints and preferences are.
    """
    dice = random.Random(seed)
    result = []
    for number in range(classes):
        demand = array("q", [(1 + (number + r) % 3) * hosts.shares[r] + number for r in range(len(hosts.capacity))])
        if not statics:
            result.append(Wanted(demand))
            continue
        drawn = min(hosts.count, PERIOD)
        mask = array("I", dice.choices((0, 1 << ELIGIBLE), (19, 1), k=drawn))
        raw = {slot: array("q", dice.choices((0, 1, 2, 7), k=drawn)) for slot in (0, 1)}
        raw = {slot: repeated(column, hosts.count) for slot, column in raw.items()}
        result.append(Wanted(demand, repeated(mask, hosts.count), raw))
    return result


def state_of(hosts: Hosts, specs: list[dict[str, Any]]) -> State:
    """The core's state of these hosts under score terms `specs`."""
    state = State(len(hosts.capacity), Terms(specs), (CORDON, FIT, 0, 0, ROWS))
    state.reserve(hosts.count)
    state.fleet.add_hosts(hosts.capacity, hosts.used, hosts.count)
    return state


def register(state: State, wanted: Wanted) -> int:
    """Make a request class of the state; returns its number."""
    stride = state.fleet.stride
    mask = None if wanted.mask is None else filled(wanted.mask, stride)
    raw = {slot: filled(column, stride) for slot, column in wanted.raw.items()}
    made = RequestClass(wanted.demand, wanted.demand, wanted.demand, 0)
    return state.add_class(made, Statics(mask, {}, raw), [])


def filled(cells: array[int], stride: int) -> Columns:
    column = Columns(1, stride, cells.itemsize)
    column.load(0, memoryview(cells).cast("B"))
    return column
