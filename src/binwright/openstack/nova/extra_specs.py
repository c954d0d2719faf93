"""Small languages of extra specs and image properties: operators, versions, comma lists (openstack spec 4)."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from typing import TypeVar

from binwright.errors import InputError
from binwright.openstack.extra_spec_operators import NUMERIC, TEXTUAL

__all__ = ["comma_values", "matches", "smallest", "version_holds"]

Number = TypeVar("Number", int, float)

VERSION: dict[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}
PREDICATE = re.compile(r"\s*(>=|<=|==|!=|>|<)\s*(\d+(?:\.\d+){0,2})\s*")


def matches(value: str, wanted: str) -> bool:
    """Whether a host's value meets an extra spec; without an operator it must equal the whole of it.

    Raises InputError where a numeric operator meets what is no number.
    """
    sign, *words = wanted.split() or [""]
    if sign == "<or>":
        return value in words[::2]
    if sign == "<all-in>":
        return bool(words) and all(word in value for word in words)
    if sign in TEXTUAL:
        return bool(words) and TEXTUAL[sign](value, words[0])
    if sign in NUMERIC:
        if not words:
            return False
        try:
            return NUMERIC[sign](float(value), float(words[0]))
        except ValueError:
            raise InputError(f"extra spec {wanted!r}: cannot be compared with {value!r}") from None
    return value == wanted


def version_holds(version: int, predicates: str) -> bool:
    """Whether a hypervisor version M * 1,000,000 + m * 1,000 + p meets ">=6.0,<8"."""
    have = (version // 1_000_000, version // 1_000 % 1_000, version % 1_000)
    for text in predicates.split(","):
        match = PREDICATE.fullmatch(text)
        if match is None:
            raise InputError(f"img_hv_requested_version: {text!r} is no version predicate")
        numbers = [int(part) for part in match[2].split(".")]
        if not VERSION[match[1]](have, (*numbers, 0, 0)[:3]):
            return False
    return True


def comma_values(texts: Iterable[str]) -> set[str]:
    """The members of lists that are written with commas."""
    return {member.strip() for text in texts for member in text.split(",")}


def smallest(texts: Iterable[str], default: Number, kind: Callable[[str], Number]) -> Number:
    """The smallest number of all; `default` if there is none, or one of them is none."""
    try:
        return min((kind(text) for text in texts), default=default)
    except ValueError:
        return default
