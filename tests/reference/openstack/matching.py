"""Small languages that filters share: extra spec operators, version predicates, comma lists, config options.

Pure functions of text and numbers. Source: openstack spec 4 (last paragraph and table).
"""

from __future__ import annotations

from typing import Any

NUMERIC = {
    "=": lambda a, b: a >= b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}
TEXTUAL = {
    "s==": lambda a, b: a == b,
    "s!=": lambda a, b: a != b,
    "s<": lambda a, b: a < b,
    "s<=": lambda a, b: a <= b,
    "s>": lambda a, b: a > b,
    "s>=": lambda a, b: a >= b,
    "<in>": lambda a, b: b in a,
}


def option(config: dict[str, Any], name: str, default: Any) -> Any:
    """A configuration option, named "section.option"."""
    return config.get(name, default)


def match(value: str, req: str) -> bool:
    """`value` against an extra spec's requirement (spec 4); ValueError if a numeric operator meets text."""
    words = req.split()
    operator, rest = (words[0], words[1:]) if words else ("", [])
    if operator == "<or>":
        return value in rest[::2]
    if operator == "<all-in>":
        return bool(rest) and all(word in value for word in rest)
    if operator in NUMERIC:
        return bool(rest) and NUMERIC[operator](float(value), float(rest[0]))
    if operator in TEXTUAL:
        return bool(rest) and TEXTUAL[operator](value, rest[0])
    return value == req


def version_satisfies(version: int, predicate: str) -> bool:
    """`>=6.0,<8.0` against a hypervisor version M*1000000 + m*1000 + p (spec 4)."""
    actual = (version // 1000000, version // 1000 % 1000, version % 1000)
    for part in predicate.split(","):
        part = part.strip()
        operator = next(op for op in (">=", "<=", "==", "!=", ">", "<") if part.startswith(op))
        numbers = [int(number) for number in part[len(operator) :].strip().split(".")]
        wanted = tuple(numbers + [0] * (3 - len(numbers)))
        holds = {
            ">=": actual >= wanted,
            "<=": actual <= wanted,
            "==": actual == wanted,
            "!=": actual != wanted,
            ">": actual > wanted,
            "<": actual < wanted,
        }
        if not holds[operator]:
            return False
    return True


def comma_values(texts: set[str]) -> set[str]:
    """All members of comma-separated texts, stripped."""
    return {member.strip() for text in texts for member in text.split(",")}


def smallest(texts: set[str], default: Any, kind: type) -> Any:
    """The smallest of the texts as a number; the default if there is none or any is unparsable (spec 4, 5.1)."""
    try:
        return min((kind(text) for text in texts), default=default)
    except ValueError:
        return default
