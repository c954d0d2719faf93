"""Cuts where the bound of the linear program stays below the packing: subset-row cuts (Jepsen et al. 2008).

Of up to three types together with an odd number of items, no packing holds more pairs within its bins than half of
that number, rounded down; fractional amounts of patterns often do. The prices of such cuts go into pricing as fines and
into the certificate, which the checker verifies like any other.
"""

from __future__ import annotations

import numpy as np

from binwright.packing.certificate import can_cut
from binwright.packing.form import Form
from binwright.packing.generate import root
from binwright.packing.master import Master, Solution
from binwright.packing.pricer import Floats, Pricing
from binwright.packing.problem import BoolArray
from binwright.packing.search import Search

NEAR = 1e-6
VIOLATED = 0.02  # pairs too many, at least
A_ROUND = 60  # cuts
A_TYPE = 6  # of them with the same type
LOOKED_AT = 2_000
ORDERS = 2  # of elimination
MOST_TYPES = 9  # of a cut
STEPS = 20_000_000  # of one search of one kind


def tighten(search: Search, master: Master, pricing: Pricing, rounds: int) -> Solution | None:
    """Cuts and new patterns in turn, up to so many rounds of cuts; the last solution, None where the solver fails.

    Ends early when value and bound have met or no cut is left.
    """
    able = can_cut(search.form)
    solution = root(search, master, pricing, converge=False, most_steps=STEPS)
    for _ in range(rounds):
        if solution is None or search.over:
            break
        fresh = violated(search.form, master, solution, able)
        if not fresh:
            break
        master.cut(fresh)
        pricing.cut(master.cuts)
        solution = root(search, master, pricing, converge=False, most_steps=STEPS)
    return solution


def violated(form: Form, master: Master, solution: Solution, able: BoolArray) -> list[tuple[int, ...]]:
    """New cuts that the amounts break, the most broken first, few with the same type."""
    used = np.flatnonzero(solution.amounts > NEAR)
    amounts = solution.amounts[used]
    held = np.zeros((len(used), form.types), np.int64)
    for row, at in enumerate(used.tolist()):
        types, copies = master.patterns[at][1]
        held[row, types] = copies
    known = set(master.cuts)
    found = candidates(form, held, amounts, able)
    if len(found) < A_ROUND:
        found += even_sets(form, held, amounts, able)
    broken = []
    for cut in dict.fromkeys(found):
        if cut in known:
            continue
        members = list(cut)
        pairs = float((held[:, members].sum(axis=1) // 2) @ amounts)
        over = pairs - int(form.counts[members].sum()) // 2
        if over > VIOLATED:
            broken.append((-over, cut))
    chosen: list[tuple[int, ...]] = []
    times = np.zeros(form.types, np.int64)
    for _, cut in sorted(broken):
        members = list(cut)
        if len(chosen) < A_ROUND and (times[members] < A_TYPE).all():
            chosen.append(cut)
            times[members] += 1
    return chosen


def candidates(form: Form, held: np.ndarray, amounts: Floats, able: BoolArray) -> list[tuple[int, ...]]:
    """Sets of one to three types that may be broken, the most promising first.

    What a set of three can break is at most its pairs of types and of copies; so one of its types shares bins with both
    others.
    """
    some = np.minimum(held, 1)
    shared = np.asarray(some.T @ (some * amounts[:, None]))
    np.fill_diagonal(shared, 0)
    alike = (held // 2).T @ amounts
    scored: dict[tuple[int, ...], float] = {}
    for first in np.flatnonzero(able & (some.sum(axis=0) > 0)).tolist():
        near = np.flatnonzero((shared[first] > NEAR) & able)
        if form.counts[first] % 2 and alike[first] - form.counts[first] // 2 > VIOLATED:
            scored[(first,)] = float(alike[first] - form.counts[first] // 2)
        two = shared[first, near] + alike[first] + alike[near] - (form.counts[first] + form.counts[near]) // 2
        odd = (form.counts[first] + form.counts[near]) % 2 == 1
        for at in np.flatnonzero((two > VIOLATED) & odd).tolist():
            scored[tuple(sorted((first, int(near[at]))))] = float(two[at])
        total = form.counts[first] + form.counts[near][:, None] + form.counts[near][None, :]
        three = shared[first, near][:, None] + shared[first, near][None, :] + shared[np.ix_(near, near)]
        three = three + alike[first] + alike[near][:, None] + alike[near][None, :] - total // 2
        for left, right in np.argwhere(np.triu((three > VIOLATED) & (total % 2 == 1), 1)).tolist():
            scored[tuple(sorted((first, int(near[left]), int(near[right]))))] = float(three[left, right])
    return sorted(scored, key=lambda cut: (-scored[cut], cut))[:LOOKED_AT]


def even_sets(form: Form, held: np.ndarray, amounts: Floats, able: BoolArray) -> list[tuple[int, ...]]:
    """Sets of types with an odd number of items of which fractional patterns hold even numbers: broken by a half each.

    Found by elimination modulo 2; patterns of small amounts are left out in turn, which makes the sets smaller.
    """
    fractional = np.abs(amounts - np.rint(amounts)) > NEAR
    types = np.flatnonzero(able & (held[fractional].sum(axis=0) > 0))
    found: set[tuple[int, ...]] = set()
    if not len(types):
        return []
    rng = np.random.default_rng(len(types))
    for least in (0.0, 0.15, 0.3):
        parity = held[np.ix_(fractional & (amounts - np.floor(amounts) > least), types)].T % 2 == 1
        for _ in range(ORDERS):
            order = rng.permutation(len(types))
            for members in null_space(parity[order]):
                cut = types[order[members]]
                if len(cut) <= MOST_TYPES and form.counts[cut].sum() % 2:
                    found.add(tuple(sorted(cut.tolist())))
    return sorted(found, key=lambda cut: (len(cut), cut))


def null_space(rows: BoolArray) -> list[np.ndarray]:
    """Sets of rows that add up to zero modulo 2, by elimination: at most one for each row."""
    count, columns = rows.shape
    left = np.hstack([rows, np.eye(count, dtype=bool)])
    free = np.ones(count, bool)
    for column in range(columns):
        ones = np.flatnonzero(left[:, column])
        pivots = ones[free[ones]]
        if len(pivots):
            pivot = pivots[left[pivots, columns:].sum(axis=1).argmin()]
            left[ones[(ones != pivot) & free[ones]]] ^= left[pivot]
            free[pivot] = False
    return [np.flatnonzero(row[columns:]) for row in left[free]]
