"""Elimination: prices over the contents that remain cross out more of them, with cuts, then with cases of two items.

Ends with a proof that no cheaper packing exists, with such a packing, or when its allowance is used up. All contents
are at hand, so nothing is priced: a case costs no more than a linear program.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from binwright.packing.branch import fractional_pair
from binwright.packing.certificate import Certificate, Cut, for_problem
from binwright.packing.check import TooHard
from binwright.packing.cuts import violated
from binwright.packing.form import Form
from binwright.packing.greedy import Sparse, cost_of
from binwright.packing.master import Master, Solution, trimmed
from binwright.packing.problem import Int64Array, Problem
from binwright.packing.remains import Remains, check_cases
from binwright.packing.search import Search

UNIT = 2**30  # of integer prices
ROUNDS = 5  # of cuts in one case
ENOUGH = 0.05  # share of the contents: fewer are not worth a step of the proof
NEAR = 1e-6
ALLOWANCE = 80_000  # contents of all linear programs together, each with OVERHEAD more
OVERHEAD = 1_000


@dataclass
class Open:
    """A case to be looked at: its place in the proof, the contents that remain (n, T), cuts to begin with."""

    remains: Remains
    held: Int64Array
    cuts: list[tuple[int, ...]]


class Elimination:
    """One search among all contents for a packing cheaper than the best, or the proof that there is none."""

    def __init__(self, search: Search, problem: Problem, contents: list[Sparse], first: Certificate) -> None:
        form = search.form
        held = np.zeros((len(contents), form.types), np.int64)
        for row, (types, copies) in enumerate(contents):
            held[row, types] = copies
        self.search = search
        self.problem = problem
        self.limit = search.ceiling - 1
        self.top = Remains([first])
        self.open = [Open(self.top, held, [])]
        self.left = ALLOWANCE
        self.able = np.ones(form.types, bool)

    def run(self) -> bool:
        """True when it is over: proven, or a better packing was found."""
        while self.open and not self.search.over:
            if not self.settle(self.open.pop()):
                return self.search.ceiling <= self.limit
        if self.open or self.search.over:
            return False
        proof = on_rows(self.top, self.search.form, self.problem)
        try:
            check_cases(self.problem, proof, self.limit + 1)
        except TooHard:
            return False
        self.search.proved_by_cases(self.limit + 1, proof, set())
        return True

    def settle(self, case: Open) -> bool:
        """Settle a case or split it in two; False where that cannot be done."""
        form, counts = self.search.form, self.search.form.counts.tolist()
        held, cuts = case.held, case.cuts
        master = master_of(form, held, cuts)
        rounds = ROUNDS
        while True:
            self.left -= len(held) + OVERHEAD
            solution = master.solve(self.search.wall_left) if self.left > 0 else None
            self.search.iterations += 1
            if solution is None or self.search.over:
                return False
            step, worth = priced(master, solution, held)
            total = step.worth(counts, [0])
            if total > self.limit * step.scale:
                case.remains.steps.append(step)
                return True
            if self.whole(master, solution):
                return False
            keep = worth >= total - (self.limit - 1) * step.scale
            if keep.sum() <= (1 - ENOUGH) * len(held):
                case.remains.steps.append(step)
                held, cuts = held[keep], [cut.rows for cut in step.cuts]
                master = master_of(form, held, cuts)
                continue
            rounds -= 1
            fresh = violated(form, master, solution, self.able) if rounds else []
            if not fresh:
                break
            master.cut(fresh)
        pair = fractional_pair(form, master, solution)
        if pair is None:
            return False
        first, second = sorted((pair[0][0], pair[1][0]))
        if form.counts[first] != 1 or form.counts[second] != 1:
            return False
        one, other = held[:, first] > 0, held[:, second] > 0
        cuts = [cut.rows for cut in step.cuts]
        case.remains.pair = first, second
        case.remains.together, case.remains.apart = Remains(), Remains()
        self.open.append(Open(case.remains.apart, held[~(one & other)], cuts))
        self.open.append(Open(case.remains.together, held[one == other], cuts))
        return True

    def whole(self, master: Master, solution: Solution) -> bool:
        """Whether the amounts are whole: a packing."""
        if solution.artificial > NEAR or (np.abs(solution.amounts - np.rint(solution.amounts)) > NEAR).any():
            return False
        used = np.flatnonzero(solution.amounts > NEAR).tolist()
        packing = trimmed(self.search.form, [(master.patterns[at], round(solution.amounts[at])) for at in used])
        return packing is not None and self.search.found(cost_of(self.search.form, packing), packing)


def master_of(form: Form, held: Int64Array, cuts: list[tuple[int, ...]]) -> Master:
    """The linear program over these contents."""
    master = Master(form)
    master.add([(0, (np.flatnonzero(row), row[row > 0])) for row in held])
    if cuts:
        master.cut(cuts)
    return master


def priced(master: Master, solution: Solution, held: Int64Array) -> tuple[Certificate, Int64Array]:
    """Integer prices of a linear program, and what each content is worth under them."""
    duals = np.floor(solution.duals * UNIT).astype(np.int64)
    fines = np.ceil(solution.fines * UNIT).astype(np.int64)
    cuts = tuple(Cut(cut, int(fines[number])) for number, cut in enumerate(master.cuts) if fines[number])
    worth = held @ duals
    for cut in cuts:
        worth -= held[:, list(cut.rows)].sum(axis=1) // 2 * cut.fine
    scale = max(int(worth.max(initial=0)), 1)
    return Certificate("cuts" if cuts else "column-generation", tuple(duals.tolist()), scale, (0,), cuts), worth


def on_rows(remains: Remains, form: Form, problem: Problem) -> Remains:
    """The same proof about rows of the problem instead of types of the form."""
    result = Remains([for_problem(step, form, problem) for step in remains.steps])
    if remains.pair is not None and remains.together is not None and remains.apart is not None:
        first, second = sorted(form.bundles[type_][0].parts[0][0] for type_ in remains.pair)
        result.pair = first, second
        result.together = on_rows(remains.together, form, problem)
        result.apart = on_rows(remains.apart, form, problem)
    return result
