"""The query language of Nova's JsonFilter: lists of an operator and operands, as JSON text (openstack spec 4, 13)."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable
from typing import Any

from binwright.errors import InputError

__all__ = ["holds"]

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


def holds(text: str, attribute: Callable[[str], Any]) -> bool:
    """Whether a query is true of a host, of which `attribute` gives what "$NAME" means. Raises InputError."""
    try:
        result = _value(json.loads(text), attribute)
    except (TypeError, ValueError) as problem:
        raise InputError(f"hint query: {problem}") from None
    return any(result) if isinstance(result, list) else bool(result)


def _value(query: list[Any], attribute: Callable[[str], Any]) -> Any:
    """The value of a list; `not` gives a list, and operands that are nothing are left out."""
    if not query:
        return True
    sign, *operands = query
    values = [value for value in (_operand(one, attribute) for one in operands) if value is not None]
    if sign == "and":
        return all(values)
    if sign == "or":
        return any(values)
    if sign == "not":
        return [not value for value in values]
    if sign not in COMPARISONS and sign != "in":
        raise ValueError(f"{sign!r} is no operator")
    if len(values) < 2:
        return False
    first, *others = values
    if sign == "in":
        return first in others
    return all(COMPARISONS[sign](first, other) for other in others)


def _operand(operand: Any, attribute: Callable[[str], Any]) -> Any:
    """A query in a query, "$attribute.key" or a constant; None for nothing."""
    if isinstance(operand, list):
        return _value(operand, attribute)
    if not isinstance(operand, str):
        return operand
    if not operand.startswith("$"):
        return operand or None
    name, *keys = operand[1:].split(".")
    value = attribute(name)
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
