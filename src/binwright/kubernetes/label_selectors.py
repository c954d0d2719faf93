"""Label selectors: which labels they match (kubernetes spec 2). Knows neither pods nor nodes.

A parsed selector is a tuple of requirements; None is an absent selector and matches nothing, () is what the
specification calls empty and matches everything. Equal selectors parse to equal tuples, so they can be interned.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from binwright.errors import InputError
from binwright.kubernetes.objects import LabelSelector
from binwright.units import shown

__all__ = ["Anchor", "Needs", "Selector", "anchor", "matches", "of_map", "parse"]


class Needs(NamedTuple):
    """One requirement; `values` sorted, as their order means nothing."""

    key: str
    operator: str
    values: tuple[str, ...] = ()


Selector = tuple[Needs, ...] | None
Anchor = tuple[str, tuple[str, ...]] | None
"""A key and values of which whatever the selector matches has one; None when there is no such key."""


def of_map(pairs: Mapping[str, str]) -> tuple[Needs, ...]:
    """A plain map (matchLabels, the selector of a Service) as requirements."""
    return tuple(Needs(key, "In", (value,)) for key, value in sorted(pairs.items()))


def parse(selector: LabelSelector | None, where: str) -> Selector:
    """matchLabels and matchExpressions, all of which must hold. Raises InputError for an unknown operator."""
    if selector is None:
        return None
    expressions = []
    for one in selector.match_expressions or ():
        if one.operator not in ("In", "NotIn", "Exists", "DoesNotExist"):
            raise InputError(f"{where}: {shown(one.operator)} is not an operator of a label selector")
        expressions.append(Needs(one.key, one.operator, tuple(sorted(one.values or ()))))
    return of_map(selector.match_labels or {}) + tuple(sorted(expressions))


def matches(selector: Selector, labels: Mapping[str, str]) -> bool:
    """Whether all requirements hold of these labels."""
    if selector is None:
        return False
    for key, operator, values in selector:
        if operator == "In":
            holds = key in labels and labels[key] in values
        elif operator == "NotIn":
            holds = key not in labels or labels[key] not in values
        else:
            holds = (key in labels) == (operator == "Exists")
        if not holds:
            return False
    return True


def anchor(selector: Selector) -> Anchor:
    """The first requirement that names values."""
    return next(((key, values) for key, operator, values in selector or () if operator == "In"), None)
