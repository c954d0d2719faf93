"""Column generation: master and pricing in turn, with smoothed prices and a certificate from every iteration."""

from __future__ import annotations

from math import ceil

import numpy as np

from binwright.packing.dive import round_down
from binwright.packing.master import Master, Solution
from binwright.packing.pricer import Prices, Pricing
from binwright.packing.search import Search

SMOOTH = 0.6  # weight of the prices with the best bound so far
STEPS = 200_000  # of one search of one kind, at first
MOST_STEPS = 2 * 10**9
EASY_STEPS = 2_000  # in one resource, once the bound is there
NEAR = 1e-6
CONVERGED = 0.02  # of a unit of price, between the program and what its prices prove
PATIENCE = 8  # iterations between two roundings


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
                copies = min(copies, 1)
            if copies:  # none where it needs the room that others make
                patterns.append((kind, (np.array([number]), np.array([copies]))))
    if search.packing is not None:
        patterns += [(kind, pattern) for kind, pattern, _ in search.packing]
    master.add(patterns)


def root(
    search: Search, master: Master, pricing: Pricing, converge: bool = True, most_steps: int = MOST_STEPS
) -> Solution | None:
    """Column generation until the bound is the rounded-up value of the program; its last solution.

    `converge`: go on to the end of what pricing finds easily, which helps the dives; `most_steps`: a search of one kind
    that would take more is given up.
    """
    form = search.form
    centre: Prices | None = None
    centre_value = -1.0
    smooth = SMOOTH
    steps = STEPS
    rounds = 1 if form.types < 60 else 8
    solution = master.solve(search.wall_left)
    while solution is not None and not search.over:
        search.iterations += 1
        smoothed = centre is not None and smooth > 0
        if centre is None:
            prices = solution.prices
        else:
            prices = solution.prices.towards(centre, smooth)
        allowed = search.effort.allowance(steps, form.kinds * (1 + rounds / 4))
        met = solution.artificial < NEAR and search.bound >= ceil(solution.value - NEAR)
        if met and form.weights.shape[1] == 1:
            allowed = min(allowed, EASY_STEPS)
        before = search.clock()
        # the best that the program as it stands could prove
        beyond = 0 if met or not form.plain or solution.artificial > NEAR else ceil(solution.value - NEAR) - 1
        priced = pricing.price(prices, allowed, rounds, beyond)
        search.effort.took(priced.steps, search.clock() - before)
        search.proved(priced.certificate)
        search.check_in_time()
        value = priced.certificate.worth(form.counts.tolist(), form.stock.tolist()) / priced.certificate.scale
        if value > centre_value:
            centre, centre_value = prices, value
        if search.over:
            break
        met = solution.artificial < NEAR and search.bound >= ceil(solution.value - NEAR)
        # once the bound is there, going on only helps the dives, so not where pricing is hard
        if met and (not converge or solution.value - centre_value < CONVERGED or not priced.complete):
            break
        fresh = master.add(priced.patterns)
        if not fresh:
            if smoothed:
                smooth = 0.0 if smooth < 0.2 else smooth / 2
                continue
            if priced.complete or steps >= most_steps or allowed < steps:
                break
            steps *= 10
            continue
        smooth = SMOOTH
        if search.iterations % PATIENCE == 0:
            round_down(search, master, solution)
        solution = master.solve(search.wall_left)
    if solution is not None and not search.over:
        round_down(search, master, solution)
    return solution
