"""The BPP text format of one-dimensional bin packing: number of lines, capacity, then "weight" or "weight count"."""

from __future__ import annotations

from dataclasses import dataclass

from binwright.errors import InputError
from binwright.formats.files import Blob
from binwright.formats.numbers import lines_of

__all__ = ["VectorTable", "read_bpp"]


@dataclass(frozen=True, slots=True)
class VectorTable:
    """Capacities and rows of (weights, count), as the packing text formats have them."""

    name: str
    capacity: tuple[int, ...]
    weights: list[tuple[int, ...]]
    counts: list[int]


def read_bpp(blob: Blob) -> VectorTable:
    """One instance. Raises InputError naming the line for what is missing, left over or not a number."""
    lines = lines_of(blob)
    head = [value for line in lines[:2] for value in line.values]
    if len(head) != 2 or any(len(line.values) != 1 for line in lines[:2]):
        raise InputError(f"{blob.name}: line {lines[0].number}: the number of items, then the capacity, a line each")
    rows = lines[2:]
    if len(rows) != head[0]:
        raise InputError(f"{blob.name}: {len(rows)} lines of items, the first line says {head[0]}")
    for line in rows:
        if len(line.values) > 2:
            raise InputError(f"{blob.name}: line {line.number}: {len(line.values)} numbers, needs a weight and a count")
    return VectorTable(
        blob.name,
        (head[1],),
        [line.values[:1] for line in rows],
        [line.values[1] if len(line.values) == 2 else 1 for line in rows],
    )
