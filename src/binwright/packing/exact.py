"""With a solver: column generation, then dives, cuts, whole numbers and cases in turn until value and bound meet."""

from __future__ import annotations

import numpy as np

from binwright.packing.branch import Branching
from binwright.packing.correct import Correction
from binwright.packing.cuts import tighten
from binwright.packing.dive import Dive, whole_parts
from binwright.packing.generate import root, start_patterns
from binwright.packing.greedy import cost_of
from binwright.packing.master import Master, Solution
from binwright.packing.pool import complete
from binwright.packing.pricer import Pricing
from binwright.packing.problem import Problem
from binwright.packing.search import Search
from binwright.packing.state import State
from binwright.packing.tree import can_split

ATTEMPTS = 400
TURNS = 8  # of value correction after each dive
CUT_ROUNDS = 6  # once the quick dives are over
QUICK = 1  # the last attempt before what takes longer than a dive: all contents, and cuts
WHOLE_EVERY = 5  # attempts at diving per attempt in whole numbers
WHOLE_NODES = 2_000  # of the restricted master where no clock runs
CASES_EVERY = 2  # attempts at diving before some cases
CASES = 12  # at first, more each time
MOST_SPLIT = 700  # items of which cases are made


def run(search: Search, problem: Problem, pricing: Pricing, correction: Correction) -> None:
    """Improve bound and packing until they meet or the limits end it."""
    master = Master(search.form)
    unpacked = State(search.form, search.form.counts, search.form.stock, [])
    start_patterns(search, master)
    solution = root(search, master, pricing)
    if solution is None and search.left > 0.1:
        search.notes.append("no column generation: the linear program failed")
        return
    if search.over or solution is None:
        return
    branching: Branching | None = None
    for attempt in range(ATTEMPTS):
        Dive(search, master, pricing, attempt, search.bound).run()
        while not search.over and search.ceiling - search.bound > 1:
            if not Dive(search, master, pricing, attempt, search.ceiling - 1).run():
                break
        if not search.over:
            correction.run(unpacked if attempt % 2 else whole_parts(search.form, master, solution), TURNS)
        if attempt == QUICK and not search.over:
            complete(search, problem, master, pricing, solution)
        if attempt == QUICK and not search.over:
            solution = tighten(search, master, pricing, CUT_ROUNDS) or solution
        if attempt % WHOLE_EVERY == WHOLE_EVERY - 1 and not search.over:
            whole_numbers(search, master, solution, attempt // WHOLE_EVERY)
        if search.over:
            return
        if attempt % CASES_EVERY == CASES_EVERY - 1 and search.cost is not None and can_split(problem, MOST_SPLIT):
            if branching is None or branching.goal != search.cost:
                branching = Branching(search, problem)
            branching.advance(CASES * (attempt // CASES_EVERY + 1))
            if search.over:
                return


def whole_numbers(search: Search, master: Master, solution: Solution, attempt: int) -> None:
    """The restricted master in whole numbers over the patterns that cost least beyond their worth."""
    form = search.form
    limit = search.ceiling - 1
    gains = master.gains(solution)
    room = limit - solution.value + 1e-6
    chosen = np.flatnonzero(gains <= max(room, 1e-6))
    most = 4000 * (attempt + 1)
    if len(chosen) > most:
        chosen = np.sort(chosen[np.argsort(gains[chosen], kind="stable")[:most]])
    if not len(chosen):
        return
    timed = search.left < 1e6
    seconds = min(search.left, 5.0 * (attempt + 1)) if timed else search.left
    packing, _ = master.whole_numbers(chosen, limit, seconds, None if timed else WHOLE_NODES)
    search.iterations += 1
    if packing is not None:
        search.found(cost_of(form, packing), packing)
