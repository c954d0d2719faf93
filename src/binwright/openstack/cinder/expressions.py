"""The small language of a backend's filter_function and goodness_function (openstack spec 8).

Cinder writes it down for pyparsing as levels of operators, tried from the loosest to the tightest at each place; what
matches first stays. What follows from that is kept: an operator needs no space behind it ("1 andy" is 1 and y), a name
in front of an operand is a function of it ("a AND b" is an error, "a > 1 AND b > 1" is not), the third operand of
`x and y and z` has no say, and numbers in variables lose their fraction. Knows no pools.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NoReturn

from binwright.errors import BinwrightError

__all__ = ["ExpressionError", "evaluate"]

Scopes = Mapping[str, Mapping[str, Any] | None]
Node = Callable[[Scopes], Any]
Found = tuple[Node, int] | None

MOST_FRAMES = 350  # of parsing, which is 29 parentheses deep (the service: fewer than 20)
MOST_BITS = 4096
MOST_LENGTH = 10_000

OPERAND = re.compile(
    r"""[0-9]+\.[0-9]+|[0-9]+|[A-Za-z_.]+"""
    r"""|"(?:[^"\n\r\\]|""|\\(?:[^x]|x[0-9a-fA-F]+))*"|'(?:[^'\n\r\\]|''|\\(?:[^x]|x[0-9a-fA-F]+))*'"""
)
SPACE = re.compile(r"[ \t\n\r]*")
VARIABLE = re.compile(r"([A-Za-z_]+)\.([A-Za-z_]+)")
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "!=": operator.ne,
    "==": operator.eq,
    "<>": operator.ne,
}
FUNCTIONS: dict[str, Callable[..., Any]] = {"abs": abs, "max": max, "min": min}


class ExpressionError(BinwrightError):
    """An expression that cannot be read or has no value; a pool with it fails the filter, or has goodness 0."""


def evaluate(text: str, scopes: Scopes) -> Any:
    """The value of an expression; `scopes` are what stands before the dot of a variable: stats, capabilities, ...

    A number, text, truth value or list. Raises ExpressionError.
    """
    try:
        return _parsed(text)(scopes)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as problem:
        raise ExpressionError(f"{text!r}: {type(problem).__name__}: {problem}") from None


@lru_cache(maxsize=1024)
def _parsed(text: str) -> Node:
    if len(text) > MOST_LENGTH:
        raise ExpressionError(f"an expression of {len(text)} characters, at most {MOST_LENGTH}")
    parser = _Parser(text)
    found = parser.parse(len(LEVELS), 0)
    if found is None or parser.space(found[1]) != len(text):
        raise ExpressionError(f"{text!r}: not an expression")
    return found[0]


class _Parser:
    """One text; remembers what each level found at each place, so that trying again costs nothing."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._known: dict[tuple[int, int], Found] = {}
        self._frames = 0

    def space(self, at: int) -> int:
        """The first place from `at` on that is not white."""
        match = SPACE.match(self.text, at)
        return at if match is None else match.end()

    def parse(self, level: int, at: int) -> Found:
        """The node that this level or a tighter one finds at `at`, with the place behind it."""
        at = self.space(at)
        key = (level, at)
        if key not in self._known:
            self._frames += 1
            if self._frames > MOST_FRAMES:
                raise ExpressionError("an expression that is nested too deeply")
            self._known[key] = self._operand(at) if level == 0 else LEVELS[level - 1](self, level, at)
            self._frames -= 1
        return self._known[key]

    def sign(self, pattern: re.Pattern[str], at: int) -> tuple[str, int] | None:
        """An operator at `at`, with the place behind it."""
        match = pattern.match(self.text, self.space(at))
        return None if match is None else (match[0], match.end())

    def _operand(self, at: int) -> Found:
        match = OPERAND.match(self.text, at)
        if match is not None:
            return _constant(match[0]), match.end()
        if self.text.startswith("(", at):
            inner = self.parse(len(LEVELS), at + 1)
            if inner is not None and self.text.startswith(")", end := self.space(inner[1])):
                return inner[0], end + 1
        return None


def _constant(token: str) -> Node:
    variable = VARIABLE.fullmatch(token)

    def value(scopes: Scopes) -> Any:
        found: Any = token
        if variable is not None:
            scope = scopes[variable[1]]
            if scope is None:
                _refuse(f"{variable[1]} is empty")
            found = scope[variable[2]]
        for kind in (int, float):
            try:
                return kind(found)
            except ValueError:
                continue
        return found.replace('"', "").replace("'", "") if isinstance(found, str) else found

    return value


def _refuse(what: str) -> NoReturn:
    raise ExpressionError(what)


def _prefix(pattern: str, apply: Callable[[str, Any], Any]) -> Callable[[_Parser, int, int], Found]:
    """A level of operators in front of their operand, which may have one itself."""
    compiled = re.compile(pattern)

    def level(parser: _Parser, own: int, at: int) -> Found:
        sign = parser.sign(compiled, at)
        inner = sign and parser.parse(own, sign[1])
        if sign is None or inner is None:
            return parser.parse(own - 1, at)
        name, node = sign[0], inner[0]
        return (lambda scopes: apply(name, node(scopes))), inner[1]

    return level


def _binary(
    pattern: str, apply: Callable[[list[Node], list[str], Scopes], Any], rightwards: bool = False
) -> Callable[[_Parser, int, int], Found]:
    """A level of operators between operands; `rightwards`: what follows the first operator is one of the same level."""
    compiled = re.compile(pattern)

    def level(parser: _Parser, own: int, at: int) -> Found:
        first = parser.parse(own - 1, at)
        if first is None:
            return None
        nodes, signs, end = [first[0]], [], first[1]
        while (sign := parser.sign(compiled, end)) is not None:
            following = parser.parse(own if rightwards else own - 1, sign[1])
            if following is None:
                break
            signs.append(sign[0])
            nodes.append(following[0])
            end = following[1]
        if not signs:
            return first
        return (lambda scopes: apply(nodes, signs, scopes)), end

    return level


def _ternary(parser: _Parser, own: int, at: int) -> Found:
    """a ? b : c; of a chain only the first three operands count."""
    first = parser.parse(own - 1, at)
    if first is None:
        return None
    branches: list[Node] = []
    end = first[1]
    while (question := parser.sign(re.compile(r"\?"), end)) is not None:
        yes = parser.parse(own - 1, question[1])
        colon = yes and parser.sign(re.compile(":"), yes[1])
        no = colon and parser.parse(own - 1, colon[1])
        if yes is None or no is None:
            break
        branches += [yes[0], no[0]]
        end = no[1]
    if not branches:
        return first
    return (lambda scopes: branches[0](scopes) if first[0](scopes) else branches[1](scopes)), end


def _call(name: str, value: Any) -> Any:
    return FUNCTIONS[name](*value) if type(value) is list else FUNCTIONS[name](value)


def _power(nodes: list[Node], signs: list[str], scopes: Scopes) -> Any:
    result = nodes[0](scopes)
    for node in nodes[1:]:
        exponent = node(scopes)
        if isinstance(result, int) and isinstance(exponent, int) and result.bit_length() * exponent > MOST_BITS:
            _refuse("a power that is too large")
        result = pow(result, exponent)
    return result


def _product(nodes: list[Node], signs: list[str], scopes: Scopes) -> Any:
    result = nodes[0](scopes)
    for sign, node in zip(signs, nodes[1:]):
        value = node(scopes)
        if sign == "*":
            _check_length(result, value)
            result = result * value
        else:
            result = result / float(value)
    return result


def _check_length(one: Any, other: Any) -> None:
    """Texts and lists may be multiplied in this language, numbers with thousands of digits too."""
    for value, count in ((one, other), (other, one)):
        if isinstance(value, str | list) and isinstance(count, int) and len(value) * count > MOST_LENGTH:
            _refuse("a text that is too long")
        if isinstance(value, int) and value.bit_length() > MOST_BITS:
            _refuse("a number that is too large")


def _sum(nodes: list[Node], signs: list[str], scopes: Scopes) -> Any:
    result = nodes[0](scopes)
    for sign, node in zip(signs, nodes[1:]):
        result = result + node(scopes) if sign == "+" else result - node(scopes)
    return result


def _compare(nodes: list[Node], signs: list[str], scopes: Scopes) -> bool:
    """Each operand with the next, as Python chains them."""
    left = nodes[0](scopes)
    for sign, node in zip(signs, nodes[1:]):
        right = node(scopes)
        if not COMPARISONS[sign](left, right):
            return False
        left = right
    return True


def _and(nodes: list[Node], signs: list[str], scopes: Scopes) -> Any:
    left, right = nodes[0](scopes), nodes[1](scopes)
    return left and right


def _or(nodes: list[Node], signs: list[str], scopes: Scopes) -> Any:
    left, right = nodes[0](scopes), nodes[1](scopes)
    return left or right


def _list(nodes: list[Node], signs: list[str], scopes: Scopes) -> list[Any]:
    first, rest = nodes[0](scopes), nodes[1](scopes)
    return [first, *rest] if type(rest) is list else [first, rest]


# From the tightest to the loosest.
LEVELS: tuple[Callable[[_Parser, int, int], Found], ...] = (
    _prefix(r"[A-Za-z_.]+", _call),
    _binary(r"\^", _power, rightwards=True),
    _prefix(r"[+-]", lambda sign, value: value * (1 if sign == "+" else -1)),
    _binary(r"[*/]", _product),
    _binary(r"[+-]", _sum),
    _prefix(r"NOT|not|!", lambda sign, value: not value),
    _binary(r"<=|<>|<|>=|>|!=|==", _compare),
    _ternary,
    _binary(r"AND|and|&&", _and),
    _binary(r"OR|or|\|\|", _or),
    _binary(",", _list, rightwards=True),
)
