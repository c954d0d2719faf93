"""How few or cheap hosts can be enough for what has to stay somewhere: a layer's `Needs` as a problem of packing.

Hosts are divided into parts, and the bounds of the parts are added: an item counts in a part when it may be nowhere
else. Each part's bound is proven by a certificate that the exact checker has been through; how hosts are divided only
decides how good the bound is. Rules between items, and budgets, can only raise the truth above it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import combinations

from binwright.moves import Asked, Bin, Needs
from binwright.packing.bounds import best_bound
from binwright.packing.certificate import for_problem
from binwright.packing.check import TooHard, check_certificate
from binwright.packing.form import make_form
from binwright.packing.problem import Bins, Items, Problem

__all__ = ["COVERS", "Bound", "least_hosts"]

COVERS = (
    "requests and pod counts on every node's own allocatable, daemon-set pods, nodes that must stay, "
    "taints, node selectors and affinity, volumes' places"
)


@dataclass(frozen=True)
class Bound:
    """At least `hosts` hosts are needed, `fixed` of them because they stay in any case; `proof` names the rule. With
    prices: whatever stays costs at least `price`.
    """

    hosts: int
    fixed: int
    proof: str
    price: Fraction | None = None


def least_hosts(needs: Needs, priced: bool = False) -> Bound:
    """The bounds that the rules without a solver prove; with the one on the price if the hosts are `priced`."""
    fixed = sum(bin.count for bin in needs.bins if bin.stays)
    more, proof = _added([(bin, Fraction(not bin.stays)) for bin in needs.bins], needs.items)
    price = None
    if priced:
        price = sum((bin.price * bin.count for bin in needs.bins if bin.stays), Fraction())
        price += _added([(bin, bin.price * (not bin.stays)) for bin in needs.bins], needs.items)[0]
    return Bound(fixed + int(more), fixed, proof, price)


Priced = Sequence[tuple[Bin, Fraction]]
"""Hosts with what they count for: 0 for those that stay anyway."""


def _added(bins: Priced, items: Sequence[Asked]) -> tuple[Fraction, str]:
    """The sum of the parts' bounds, and the rules that prove them."""
    total, proofs = Fraction(), {}
    for part in _parts(bins, items):
        bound, proof = _proven(*_within(part, bins, items))
        total += bound
        if bound:
            proofs[proof] = True
    return total, ", ".join(proofs) or "count"


def _parts(bins: Priced, items: Sequence[Asked]) -> list[frozenset[int]]:
    """Pools put together as long as that gains most by the roughest rule, one resource and broken hosts; or all of
    them in one part if that is better.
    """

    @cache
    def rough(part: frozenset[int]) -> float:
        return _rough(*_within(part, bins, items))

    parts = [frozenset({pool}) for pool in sorted({bin.pool for bin, _ in bins})]
    everything = frozenset().union(*parts)
    while True:
        gains = [
            (rough(left | right) - rough(left) - rough(right), -number, left, right)
            for number, (left, right) in enumerate(combinations(parts, 2))
        ]
        gain, _, left, right = max(gains, default=(0.0, 0, everything, everything), key=lambda entry: entry[:2])
        if gain <= 0:
            break
        parts = [part for part in parts if part not in (left, right)] + [left | right]
    return parts if sum(map(rough, parts)) >= rough(everything) else [everything]


def _within(part: frozenset[int], bins: Priced, items: Sequence[Asked]) -> tuple[Priced, Sequence[Asked]]:
    """The hosts of a part, and the items that may be nowhere else."""
    return [pair for pair in bins if pair[0].pool in part], [item for item in items if item.pools <= part]


def _rough(bins: Priced, items: Sequence[Asked]) -> float:
    """What the hosts cost at least by the volume of one resource, each host to be had in part."""
    most = 0.0
    for resource in range(len(items[0].amounts) if items else 0):
        wanted = float(sum(item.amounts[resource] * item.count for item in items))
        cost = 0.0
        offers = [(float(price), float(bin.amounts[resource]), bin.count) for bin, price in bins]
        for price, amount, count in sorted(offers, key=lambda offer: offer[0] / max(offer[1], 1e-9)):
            taken = min(wanted, amount * count)
            if amount and taken:
                cost += price * taken / amount
                wanted -= taken
        most = max(most, cost)
    return most


def _proven(bins: Priced, items: Sequence[Asked]) -> tuple[Fraction, str]:
    """What the hosts cost at least that are needed beside those that cost nothing, and the rule that proves it."""
    if not items:
        return Fraction(), "count"
    offered = Bins([list(bin.amounts) for bin, _ in bins], [price for _, price in bins], [bin.count for bin, _ in bins])
    problem = Problem(Items([list(item.amounts) for item in items], [item.count for item in items]), offered)
    form = make_form(problem)
    if not form.types:
        return Fraction(), "count"
    certificate = best_bound(form)
    try:
        units = check_certificate(problem, for_problem(certificate, form, problem))
    except TooHard:
        return Fraction(), "count"
    return units * offered.price_unit, certificate.kind
