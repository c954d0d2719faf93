"""Branching where the bound stays below the packing: do two items share a bin? (Ryan and Foster 1981).

Depth first, "together" first; each case is solved by column generation from the patterns of the case above. Ends with
a better packing, a complete proof by cases, or when its allowance is used up; then it can go on later.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from binwright.packing.bounds import nothing
from binwright.packing.certificate import for_problem, widest
from binwright.packing.check import TooHard
from binwright.packing.cuts import tighten
from binwright.packing.expand import expand
from binwright.packing.form import Form, make_form
from binwright.packing.generate import start_patterns
from binwright.packing.greedy import Packing, Sparse, cost_of
from binwright.packing.master import Master, Solution
from binwright.packing.pricer import Pricing
from binwright.packing.problem import BoolArray, Int64Array, Problem
from binwright.packing.search import Search
from binwright.packing.tree import Case, Rules, Verified, case_problem, check_case, single_items

NEAR = 1e-6
MOST_SEEDS = 1500
CUT_ROUNDS = 2  # in each case


@dataclass(frozen=True)
class Seeds:
    """Patterns of single items: their kinds of bins (n,), and which items they hold, bool (n, items)."""

    kinds: Int64Array
    held: BoolArray


@dataclass
class Open:
    """A case to be looked at, and patterns of single items to begin with."""

    case: Case
    rules: Rules
    seeds: Seeds | None


class Branching:
    """One search by cases for a packing cheaper than the best, or the proof that there is none."""

    def __init__(self, search: Search, problem: Problem) -> None:
        self.search = search
        self.problem = problem
        assert search.cost is not None
        self.goal = search.cost
        self.given_up = False
        self.verified: Verified = set()
        self.top = Case()
        self.open = [Open(self.top, Rules(), None)]
        row_type = {row: number for number, bundles in enumerate(search.form.bundles)
                    for bundle in bundles for row, _ in bundle.parts}  # fmt: skip
        self.type_of = [row_type[row] for row in single_items(problem)]

    def advance(self, cases: int) -> bool:
        """Look at up to so many cases; True when it is over: proven, or a better packing was found."""
        for _ in range(cases):
            if not self.open:
                self.search.proved_by_cases(self.goal, self.top, self.verified)
                return True
            if self.search.over or self.given_up:
                return True
            self.settle(self.open.pop())
            if self.search.cost is not None and self.search.cost < self.goal:
                return True
        return False

    def settle(self, entry: Open) -> None:
        """Solve one case: settled, or split in two."""
        case, rules = entry.case, entry.rules
        problem = case_problem(self.problem, rules)
        form = make_form(problem)
        self.search.iterations += 1
        if form.homeless:
            case.homeless = form.homeless[0]
            return
        inner = Search(form, None, None, None, self.search.clock)
        inner.deadline, inner.effort = self.search.deadline, self.search.effort
        inner.cost = self.goal
        inner.proved(nothing(form))
        solution: Solution | None = None
        master = Master(form)
        if not inner.closed:
            start_patterns(inner, master)
            if entry.seeds is not None:
                master.add(seeded(form, rules, entry.seeds))
            solution = tighten(inner, master, Pricing(form), CUT_ROUNDS)
            self.search.iterations += inner.iterations
        if inner.packing is not None and inner.cost < self.goal:
            self.found(form, inner.packing)
            return
        if inner.bound >= self.goal:
            best = max(inner.certificates, key=lambda pair: pair[0])[1]
            case.certificate = for_problem(widest(best, form), form, problem)
            self.verify(entry)
            return
        if solution is None or self.search.left <= 0:
            self.open.append(entry)  # unsettled: out of time
            return
        seeds = single_patterns(form, master, solution, problem.types)
        pair = fractional_pair(form, master, solution)
        if pair is None:  # whole amounts that are no packing: prices too coarse to go on
            self.open.append(entry)
            self.given_up = True
            return
        first, second = (form.bundles[number][copy].parts[0][0] for number, copy in pair)
        case.pair = (first, second)
        case.together, case.apart = Case(), Case()
        self.open.append(Open(case.apart, rules.apart(first, second), seeds))
        self.open.append(Open(case.together, rules.together(first, second), seeds))

    def verify(self, entry: Open) -> None:
        """Check the certificate of a case at once, within the time of the search; one too hard to check ends it."""
        try:
            check_case(self.problem, entry.case, self.goal, entry.rules, give_up=lambda: self.search.left <= 0)
        except TooHard:
            self.open.append(entry)
            self.given_up = True
        else:
            self.verified.add((entry.rules, entry.case.certificate))

    def found(self, form: Form, packing: Packing) -> None:
        """A packing of a case as one of the whole problem."""
        result: Packing = []
        for kind, pairs, count in expand(form, packing):
            held: dict[int, int] = {}
            for item, copies in pairs:
                held[self.type_of[item]] = held.get(self.type_of[item], 0) + copies
            types = np.array(sorted(held), np.int64)
            result.append((kind, (types, np.array([held[number] for number in types.tolist()], np.int64)), count))
        self.search.found(cost_of(self.search.form, result), result)


def single_patterns(form: Form, master: Master, solution: Solution, items: int) -> Seeds:
    """The patterns that cost least beyond their worth, as single items."""
    order = np.argsort(master.gains(solution), kind="stable")[:MOST_SEEDS]
    kinds = np.empty(len(order), np.int64)
    held = np.zeros((len(order), items), bool)
    for row, at in enumerate(order.tolist()):
        kinds[row], (types, copies) = master.patterns[at]
        for number, count in zip(types.tolist(), copies.tolist()):
            for bundle in form.bundles[number][:count]:
                for item, _ in bundle.parts:
                    held[row, item] = True
    return Seeds(kinds, held)


def seeded(form: Form, rules: Rules, seeds: Seeds) -> list[tuple[int, Sparse]]:
    """Patterns of single items in the types of a case; without what the case no longer allows together.

    What is left of a pattern fits where the whole did, unless what made room is gone.
    """
    bundles = [(number, bundle) for number, each in enumerate(form.bundles) for bundle in each]
    where = np.empty(seeds.held.shape[1], np.int64)
    for at, (_, bundle) in enumerate(bundles):
        where[[item for item, _ in bundle.parts]] = at
    member = np.zeros((len(where), len(bundles)), np.float32)
    member[np.arange(len(where)), where] = 1
    whole = seeds.held.astype(np.float32) @ member == member.sum(axis=0)
    for first, second in rules.pairs:
        whole[:, where[second]] &= ~whole[:, where[first]]
    type_of = np.zeros((len(bundles), form.types), np.float32)
    type_of[np.arange(len(bundles)), [number for number, _ in bundles]] = 1
    counts = (whole.astype(np.float32) @ type_of).astype(np.int64)
    negative = bool((form.weights < 0).any())
    result: list[tuple[int, Sparse]] = []
    for kind, pattern in zip(seeds.kinds.tolist(), counts):
        types = np.flatnonzero(pattern)
        if len(types) and (not negative or form.fits(kind, types, pattern[types])):
            result.append((kind, (types, pattern[types])))
    return result


def fractional_pair(form: Form, master: Master, solution: Solution) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Two bundles, each (type, copy), that share a bin to a degree closest to a half; large ones first."""
    shared = np.zeros((form.types, form.types))
    for at in np.flatnonzero(solution.amounts > NEAR):
        types = master.patterns[at][1][0]
        shared[np.ix_(types, types)] += solution.amounts[at]
    single = form.counts == 1
    shared = np.triu(shared, 1)
    distance = np.abs(shared - np.floor(shared) - 0.5)
    size = (form.weights / np.maximum(form.capacity.max(axis=0), 1)).sum(axis=1)
    score = np.where(distance < 0.5 - 1e-4, 1 - distance, 0) + 0.2 * (size[:, None] + size[None, :])
    for mask in (np.outer(single, single), np.ones_like(shared, bool)):
        open_ = mask & (distance < 0.5 - 1e-4)
        if open_.any():
            first, second = np.unravel_index(int(np.where(open_, score, -1).argmax()), shared.shape)
            return (int(first), 0), (int(second), 0)
    return None
