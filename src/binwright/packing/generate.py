"""Column generation: master and pricing in turn, with smoothed prices and a certificate from every iteration.

Then packings from its patterns: rounding, diving, the restricted master in whole numbers.
"""

from __future__ import annotations

from math import ceil

import numpy as np

from binwright.packing.dive import Dive, round_down
from binwright.packing.greedy import cost_of
from binwright.packing.master import Floats, Master, Solution
from binwright.packing.pricer import Pricing
from binwright.packing.search import Search

SMOOTH = 0.6  # weight of the prices with the best bound so far
STEPS = 200_000  # of one search of one kind, at first
MOST_STEPS = 2 * 10**9
NEAR = 1e-6
WHOLE_NODES = 2_000  # of the restricted master where no clock runs
ATTEMPTS = 4
PATIENCE = 8  # iterations between two roundings


def run(search: Search) -> None:
    """Improve bound and packing until they meet or the limits end it."""
    master, pricing = Master(search.form), Pricing(search.form)
    start_patterns(search, master)
    solution = root(search, master, pricing)
    if solution is None or search.over:
        return
    for attempt in range(ATTEMPTS):
        while Dive(search, master, pricing, attempt).run():
            pass
        if search.over:
            return
        whole_numbers(search, master, solution, attempt)
        if search.over:
            return


def start_patterns(search: Search, master: Master) -> None:
    """Each type alone in each kind, and the packing known so far."""
    form = search.form
    patterns = []
    for kind in range(form.kinds):
        for number in np.flatnonzero(form.allowed[kind]):
            weight = form.weights[number]
            heavy = weight > 0
            copies = int(form.counts[number])
            if heavy.any():
                copies = min(copies, int((form.capacity[kind][heavy] // weight[heavy]).min()))
            if form.conflicts is not None and int(form.conflicts[number, number // 64]) >> int(number % 64) & 1:
                copies = 1
            patterns.append((kind, (np.array([number]), np.array([copies]))))
    if search.packing is not None:
        patterns += [(kind, pattern) for kind, pattern, _ in search.packing]
    master.add(patterns)


def root(search: Search, master: Master, pricing: Pricing) -> Solution | None:
    """Column generation until the bound is the rounded-up value of the program; its last solution."""
    form = search.form
    centre: Floats | None = None
    centre_value = -1.0
    smooth = SMOOTH
    steps = STEPS
    rounds = 1 if form.types < 60 else 8
    solution = master.solve()
    while solution is not None and not search.over:
        search.iterations += 1
        if centre is None:
            prices = solution.duals
        else:
            prices = smooth * centre + (1 - smooth) * solution.duals
        priced = pricing.price(prices, solution.stock_duals, steps, rounds)
        search.proved(priced.certificate)
        value = priced.certificate.worth(form.counts.tolist(), form.stock.tolist()) / priced.certificate.scale
        if value > centre_value:
            centre, centre_value = prices, value
        if search.over:
            break
        if solution.artificial < NEAR and search.bound >= ceil(solution.value - NEAR):
            break
        fresh = master.add(priced.patterns)
        if not fresh:
            if centre is not None and smooth > 0 and prices is not solution.duals:
                smooth = 0.0 if smooth < 0.2 else smooth / 2
                continue
            if priced.complete or steps >= MOST_STEPS:
                break
            steps *= 10
            continue
        smooth = SMOOTH
        if search.iterations % PATIENCE == 0:
            round_down(search, master, solution)
        solution = master.solve()
    if solution is not None and not search.over:
        round_down(search, master, solution)
    return solution


def whole_numbers(search: Search, master: Master, solution: Solution, attempt: int) -> None:
    """The restricted master in whole numbers over the patterns that cost least beyond their worth."""
    form = search.form
    assert search.cost is not None
    gains = np.array(
        [
            float(form.price[kind]) + solution.stock_duals[kind] - float(solution.duals[types] @ copies)
            for kind, (types, copies) in master.patterns
        ]
    )
    room = search.cost - 1 - solution.value + 1e-6
    chosen = np.flatnonzero(gains <= max(room, 1e-6))
    most = 4000 * (attempt + 1)
    if len(chosen) > most:
        chosen = np.sort(chosen[np.argsort(gains[chosen], kind="stable")[:most]])
    if not len(chosen):
        return
    timed = search.left < 1e6
    seconds = min(search.left, 5.0 * (attempt + 1)) if timed else search.left
    packing, _ = master.whole_numbers(chosen, search.cost - 1, seconds, None if timed else WHOLE_NODES)
    search.iterations += 1
    if packing is not None:
        search.found(cost_of(form, packing), packing)
