"""The smallest single change that would let a refused request in: ask for less, lift one rule, or enlarge one host.

Tried in that order (contracts.md, smallestChange); within a kind the relatively smallest, then the lowest host. Works
on whole arrays; the few candidates that tie in floating point are compared exactly. Hosts that are promised to others
are left out.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from binwright._core.fleet import LARGEST_AMOUNT
from binwright.arrays import BoolArray, Int64Array
from binwright.profile import Profile
from binwright.verdict import Change

if TYPE_CHECKING:
    from fractions import Fraction

    from binwright._core.state import State
    from binwright.explain import Refusals

NO_LIMIT = (1, LARGEST_AMOUNT, 1)


def smallest_change(
    state: "State",
    number: int,
    profile: Profile,
    resources: Sequence[str],
    refusals: "Refusals",
    arguments: Callable[[int], npt.NDArray[np.int32]],
    only: int | None = None,
) -> Change | None:
    """The change, or None when no single one is enough. only: for this host, whatever others would need."""
    fit = profile.kind_position("fit")
    demand = state.classes[number].amounts()[0]
    one_rule = (refusals.mask & (refusals.mask - np.uint32(1))) == 0
    one_rule[state.overlays.hosts(state.classes[number].priority)] = False  # such a host must pass twice
    if only is not None:
        one_rule &= np.arange(len(one_rule)) == only
    one_short = (refusals.short & (refusals.short - np.uint64(1))) == 0
    only_fit = (refusals.first == fit) & one_rule & one_short
    return (
        _smaller_request(state, resources, demand, refusals, only_fit)
        or _one_rule_less(profile, fit, refusals, one_rule, arguments)
        or _larger_host(state, resources, demand, refusals, only_fit)
    )


def _column(state: "State", name: str, resource: int) -> Int64Array:
    fleet = state.fleet
    cells = np.frombuffer(getattr(fleet, name), np.int64)
    return cells[resource * fleet.stride : resource * fleet.stride + fleet.hosts]


def _limits(state: "State", resource: int) -> tuple[Int64Array, Int64Array, Int64Array]:
    """Smallest, largest and step of one claim by host; hosts without limits get 1, 2**56 and 1."""
    fleet = state.fleet
    if fleet.limits is None:
        return tuple(np.full(fleet.hosts, limit, np.int64) for limit in NO_LIMIT)  # type: ignore[return-value]
    step = _column(state, "limits", 3 * resource + 2)
    free = step == 0
    smallest, largest = (_column(state, "limits", 3 * resource + i) for i in range(2))
    return np.where(free, 1, smallest), np.where(free, LARGEST_AMOUNT, largest), np.where(free, 1, step)


def _each_short(
    resources: Sequence[str], refusals: "Refusals", only_fit: BoolArray
) -> list[tuple[int, npt.NDArray[np.intp]]]:
    """(resource, hosts that lack only it)."""
    found = []
    for resource in range(len(resources)):
        hosts = np.flatnonzero(only_fit & (refusals.short == np.uint64(1 << resource)))
        if len(hosts):
            found.append((resource, hosts))
    return found


def _fraction(part: int, whole: int) -> "Fraction":
    from fractions import Fraction  # with decimal, a fifth of what importing all of binwright would take

    return Fraction(part, whole)


def _nearest(hosts: npt.NDArray[np.intp], part: Int64Array, whole: Int64Array | int) -> tuple["Fraction", int, int]:
    """(part / whole, host, position) of the smallest quotient, lowest host; exact among floats that nearly tie."""
    quotient = part / whole
    close = np.flatnonzero(quotient <= quotient.min() * (1 + 1e-12))
    wholes = np.broadcast_to(whole, part.shape)
    _, first = np.unique(np.stack((part[close], wholes[close])), axis=1, return_index=True)  # many hosts are alike
    return min((_fraction(int(part[i]), int(wholes[i])), int(hosts[i]), int(i)) for i in close[first])


def _smaller_request(
    state: "State", resources: Sequence[str], demand: Sequence[int], refusals: "Refusals", only_fit: BoolArray
) -> Change | None:
    best = None
    for resource, hosts in _each_short(resources, refusals, only_fit):
        need = demand[resource]
        smallest, largest, step = (limit[hosts] for limit in _limits(state, resource))
        free = _column(state, "capacity", resource)[hosts] - _column(state, "used", resource)[hosts]
        have = np.minimum(np.minimum(free, largest), need - 1)
        have -= have % step
        possible = (have > 0) & (have >= smallest)
        if not possible.any():
            continue
        hosts, have = hosts[possible], have[possible]
        quotient, host, position = _nearest(hosts, need - have, need)
        candidate = ((quotient, host, resources[resource]), int(have[position]), need)
        best = candidate if best is None or candidate[0] < best[0] else best
    if best is None:
        return None
    (_, host, name), have_amount, need = best
    return Change("request", host, resource=name, have=have_amount, need=need)


def _one_rule_less(
    profile: Profile,
    fit: int,
    refusals: "Refusals",
    one_rule: BoolArray,
    arguments: Callable[[int], npt.NDArray[np.int32]],
) -> Change | None:
    for position, rule in enumerate(profile.rules):
        if position == fit or rule.kind == "rows":
            continue
        hosts = np.flatnonzero(one_rule & (refusals.first == position))
        if len(hosts):
            spoken = int(refusals.argument[hosts[0]])
            argument = spoken if spoken >= 0 else int(arguments(position)[hosts[0]])
            return Change("rule", int(hosts[0]), rule=rule.name, argument=None if argument < 0 else argument)
    return None


def _larger_host(
    state: "State", resources: Sequence[str], demand: Sequence[int], refusals: "Refusals", only_fit: BoolArray
) -> Change | None:
    best = None
    for resource, hosts in _each_short(resources, refusals, only_fit):
        smallest, largest, step = (limit[hosts] for limit in _limits(state, resource))
        have = _column(state, "capacity", resource)[hosts]
        need = _column(state, "used", resource)[hosts] + demand[resource]
        claimable = (smallest <= demand[resource]) & (demand[resource] <= largest) & (demand[resource] % step == 0)
        possible = claimable & (need <= LARGEST_AMOUNT)
        for empty in (False, True):  # a host without any of it comes last: its growth has no measure
            chosen = possible & ((have == 0) == empty)
            if not chosen.any():
                continue
            if empty:
                growth, host, position = _fraction(0, 1), int(hosts[chosen][0]), 0
            else:
                growth, host, position = _nearest(hosts[chosen], (need - have)[chosen], have[chosen])
            candidate = (
                (empty, growth, host, resources[resource]), int(have[chosen][position]), int(need[chosen][position])
            )  # fmt: skip
            best = candidate if best is None or candidate[0] < best[0] else best
    if best is None:
        return None
    (_, _, host, name), have_amount, need_amount = best
    return Change("host", host, resource=name, have=have_amount, need=need_amount)
