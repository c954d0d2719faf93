"""From a packing of the form back to the items of the problem."""

from __future__ import annotations

from binwright.packing.check import Pattern
from binwright.packing.form import Bundle, Form
from binwright.packing.greedy import Packing


def expand(form: Form, packing: Packing) -> list[Pattern]:
    """Patterns over the rows of the problem; a pattern splits where the items of one row run out."""
    sources = [[[bundle, bundle.count] for bundle in bundles] for bundles in form.bundles]
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


def take(source: list[list[Bundle | int]], wanted: int, times: int, held: dict[int, int]) -> int:
    """Add what `wanted` bundles from the front of a source hold; how many bins can be filled alike, at most `times`."""
    for bundle, waiting in source:
        part = min(wanted, waiting)
        if not part:
            continue
        for row, copies in bundle.parts:
            held[row] = held.get(row, 0) + copies * part
        times = min(times, waiting // part)
        wanted -= part
        if not wanted:
            break
    return times


def use(source: list[list[Bundle | int]], wanted: int, times: int) -> None:
    """Take out what `take` told, `times` over."""
    for entry in source:
        part = min(wanted, entry[1])
        entry[1] -= part * times
        wanted -= part
        if not wanted:
            break
    while source and not source[0][1]:
        source.pop(0)


def joined(patterns: list[Pattern]) -> list[Pattern]:
    """Equal patterns as one, at the place of the first."""
    counts: dict[tuple[int, tuple[tuple[int, int], ...]], int] = {}
    for kind, pairs, count in patterns:
        counts[kind, pairs] = counts.get((kind, pairs), 0) + count
    return [(kind, pairs, count) for (kind, pairs), count in counts.items()]
