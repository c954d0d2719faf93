"""A proof by elimination: contents of a bin that no cheaper packing can use are crossed out, until none is left to use.

Prices under which a content is worth so little that the rest cannot make up for it cross it out; the next prices speak
only of what remains. Cases (do two items share a bin?) cross out what breaks them. For one kind of bin without stock,
one resource, and no rule beyond. The checker goes through all contents itself, in plain integers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from binwright.packing.certificate import Certificate
from binwright.packing.check import CheckFailed, Table, TooHard
from binwright.packing.problem import Int64Array, Problem
from binwright.packing.tree import Case, Verified, check_case

MOST_CONTENTS = 30_000
MOST_WORTH = 2**62


@dataclass
class Remains:
    """Certificates in turn, each of the contents that remain; the last one proves the bound, or two cases do: `pair`,
    two rows of one copy each."""

    steps: list[Certificate] = field(default_factory=list)
    pair: tuple[int, int] | None = None
    together: Remains | None = None
    apart: Remains | None = None
    kind: ClassVar[str] = "elimination"

    @property
    def cases(self) -> int:
        """Last cases below this one."""
        if self.together is None or self.apart is None:
            return 1
        return self.together.cases + self.apart.cases

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the JSON of a proof."""
        result: dict[str, Any] = {"steps": [step.to_dict() for step in self.steps]}
        if self.pair is not None and self.together is not None and self.apart is not None:
            result |= {"pair": list(self.pair), "together": self.together.to_dict(), "apart": self.apart.to_dict()}
        return result


def check_cases(
    problem: Problem,
    proof: Case | Remains,
    bound: int,
    verified: Verified | None = None,
    give_up: Callable[[], bool] | None = None,
) -> None:
    """CheckFailed, or TooHard, unless a proof by cases or by elimination proves `bound`; see `check_case`."""
    if isinstance(proof, Case):
        check_case(problem, proof, bound, None, verified, give_up)
        return
    items, bins = problem.items, problem.bins
    ruled = items.conflicts or items.together or items.at_most or items.eligible is not None
    if ruled or problem.kinds != 1 or problem.stock_of(0) is not None or bins.max_items is not None:
        raise CheckFailed("proof: elimination is for one kind of bin without end and no rules")
    if items.weights.shape[1] != 1 or int(items.weights.min(initial=0)) < 0 or int(bins.prices[0]) != 1:
        raise CheckFailed("proof: elimination is for one resource, bins at price 1 and no negative weights")
    if not proof.steps:
        raise CheckFailed("proof: elimination without prices")
    check_remains(problem, proof, bound, contents_worth(problem, proof.steps[0], bound))


def check_remains(problem: Problem, proof: Remains, bound: int, held: Int64Array) -> None:
    """CheckFailed unless no packing of fewer than `bound` bins uses only these contents, (n, rows)."""
    counts = problem.items.counts
    for step in proof.steps:
        refuse_malformed(problem, step)
        worth = held @ np.array(step.duals, np.int64)
        for cut in step.cuts:
            worth -= held[:, list(cut.rows)].sum(axis=1) // 2 * cut.fine
        if worth.max(initial=0) > step.scale:
            raise CheckFailed("proof: a content that remains is worth more than its bin")
        total = step.worth(counts.tolist(), [0])
        if total > (bound - 1) * step.scale:
            return
        # all other bins together hold at most (bound - 2) * scale
        held = held[worth >= total - (bound - 2) * step.scale]
    if proof.pair is None or proof.together is None or proof.apart is None:
        raise CheckFailed("proof: elimination leaves contents, and no cases of them")
    first, second = proof.pair
    if not (0 <= first < second < len(counts)) or counts[first] != 1 or counts[second] != 1:
        raise CheckFailed("proof: a case about rows that are not two single items")
    one, other = held[:, first] > 0, held[:, second] > 0
    check_remains(problem, proof.together, bound, held[one == other])
    check_remains(problem, proof.apart, bound, held[~(one & other)])


def refuse_malformed(problem: Problem, step: Certificate) -> None:
    """CheckFailed or TooHard for what is no certificate that elimination can use."""
    rows = len(problem.items.counts)
    if len(step.duals) != rows or any(step.reliefs) or step.scale < 1 or min(step.duals, default=0) < 0:
        raise CheckFailed("certificate: arrays of the wrong length, a relief, a negative number or no scale")
    for cut in step.cuts:
        if cut.fine < 0 or len(set(cut.rows)) != len(cut.rows) or not all(0 <= row < rows for row in cut.rows):
            raise CheckFailed("certificate: a cut with a negative fine, or a row twice or that is not there")
    counts = problem.items.counts.tolist()
    if sum(dual * count for dual, count in zip(step.duals, counts)) + sum(
        cut.fine * sum(counts[row] for row in cut.rows) for cut in step.cuts
    ) >= MOST_WORTH:  # fmt: skip
        raise TooHard


def contents_worth(problem: Problem, step: Certificate, bound: int) -> Int64Array:
    """Every content of a bin that these prices do not cross out, (n, rows); TooHard where they are too many."""

    refuse_malformed(problem, step)
    if step.cuts:
        raise TooHard
    weights, counts = problem.items.weights[:, 0], problem.items.counts
    prices = np.array(step.duals, np.int64)
    least = step.worth(counts.tolist(), [0]) - (bound - 2) * step.scale
    if least < 1 or counts.max(initial=0) >= 2**15:
        raise TooHard
    least = min(least, step.scale + 1)  # what is worth more than its bin is never left out
    capacity = int(problem.bins.capacity[0, 0])
    order = np.lexsort((-prices, -weights))
    table = Table(weights[order], counts[order], prices[order], capacity, 0)
    left, worth = np.array([capacity]), np.zeros(1, np.int64)
    held = np.zeros((1, len(counts)), np.int16)
    for at, row in enumerate(order.tolist()):
        now = left, worth, held
        pieces = []
        for copies in range(int(counts[row]) + 1):
            enough = now[1] + table.most(at + 1, now[0]) >= least
            pieces.append((now[0][enough], now[1][enough], now[2][enough]))
            fits = now[0] >= weights[row]  # what is not enough yet may be with one copy more
            if copies == int(counts[row]) or not fits.any():
                break
            more = now[2][fits]
            more[:, row] += 1
            now = now[0][fits] - weights[row], now[1][fits] + prices[row], more
        left, worth, held = (np.concatenate([piece[part] for piece in pieces]) for part in range(3))
        if len(worth) > MOST_CONTENTS:
            raise TooHard
    return held.astype(np.int64)
