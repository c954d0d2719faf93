"""The restricted master: the linear program over the patterns known so far, and the same in whole numbers, on HiGHS.

One row a type (cover what waits), one a kind of bin whose stock is limited; one column a pattern. No parallel
work, simplex, no time in any decision of the linear program.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from binwright.errors import MissingExtraError
from binwright.packing.form import Form
from binwright.packing.greedy import Packing, Sparse
from binwright.packing.pricer import Floats, Prices
from binwright.packing.problem import Int64Array

try:
    import highspy
except ModuleNotFoundError as missing:
    raise MissingExtraError.for_module("highspy", extra="solver") from missing

Indexes = npt.NDArray[np.int32]
INFINITY = highspy.kHighsInf
PIVOTS = 10  # of the dual simplex, a row: more are a sign that it turns in a circle
LAST_PIVOTS = 100  # of the primal simplex after it
DUAL, PRIMAL = 1, 4  # HiGHS's simplex_strategy


@dataclass(frozen=True)
class Solution:
    """Of the linear program: objective, amounts per column (artificial ones left out), prices of types and stocks."""

    value: float
    amounts: Floats
    duals: Floats  # (T,)
    stock_duals: Floats  # (K,), >= 0, what one more bin of the kind would save
    artificial: float  # amount of items that no pattern covers
    fines: Floats  # (cuts,), >= 0, what one more pair of each cut would save

    @property
    def prices(self) -> Prices:
        return Prices(self.duals, self.stock_duals, self.fines)


class Master:
    """Patterns and their linear program; `patterns[i]` is (kind, (types, copies)) of column i."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.patterns: list[tuple[int, Sparse]] = []
        self.known: set[tuple[int, bytes, bytes]] = set()
        self.cuts: list[tuple[int, ...]] = []
        self.cuts_of: list[list[int]] = [[] for _ in range(form.types)]
        self.limited = np.flatnonzero(form.limited)
        self.stock_row = {int(kind): form.types + at for at, kind in enumerate(self.limited)}
        self.solver = QuietSolver()
        self.demand = form.counts.astype(float)
        self.stock = form.stock[self.limited].astype(float)
        rows = form.types + len(self.limited)
        lower = np.concatenate([self.demand, np.full(len(self.limited), -INFINITY)])
        upper = np.concatenate([np.full(form.types, INFINITY), self.stock])
        none = np.empty(0, np.int32)
        self.solver.addRows(rows, lower, upper, 0, np.zeros(rows, np.int32), none, np.empty(0))
        # an item that no pattern covers costs more than any packing: the program is never infeasible
        cost = np.full(form.types, self.penalty())
        ones = np.arange(form.types, dtype=np.int32)
        self.solver.addCols(
            form.types, cost, np.zeros(form.types), np.full(form.types, INFINITY), form.types, ones, ones,
            np.ones(form.types),
        )  # fmt: skip

    def penalty(self) -> float:
        """Price of leaving one item out: more than the dearest bin."""
        return 10.0 * max(float(self.form.price.max()), 1.0)

    def add(self, patterns: list[tuple[int, Sparse]]) -> int:
        """Add what is new of these patterns; how many."""
        fresh = []
        for kind, (types, copies) in patterns:
            key = (kind, types.tobytes(), copies.tobytes())
            if key not in self.known:
                self.known.add(key)
                fresh.append((kind, (types, copies)))
        if fresh:
            self.patterns += fresh
            starts, indexes, values = self.columns(fresh)
            count = len(fresh)
            cost = self.form.price[[kind for kind, _ in fresh]].astype(float)
            self.solver.addCols(
                count, cost, np.zeros(count), np.full(count, INFINITY), len(indexes), starts, indexes, values
            )
        return len(fresh)

    def columns(self, patterns: list[tuple[int, Sparse]]) -> tuple[Indexes, Indexes, Floats]:
        """Starts, rows and values of columns as HiGHS wants them."""
        indexes: list[Int64Array] = []
        values: list[Int64Array] = []
        lengths = []
        for kind, (types, copies) in patterns:
            row = self.stock_row.get(kind)
            pairs = self.pairs(types, copies)
            more = {} if row is None else {row: 1}
            more |= {self.first_cut + cut: count for cut, count in pairs.items()}
            indexes.append(np.append(types, np.array(list(more), np.int64)))
            values.append(np.append(copies, np.array(list(more.values()), np.int64)))
            lengths.append(len(indexes[-1]))
        starts = np.concatenate([[0], np.cumsum(lengths[:-1])]).astype(np.int32)
        return starts, np.concatenate(indexes).astype(np.int32), np.concatenate(values).astype(float)

    @property
    def first_cut(self) -> int:
        """The row of the first cut."""
        return self.form.types + len(self.limited)

    def pairs(self, types: Int64Array, copies: Int64Array) -> dict[int, int]:
        """How many pairs of each cut a pattern holds; cuts without a pair left out."""
        if not self.cuts:
            return {}
        held: dict[int, int] = {}
        for number, count in zip(types.tolist(), copies.tolist()):
            for cut in self.cuts_of[number]:
                held[cut] = held.get(cut, 0) + count
        return {cut: count // 2 for cut, count in sorted(held.items()) if count > 1}

    def cut(self, cuts: list[tuple[int, ...]]) -> None:
        """Add cuts: within bins no more pairs of their types than there are of all that waits."""
        first = len(self.cuts)
        self.cuts += cuts
        for number, cut in enumerate(cuts, first):
            for type_ in cut:
                self.cuts_of[type_].append(number)
        entries: list[dict[int, int]] = [{} for _ in cuts]
        for at, (_, (types, copies)) in enumerate(self.patterns):
            for number, count in self.pairs(types, copies).items():
                if number >= first:
                    entries[number - first][self.form.types + at] = count
        for cut, row in zip(cuts, entries):
            columns, values = np.array(list(row), np.int32), np.array(list(row.values()), float)
            self.solver.addRow(-INFINITY, self.pairs_of(cut), len(row), columns, values)

    def pairs_of(self, cut: tuple[int, ...]) -> float:
        """Pairs of all that waits of the types of a cut."""
        return float(self.demand[list(cut)].sum() // 2)

    def gains(self, solution: Solution) -> Floats:
        """What each pattern costs beyond its worth."""
        result = np.empty(len(self.patterns))
        for at, (kind, (types, copies)) in enumerate(self.patterns):
            fines = sum(solution.fines[cut] * count for cut, count in self.pairs(types, copies).items())
            worth = float(solution.duals[types] @ copies) - fines
            result[at] = float(self.form.price[kind]) + solution.stock_duals[kind] - worth
        return result

    def require(self, demand: Int64Array, stock: Int64Array) -> None:
        """What waits (T,) and the bins of each kind (K,) from now on."""
        for row in np.flatnonzero(demand != self.demand).tolist():
            self.solver.changeRowBounds(row, float(demand[row]), INFINITY)
        changed = set(np.flatnonzero(demand != self.demand).tolist())
        self.demand = demand.astype(float)
        for number in sorted({number for row in changed for number in self.cuts_of[row]}):
            self.solver.changeRowBounds(self.first_cut + number, -INFINITY, self.pairs_of(self.cuts[number]))
        for at, kind in enumerate(self.limited):
            if stock[kind] != self.stock[at]:
                self.stock[at] = stock[kind]
                self.solver.changeRowBounds(self.form.types + at, -INFINITY, float(stock[kind]))

    def solve(self, seconds: float) -> Solution | None:
        """Solve the linear program from where it stands; None when the solver fails, or takes longer on the wall.

        Deep in a dive many columns price to nothing, and the dual simplex of HiGHS then sometimes turns in a circle
        for ever; the primal simplex goes on from where it was stopped.
        """
        if seconds < 1e6:
            self.solver.setOptionValue("time_limit", self.solver.getRunTime() + max(seconds, 0.01))
        rows = 100 + self.first_cut + len(self.cuts)
        self.solver.setOptionValue("simplex_iteration_limit", PIVOTS * rows)
        self.solver.run()
        if self.solver.getModelStatus() == highspy.HighsModelStatus.kIterationLimit:
            self.solver.setOptionValue("simplex_strategy", PRIMAL)
            self.solver.setOptionValue("simplex_iteration_limit", LAST_PIVOTS * rows)
            self.solver.run()
            self.solver.setOptionValue("simplex_strategy", DUAL)
        if self.solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        types = self.form.types
        solution = self.solver.getSolution()
        amounts = np.array(solution.col_value)
        prices = np.array(solution.row_dual)
        stock_duals = np.zeros(self.form.kinds)
        stock_duals[self.limited] = np.maximum(-prices[types : self.first_cut], 0)
        return Solution(
            self.solver.getInfo().objective_function_value,
            amounts[types:],
            np.maximum(prices[:types], 0),
            stock_duals,
            float(amounts[:types].sum()),
            np.maximum(-prices[self.first_cut :], 0),
        )

    def whole_numbers(
        self, chosen: Int64Array, cost_limit: int, seconds: float, nodes: int | None
    ) -> tuple[Packing | None, bool]:
        """The best packing from the `chosen` columns that costs at most `cost_limit`: (packing or None, finished)."""
        solver = QuietSolver()
        form = self.form
        rows = form.types + len(self.limited)
        lower = np.concatenate([form.counts.astype(float), np.full(len(self.limited), -INFINITY)])
        upper = np.concatenate([np.full(form.types, INFINITY), form.stock[self.limited].astype(float)])
        none = np.empty(0, np.int32)
        solver.addRows(rows, lower, upper, 0, np.zeros(rows, np.int32), none, np.empty(0))
        patterns = [self.patterns[at] for at in chosen]
        for cut in self.cuts:
            solver.addRow(-INFINITY, float(form.counts[list(cut)].sum() // 2), 0, none, np.empty(0))
        starts, indexes, values = self.columns(patterns)
        cost = form.price[[kind for kind, _ in patterns]].astype(float)
        count = len(patterns)
        most = np.array([float((-(-form.counts[types] // copies)).max()) for _, (types, copies) in patterns])
        solver.addCols(count, cost, np.zeros(count), most, len(indexes), starts, indexes, values)
        every = np.arange(count, dtype=np.int32)
        solver.changeColsIntegrality(count, every, np.full(count, highspy.HighsVarType.kInteger))
        solver.addRow(-INFINITY, float(cost_limit), count, every, cost)
        solver.setOptionValue("mip_abs_gap", 0.99)
        solver.setOptionValue("objective_target", float(cost_limit))
        if seconds < 1e6:
            solver.setOptionValue("time_limit", max(seconds, 0.01))
        if nodes is not None:
            solver.setOptionValue("mip_max_nodes", nodes)
        solver.run()
        status = solver.getModelStatus()
        if solver.getInfo().primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
            return None, status == highspy.HighsModelStatus.kInfeasible
        times = np.rint(np.array(solver.getSolution().col_value)).astype(np.int64)
        return trimmed(form, [(patterns[at], int(times[at])) for at in np.flatnonzero(times > 0)]), True


class QuietSolver(highspy.Highs):
    """HiGHS without parallel work and without a word.

    highspy's own constructor sets up callbacks, and that prints a banner. The number of threads stays as it is: HiGHS
    has one pool a process and refuses to run with another number than the first user of it asked for.
    """

    def __init__(self) -> None:
        super(highspy.Highs, self).__init__()
        self.setOptionValue("output_flag", False)
        self.setOptionValue("parallel", "off")


def trimmed(form: Form, chosen: list[tuple[tuple[int, Sparse], int]]) -> Packing | None:
    """A packing from patterns that cover everything, perhaps more than once; None where they do not."""
    waiting = form.counts.copy()
    packing: Packing = []
    for (kind, (types, copies)), times in chosen:
        whole = min(times, int((waiting[types] // copies).min()))
        if whole:
            packing.append((kind, (types, copies), whole))
            waiting[types] -= copies * whole
        for _ in range(times - whole):
            part = np.minimum(copies, waiting[types])
            held = part > 0
            if held.any() and form.fits(kind, types[held], part[held]):
                packing.append((kind, (types[held], part[held]), 1))
                waiting[types] -= part
    return None if waiting.any() else packing
