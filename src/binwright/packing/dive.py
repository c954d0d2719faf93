"""Packings from a fractional solution: rounding down and packing the rest, and diving with new patterns on the way.

A dive fixes the pattern of the largest amount, solves what is left with new patterns, and so on; near its root it tries
other choices too, with those that failed forbidden (limited discrepancies; Sadykov et al. 2019).
"""

from __future__ import annotations

from math import ceil

import numpy as np

from binwright.packing.form import Form
from binwright.packing.greedy import MEASURES, centric, cost_of
from binwright.packing.master import Master, Solution
from binwright.packing.pricer import Pricing
from binwright.packing.search import Search
from binwright.packing.state import State

NEAR = 1e-6
STEPS = 20_000
PRICINGS = 40  # of each depth of a dive
BRANCHING_DEPTH = 4
PROGRAMS = 600  # of a dive without discrepancies, more with them
SURE = 0.98  # amounts from here on are fixed together


def whole_parts(form: Form, master: Master, solution: Solution) -> State:
    """The whole parts of the amounts, and what they leave."""
    state = State(form, form.counts.copy(), form.stock.copy(), [])
    for at in np.flatnonzero(solution.amounts >= 1 - NEAR):
        state.place(master.patterns[at], int(solution.amounts[at] + NEAR))
    return state


def round_down(search: Search, master: Master, solution: Solution) -> None:
    """Whole parts of the amounts, and the rest by the bin-centric greedy with several measures."""
    form = search.form
    state = whole_parts(form, master, solution)
    if not state.waiting.any():
        search.found(cost_of(form, state.packing), state.packing)
        return
    for measure in (*MEASURES.values(), 2):
        rest = centric(form, measure, solution.duals, state.waiting, state.stock)
        if rest is not None:
            search.found(cost_of(form, state.packing) + cost_of(form, rest), state.packing + rest)


class Dive:
    """One dive for a packing that costs at most `limit`, with `attempt` discrepancies.

    Every second attempt prefers patterns of large items, so that the small ones are left for the end.
    """

    def __init__(self, search: Search, master: Master, pricing: Pricing, attempt: int, limit: int) -> None:
        self.search = search
        self.master = master
        self.pricing = pricing
        self.attempt = attempt
        self.limit = limit
        self.programs = PROGRAMS * (attempt + 1)
        self.large: list[float] | None = [] if attempt % 2 else None
        self.squares = ((search.form.weights / np.maximum(search.form.capacity.max(axis=0), 1)) ** 2).sum(axis=1)

    def run(self) -> bool:
        """True when a better packing was found."""
        form = self.search.form
        found = self.descend(State(form, form.counts.copy(), form.stock.copy(), []), 0, frozenset(), self.attempt)
        self.master.require(form.counts, form.stock)
        return found

    def descend(self, state: State, depth: int, forbidden: frozenset[int], choices: int) -> bool:
        """Dive from a state; `choices` is how many discrepancies are still allowed."""
        form = self.search.form
        while True:
            if not state.waiting.any():
                return self.search.found(cost_of(form, state.packing), state.packing)
            solution = self.solve(state)
            if solution is None:
                return False
            fixed = 0
            for sure in np.flatnonzero(solution.amounts >= SURE):
                times = int(solution.amounts[sure] + 1 - SURE) - (self.attempt + 1) // 2
                if times > 0:
                    fixed += state.place(self.master.patterns[sure], times)
            if fixed:
                continue
            if depth >= BRANCHING_DEPTH + self.attempt:
                at = self.choose(solution, forbidden)
                if at is None or not state.place(self.master.patterns[at], 1):
                    return False
                continue
            for discrepancy in range(choices + 1):
                at = self.choose(solution, forbidden)
                if at is None:
                    return False
                child = state.copy()
                if child.place(self.master.patterns[at], 1) and self.descend(
                    child, depth + 1, forbidden, choices - discrepancy
                ):
                    return True
                if self.search.over or self.programs < 0:
                    return False
                forbidden |= {at}
            return False

    def choose(self, solution: Solution, forbidden: frozenset[int]) -> int | None:
        """The column with the largest amount that is not forbidden; the first of equals."""
        amounts = np.where(solution.amounts > NEAR, solution.amounts, 0)
        if self.large is not None:
            for _, (types, copies) in self.master.patterns[len(self.large) :]:
                self.large.append(0.1 + float(self.squares[types] @ copies))
            amounts = amounts * self.large[: len(amounts)]
        if forbidden:
            amounts[[at for at in forbidden if at < len(amounts)]] = 0
        at = int(amounts.argmax()) if len(amounts) else 0
        return at if len(amounts) and amounts[at] > 0 else None

    def solve(self, state: State) -> Solution | None:
        """The program of what is left, with new patterns until a better packing is in reach; None when none is."""
        search = self.search
        self.programs -= 1
        if search.over or self.programs < 0:
            return None
        spent = cost_of(search.form, state.packing)
        self.master.require(state.waiting, state.stock)
        solution = self.master.solve(search.wall_left)
        search.iterations += 1
        for _ in range(PRICINGS):
            if solution is None or search.left <= 0:
                return None
            if solution.artificial <= NEAR and spent + ceil(solution.value - NEAR) <= self.limit:
                return solution
            fresh = self.pricing.patterns_for(solution.prices, state.waiting, state.stock, STEPS, 4)
            if not self.master.add(fresh):
                return None
            solution = self.master.solve(search.wall_left)
        return None
