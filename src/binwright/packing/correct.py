"""Packings by sequential value correction (Belov and Scheithauer 2007): bin after bin the content worth most, and what
went into wasteful bins is worth more the next time. Works on what is left of a packing, with the pricing kernels.
"""

from __future__ import annotations

import numpy as np

from binwright.packing.form import Form
from binwright.packing.greedy import cost_of
from binwright.packing.pricer import Pricing
from binwright.packing.problem import Int64Array
from binwright.packing.search import Search
from binwright.packing.state import State

STEPS = 3_000
UNIT = 2**20  # worth of what fills a bin
MOST_WORTH = 2**36
MOST_CELLS = 10**8  # of the tables of pricing, filled in one run, more after more runs


class Correction:
    """Values of the items, corrected from turn to turn."""

    def __init__(self, search: Search, pricing: Pricing) -> None:
        self.search = search
        self.pricing = pricing
        self.runs = 0
        self.allowance = 0  # contents still to be priced in this run
        self.rng = np.random.default_rng(0)
        form = search.form
        weights = np.maximum(form.weights, 0)
        shares = weights / np.maximum(form.capacity.max(axis=0), 1)
        urgency = form.counts @ shares
        self.size = (shares * urgency / max(float(urgency.sum()), 1e-300)).sum(axis=1) + 1e-9
        self.value = self.size.copy()
        self.found = np.empty((1, form.types), np.int64)
        self.cells = cells_of(form) * form.kinds  # one content, roughly

    def run(self, state: State, turns: int) -> bool:
        """Up to so many packings of what a state leaves; True when one of them is better than the best known.

        Fewer where pricing is slow: then column generation is the better use of the time.
        """
        self.runs = min(self.runs + 1, 6)
        self.allowance = self.runs * MOST_CELLS // self.cells
        for _ in range(turns):
            if self.search.over or self.allowance <= 0:
                return False
            self.search.iterations += 1
            if self.turn(state.copy()):
                return True
        return False

    def turn(self, state: State) -> bool:
        """One packing; given up when it costs too much."""
        form = self.search.form
        self.pricing.fine(np.zeros(len(self.pricing.cuts)))
        power = 1 + 0.04 * self.rng.random()
        spent = cost_of(form, state.packing)
        while state.waiting.any():
            self.allowance -= 1
            if self.allowance < 0 or self.search.over:
                return False
            kind = self.best(state.waiting, state.stock)
            if kind is None:
                return False
            types = np.flatnonzero(self.found[0])
            copies = self.found[0][types].copy()
            times = state.place((kind, (types, copies)), int(min(state.waiting[types] // copies)))
            filled = float(self.size[types] @ copies)
            # the worse the bin is used, the more its items are worth from now on
            wanted = self.size[types] ** power / max(filled, 0.05)
            share = self.rng.uniform(0.3, 0.9)
            self.value[types] = share * self.value[types] + (1 - share) * wanted
            spent += times * int(form.price[kind])
            if spent >= self.search.ceiling:
                return False
        return self.search.found(cost_of(form, state.packing), state.packing)

    def best(self, waiting: Int64Array, stock: Int64Array) -> int | None:
        """The kind of bin whose best content is worth most for its price, that content in `found`; None: none fits."""
        form = self.search.form
        prices = np.clip(self.value * UNIT, 1, MOST_WORTH).astype(np.int64)
        kept: tuple[float, int, Int64Array] | None = None
        for kind, pricer in enumerate(self.pricing.pricers):
            if not stock[kind]:
                continue
            count, _, _ = pricer.solve(prices, waiting, 0, STEPS, self.found)
            if count:
                worth = float(prices @ self.found[0]) / max(int(form.price[kind]), 1e-3)
                if kept is None or worth > kept[0]:
                    kept = worth, kind, self.found[0].copy()
        if kept is None:
            return None
        self.found[0] = kept[2]
        return kept[1]


def cells_of(form: Form) -> int:
    """Cells of the tables of one search, roughly as the pricing kernel divides them."""
    types, resources = form.types, int(form.weights.shape[1])
    exact: int = (types + 1) * (int(form.capacity.max()) + 1)
    if resources == 1 and exact <= 2**24:
        return exact
    return min(2**20, (resources + 1) * (types + 1) * 2**14)
