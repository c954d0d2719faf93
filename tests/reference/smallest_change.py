"""The smallest single change that would let a refused request of the reference fleet in.

Touches the reference fleet's state and refusals.py only. Must never know numpy or anything of binwright.
"""

from dataclasses import dataclass
from fractions import Fraction

from tests.reference.refusals import claimable

MAX_AMOUNT = 2**56


@dataclass(frozen=True)
class Change:
    kind: str
    host: int
    resource: str | None = None
    rule: str | None = None
    argument: int | None = None
    have: int | None = None
    need: int | None = None


def smallest_change(fleet, request, rejections) -> Change | None:
    """The first kind of single change that is enough, the smallest of its kind."""
    fit = next(position for position, rule in enumerate(fleet.rules) if rule.kind == "fit")
    only_fit = [
        (host, found[0].argument) for host, found in rejections.items() if len(found) == 1 and found[0].position == fit
    ]
    return (
        smaller_request(fleet, request, only_fit)
        or one_rule_less(fleet, rejections)
        or larger_host(fleet, request, only_fit)
    )


def smaller_request(fleet, request, only_fit) -> Change | None:
    """Ask for less of the one resource that is short: smallest part of the demand given up, then lowest host."""
    choices = []
    for host, name in only_fit:
        need = request.demand[name]
        free = fleet.state.capacity[name][host] - fleet.state.used[name][host]
        step = fleet.state.limits["step"][name][host]
        have = min(free, fleet.state.limits["largest"][name][host], need - 1)
        have -= have % step
        if have > 0 and claimable(fleet, name, host, have):
            choices.append((Fraction(need - have, need), host, name, have, need))
    if not choices:
        return None
    _, host, name, have, need = min(choices)
    return Change("request", host, resource=name, have=have, need=need)


def one_rule_less(fleet, rejections) -> Change | None:
    """The one rule but fit and rows that stands between the request and a host: lowest rule, then lowest host."""
    choices = [
        (found[0].position, host, found[0].argument)
        for host, found in rejections.items()
        if len(found) == 1 and fleet.rules[found[0].position].kind not in ("fit", "rows")
    ]
    if not choices:
        return None
    position, host, argument = min(choices, key=lambda choice: choice[:2])
    return Change("rule", host, rule=fleet.rules[position].name, argument=argument)


def larger_host(fleet, request, only_fit) -> Change | None:
    """Enlarge the one resource that is short: smallest growth, capacity 0 last, then lowest host."""
    choices = []
    for host, name in only_fit:
        have = fleet.state.capacity[name][host]
        need = fleet.state.used[name][host] + request.demand[name]
        if claimable(fleet, name, host, request.demand[name]) and need <= MAX_AMOUNT:
            growth = (0, Fraction(need - have, have)) if have else (1, Fraction(0))
            choices.append((growth, host, name, have, need))
    if not choices:
        return None
    _, host, name, have, need = min(choices)
    return Change("host", host, resource=name, have=have, need=need)
