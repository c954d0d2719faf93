"""Making room on the reference fleet: promises to waiting requests, marks of items, budgets, victims.

Touches the reference fleet's state, counting.py and fleet_rows.py only. Must never know numpy or anything of binwright.
Source: kubernetes spec 5 (nominated pods, DefaultPreemption) and 8.4, 8.5, 8.10.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.reference import counting, domain_terms, fleet_rows


@dataclass(frozen=True)
class Promise:
    request: int
    host: int
    priority: int


@dataclass(frozen=True)
class Mark:
    """How important an item is: high priority first, then low order."""

    priority: int = 0
    order: int = 0
    budgets: tuple[int, ...] = ()


@dataclass(frozen=True)
class Candidate:
    host: int
    victims: tuple[int, ...]
    violations: int
    rank: tuple[int, ...]


@dataclass(frozen=True)
class NoCandidate:
    """argument: what the domain term that speaks first says, -1 if none does."""

    host: int
    why: str
    first: int = 255
    short: tuple[str, ...] = ()
    argument: int = -1


@contextmanager
def trial(fleet) -> Iterator[None]:
    """Whatever is moved inside is as it was afterwards."""
    state = fleet.state
    flags, moved = set(state.flags), state.moved
    state.moved = list(moved)
    with fleet_rows.trial(fleet):
        yield
    state.flags, state.moved = flags, moved


def move(fleet, request: int, host: int, sign: int) -> None:
    """Put one item of a class on a host (1) or take one off it (-1), on trial."""
    for name in fleet.resources:
        fleet.state.used[name][host] += sign * fleet.state.classes[request].commit[name]
    fleet.state.moved.append((request, host, sign))
    counting.set_flags(fleet, request, host, sign > 0)


def move_item(fleet, item: int, sign: int) -> None:
    """The same for an item of the fleet, which may hold rows."""
    move(fleet, *fleet.state.items[item], sign)
    fleet_rows.move(fleet, fleet.state.claims[item], sign)


def promised(fleet, host: int, priority: int) -> list[int]:
    """Request classes that the host is promised to, with at least this priority."""
    return [p.request for p in fleet.state.promises.values() if p.host == host and p.priority >= priority]


def evict(fleet, request: int, hosts: list[int]) -> list[Candidate | NoCandidate]:
    """For each host what must leave it so that the request fits; nothing changes."""
    sleeping = domain_terms.asleep(fleet, request)
    found = []
    for host in hosts:
        with trial(fleet):
            found.append(one_host(fleet, request, host, sleeping))
    return found


def one_host(fleet, request: int, host: int, sleeping: set[str]) -> Candidate | NoCandidate:
    marks = fleet.state.marks
    lower = [item for item in fleet.items_on(host) if marks[item].priority < fleet.priorities[request]]
    if not lower:
        return NoCandidate(host, "nothing to evict")
    for item in lower:
        move_item(fleet, item, -1)
    refusal = fleet.rejections(request, host, sleeping)
    if refusal:
        short = tuple(r.argument for r in refusal if fleet.rules[r.position].kind == "fit")
        return NoCandidate(
            host, "still refused", refusal[0].position, short, refusal[0].argument if refusal[0].by_term else -1
        )
    lower.sort(key=lambda item: (-marks[item].priority, marks[item].order))  # stable: then placing order
    violating = overdrawing(fleet, lower)
    victims = []
    for item in violating + [item for item in lower if item not in violating]:
        move_item(fleet, item, 1)
        if fleet.rejections(request, host, sleeping):
            move_item(fleet, item, -1)
            victims.append(item)
    if not victims:
        return NoCandidate(host, "nothing left to evict")
    victims.sort(key=lambda item: (-marks[item].priority, marks[item].order))  # stable: overdrawn first among equals
    violations = len([item for item in victims if item in violating])
    top = marks[victims[0]].priority
    rank = (
        violations,
        top,
        sum(marks[item].priority + 2**31 for item in victims),
        len(victims),
        -min(marks[item].order for item in victims if marks[item].priority == top),  # the latest start is best
    )
    return Candidate(host, tuple(victims), violations, rank)


def overdrawing(fleet, items: list[int]) -> list[int]:
    """Items whose eviction, in this order, takes a budget below 0."""
    left: dict[int, int] = {}
    found = []
    for item in items:
        for budget in fleet.state.marks[item].budgets:
            left[budget] = left.get(budget, fleet.allowance(budget)) - 1
        if any(left[budget] < 0 for budget in fleet.state.marks[item].budgets):
            found.append(item)
    return found


def best(found: list[Candidate | NoCandidate]) -> list[Candidate]:
    """The candidates of smallest rank, in the order asked."""
    candidates = [each for each in found if isinstance(each, Candidate)]
    return [each for each in candidates if each.rank == min(other.rank for other in candidates)]
