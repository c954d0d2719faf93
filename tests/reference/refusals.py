"""What rejects a host of the reference fleet, rule by rule, and the hosts counted by what rejects them.

Touches the reference fleet's state, domain_terms.py, eviction.py and fleet_rows.py only. Must never know numpy or
anything of binwright.
"""

from dataclasses import dataclass
from typing import NamedTuple

from tests.reference import domain_terms, eviction, fleet_rows


@dataclass(frozen=True)
class Reason:
    rule: str
    argument: int | str | None
    hosts: int
    resolvable: bool


class Rejection(NamedTuple):
    """One rule's word on one host; by_term: a domain term spoke, not a static column."""

    position: int
    argument: int | str | None
    resolvable: bool
    by_term: bool = False


def short(fleet, request, host: int) -> list[tuple[str, bool]]:
    """(resource, could removing items help) of everything that does not fit."""
    s, result = fleet.state, []
    always = next(rule.always_resolvable for rule in fleet.rules if rule.kind == "fit")
    for name in fleet.resources:
        amount = request.demand[name]
        if amount == 0 or name in fleet.scored_only:
            continue
        if not claimable(fleet, name, host, amount):
            result.append((name, False))
        elif amount > s.capacity[name][host]:
            result.append((name, name in always))
        elif amount > s.capacity[name][host] - s.used[name][host]:
            result.append((name, True))
    return result


def claimable(fleet, name, host, amount) -> bool:
    """Do smallest, largest and step of this host allow one claim of this amount?"""
    limits = fleet.state.limits
    return (
        limits["smallest"][name][host] <= amount <= limits["largest"][name][host]
        and amount % limits["step"][name][host] == 0
    )


def rejections(fleet, request: int, host: int, sleeping: set[str], sums=None) -> list[Rejection]:
    """What rejects this host: of a promised host, with the promises added if that rejects it, else without.

    sums: those of the fleet as it is, if the caller has them already.
    """
    promised = eviction.promised(fleet, host, fleet.priorities[request])
    if promised:
        with eviction.trial(fleet):
            for other in promised:
                eviction.move(fleet, other, host, 1)
            found = rejections_as_it_is(fleet, request, host, sleeping, domain_terms.Sums(fleet, request))
        if found:
            return found
    return rejections_as_it_is(fleet, request, host, sleeping, sums or domain_terms.Sums(fleet, request))


def rejections_as_it_is(fleet, number: int, host: int, sleeping, sums) -> list[Rejection]:
    """Every rule that rejects this host; the fit rule once per resource that is short."""
    s, result = fleet.state, []
    request = s.classes[number]
    for position, rule in enumerate(fleet.rules):
        spoken = domain_terms.speaking(fleet, number, sums, sleeping, rule.name, host)
        if spoken is not None:
            result.append(Rejection(position, *spoken, by_term=True))
        elif rule.kind == "fit":
            missing = short(fleet, request, host)
            helps = all(resolvable for _, resolvable in missing)
            result += [Rejection(position, name, helps) for name, _ in missing]
        elif rule.kind == "rows":
            helped = fleet_rows.refusal(fleet, number, host)
            if helped is not None:
                result.append(Rejection(position, None, helped))
        elif rule.kind == "cordon":
            if s.cordoned[host]:
                result.append(Rejection(position, None, rule.resolvable))
        elif rule.kind == "eligible":
            if not is_eligible(fleet, request, host):
                result.append(Rejection(position, None, rule.resolvable))
        elif request.rejects[rule.name][host] != -1:
            result.append(Rejection(position, request.rejects[rule.name][host], rule.resolvable))
    return result


def is_eligible(fleet, request, host: int) -> bool:
    if request.eligible_hosts is not None:
        return request.eligible_hosts[host]
    wanted = request.eligible_labels or {}
    return all(fleet.state.labels[host].get(key) in values for key, values in wanted.items())


def reasons(fleet, rejections) -> tuple[Reason, ...]:
    """Hosts counted by the first rule that rejects them."""
    counts: dict[tuple[int, int | str | None], list[bool]] = {}
    for found in rejections.values():
        for rejection in found:
            if rejection.position == found[0].position:
                counts.setdefault((rejection.position, rejection.argument), []).append(rejection.resolvable)

    def order(key):
        position, argument = key
        return position, fleet.resources.index(argument) if isinstance(argument, str) else rejection_order(argument)

    return tuple(
        Reason(fleet.rules[key[0]].name, key[1], len(counts[key]), any(counts[key]))
        for key in sorted(counts, key=order)
    )


def rejection_order(argument: int | None) -> int:
    """Reasons without an argument come first."""
    return -1 if argument is None else argument
