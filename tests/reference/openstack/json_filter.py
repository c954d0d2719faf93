"""The language of JsonFilter's `query` hint.

Evaluates a query on a mapping of host attributes. Source: openstack spec 4, 13.
"""

from __future__ import annotations

import json
from typing import Any


def compare(sign: str, one: Any, other: Any) -> bool:
    """`= < > <= >=` of spec 4; KeyError for anything else."""
    order = 0 if one == other else -1 if one < other else 1
    return {"=": order == 0, "<": order < 0, ">": order > 0, "<=": order <= 0, ">=": order >= 0}[sign]


def passes(query: str, attributes: dict[str, Any]) -> bool:
    """A list as result, which is what `not` gives, passes if any member is true (spec 4)."""
    result = evaluate(json.loads(query), attributes)
    return any(result) if isinstance(result, list) else bool(result)


def evaluate(query: list, attributes: dict[str, Any]) -> Any:
    if not query:
        return True
    command, *args = query
    values = [value for value in (operand(arg, attributes) for arg in args) if value is not None]
    if command == "not":
        return [not value for value in values]
    if command == "or":
        return any(values)
    if command == "and":
        return all(values)
    if len(values) < 2:
        return False
    if command == "in":
        return values[0] in values[1:]
    first = values.pop(0)
    return all(compare(command, first, value) for value in values)


def operand(arg: Any, attributes: dict[str, Any]) -> Any:
    """A nested query, `$attr.key`, or a constant; None where there is nothing (spec 4)."""
    if isinstance(arg, list):
        return evaluate(arg, attributes)
    if not isinstance(arg, str) or not arg.startswith("$"):
        return None if arg == "" else arg
    name, *path = arg[1:].split(".")
    value = attributes.get(name)
    for key in path:
        value = value.get(key) if value is not None else None
    return value
