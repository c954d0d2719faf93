"""Properties of one resource of a template, each read where it is wanted: typed, checked, or not known.

What a function that is not evaluated would give is listed by whoever reads, never guessed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from binwright.errors import InputError
from binwright.openstack.heat.values import Scope, Unknown, unknowns
from binwright.units import shown

__all__ = ["NotTold", "Properties"]

FUNCTIONS = "Heat functions that only a running stack can evaluate"
PARAMETERS = "Heat parameters without a value"


class NotTold(Exception):
    """A resource cannot be placed: what it needs is not known. (rule, example)"""

    def __init__(self, rule: str, example: str) -> None:
        super().__init__(rule, example)
        self.rule = rule
        self.example = example


class Properties:
    """The properties of the resource that `where` names. `skipped` collects what optional ones would have needed."""

    def __init__(self, where: str, data: Mapping[str, Any], scope: Scope, skipped: list[tuple[str, str]]) -> None:
        self.where = where
        self._data = data
        self._scope = scope
        self._skipped = skipped

    def raw(self, name: str) -> Any:
        """The value as it is, also where it or a part of it is Unknown."""
        return self._scope.value(self._data.get(name))

    def get(self, name: str, *, needed: bool = False) -> Any:
        """The value, None if there is none or it is not known. Raises NotTold for one that is needed and not known."""
        value = self.raw(name)
        unknown = next(unknowns(value), None)
        if unknown is None:
            if value is None and needed:
                raise InputError(f"{self.where}: {name}: missing")
            return value
        example = f"{self.where}: {name}: {unknown.why}"
        if needed and unknown.parameter:
            raise InputError(f"{self.where}: {name}: parameter {unknown.why!r} has no value (an environment gives it)")
        if needed:
            raise NotTold(FUNCTIONS, example)
        self._skipped.append((PARAMETERS if unknown.parameter else FUNCTIONS, example))
        return None

    def text(self, name: str, *, needed: bool = False) -> str | None:
        """A text; numbers are taken as their digits, an empty text is none."""
        value = self.get(name, needed=needed)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if value is not None and not isinstance(value, str):
            raise InputError(f"{self.where}: {name}: {shown(value)} is not a text")
        if needed and not value:
            raise InputError(f"{self.where}: {name}: missing")
        return value or None

    def whole(self, name: str, most: int, *, least: int = 0, needed: bool = False) -> int | None:
        """A whole number in least..most; digits in a text are taken."""
        value = self.get(name, needed=needed)
        if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
            value = int(value)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise InputError(f"{self.where}: {name}: {shown(value)} is not a whole number")
        if value is not None and not least <= value <= most:
            raise InputError(f"{self.where}: {name}: {value} is not in {least}..{most}")
        return value

    def mapping(self, name: str) -> dict[str, Any]:
        """An object, empty if there is none."""
        value = self.get(name)
        if value is not None and not isinstance(value, dict):
            raise InputError(f"{self.where}: {name}: {shown(value)} is not an object")
        return value or {}

    def rows(self, name: str, fields: Collection[str]) -> list[dict[str, Any]]:
        """A list of objects with these fields, those that are not known left out; empty if there is none."""
        value = self.raw(name)
        if isinstance(value, Unknown) or value is None:
            self.get(name)
            return []
        if not isinstance(value, list) or not all(isinstance(row, dict | Unknown) for row in value):
            raise InputError(f"{self.where}: {name}: {shown(value)} is not a list of objects")
        rows = []
        for row in value:
            kept = {key: row[key] for key in fields if key in row} if isinstance(row, dict) else row
            self._skipped += [
                (PARAMETERS if one.parameter else FUNCTIONS, f"{self.where}: {name}: {one.why}")
                for one in unknowns(kept)
            ]
            if isinstance(kept, dict):
                rows.append({key: item for key, item in kept.items() if next(unknowns(item), None) is None})
        return rows
