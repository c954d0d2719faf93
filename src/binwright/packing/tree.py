"""A proof by cases: two items share a bin or they do not; each last case has a certificate of its own.

Items are numbered one by one here: the copies of row 0 first, then those of row 1, and so on. A case is the problem of
these single items with `together` groups and `conflicts`; so the checker of certificates checks every case as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from binwright.packing.certificate import Certificate
from binwright.packing.check import CheckFailed, GiveUp, check_certificate
from binwright.packing.problem import Items, Problem


@dataclass
class Case:
    """Either split (`pair` and both sub-cases), or settled by a certificate, or by an item group that fits no bin."""

    pair: tuple[int, int] | None = None
    together: Case | None = None
    apart: Case | None = None
    certificate: Certificate | None = None
    homeless: int | None = None  # a single item whose group fits no bin
    kind: ClassVar[str] = "cases"

    @property
    def cases(self) -> int:
        """Last cases below this one."""
        if self.together is None or self.apart is None:
            return 1
        return self.together.cases + self.apart.cases

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the JSON of a proof."""
        if self.pair is not None and self.together is not None and self.apart is not None:
            return {
                "pair": list(self.pair),
                "together": self.together.to_dict(),
                "apart": self.apart.to_dict(),
            }
        if self.certificate is not None:
            return self.certificate.to_dict()
        return {"homeless": self.homeless}


@dataclass(frozen=True)
class Rules:
    """What the cases on the way decided: groups of single items that share a bin, pairs that do not."""

    groups: tuple[tuple[int, ...], ...] = ()
    pairs: tuple[tuple[int, int], ...] = ()

    def together(self, first: int, second: int) -> Rules:
        """With two items, and what already stays with them, in one group."""
        joined = {first, second}
        rest = []
        for group in self.groups:
            if joined & set(group):
                joined |= set(group)
            else:
                rest.append(group)
        return Rules((*rest, tuple(sorted(joined))), self.pairs)

    def apart(self, first: int, second: int) -> Rules:
        """With one more pair that does not share a bin."""
        return Rules(self.groups, (*self.pairs, (first, second)))


def can_split(problem: Problem, most: int) -> bool:
    """Whether cases can be made of it: no groups of its own, and at most `most` items."""
    return not problem.items.together and int(problem.items.counts.sum()) <= most


def single_items(problem: Problem) -> list[int]:
    """The row of each single item."""
    return [row for row, count in enumerate(problem.items.counts.tolist()) for _ in range(count)]


def case_problem(problem: Problem, rules: Rules) -> Problem:
    """The problem of single items under the rules of a case."""
    items = problem.items
    rows = single_items(problem)
    copies: dict[int, list[int]] = {}
    for item, row in enumerate(rows):
        copies.setdefault(row, []).append(item)
    conflicts = list(rules.pairs)
    for left, right in items.conflicts:
        conflicts += [(a, b) for a in copies.get(left, ()) for b in copies.get(right, ()) if a < b or left != right]
    at_most = [([at for row in sorted(set(some)) for at in copies.get(row, ())], most) for some, most in items.at_most]
    return Problem(
        Items(
            items.weights[rows],
            np.ones(len(rows), np.int64),
            conflicts=conflicts,
            together=rules.groups,
            at_most=[(members, most) for members, most in at_most if members],
            eligible=None if items.eligible is None else items.eligible[rows],
        ),
        problem.bins,
    )


Verified = set[tuple[Rules, Certificate | None]]
"""Last cases whose certificates were checked."""


def check_case(
    problem: Problem,
    case: Case,
    bound: int,
    rules: Rules | None = None,
    verified: Verified | None = None,
    give_up: GiveUp | None = None,
) -> None:
    """CheckFailed, or TooHard, unless every last case proves `bound`; those `verified` did when they were settled."""
    rules = rules or Rules()
    if case.pair is not None:
        if case.together is None or case.apart is None:
            raise CheckFailed("proof: a case is missing")
        first, second = case.pair
        if first == second:
            raise CheckFailed("proof: a case about one item and itself")
        check_case(problem, case.together, bound, rules.together(first, second), verified, give_up)
        check_case(problem, case.apart, bound, rules.apart(first, second), verified, give_up)
        return
    if case.certificate is not None and verified and (rules, case.certificate) in verified:
        return
    split = case_problem(problem, rules)
    if case.certificate is not None:
        if check_certificate(split, case.certificate, give_up) < bound:
            raise CheckFailed(f"proof: a case does not prove {bound}")
    elif case.homeless is None or not is_homeless(split, rules, case.homeless):
        raise CheckFailed("proof: a case is not settled")


def is_homeless(problem: Problem, rules: Rules, item: int) -> bool:
    """Whether the group of an item is too heavy for every bin, or holds a pair that must not share one."""
    group = next((group for group in rules.groups if item in group), (item,))
    if any(left in group and right in group for left, right in problem.items.conflicts):
        return True
    weights = [[int(weight) for weight in problem.items.weights[member]] for member in group]
    total = [sum(column) for column in zip(*weights)]
    made = [sum(-int(weight) for weight in column if weight < 0) for column in problem.items.weights.T]
    return all(
        any(sum_ > int(limit) + more for sum_, limit, more in zip(total, room, made)) for room in problem.bins.capacity
    )
