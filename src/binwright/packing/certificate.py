"""Lower bounds that anyone can check: integer prices of the items, and what a bin's content can be worth at most.

If no bin of kind k can hold items worth more than `scale * price_k + relief_k`, then every packing costs at least
(worth of all items - sum of stock_k * relief_k) / scale. Reliefs are only for kinds whose stock is limited.

A cut is a set of types with a fine: a bin is worth less by the fine for every second item of them that it holds, and
all items together by as many fines as they have pairs. That no packing escapes more fines than that is plain: the
pairs within bins are no more than the pairs of all (subset-row cuts; Jepsen et al. 2008).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import lcm
from typing import Any

import numpy as np

from binwright.packing.form import Bundle, Form
from binwright.packing.problem import BoolArray, Int64Array, Problem


@dataclass(frozen=True)
class Cut:
    """Types (of a form, or rows of a problem), each once, and what every second item of them in a bin is fined."""

    rows: tuple[int, ...]
    fine: int


@dataclass(frozen=True)
class Certificate:
    """`duals`: integer price per type (of a form, or of a problem's rows); `reliefs` per kind of bin; `kind` names
    the rule that found it: "volume", "dual-feasible", "clique", "column-generation", "cuts" (that with cuts)."""

    kind: str
    duals: tuple[int, ...]
    scale: int
    reliefs: tuple[int, ...]
    cuts: tuple[Cut, ...] = ()

    def worth(self, counts: Sequence[int], stock: Sequence[int]) -> int:
        """Worth of all items minus what limited stocks are relieved of; the bound is this over `scale`, rounded up."""
        total = sum(dual * count for dual, count in zip(self.duals, counts, strict=True))
        total -= sum(cut.fine * (sum(counts[row] for row in cut.rows) // 2) for cut in self.cuts)
        return total - sum(relief * bins for relief, bins in zip(self.reliefs, stock, strict=True))

    def bound(self, counts: Sequence[int], stock: Sequence[int]) -> int:
        """The lower bound in whole units of price, never negative."""
        return max(-(-self.worth(counts, stock) // self.scale), 0)

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the JSON of a proof."""
        return {
            "duals": list(self.duals),
            "scale": self.scale,
            "reliefs": list(self.reliefs),
            "cuts": [{"rows": list(cut.rows), "fine": cut.fine} for cut in self.cuts],
        }


def certify(
    form: Form, kind: str, duals: Int64Array, most: Sequence[int], scale: int, cuts: tuple[Cut, ...] = ()
) -> Certificate:
    """The best certificate of these duals when the content of a bin of kind k is worth at most most[k].

    `scale` is what one unit of price was meant to be worth; it rises as far as unlimited kinds need.
    """
    unlimited = [number for number in range(form.kinds) if not form.limited[number]]
    for number in unlimited:
        price = int(form.price[number])
        if price:
            scale = max(scale, -(-int(most[number]) // price))
        elif most[number] > 0:  # free bins without end: nothing can be proven with these prices
            return Certificate(kind, (0,) * form.types, 1, (0,) * form.kinds)
    reliefs = tuple(
        max(int(most[number]) - int(form.price[number]) * scale, 0) if form.limited[number] else 0
        for number in range(form.kinds)
    )
    return Certificate(kind, tuple(int(dual) for dual in duals), scale, reliefs, cuts)


def widest(certificate: Certificate, form: Form) -> Certificate:
    """The same bound with the largest scale that still proves it: easier to check, because less is tight."""
    counts, stock = form.counts.tolist(), form.stock.tolist()
    bound, worth = certificate.bound(counts, stock), certificate.worth(counts, stock)
    if bound < 2:
        return certificate
    return replace(certificate, scale=(worth - 1) // (bound - 1))


def for_problem(certificate: Certificate, form: Form, problem: Problem) -> Certificate:
    """The certificate with one dual per row of the problem instead of one per type of the form.

    What is packed as one gives its dual to the first of its rows that has one copy in it; where none has, everything
    is multiplied so that the copies can share it.
    """
    whole = lcm(*(min(copies for _, copies in bundle.parts) for bundles in form.bundles for bundle in bundles))
    duals = [0] * problem.types
    for dual, bundles in zip(certificate.duals, form.bundles, strict=True):
        for bundle in bundles:
            row, copies = min(bundle.parts, key=lambda part: part[1])
            duals[row] = dual * whole // copies
    reliefs = tuple(relief * whole for relief in certificate.reliefs)
    cuts = tuple(
        Cut(
            tuple(sorted(single_row(bundle) for number in cut.rows for bundle in form.bundles[number])),
            cut.fine * whole,
        )
        for cut in certificate.cuts
    )
    return Certificate(certificate.kind, tuple(duals), certificate.scale * whole, reliefs, cuts)


def single_row(bundle: Bundle) -> int:
    """The first row with one copy in what is packed as one: it stands for the whole in a cut."""
    return next(row for row, copies in bundle.parts if copies == 1)


def can_cut(form: Form) -> BoolArray:
    """Types (T,) that may be in a cut: all that is packed as one has a row with one copy."""
    return np.array([all(1 in (n for _, n in bundle.parts) for bundle in each) for each in form.bundles], bool)
