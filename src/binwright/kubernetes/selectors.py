"""Node selectors: which nodes a pod's nodeSelector, required terms and preferred terms match (kubernetes spec 2).

Every answer is a bool array (nodes,); a requirement is decided once per distinct label value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from binwright.kubernetes.label_selectors import Selector
from binwright.kubernetes.nodes import NodeTable
from binwright.kubernetes.objects import NodeSelector, NodeSelectorTerm, Requirement

__all__ = ["labelled", "name_set", "node_selector", "preferred", "required_terms", "term"]

NAME_FIELD = "metadata.name"

_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_WORD = r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)"
_LABEL_VALUE = re.compile(f"{_WORD}?")
_PART = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_LABEL_KEY = re.compile(rf"(?:(?=[^/]{{1,253}}/){_PART}(?:\.{_PART})*/)?{_WORD}")
_INT64 = range(-(2**63), 2**63)


def node_selector(pairs: dict[str, str], nodes: NodeTable) -> np.ndarray:
    """Nodes that carry every label of a pod's `nodeSelector`."""
    matching = ~nodes.nobody()
    for key, value in pairs.items():
        matching &= nodes.label(key).equal_to((value,))
    return matching


def required_terms(selector: NodeSelector, nodes: NodeTable) -> np.ndarray:
    """Nodes that at least one term matches; a selector without terms matches none."""
    matching = nodes.nobody()
    for one in selector.node_selector_terms or ():
        matching |= term(one, nodes)
    return matching


def preferred(terms: Iterable[tuple[int, NodeSelectorTerm]], nodes: NodeTable) -> np.ndarray:
    """int64 (nodes,): for each node the sum of the weights of the terms that match it."""
    total = np.zeros(len(nodes), np.int64)
    for weight, one in terms:
        if weight:
            total += weight * term(one, nodes)
    return total


def term(one: NodeSelectorTerm, nodes: NodeTable) -> np.ndarray:
    """Nodes that satisfy all expressions and fields of one term.

    A term without any matches nothing, nor does one of which a part is malformed: wrong operator or number of values, a
    bound that is no integer, a key or value that no label can have (upstream parses a term as a label selector).
    """
    expressions, fields = one.match_expressions or (), one.match_fields or ()
    matching = np.full(len(nodes), bool(expressions or fields))
    for requirement in expressions:
        found = _expression(requirement, nodes)
        if found is None:
            return nodes.nobody()
        matching &= found
    for requirement in fields:
        if requirement.key != NAME_FIELD or requirement.operator not in ("In", "NotIn"):
            return nodes.nobody()
        if len(requirement.values or ()) != 1:
            return nodes.nobody()
        named = nodes.named(requirement.values or ())
        matching &= named if requirement.operator == "In" else ~named
    return matching


def _expression(requirement: Requirement, nodes: NodeTable) -> np.ndarray | None:
    """Nodes whose labels satisfy one expression, None when the expression is malformed."""
    values = requirement.values or ()
    operator = requirement.operator
    if not _LABEL_KEY.fullmatch(requirement.key) or not all(map(_LABEL_VALUE.fullmatch, values)):
        return None
    if operator in ("In", "NotIn"):
        if not values:
            return None
        found = nodes.label(requirement.key).equal_to(values)
        return found if operator == "In" else ~found
    if operator in ("Exists", "DoesNotExist"):
        if values:
            return None
        present = nodes.label(requirement.key).codes >= 0
        return present if operator == "Exists" else ~present
    if operator in ("Gt", "Lt") and len(values) == 1:
        bound = _integer(values[0])
        if bound is None:
            return None
        column = nodes.label(requirement.key)
        numbers = [_integer(value) for value in column.values]
        if operator == "Gt":
            return column.spread([number is not None and number > bound for number in numbers], False)
        return column.spread([number is not None and number < bound for number in numbers], False)
    return None


def _integer(text: str) -> int | None:
    """A signed 64-bit decimal number, None for any other text."""
    if len(text) > 64 or not _INTEGER.fullmatch(text):
        return None
    number = int(text)
    return number if number in _INT64 else None


def name_set(selector: NodeSelector) -> set[str] | None:
    """The node names to which required terms restrict a pod by `metadata.name In`, None when they do not.

    Names of several fields of one term intersect, terms unite; one term without such a field restricts nothing
    (kubernetes spec 4, NodeAffinity, and 8.7).
    """
    terms = selector.node_selector_terms or ()
    names: set[str] = set()
    for one in terms:
        of_term: set[str] | None = None
        for requirement in one.match_fields or ():
            if requirement.key == NAME_FIELD and requirement.operator == "In":
                values = set(requirement.values or ())
                of_term = values if of_term is None else of_term & values
        if of_term is None:
            return None
        names |= of_term
    return names if terms else None


def labelled(selector: Selector, nodes: NodeTable) -> np.ndarray:
    """Nodes whose labels a label selector matches."""
    if selector is None:
        return nodes.nobody()
    matching = ~nodes.nobody()
    for key, operator, values in selector:
        column = nodes.label(key)
        if operator in ("In", "NotIn"):
            found = column.equal_to(values)
        else:
            found = column.codes >= 0
        matching &= ~found if operator in ("NotIn", "DoesNotExist") else found
    return matching
