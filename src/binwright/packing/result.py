"""What `pack` returns: the packing, the bound, and the proof; as Python objects and as the PackResult envelope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from binwright.outcome import NotEvaluated
from binwright.packing.certificate import Certificate
from binwright.packing.check import Pattern, check_certificate, check_packing
from binwright.packing.problem import Int64Array, Problem
from binwright.packing.remains import Remains, check_cases
from binwright.packing.tree import Case

API_VERSION = "binwright.io/v1alpha1"


@dataclass(frozen=True)
class Moment:
    """The best packing and the best bound known after `seconds` and `iterations`, in units of price."""

    seconds: float
    iterations: int
    value: int | None
    bound: int


@dataclass
class PackResult:
    """A packing beside its proof.

    `status`: "optimal" (bound equals value, the proof is checked), "feasible", or "infeasible" (then `unpacked` names
    rows that fit no bin, or the bound is above what all bins in stock cost). `proof` holds prices; where they prove
    less than `bound`, `cases` proves the rest. `patterns`: (kind of bin, ((row, copies),
    ...), how many bins). `value` and `bound` are in the caller's prices, numbers of bins without prices.
    """

    problem: Problem
    status: str
    patterns: list[Pattern]
    cost: int | None
    least: int
    proof: Certificate
    cases: Case | Remains | None = None
    unpacked: list[int] = field(default_factory=list)
    history: list[Moment] = field(default_factory=list)
    iterations: int = 0
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)

    @property
    def value(self) -> int | float | None:
        """What the packing costs, or the number of bins; None without a packing."""
        return None if self.cost is None else priced(self.cost, self.problem.bins.price_unit)

    @property
    def bound(self) -> int | float:
        """No packing costs less."""
        return priced(self.least, self.problem.bins.price_unit)

    @property
    def gap(self) -> float | None:
        """(value - bound) / value; 0 for a packing that costs nothing; None without a packing."""
        if self.cost is None:
            return None
        return (self.cost - self.least) / self.cost if self.cost else 0.0

    @property
    def bins(self) -> int:
        """Bins used."""
        return sum(count for _, _, count in self.patterns)

    def assignment(self) -> tuple[Int64Array, Int64Array]:
        """(bin of each item, kind of each bin), int64; items in the given order, copies of a type one after another.

        Raises ValueError without a packing.
        """
        if self.cost is None:
            raise ValueError("there is no packing")
        items = self.problem.items
        kinds = np.repeat([kind for kind, _, _ in self.patterns], [count for _, _, count in self.patterns])
        pieces: list[list[Int64Array]] = [[] for _ in range(self.problem.types)]
        first = 0
        for _, pairs, count in self.patterns:
            bins = np.arange(first, first + count)
            for row, copies in pairs:
                pieces[row].append(np.repeat(bins, copies))
            first += count
        by_type = [np.concatenate(piece) if piece else np.empty(0, np.int64) for piece in pieces]
        flat = np.concatenate(by_type) if by_type else np.empty(0, np.int64)
        if items.group_of is not None:
            result = np.empty(len(flat), np.int64)
            result[np.argsort(items.group_of, kind="stable")] = flat
            return result, kinds.astype(np.int64)
        return flat, kinds.astype(np.int64)

    def verify(self) -> None:
        """Check packing and proof again, exactly, against the problem; raises CheckFailed or check.TooHard."""
        if self.cost is not None:
            check_packing(self.problem, self.patterns)
        check_certificate(self.problem, self.proof)
        if self.cases is not None:
            check_cases(self.problem, self.cases, self.least)

    def to_dict(self, name: str | None = None, not_evaluated: Sequence[NotEvaluated] = ()) -> dict[str, Any]:
        """The PackResult envelope, see schemas."""
        items, bins = self.problem.items, self.problem.bins
        return {
            "apiVersion": API_VERSION,
            "kind": "PackResult",
            "summary": {
                "name": name,
                "items": int(items.counts.sum()),
                "types": self.problem.types,
                "resources": int(items.weights.shape[1]),
                "bins": self.bins if self.cost is not None else None,
                "iterations": self.iterations,
                "elapsedSeconds": round(self.seconds, 6),
            },
            "value": self.value,
            "bound": self.bound,
            "gap": self.gap,
            "status": self.status,
            "proof": {
                "kind": self.proof.kind if self.cases is None else self.cases.kind,
                **self.proof.to_dict(),
                "cases": None if self.cases is None else self.cases.to_dict(),
            },
            "patterns": [
                {"bin": bins.name(kind), "items": [list(pair) for pair in pairs], "count": count}
                for kind, pairs, count in self.patterns
            ],
            "unpacked": [items.name(row) for row in self.unpacked],
            "notes": list(self.notes),
            "notEvaluated": [
                {"rule": each.rule, "objects": each.objects, "example": each.example} for each in not_evaluated
            ],
        }


def priced(units: int, unit: Fraction) -> int | float:
    """Units of price as the caller counts: an integer where it is one."""
    exact = units * unit
    return int(exact) if exact.denominator == 1 else float(exact)
