"""Pricing for the master: from prices in floating point to new patterns and an exact certificate.

Prices are rounded down to integers first; everything after that is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from binwright._core.pricing import Pricer
from binwright.packing.certificate import Certificate, Cut, certify
from binwright.packing.form import Form
from binwright.packing.greedy import Sparse
from binwright.packing.problem import Int64Array

Floats = npt.NDArray[np.float64]
LARGEST_PRICE = 2**38
SLACK = 1e-7  # of a bin's price: patterns that gain less are not worth having
IMPROVEMENTS = 4  # patterns kept of one search


@dataclass(frozen=True)
class Prices:
    """What items are worth, what a bin of limited stock is relieved of, what a pair within a cut is fined."""

    duals: Floats  # (T,)
    reliefs: Floats  # (K,)
    fines: Floats  # (cuts,)

    def towards(self, other: Prices, share: float) -> Prices:
        """Between these prices and the `share` of others."""
        return Prices(
            share * other.duals + (1 - share) * self.duals,
            share * other.reliefs + (1 - share) * self.reliefs,
            share * other.fines + (1 - share) * self.fines,
        )


@dataclass(frozen=True)
class Priced:
    """Patterns that gain, and what these prices prove (None where nothing was asked)."""

    patterns: list[tuple[int, Sparse]]
    certificate: Certificate
    complete: bool  # every kind was searched to the end
    steps: int


class Pricing:
    """One Pricer a kind of bin; scale: what one unit of price is worth in integer duals."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.scale = LARGEST_PRICE // max(int(form.price.max()), 1)
        self.pricers = [
            Pricer(
                form.weights,
                np.where(form.allowed[kind] > 0, form.counts, 0).astype(np.int64),
                form.capacity[kind],
                form.conflicts,
            )
            for kind in range(form.kinds)
        ]
        self.hurry = 64 if form.weights.shape[1] == 1 else 4  # further patterns of one kind get so many times less
        self.cut([])
        self.found = np.empty((IMPROVEMENTS, form.types), np.int64)

    def whole(self, duals: Floats) -> Int64Array:
        """Prices as integers, rounded down."""
        return np.minimum(np.floor(duals * self.scale), LARGEST_PRICE * 4 - 1).astype(np.int64)

    def cut(self, cuts: list[tuple[int, ...]]) -> None:
        """All cuts from now on."""
        self.cuts = list(cuts)
        of: list[list[int]] = [[] for _ in range(self.form.types)]
        for number, cut in enumerate(cuts):
            for type_ in cut:
                of[type_].append(number)
        self.cuts_of = of

    def fine(self, fines: Floats) -> Int64Array:
        """Tell the kernels what pairs cost, rounded up; the fines as integers."""
        whole = np.minimum(np.ceil(fines * self.scale), LARGEST_PRICE * 4 - 1).astype(np.int64)
        active = whole > 0
        listed = [[cut for cut in cuts if active[cut]] for cuts in self.cuts_of]
        starts = np.concatenate([[0], np.cumsum([len(cuts) for cuts in listed])]).astype(np.int32)
        flat = np.array([cut for cuts in listed for cut in cuts], np.int32)
        for pricer in self.pricers:
            pricer.fine_pairs(starts, flat, whole)
        return whole

    def price(self, asked: Prices, steps: int, rounds: int, beyond: int = 0) -> Priced:
        """Search every kind under prices; after the best pattern of a kind, up to `rounds` more of what it left.

        Looks only for patterns that stand between these prices and the proof of more than `beyond`, where they are
        that close to it.
        """
        form = self.form
        reliefs = asked.reliefs
        prices = self.whole(asked.duals)
        fines = self.fine(asked.fines)
        cuts = tuple(Cut(cut, int(fines[number])) for number, cut in enumerate(self.cuts) if fines[number])
        scale = self.scale
        if beyond:
            certificate = Certificate("", tuple(prices.tolist()), scale, (0,) * form.kinds, cuts)
            worth = certificate.worth(form.counts.tolist(), form.stock.tolist())
            worth -= int((reliefs * scale) @ form.stock)
            scale = max(scale, int((worth - 1) / beyond * (1 - 3 * SLACK)))
        most: list[int] = []
        patterns: list[tuple[int, Sparse]] = []
        complete = True
        taken = 0
        for kind, pricer in enumerate(self.pricers):
            paid = int(form.price[kind]) * scale
            floor = paid + int(reliefs[kind] * self.scale) + int(max(paid, scale) * SLACK)
            if form.stock[kind] == 0:
                most.append(0)
                continue
            count, bound, done = pricer.solve(prices, form.counts, floor, steps, self.found)
            most.append(bound)
            taken += done
            complete = complete and done <= steps
            if not count:
                continue
            patterns += self.kept(kind, count)
            limits = form.counts - self.found[count - 1]
            for _ in range(rounds):
                limits = np.where(limits < 0, 0, limits)
                count, _, done = self.once_more(pricer, prices, limits, floor, steps // self.hurry)
                taken += done
                if not count:
                    break
                patterns += self.kept(kind, min(count, 1), last=count)
                limits = limits - self.found[count - 1]
        certificate = certify(form, "cuts" if cuts else "column-generation", prices, most, scale, cuts)
        return Priced(patterns, certificate, complete, taken)

    def once_more(
        self, pricer: Pricer, prices: Int64Array, limits: Int64Array, floor: int, steps: int
    ) -> tuple[int, int, int]:
        """Search once more with fewer copies: with the same tables where they are large and tell nearly the truth, of
        one resource, and with new ones of several."""
        if self.form.weights.shape[1] == 1:
            return pricer.again(limits, floor, steps, self.found)
        return pricer.solve(prices, limits, floor, steps, self.found)

    def kept(self, kind: int, count: int, last: int | None = None) -> list[tuple[int, Sparse]]:
        """The last `count` patterns of `found`, sparse."""
        rows = range(count) if last is None else range(last - count, last)
        result = []
        for row in rows:
            types = np.flatnonzero(self.found[row])
            result.append((kind, (types, self.found[row][types])))
        return result

    def patterns_for(
        self, asked: Prices, limits: Int64Array, stock: Int64Array, steps: int, rounds: int
    ) -> list[tuple[int, Sparse]]:
        """Patterns that gain and hold no more than `limits`; no bound."""
        reliefs = asked.reliefs
        prices = self.whole(asked.duals)
        self.fine(asked.fines)
        patterns: list[tuple[int, Sparse]] = []
        for kind, pricer in enumerate(self.pricers):
            if stock[kind] == 0:
                continue
            paid = int(self.form.price[kind]) * self.scale
            floor = paid + int(reliefs[kind] * self.scale) + int(max(paid, self.scale) * SLACK)
            left = limits
            for turn in range(rounds):
                if turn:
                    count, _, _ = self.once_more(pricer, prices, left, floor, steps)
                else:
                    count, _, _ = pricer.solve(prices, left, floor, steps, self.found)
                if not count:
                    break
                patterns += self.kept(kind, 1, last=count)
                left = np.maximum(left - self.found[count - 1], 0)
        return patterns
