"""CSV text as a table of strings. Which columns mean what is the layers' business."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from binwright.errors import InputError
from binwright.formats.files import Blob
from binwright.units import shown

__all__ = ["Table", "read_csv"]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under named columns, all strings; `lines[i]` is the line of the file on which row i begins."""

    name: str
    columns: tuple[str, ...]
    rows: list[list[str]]
    lines: list[int]

    def where(self, row: int, column: str) -> str:
        """The words that name one cell in an error."""
        return f"{self.name}: line {self.lines[row]}: {column}"


def read_csv(blob: Blob) -> Table:
    """A CSV text whose first row names the columns; blank lines are left out.

    Raises InputError "FILE: line N: ..." for a missing, empty or repeated column name, a row of another length, an
    unclosed quote, a field of more than 128 KiB, or text that is not UTF-8.
    """
    try:
        text = blob.data.decode()
    except UnicodeDecodeError:
        raise InputError(f"{blob.name}: not UTF-8 text") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    columns: tuple[str, ...] | None = None
    rows: list[list[str]] = []
    lines: list[int] = []
    line = 1
    try:
        for row in reader:
            if not any(cell.strip() for cell in row):
                pass
            elif columns is None:
                columns = tuple(cell.strip() for cell in row)
                _check_columns(blob.name, columns)
            elif len(row) != len(columns):
                raise InputError(f"{blob.name}: line {line}: {len(row)} fields under {len(columns)} columns")
            else:
                rows.append(row)
                lines.append(line)
            line = reader.line_num + 1
    except csv.Error as problem:
        raise InputError(f"{blob.name}: line {line}: broken CSV: {problem}") from None
    if columns is None:
        raise InputError(f"{blob.name}: the file is empty")
    return Table(blob.name, columns, rows, lines)


def _check_columns(name: str, columns: tuple[str, ...]) -> None:
    seen: set[str] = set()
    for column in columns:
        if not column:
            raise InputError(f"{name}: a column without a name")
        if column in seen:
            raise InputError(f"{name}: the column {shown(column)} stands twice")
        seen.add(column)
