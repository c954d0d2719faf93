"""How few or cheap hosts can be enough for what has to stay somewhere: a layer's `Needs` as a problem of packing.

The bound is proven by a certificate that the exact checker has been through. It covers amounts on every host's own
capacity, and hosts that stay in any case; rules between items, labels and budgets can only raise the truth above it.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from binwright.moves import Needs
from binwright.packing.bounds import best_bound
from binwright.packing.certificate import for_problem
from binwright.packing.check import TooHard, check_certificate
from binwright.packing.form import make_form
from binwright.packing.problem import Bins, Items, Problem

__all__ = ["COVERS", "Bound", "least_hosts"]

COVERS = "requests and pod counts on every node's own allocatable, daemon-set pods, nodes that must stay"


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
    more, proof = _more(needs, [Fraction(1)] * len(needs.bins))
    price = None
    if priced:
        price = sum((bin.price * bin.count for bin in needs.bins if bin.stays), Fraction())
        price += _more(needs, [bin.price for bin in needs.bins])[0]
    return Bound(fixed + int(more), fixed, proof, price)


def _more(needs: Needs, prices: list[Fraction]) -> tuple[Fraction, str]:
    """What the hosts that do not stay anyway cost at least, and the rule that proves it."""
    if not needs.items or not needs.bins:
        return Fraction(), "count"
    bins = Bins(
        [list(bin.amounts) for bin in needs.bins],
        [Fraction() if bin.stays else price for bin, price in zip(needs.bins, prices)],
        [bin.count for bin in needs.bins],
    )
    items = Items([list(amounts) for amounts, _ in needs.items], [count for _, count in needs.items])
    problem = Problem(items, bins)
    form = make_form(problem)
    if not form.types:
        return Fraction(), "count"
    certificate = best_bound(form)
    try:
        units = check_certificate(problem, for_problem(certificate, form, problem))
    except TooHard:
        return Fraction(), "count"
    return units * bins.price_unit, certificate.kind if units else "count"
