"""From a packing of the form back to the items of the problem."""

from __future__ import annotations

from dataclasses import dataclass

from binwright.packing.check import Pattern
from binwright.packing.form import Bundle, Form
from binwright.packing.greedy import Packing


@dataclass(slots=True)
class Source:
    """Bundles of one kind, and how many of them are not yet packed."""

    bundle: Bundle
    waiting: int


def expand(form: Form, packing: Packing) -> list[Pattern]:
    """Patterns over the rows of the problem; a pattern splits where the items of one row run out."""
    sources = [[Source(bundle, bundle.count) for bundle in bundles] for bundles in form.bundles]
    result: list[Pattern] = []
    for kind, (types, copies), count in packing:
        left = count
        while left:
            times = left
            held: dict[int, int] = {}
            for number, wanted in zip(types.tolist(), copies.tolist()):
                times = min(times, take(sources[number], wanted, times, held))
            result.append((kind, tuple(sorted(held.items())), times))
            for number, wanted in zip(types.tolist(), copies.tolist()):
                use(sources[number], wanted, times)
            left -= times
    return joined(result)


def take(source: list[Source], wanted: int, times: int, held: dict[int, int]) -> int:
    """Add what `wanted` bundles from the front of a source hold; how many bins can be filled alike, at most `times`."""
    for entry in source:
        part = min(wanted, entry.waiting)
        if not part:
            continue
        for row, copies in entry.bundle.parts:
            held[row] = held.get(row, 0) + copies * part
        times = min(times, entry.waiting // part)
        wanted -= part
        if not wanted:
            break
    return times


def use(source: list[Source], wanted: int, times: int) -> None:
    """Take out what `take` told, `times` over."""
    for entry in source:
        part = min(wanted, entry.waiting)
        entry.waiting -= part * times
        wanted -= part
        if not wanted:
            break
    while source and not source[0].waiting:
        source.pop(0)


def joined(patterns: list[Pattern]) -> list[Pattern]:
    """Equal patterns as one, at the place of the first."""
    counts: dict[tuple[int, tuple[tuple[int, int], ...]], int] = {}
    for kind, pairs, count in patterns:
        counts[kind, pairs] = counts.get((kind, pairs), 0) + count
    return [(kind, pairs, count) for (kind, pairs), count in counts.items()]
