"""The VBP text format of vector bin packing: resources, capacities, number of types, then weights and count a line."""

from __future__ import annotations

from itertools import chain

from binwright.errors import InputError
from binwright.formats.bpp import VectorTable
from binwright.formats.files import Blob
from binwright.formats.numbers import lines_of

__all__ = ["read_vbp"]


def read_vbp(blob: Blob) -> VectorTable:
    """One instance; numbers may stand on any line. Raises InputError for what is missing or left over."""
    numbers = list(chain.from_iterable(line.values for line in lines_of(blob)))
    resources = numbers[0]
    if not 1 <= resources <= 64:
        raise InputError(f"{blob.name}: {resources} resources, needs 1 to 64")
    if len(numbers) < resources + 2:
        raise InputError(f"{blob.name}: ends before the number of types")
    capacity = tuple(numbers[1 : resources + 1])
    types, rest = numbers[resources + 1], numbers[resources + 2 :]
    if len(rest) != types * (resources + 1):
        raise InputError(
            f"{blob.name}: {len(rest)} numbers after the head, {types} types of {resources} weights and a count need "
            f"{types * (resources + 1)}"
        )
    rows = [rest[at : at + resources + 1] for at in range(0, len(rest), resources + 1)]
    return VectorTable(blob.name, capacity, [tuple(row[:-1]) for row in rows], [row[-1] for row in rows])
