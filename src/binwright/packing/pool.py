"""All contents of a bin that a packing of a given cost can use, where they are few; and a packing from them.

Prices in the midst of those that prove the bound leave most contents worth less than a bin costs; what a packing can
afford to lose that way is little, so few contents remain (reduced-cost fixing). For one kind of bin and one resource.
"""

from __future__ import annotations

import numpy as np

from binwright.packing.certificate import Certificate
from binwright.packing.eliminate import Elimination
from binwright.packing.form import Form
from binwright.packing.greedy import Sparse, cost_of
from binwright.packing.master import INFINITY, Master, QuietSolver, Solution
from binwright.packing.pricer import Floats, Prices, Pricing
from binwright.packing.problem import Int64Array, Problem
from binwright.packing.search import Search

SLACK = 0.002  # of a bin's price: contents worth less than a bin by more are as good as any
GIVEN = 1e-7  # of the value, for rounding
PRICINGS = 20
STEPS = 10_000_000
MOST_CONTENTS = 30_000
MOST_CELLS = 8_000_000
SECONDS = 10.0
NODES = 5_000


def complete(search: Search, problem: Problem, master: Master, pricing: Pricing, solution: Solution) -> bool:
    """Look for a better packing among all contents that one can use; True when one was found, or that there is none."""
    form, limit = search.form, search.ceiling - 1
    capacity = int(form.capacity[0, 0])
    if not form.plain or form.weights.shape[1] > 1 or form.weights.min() < 0:
        return False
    if (capacity + 1) * (form.types + 1) > MOST_CELLS or solution.artificial > 0 or master.cuts:
        return False
    duals = midst(search, master, pricing, solution)
    if duals is None or search.over:
        return False
    prices = np.maximum(pricing.whole(duals), 1)
    allowed = search.effort.allowance(STEPS, 1)
    _, most, steps = pricing.pricers[0].solve(prices, form.counts, 0, allowed, pricing.found)
    least = most - (limit * most - int(prices.astype(object) @ form.counts))
    if steps > allowed or not 0 < least <= most:
        return False
    contents = all_contents(form, prices, least)
    if contents is None:
        return False
    master.add([(0, pattern) for pattern in contents])
    worth = np.array([int(prices[types] @ copies) for _, (types, copies) in master.patterns])
    timed = search.left < 1e6
    seconds = min(search.left, SECONDS) if timed else search.left
    packing, _ = master.whole_numbers(np.flatnonzero(worth >= least), limit, seconds, None if timed else NODES)
    search.iterations += 1
    if packing is not None:
        return search.found(cost_of(form, packing), packing)
    first = Certificate("column-generation", tuple(prices.tolist()), most, (0,))
    return Elimination(search, problem, contents, first).run()


def midst(search: Search, master: Master, pricing: Pricing, solution: Solution) -> Floats | None:
    """Prices that prove (nearly) the value of the program, with as many patterns as can be worth less than a bin."""
    form = search.form
    solver = QuietSolver()
    none, nothing = np.empty(0, np.int32), np.empty(0)
    every = np.arange(form.types, dtype=np.int32)
    solver.addCols(form.types, np.zeros(form.types), np.zeros(form.types), np.ones(form.types), 0,
                   np.zeros(form.types, np.int32), none, nothing)  # fmt: skip
    solver.addRow(solution.value - GIVEN, INFINITY, form.types, every, form.counts.astype(float))
    known = 0
    for _ in range(PRICINGS):
        for _, (types, copies) in master.patterns[known:]:
            slack = solver.getNumCol()
            solver.addCol(-1.0, 0.0, SLACK, 0, none, nothing)
            indexes = np.append(types, slack).astype(np.int32)
            solver.addRow(-INFINITY, 1.0, len(indexes), indexes, np.append(copies, 1).astype(float))
        known = len(master.patterns)
        solver.run()
        search.iterations += 1
        duals = np.clip(np.array(solver.getSolution().col_value)[: form.types], 0, 1)
        if search.over or len(duals) < form.types:
            return None
        priced = pricing.price(Prices(duals, np.zeros(1), nothing), search.effort.allowance(STEPS, 3), 8)
        search.proved(priced.certificate)
        if not master.add(priced.patterns):
            return duals if priced.complete else None
    return None


def all_contents(form: Form, prices: Int64Array, least: int) -> list[Sparse] | None:
    """Every content of a bin, but nothing, worth at least `least`; None where there are more than MOST_CONTENTS."""
    weights, capacity = form.weights[:, 0], int(form.capacity[0, 0])
    best = np.zeros((form.types + 1, capacity + 1), np.int64)  # what types from here on can add to what is left
    for number in range(form.types - 1, -1, -1):
        best[number] = best[number + 1]
        weight, price = int(weights[number]), int(prices[number])
        for _ in range(min(int(form.counts[number]), capacity // weight if weight else int(form.counts[number]))):
            grown = best[number].copy()
            grown[weight:] = np.maximum(best[number + 1][weight:], best[number][: capacity + 1 - weight] + price)
            best[number] = grown
    left, value = np.array([capacity]), np.zeros(1, np.int64)
    held = np.zeros((1, form.types), np.int16)
    for number in range(form.types):
        pieces = []
        now = (left, value, held)
        for copies in range(int(form.counts[number]) + 1):
            able = now[0] >= 0
            able[able] &= now[1][able] + best[number + 1][now[0][able]] >= least
            pieces.append((now[0][able], now[1][able], now[2][able]))
            with_one = now[2].copy()
            with_one[:, number] = copies + 1
            now = (now[0] - weights[number], now[1] + prices[number], with_one)
        left, value, held = (np.concatenate([piece[at] for piece in pieces]) for at in range(3))
        if len(value) > MOST_CONTENTS:
            return None
    return [(np.flatnonzero(row), row[row > 0].astype(np.int64)) for row in held if row.any()]
