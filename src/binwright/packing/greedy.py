"""Packings without a solver: first and best fit in several orders, the bin-centric greedy; the best of them.

Works on the form; a packing is a list of (kind of bin, pattern int64 (T,), bins).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from binwright._core.firstfit import FirstFit
from binwright._core.pack import Packer
from binwright.packing.form import Form
from binwright.packing.problem import Int64Array

Sparse = tuple[Int64Array, Int64Array]  # types, copies
Packing = list[tuple[int, Sparse, int]]

MEASURES = {"dot product": 0, "nearest": 1}
MOST_CENTRIC = 3 * 10**8  # steps of the bin-centric greedy, roughly
MOST_SCANS = 5 * 10**8
MOST_SHAPES = 50_000  # beyond that one order is tried
SCANS_A_SECOND = 2e7  # where a clock runs; first fit cannot be interrupted
CENTRIC_A_SECOND = 1e8


def best_greedy(
    form: Form, target: int, left: Callable[[], float] = lambda: float("inf")
) -> tuple[int, Packing] | None:
    """The cheapest packing of the constructive rules; stops at one that costs `target`. None: no rule packs all.

    `left`: seconds that are left; where there are none only the first rule that packs all is tried.
    """
    best: tuple[int, Packing] | None = None
    for packing in packings(form, left()):
        if packing is None:
            continue
        cost = cost_of(form, packing)
        if best is None or cost < best[0]:
            best = cost, packing
        if cost <= target or left() <= 0:
            break
    return best


def cost_of(form: Form, packing: Packing) -> int:
    """Units of price."""
    return sum(int(form.price[kind]) * count for kind, _, count in packing)


def packings(form: Form, seconds: float) -> Iterator[Packing | None]:
    """One packing after another, quick rules first, none that takes much longer; None where a rule gets stuck."""
    if form.plain and (form.weights <= form.capacity[0]).all():
        for order, best in orders(form):
            yield first_fit(form, order, best, min(MOST_SCANS, seconds * SCANS_A_SECOND))
    if float(form.counts.sum()) and centric_work(form) < min(MOST_CENTRIC, seconds * CENTRIC_A_SECOND):
        for measure in MEASURES.values():
            yield centric(form, measure)
    elif not form.plain:
        yield centric(form, 0)


def centric_work(form: Form) -> float:
    """Steps of the bin-centric greedy: types times resources times kinds for each item that a pattern takes."""
    shares = (form.weights / np.maximum(form.capacity.max(axis=0), 1)).max(axis=1)
    per_bin = float(form.counts.sum()) / max(float((shares * form.counts).sum()), 1.0)
    patterns = min(float(form.counts.sum()) / max(per_bin, 1.0), 4.0 * form.types)
    return float(patterns * (per_bin + 1) * form.types * form.weights.shape[1] * form.kinds)


def orders(form: Form) -> Iterator[tuple[Int64Array, bool]]:
    """(order of types, best fit or first fit)."""
    shares = form.weights / np.maximum(form.capacity[0], 1)
    urgency = form.counts @ shares
    urgency = urgency / max(float(urgency.max()), 1e-300)
    index = np.arange(form.types)
    sizes = {"sum": (shares * urgency).sum(axis=1), "largest": shares.max(axis=1)}
    if form.weights.shape[1] > 1:
        sizes["length"] = (shares * shares).sum(axis=1)
    if form.types > MOST_SHAPES:
        sizes = {"sum": sizes["sum"]}
    for size in sizes.values():
        order = np.lexsort((index, -size)).astype(np.int64)
        yield order, False
        if form.types <= MOST_SHAPES:
            yield order, True
    if form.weights.shape[1] > 1:
        yield index.astype(np.int64), False  # as given: decreasing order separates shapes that belong together


def first_fit(form: Form, order: Int64Array, best: bool, scans: float) -> Packing:
    """First or best fit in this order; of many shapes only the bins opened last are looked at."""
    window = max(int(scans / max(form.types, 1)), 64)
    made = FirstFit(form.weights, form.counts, order, form.capacity[0], best, window)
    groups, entries = made.sizes
    counts, ends = np.empty(groups, np.int64), np.empty(groups, np.int64)
    types, copies = np.empty(entries, np.int64), np.empty(entries, np.int64)
    made.fill_patterns(counts, ends, types, copies)
    starts = np.concatenate([[0], ends[:-1]]) if groups else ends
    return [
        (0, (types[start:end], copies[start:end]), count)
        for start, end, count in zip(starts.tolist(), ends.tolist(), counts.tolist())
    ]


def centric(
    form: Form,
    measure: int,
    values: npt.NDArray[np.float64] | None = None,
    counts: Int64Array | None = None,
    stock: Int64Array | None = None,
) -> Packing | None:
    """The bin-centric greedy on `counts` (default: all); None when items are left that no bin in stock takes."""
    waiting = form.counts if counts is None else counts
    packer = Packer(
        form.weights,
        waiting,
        form.capacity,
        form.price,
        form.stock if stock is None else stock,
        form.allowed,
        np.zeros(form.types) if values is None else values,
        form.conflicts,
    )
    packing: Packing = []
    pattern = np.empty(form.types, np.int64)
    packed = np.zeros(form.types, np.int64)
    while True:
        kind, times = packer.step(measure, pattern)
        if kind < 0:
            break
        held = np.flatnonzero(pattern)
        packing.append((kind, (held, pattern[held]), times))
        packed[held] += pattern[held] * times
    return packing if (packed == waiting).all() else None
