"""The picture of a packing: how full the bins are, and value and bound over time. Needs the extra `plot`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from binwright.errors import InputError, MissingExtraError
from binwright.packing.result import PackResult, priced

FORMATS = (".svg", ".png")


def draw(result: PackResult, resources: Sequence[str], path: str | os.PathLike[str]) -> None:
    """Write the picture to `path` (.svg or .png). Raises InputError for another suffix, MissingExtraError."""
    suffix = os.path.splitext(os.fspath(path))[1].lower()
    if suffix not in FORMATS:
        raise InputError(f"{os.fspath(path)}: a picture is {' or '.join(FORMATS)}")
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure
    except ModuleNotFoundError as missing:
        raise MissingExtraError.for_module("matplotlib", extra="plot") from missing
    figure = Figure(figsize=(9, 7), layout="constrained")
    (FigureCanvasSVG if suffix == ".svg" else FigureCanvasAgg)(figure)
    filled, moments = figure.subplots(2, 1)
    draw_fill(filled, result, resources)
    draw_moments(moments, result)
    # no date and fixed ids: equal results are equal files
    metadata = {"Date": None} if suffix == ".svg" else {}
    import matplotlib

    with matplotlib.rc_context({"svg.hashsalt": "binwright"}):
        figure.savefig(path, metadata=metadata)


def draw_fill(axes: Any, result: PackResult, resources: Sequence[str]) -> None:
    """One line a resource over the bins, fullest bins first: the used share of the capacity."""
    capacity = result.problem.bins.capacity
    counts = np.array([count for _, _, count in result.patterns], np.int64)
    shares = np.zeros((len(counts), capacity.shape[1]))
    for at, (kind, pairs, _) in enumerate(result.patterns):
        used = sum(result.problem.items.weights[row] * float(copies) for row, copies in pairs)
        shares[at] = used / np.maximum(capacity[kind], 1)
    order = np.argsort(-shares.mean(axis=1), kind="stable") if len(counts) else counts
    edges = np.concatenate([[0], np.cumsum(counts[order])])
    for resource, name in enumerate(resources):
        axes.stairs(100 * shares[order, resource], edges, label=str(name), baseline=None)
    axes.set(xlabel="bins", ylabel="used, %", ylim=(0, 105))
    axes.set_title(f"{result.bins} bins, value {result.value}, bound {result.bound}, {result.status}")
    axes.legend(loc="lower left")


def draw_moments(axes: Any, result: PackResult) -> None:
    """Value and bound as they moved."""
    unit = result.problem.bins.price_unit
    times = [moment.seconds for moment in result.history] + [result.seconds]
    for name, units in (
        ("value", [moment.value for moment in result.history] + [result.cost]),
        ("bound", [moment.bound for moment in result.history] + [result.least]),
    ):
        known = [(at, priced(amount, unit)) for at, amount in zip(times, units) if amount is not None]
        axes.step([at for at, _ in known], [amount for _, amount in known], where="post", label=name)
    axes.set(xlabel="seconds", ylabel="price of the bins")
    axes.legend(loc="best")
