"""Branching where the bound stays below the packing: do two items share a bin? (Ryan and Foster 1981).

Depth first, "together" first; each case is solved by column generation from the patterns of the case above. Ends with
a better packing, a complete proof by cases, or when its allowance is used up; then it can go on later.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from binwright.packing.bounds import best_bound
from binwright.packing.certificate import for_problem, widest
from binwright.packing.expand import expand
from binwright.packing.form import Form, make_form
from binwright.packing.generate import root, start_patterns
from binwright.packing.greedy import Packing, Sparse, cost_of
from binwright.packing.master import Master, Solution
from binwright.packing.pricer import Pricing
from binwright.packing.problem import Problem
from binwright.packing.search import Search
from binwright.packing.tree import Case, Rules, case_problem, single_items

NEAR = 1e-6
MOST_SEEDS = 3000


@dataclass
class Open:
    """A case to be looked at, and patterns of single items to begin with."""

    case: Case
    rules: Rules
    seeds: list[tuple[int, tuple[int, ...]]]


class Branching:
    """One search by cases for a packing cheaper than the best, or the proof that there is none."""

    def __init__(self, search: Search, problem: Problem) -> None:
        self.search = search
        self.problem = problem
        assert search.cost is not None
        self.goal = search.cost
        self.given_up = False
        self.top = Case()
        self.open = [Open(self.top, Rules(), [])]
        row_type = {row: number for number, bundles in enumerate(search.form.bundles)
                    for bundle in bundles for row, _ in bundle.parts}  # fmt: skip
        self.type_of = [row_type[row] for row in single_items(problem)]

    def advance(self, cases: int) -> bool:
        """Look at up to so many cases; True when it is over: proven, or a better packing was found."""
        for _ in range(cases):
            if not self.open:
                self.search.proved_by_cases(self.goal, self.top)
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
        inner = Search(form, None, None, None)
        inner.deadline = self.search.deadline
        inner.cost = self.goal
        inner.proved(best_bound(form))
        solution: Solution | None = None
        master = Master(form)
        if not inner.closed:
            start_patterns(inner, master)
            master.add(seeded(form, entry.seeds))
            solution = root(inner, master, Pricing(form), converge=False)
            self.search.iterations += inner.iterations
        if inner.packing is not None and inner.cost < self.goal:
            self.found(form, inner.packing)
            return
        if inner.bound >= self.goal:
            best = max(inner.certificates, key=lambda pair: pair[0])[1]
            case.certificate = for_problem(widest(best, form), form, problem)
            return
        if solution is None or self.search.left <= 0:
            self.open.append(entry)  # unsettled: out of time
            return
        seeds = single_patterns(form, master, solution)
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


def single_patterns(form: Form, master: Master, solution: Solution) -> list[tuple[int, tuple[int, ...]]]:
    """The patterns that cost least beyond their worth, as single items."""
    gains = [
        float(form.price[kind]) - float(solution.duals[types] @ copies) for kind, (types, copies) in master.patterns
    ]
    order = np.argsort(gains, kind="stable")[:MOST_SEEDS]
    result = []
    for at in order:
        kind, (types, copies) = master.patterns[at]
        items: list[int] = []
        for number, count in zip(types.tolist(), copies.tolist()):
            for bundle in form.bundles[number][:count]:
                items += [row for row, _ in bundle.parts]
        result.append((kind, tuple(items)))
    return result


def seeded(form: Form, seeds: list[tuple[int, tuple[int, ...]]]) -> list[tuple[int, Sparse]]:
    """Patterns of single items in the types of a case; without what the case no longer allows together."""
    where: dict[int, tuple[int, int]] = {}
    size: dict[tuple[int, int], int] = {}
    for number, bundles in enumerate(form.bundles):
        for copy, bundle in enumerate(bundles):
            size[number, copy] = len(bundle.parts)
            for row, _ in bundle.parts:
                where[row] = number, copy
    result: list[tuple[int, Sparse]] = []
    for kind, items in seeds:
        inside: dict[tuple[int, int], int] = {}
        for item in items:
            inside[where[item]] = inside.get(where[item], 0) + 1
        counts: dict[int, int] = {}
        blocked = 0
        for (number, copy), there in sorted(inside.items()):
            if there == size[number, copy] and form.allowed[kind, number] and not blocked >> number & 1:
                counts[number] = counts.get(number, 0) + 1
                if form.conflicts is not None:
                    blocked |= int.from_bytes(form.conflicts[number].tobytes(), "little")
        if counts:
            types = np.array(sorted(counts), np.int64)
            copies = np.array([counts[number] for number in types.tolist()], np.int64)
            if form.fits(kind, types, copies):
                result.append((kind, (types, copies)))
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

