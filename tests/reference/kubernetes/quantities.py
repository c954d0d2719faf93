"""Kubernetes quantities as exact fractions (spec 2, *Quantities*).

Knows the text form and the one conversion to integers; never pods or nodes.
"""

import math
import re
from fractions import Fraction

from tests.reference.kubernetes.names import CPU

_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_NUMBER = re.compile(r"([+-]?)([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(.*)", re.ASCII | re.DOTALL)
_EXPONENT = re.compile(r"[eE]([+-]?[0-9]+)", re.ASCII)
NANO = Fraction(1, 10**9)


def parse_quantity(text: str | int) -> Fraction:
    """The exact value; anything finer than 1n is rounded up to 1n on parsing.  ValueError for what is no quantity."""
    match = _NUMBER.fullmatch(str(text))
    if match is None:
        raise ValueError(f"not a quantity: {text!r}")
    sign, digits, suffix = match.groups()
    number = Fraction(digits if digits[-1] != "." else digits[:-1])
    exponent = _EXPONENT.fullmatch(suffix)
    if exponent is not None:
        number *= Fraction(10) ** int(exponent[1])
    elif suffix in _DECIMAL:
        number *= Fraction(10) ** _DECIMAL[suffix]
    elif suffix in _BINARY:
        number *= 1024 ** _BINARY[suffix]
    else:
        raise ValueError(f"not a quantity: {text!r}")
    if sign == "-":
        number = -number
    return math.ceil(number / NANO) * NANO


def parse_resource_list(resources: dict[str, str | int] | None) -> dict[str, Fraction]:
    """A ResourceList as exact quantities."""
    return {name: parse_quantity(text) for name, text in (resources or {}).items()}


def to_integer(name: str, quantity: Fraction) -> int:
    """The one rounding to an integer, up: cpu in millicores, everything else in whole units (spec 2)."""
    return math.ceil(quantity * 1000) if name == CPU else math.ceil(quantity)
