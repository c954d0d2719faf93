"""Named, seeded units of work over the core, each of which knows whether its answer is right. No numpy, no Python face.

A unit is made ready by its constructor; `run` is what is measured, `reset` makes it ready again, `check` raises
AssertionError when what the last `run` left behind is wrong. One list for pytest-benchmark (times) and callgrind
(instructions): `make(name, hosts, resources)`.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Any, Protocol

from binwright._core import place
from binwright._core.state import State
from binwright.bench import plain
from binwright.bench.fleets import (
    FIT,
    Hosts,
    Wanted,
    default_profile,
    hosts_of,
    least_allocated,
    register,
    requests_of,
    state_of,
)

PLACED, UNSCHEDULABLE, UNRESOLVABLE = 0, 1, 2
FEASIBLE = 255
SCANS = 5_000_000  # hosts that one run of a placing workload looks at, so that it lasts milliseconds
CHECKED = 50_000  # host evaluations up to which every decision is checked, not only the first and the last


class Unit(Protocol):
    """A piece of work that can be run, reset and checked. `decisions`: how many one run makes."""

    decisions: int

    def run(self) -> None: ...

    def reset(self) -> None: ...

    def check(self) -> None: ...


def decisions_for(hosts: int) -> int:
    return max(1, min(1_000, SCANS // hosts))


class Answers:
    """The arrays that the core fills, one entry a decision."""

    def __init__(self, count: int) -> None:
        self.hosts, self.scores, self.items, self.positions = (array("q", bytes(8 * count)) for _ in range(4))
        self.verdicts = array("B", bytes(count))

    def columns(self) -> tuple[array[int], ...]:
        return self.hosts, self.scores, self.items, self.positions, self.verdicts


class Placing:
    """Requests of `classes` classes in turn, each committed before the next."""

    def __init__(self, hosts: Hosts, specs: list[dict[str, Any]], wanted: list[Wanted], decisions: int) -> None:
        self.hosts, self.specs, self.wanted, self.decisions = hosts, specs, wanted, decisions
        self.state = state_of(hosts, specs)
        numbers = [register(self.state, request) for request in wanted]
        self.queue = array("q", [numbers[i % len(numbers)] for i in range(decisions)])
        self.answers = Answers(decisions)
        self.token = self.state.checkpoint()

    def run(self) -> None:
        if len(self.wanted) == 1:
            place.place_same(self.state, 0, *self.answers.columns())
        else:
            place.place_queue(self.state, self.queue, *self.answers.columns())

    def reset(self) -> None:
        self.state.rollback(self.token)
        self.token = self.state.checkpoint()

    def check(self) -> None:
        """Every request was placed; what is used grew by what they want; the winners are those of plain loops."""
        assert set(self.answers.verdicts) == {PLACED}
        grown = [sum(after) - sum(before) for after, before in zip(columns(self.state, "used"), self.hosts.used)]
        queue = [self.wanted[number] for number in self.queue]
        assert grown == [sum(wanted.demand[r] for wanted in queue) for r in range(len(grown))]
        used = [array("q", column) for column in self.hosts.used]
        every = self.decisions * self.hosts.count <= CHECKED
        for i, (wanted, host, score) in enumerate(zip(queue, self.answers.hosts, self.answers.scores, strict=True)):
            if every or i in (0, self.decisions - 1):
                expected = plain.best(self.hosts.capacity, used, wanted, self.specs)
                assert (host, score) == expected, f"decision {i}: {(host, score)}, plain loops say {expected}"
            for column, amount in zip(used, wanted.demand, strict=True):
                column[host] += amount


class WhatIf(Placing):
    """Checkpoint, place equal requests, roll back."""

    def run(self) -> None:
        token = self.state.checkpoint()
        place.place_same(self.state, 0, *self.answers.columns())
        self.state.rollback(token)

    def check(self) -> None:
        """The fleet is as it was, and what was placed in between is what placing places, under new item ids."""
        assert columns(self.state, "used") == [list(column) for column in self.hosts.used]
        assert self.state.items.alive == 0
        hosts, scores, items = list(self.answers.hosts), list(self.answers.scores), set(self.answers.items)
        super().run()
        assert (hosts, scores) == (list(self.answers.hosts), list(self.answers.scores))
        assert items.isdisjoint(self.answers.items)
        super().check()
        self.reset()


class Refused(Placing):
    """Requests that no host can take: more of the first resource than `most`, what any host has free, or at all."""

    def __init__(self, hosts: Hosts, specs: list[dict[str, Any]], decisions: int, most: int) -> None:
        (wanted,) = requests_of(hosts, 1, statics=False)
        wanted.demand[0] = 1 + most
        self.verdict = UNSCHEDULABLE if most < max(hosts.capacity[0]) else UNRESOLVABLE
        super().__init__(hosts, specs, [wanted], decisions)

    def run(self) -> None:
        place.place_queue(self.state, self.queue, *self.answers.columns())

    def check(self) -> None:
        assert plain.feasible(self.hosts.capacity, self.hosts.used, self.wanted[0]) == []
        assert set(self.answers.verdicts) == {self.verdict}
        assert set(self.answers.hosts) == set(self.answers.items) == {-1}
        assert columns(self.state, "used") == [list(column) for column in self.hosts.used]


class Fork:
    """An independent copy of a fleet that holds a hundred items."""

    decisions = 0

    def __init__(self, hosts: Hosts, specs: list[dict[str, Any]]) -> None:
        self.state = state_of(hosts, specs)
        register(self.state, requests_of(hosts, 1, statics=False)[0])
        place.place_same(self.state, 0, *Answers(100).columns())
        self.copy: State | None = None

    def run(self) -> None:
        self.copy = self.state.fork()

    def reset(self) -> None:
        self.copy = None

    def check(self) -> None:
        """Equal, and independent: one more goes to the same host in both, and is seen in one alone."""
        assert self.copy is not None
        before = columns(self.state, "used")
        assert columns(self.copy, "used") == before
        here, there = Answers(1), Answers(1)
        place.place_same(self.copy, 0, *there.columns())
        assert columns(self.state, "used") == before
        token = self.state.checkpoint()
        place.place_same(self.state, 0, *here.columns())
        self.state.rollback(token)
        assert here.hosts == there.hosts
        assert self.copy.items.alive == self.state.items.alive + 1 == 101


class Explain:
    """The whole table of one decision: every refusal and every score of every host."""

    decisions = 1

    def __init__(self, hosts: Hosts, specs: list[dict[str, Any]]) -> None:
        self.hosts, self.specs = hosts, specs
        self.state = state_of(hosts, specs)
        (self.wanted,) = requests_of(hosts, 1, statics=True)
        self.wanted.demand[0] = hosts.capacity[0][0] // 2  # about half of the hosts are short
        register(self.state, self.wanted)
        stride = self.state.fleet.stride
        self.first, self.resolvable = array("B", bytes(hosts.count)), array("B", bytes(hosts.count))
        self.mask, self.short = array("I", bytes(4 * hosts.count)), array("Q", bytes(8 * hosts.count))
        self.argument = array("i", bytes(4 * hosts.count))
        cells = bytes(8 * len(specs) * stride)
        self.raw, self.normalised = (memoryview(bytearray(cells)).cast("q", (len(specs), stride)) for _ in range(2))
        self.total = array("q", bytes(8 * stride))

    def run(self) -> None:
        classes = self.state.classes
        self.state.scan.refusals(classes, 0, self.first, self.mask, self.short, self.resolvable, self.argument)
        self.state.scan.evaluate(classes, 0, self.raw, self.normalised, self.total)

    def reset(self) -> None:
        pass

    def check(self) -> None:
        """The hosts that nothing rejects are those of plain loops, and so are the best one and its total."""
        hosts = plain.feasible(self.hosts.capacity, self.hosts.used, self.wanted)
        assert [host for host, rule in enumerate(self.first) if rule == FEASIBLE] == hosts
        assert 0 < len(hosts) < self.hosts.count
        short = [self.wanted.demand[0] > c - u for c, u in zip(self.hosts.capacity[0], self.hosts.used[0])]
        assert [bool(bits & 1) for bits in self.short] == short
        assert all(bits >> FIT & 1 for bits, is_short in zip(self.mask, short, strict=True) if is_short)
        highest = max(self.total)
        expected = plain.best(self.hosts.capacity, self.hosts.used, self.wanted, self.specs)
        assert (self.total.index(highest), highest) == expected


class Build:
    """A fleet from arrays."""

    decisions = 0

    def __init__(self, hosts: Hosts, specs: list[dict[str, Any]]) -> None:
        self.hosts, self.specs = hosts, specs
        self.state: State | None = None

    def run(self) -> None:
        self.state = state_of(self.hosts, self.specs)

    def reset(self) -> None:
        self.state = None

    def check(self) -> None:
        assert self.state is not None
        assert columns(self.state, "capacity") == [list(column) for column in self.hosts.capacity]
        assert columns(self.state, "used") == [list(column) for column in self.hosts.used]


def columns(state: State, name: str) -> list[list[int]]:
    """Capacity or used, one list (hosts,) a resource."""
    fleet = state.fleet
    cells = memoryview(getattr(fleet, name))
    return [cells[r * fleet.stride : r * fleet.stride + fleet.hosts].tolist() for r in range(fleet.resources)]


def equal(hosts: Hosts, decisions: int) -> Unit:
    specs = least_allocated(len(hosts.capacity))
    return Placing(hosts, specs, requests_of(hosts, 1, statics=False), decisions)


def classes(hosts: Hosts, decisions: int) -> Unit:
    specs = least_allocated(len(hosts.capacity))
    return Placing(hosts, specs, requests_of(hosts, 20, statics=False), decisions)


def profile(hosts: Hosts, decisions: int) -> Unit:
    specs = default_profile(len(hosts.capacity))
    return Placing(hosts, specs, requests_of(hosts, 1, statics=True), decisions)


def full(hosts: Hosts, decisions: int) -> Unit:
    free = max(whole - taken for whole, taken in zip(hosts.capacity[0], hosts.used[0], strict=True))
    return Refused(hosts, least_allocated(len(hosts.capacity)), decisions, free)


def too_large(hosts: Hosts, decisions: int) -> Unit:
    return Refused(hosts, least_allocated(len(hosts.capacity)), decisions, max(hosts.capacity[0]))


def what_if(hosts: Hosts, decisions: int) -> Unit:
    return WhatIf(hosts, least_allocated(len(hosts.capacity)), requests_of(hosts, 1, statics=False), 100)


def fork(hosts: Hosts, decisions: int) -> Unit:
    return Fork(hosts, least_allocated(len(hosts.capacity)))


def explain(hosts: Hosts, decisions: int) -> Unit:
    return Explain(hosts, default_profile(len(hosts.capacity)))


def build(hosts: Hosts, decisions: int) -> Unit:
    return Build(hosts, least_allocated(len(hosts.capacity)))


# name -> (what it is, how to make it)
WORKLOADS: dict[str, tuple[str, Callable[[Hosts, int], Unit]]] = {
    "equal": ("equal requests", equal),
    "classes": ("20 classes in turn", classes),
    "profile": ("default profile: two resource scores, a mask, two normalised columns", profile),
    "full": ("refused: no host has room", full),
    "too_large": ("refused: larger than every host", too_large),
    "what_if": ("checkpoint, 100 placed, rollback", what_if),
    "fork": ("fork", fork),
    "explain": ("every refusal and score of one decision", explain),
    "build": ("fleet from arrays", build),
}


def make(name: str, hosts: int, resources: int, decisions: int | None = None) -> Unit:
    """The workload `name` over `hosts` hosts with `resources` (2 to 8) resources; `decisions` a run where it places."""
    return WORKLOADS[name][1](hosts_of(hosts, resources), decisions or decisions_for(hosts))
