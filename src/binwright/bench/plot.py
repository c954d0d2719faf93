"""A history of results as a picture: each workload's calibration loops over time, on a logarithmic scale."""

import os
from collections.abc import Sequence
from typing import Any

from binwright.bench.results import records
from binwright.errors import MissingExtraError


def draw(results: Sequence[dict[str, Any]], path: str | os.PathLike[str]) -> None:
    """Write an SVG or PNG by the path's ending; needs the extra `plot`."""
    try:
        import matplotlib

        matplotlib.use("agg")
        from matplotlib import pyplot
    except ModuleNotFoundError as missing:
        raise MissingExtraError.for_module("matplotlib", extra="plot") from missing
    lines: dict[tuple[str, int, int], tuple[list[int], list[float]]] = {}
    for position, document in enumerate(results):
        for one in records(document):
            steps, ratios = lines.setdefault((one.work, one.hosts, one.resources), ([], []))
            steps.append(position)
            ratios.append(one.ratio)
    figure, axes = pyplot.subplots(figsize=(10, 6), layout="constrained")
    for (work, hosts, resources), (steps, ratios) in lines.items():
        axes.plot(steps, ratios, marker=".", label=f"{work}, {hosts:,} hosts, {resources} resources")
    axes.set_yscale("log")
    axes.set_ylabel("time of a run, in calibration loops")
    axes.set_xticks(range(len(results)), [f"{one['date'][:10]}\n{one['binwright']}" for one in results], fontsize=8)
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.savefig(path)
    pyplot.close(figure)
