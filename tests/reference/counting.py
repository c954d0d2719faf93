"""Counters of the reference fleet: how much of something lies on each host, counted anew from the items every time.

Touches the reference fleet's state only. Must never know numpy or anything of binwright.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Counter:
    """kind: additive (the sum of what items add) or flag (placing sets it, releasing any holder clears it).

    feeds: a counter that gets 1 for each host on which this one is not 0.
    """

    kind: str = "additive"
    feeds: int | None = None


@dataclass(frozen=True)
class Contribution:
    """What one item adds to a counter; `trial`: what it counts for when it is moved on trial."""

    counter: int
    amount: int = 1
    trial: int = 1


@dataclass
class Definitions:
    """What is never taken back: counters, host sets, and by request class what it contributes."""

    counters: list[Counter] = field(default_factory=list)
    members: list[set[int]] = field(default_factory=list)
    contributes: list[list[Contribution]] = field(default_factory=list)


def contributions(given) -> list[Contribution]:
    """From {counter: amount or (amount, trial amount)}."""
    return [
        Contribution(counter, *(amount if isinstance(amount, tuple) else (amount, amount)))
        for counter, amount in (given or {}).items()
    ]


def is_flag(fleet, contribution: Contribution) -> bool:
    return fleet.definitions.counters[contribution.counter].kind == "flag"


def set_flags(fleet, request: int, host: int, value: bool) -> None:
    """An item of this class came (True) or went (False): its flags follow, whoever else holds them."""
    for contribution in fleet.definitions.contributes[request]:
        if is_flag(fleet, contribution):
            cell = contribution.counter, host
            fleet.state.flags.add(cell) if value else fleet.state.flags.discard(cell)


def tables(fleet) -> list[list[int]]:
    """Every counter's value on every host slot: the items there, what has been moved on trial, flags, feeds."""
    state, counters = fleet.state, fleet.definitions.counters
    table = [[0] * len(state.alive) for _ in counters]
    for request, host in state.items.values():
        for contribution in fleet.definitions.contributes[request]:
            if not is_flag(fleet, contribution):
                table[contribution.counter][host] += contribution.amount
    for request, host, sign in state.moved:
        for contribution in fleet.definitions.contributes[request]:
            if not is_flag(fleet, contribution):
                table[contribution.counter][host] += sign * contribution.trial
    for counter, host in state.flags:
        table[counter][host] = 1
    for number in reversed(range(len(counters))):  # a counter feeds an older one only
        fed = counters[number].feeds
        if fed is not None:
            for host, value in enumerate(table[number]):
                table[fed][host] += value != 0
    return table
