"""Typed fields of one row of a dump file, found under any of the names that clients have given them.

Clients, their versions and the APIs behind them name one field differently ("Hypervisor Hostname", "name"); a row
answers by field, remembers which column it took, and refuses a bad value in one line that names file, object and
column. Knows nothing of what a field means.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from binwright.errors import InputError
from binwright.units import shown

__all__ = ["INT64_MAX", "Row", "Table", "plain"]

INT64_MAX = 2**63 - 1

_NOT_ALNUM = re.compile(r"[^a-z0-9]")
_DIGITS = re.compile(r"[+-]?[0-9]{1,40}")
_OLD_PROPERTY = re.compile(r"\s*([^=,\s][^=]*?)='((?:[^'\\]|\\.)*)'\s*(?:,|$)")
_NOTHING = ("", "none", "null", "-", "n/a")


def plain(column: str) -> str:
    """A column name without case, spaces and punctuation: "OS-EXT-SRV-ATTR:host" is "osextsrvattrhost"."""
    return _NOT_ALNUM.sub("", column.casefold())


class Table:
    """One kind of object in one file: its synonyms (field -> plain column names, best first) and the columns taken."""

    def __init__(self, file: str, kind: str, synonyms: Mapping[str, Iterable[str]], taken: dict[str, str]) -> None:
        self.file = file
        self.kind = kind
        self.taken = taken
        self._synonyms = synonyms
        self._known: dict[tuple[str, ...], dict[str, str]] = {}

    def rows(self, objects: Iterable[Any], called: Iterable[str] = ("name", "hostname", "id")) -> list[Row]:
        """The objects as rows; in errors each is called by the first of the fields `called` it has, or its number."""
        rows = []
        for number, data in enumerate(objects, 1):
            if not isinstance(data, dict):
                raise InputError(f"{self.file}: {self.kind} {number}: {shown(data)} is not an object")
            row = Row(self, data, str(number))
            row.label = next((text for field in called if (text := row.label_of(field))), str(number))
            rows.append(row)
        return rows

    def columns(self, data: dict[str, Any]) -> dict[str, str]:
        """Field -> the column of `data` that holds it; rows of a file share their columns, so this is a look-up."""
        key = tuple(data)
        known = self._known.get(key)
        if known is None:
            by_plain: dict[str, str] = {}
            for column in data:
                by_plain.setdefault(plain(str(column)), column)
            known = {}
            for field, names in self._synonyms.items():
                found = [by_plain[name] for name in names if name in by_plain]
                if found:
                    known[field] = found[0]
            self._known[key] = known
        return known


class Row:
    """One object of a file. Every reader takes a field of the table's synonyms; None means absent, null or empty."""

    __slots__ = ("_columns", "_table", "data", "label")

    def __init__(self, table: Table, data: dict[str, Any], label: str) -> None:
        self._table = table
        self._columns = table.columns(data)
        self.data = data
        self.label = label

    @property
    def where(self) -> str:
        """File and object, the beginning of every error about this row."""
        return f"{self._table.file}: {self._table.kind} {self.label}"

    def label_of(self, field: str) -> str | None:
        """The raw text of a field, for naming the row only."""
        value = self.data.get(self._columns.get(field, ""))
        return shown(value)[1:-1] if isinstance(value, str) and value else None

    def column(self, field: str) -> str:
        """The column's name as the file has it, or the field's where the file lacks it."""
        return self._columns.get(field, field)

    def has(self, field: str) -> bool:
        """Whether the file has a column for the field, with or without a value."""
        return field in self._columns

    def refuse(self, field: str, what: str) -> NoReturn:
        """Raise the one-line error about a field."""
        raise InputError(f"{self.where}: {self.column(field)}: {what}")

    def need(self, field: str, value: Any) -> Any:
        """`value`, refused when it is None: the field is missing."""
        if value is None:
            self.refuse(field, "missing")
        return value

    def raw(self, field: str) -> Any:
        """The value as it stands in the file."""
        column = self._columns.get(field)
        if column is None:
            return None
        value = self.data[column]
        if value is not None and field not in self._table.taken:
            self._table.taken[field] = column
        return value

    def text(self, field: str) -> str | None:
        """A text; numbers (ids) are taken as their digits."""
        value = self.raw(field)
        if value is None or value == "":
            return None
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str):
            self.refuse(field, f"{shown(value)} is not a text")
        return value

    def reference(self, field: str) -> str | None:
        """A text that names something else; the words with which clients print nothing ("None", "-") are None."""
        value = self.text(field)
        return None if value is None or value.strip().casefold() in _NOTHING else value

    def whole(self, field: str, most: int = INT64_MAX, least: int = 0) -> int | None:
        """An integer from `least` to `most`; digits in a string are accepted, as cliff prints some columns."""
        value = self.raw(field)
        if value is None or value == "":
            return None
        digits = isinstance(value, str) and _DIGITS.fullmatch(value.strip())
        if digits or (isinstance(value, float) and value.is_integer()):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            self.refuse(field, f"{shown(value)} is not a whole number")
        if value < least:
            self.refuse(field, f"{shown(value)} is {'negative' if value < 0 else f'less than {least}'}")
        if value > most:
            self.refuse(field, f"{shown(value)} is more than {most}")
        return value

    def real(self, field: str) -> float | None:
        """A finite number that is not negative."""
        value = self.raw(field)
        if value is None or value == "":
            return None
        if isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                self.refuse(field, f"{shown(value)} is not a number")
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self.refuse(field, f"{shown(value)} is not a number")
        if isinstance(value, float) and not math.isfinite(value):
            self.refuse(field, f"{value} is not a finite number")
        if value < 0:
            self.refuse(field, f"{shown(value)} is negative")
        if value > 2**127:
            self.refuse(field, f"{shown(value)} is too large a number")
        return float(value)

    def mapping(self, field: str) -> dict[str, Any]:
        """An object, empty when absent."""
        value = self.raw(field)
        if value is None or value == "":
            return {}
        if not isinstance(value, dict):
            self.refuse(field, f"{shown(value)} is not an object")
        return value

    def properties(self, field: str) -> dict[str, str]:
        """Key and value texts: an object, or the one string that clients before version 5 print (k='v', l='w')."""
        value = self.raw(field)
        if value is None or value == "":
            return {}
        if isinstance(value, str):
            return self._old_properties(field, value)
        if not isinstance(value, dict):
            self.refuse(field, f"{shown(value)} is not an object of texts")
        for key, item in value.items():
            if not isinstance(item, (str, int, float, bool)):
                self.refuse(field, f"{key}: {shown(item)} is not a text")
        return {str(key): item if isinstance(item, str) else str(item) for key, item in value.items()}

    def _old_properties(self, field: str, text: str) -> dict[str, str]:
        found: dict[str, str] = {}
        end = 0
        while end < len(text):
            match = _OLD_PROPERTY.match(text, end)
            if match is None:
                self.refuse(field, f"{shown(text)} is not of the form key='value', key='value'")
            found[match.group(1)] = match.group(2)
            end = match.end()
        return found

    def names(self, field: str) -> tuple[str, ...]:
        """Texts: a list, or one string with commas between them."""
        value = self.raw(field)
        if value is None or value == "":
            return ()
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        if not isinstance(value, list) or not all(isinstance(item, (str, int)) for item in value):
            self.refuse(field, f"{shown(value)} is not a list of texts")
        return tuple(str(item) for item in value)
