"""Text of nothing but whole numbers, line by line; what the packing text formats are made of."""

from __future__ import annotations

import re
from dataclasses import dataclass

from binwright.errors import InputError
from binwright.formats.files import Blob
from binwright.units import shown

__all__ = ["Line", "lines_of"]

_WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Line:
    """The numbers of one line, and which line of the file it is."""

    number: int
    values: tuple[int, ...]


def lines_of(blob: Blob) -> list[Line]:
    """The lines that hold numbers; blank lines and what follows a "#" are left out.

    Raises InputError "FILE: line N: ..." for anything that is not a whole number of up to 18 digits.
    """
    try:
        text = blob.data.decode()
    except UnicodeDecodeError:
        raise InputError(f"{blob.name}: not UTF-8 text") from None
    lines = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split("#", 1)[0].split()
        for word in words:
            if not _WHOLE.fullmatch(word):
                raise InputError(f"{blob.name}: line {number}: {shown(word)} is not a whole number")
        if words:
            lines.append(Line(number, tuple(map(int, words))))
    if not lines:
        raise InputError(f"{blob.name}: the file is empty")
    return lines
