"""How few hosts can be enough for what has to stay somewhere: a layer's `Needs` as a problem of packing, and its bound.

The bound is proven by a certificate that the exact checker has been through. It covers amounts on every host's own
capacity, and hosts that stay in any case; rules between items, labels and budgets can only raise the truth above it.
"""

from __future__ import annotations

from dataclasses import dataclass

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
    """At least `hosts` hosts are needed, `fixed` of them because they stay in any case; `proof` names the rule."""

    hosts: int
    fixed: int
    proof: str


def least_hosts(needs: Needs) -> Bound:
    """The bound that the rules without a solver prove."""
    fixed = needs.fixed
    if not needs.items or not needs.bins:
        return Bound(fixed, fixed, "count")
    problem = Problem(
        Items([list(amounts) for amounts, _ in needs.items], [count for _, count in needs.items]),
        Bins(
            [list(amounts) for amounts, _, _ in needs.bins],
            [0 if stays else 1 for _, stays, _ in needs.bins],
            [count for _, _, count in needs.bins],
        ),
    )
    form = make_form(problem)
    if not form.types:
        return Bound(fixed, fixed, "count")
    certificate = best_bound(form)
    try:
        more = check_certificate(problem, for_problem(certificate, form, problem))
    except TooHard:
        return Bound(fixed, fixed, "count")
    return Bound(fixed + more, fixed, certificate.kind if more else "count")
