"""Amounts written by people and peers, turned into exact integers: the only converter of the project.

Knows the two notations (Kubernetes quantities, OpenStack sizes) and nothing of the objects they stand in: a caller
passes `where`, the words that name object and field in the one line of an `InputError`.
The core's integers have no unit; by convention cpu is held in millicores and everything else in whole units (bytes).
"""

from __future__ import annotations

import re
from functools import lru_cache

from binwright.errors import InputError

__all__ = ["MAX_AMOUNT", "milli", "nanos", "shown", "size_bytes", "whole"]

MAX_AMOUNT = 2**56
"""Largest amount the core accepts; sums over a host and `amount * 100` then stay inside int64."""

_NANO = 10**9
_INT64_MAX = 2**63 - 1
_LONGEST = 100  # characters; nothing a person or a peer writes comes near, and int() of megabytes would hang

_DECIMAL_EXPONENT = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY_SHIFT = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_QUANTITY = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?([a-zA-Z]*)([+-]?\d+)?", re.ASCII)

_SIZE_SHIFT = {"": 0, "b": 0, "k": 10, "m": 20, "g": 30, "t": 40, "p": 50}
_SIZE = re.compile(r"(-?)(\d+)(?:\.(\d+))?\s*([a-zA-Z]*)", re.ASCII)


def shown(value: object, limit: int = 60) -> str:
    """A value from outside in the words of an error: its `repr` cut to `limit` characters, or that it is a list."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, (str, bytes)):
        value = value[: limit + 1]
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def nanos(text: str | int | float, where: str = "quantity") -> int:
    """A Kubernetes quantity in units of 1e-9, exact; finer parts are rounded up (kubernetes spec 2, Quantities).

    Sums and maxima are made on these integers, and `milli` or `whole` is applied once at the end.
    Numbers are accepted as YAML and JSON give them. Raises InputError on anything that is not a quantity, on a negative
    amount, and on an amount past int64.
    """
    if not isinstance(text, str):
        if isinstance(text, bool) or not isinstance(text, (int, float)):
            raise InputError(f"{where}: {shown(text)} is not a quantity")
        if abs(text) > _INT64_MAX:  # also before str(), which refuses integers of thousands of digits
            raise InputError(f"{where}: a number past the int64 range")
        text = str(text)
    try:
        return _nanos(text)
    except ValueError as problem:
        raise InputError(f"{where}: {shown(text)} {problem}") from None


@lru_cache(maxsize=65536)
def _nanos(text: str) -> int:
    if len(text) > _LONGEST:
        raise ValueError("is too long to be a quantity")
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError("is not a quantity (a number and a unit, such as 500m, 1.5 or 4Gi)")
    sign, integer, fraction, suffix, exponent = match.groups()
    fraction = fraction or ""
    if not integer and not fraction:
        raise ValueError("is not a quantity (a number and a unit, such as 500m, 1.5 or 4Gi)")
    mantissa = int(integer + fraction)
    power = 9 - len(fraction)  # value in 1e-9 = mantissa * 2**shift * 10**power
    shift = 0
    if exponent is not None:
        if suffix not in ("e", "E"):
            raise ValueError(f"has an unknown unit {suffix + exponent!r}")
        power += max(-1000, min(1000, int(exponent)))
    elif suffix in _BINARY_SHIFT:
        shift = _BINARY_SHIFT[suffix]
    elif suffix in _DECIMAL_EXPONENT:
        power += _DECIMAL_EXPONENT[suffix]
    else:
        raise ValueError(f"has an unknown unit {suffix!r}")
    if mantissa == 0:
        return 0
    if sign == "-":
        raise ValueError("is negative")
    scaled = mantissa << shift
    value: int = scaled * 10**power if power >= 0 else -(-scaled // 10**-power)
    if value > _INT64_MAX * _NANO:
        raise ValueError("is past the int64 range")
    return value


def milli(amount: int) -> int:
    """Thousandths of a unit (millicores) of an amount in units of 1e-9, rounded up."""
    return -(-amount // 10**6)


def whole(amount: int) -> int:
    """Whole units (bytes, devices) of an amount in units of 1e-9, rounded up."""
    return -(-amount // _NANO)


def size_bytes(text: str | int, where: str = "size") -> int:
    """Bytes of an OpenStack-style size: "2048 MB", "4Gi", "1.5 GiB", or an integer that is bytes already.

    OpenStack writes MB and GB for 2**20 and 2**30 bytes, so every unit is a power of 1024, with or without the "i";
    upper or lower case. A part of a byte is rounded up. Raises InputError on anything else, on negative and past int64.
    """
    if isinstance(text, int) and not isinstance(text, bool):
        value = text
    elif isinstance(text, str):
        match = _SIZE.fullmatch(text.strip()) if len(text) <= _LONGEST else None
        if match is None:
            raise InputError(f"{where}: {shown(text)} is not a size (such as 2048 MB or 4Gi)")
        sign, integer, fraction, unit = match.groups()
        fraction = fraction or ""
        letter = re.sub(r"(?<=[kmgtp])i?b?$", "", unit.lower())
        if letter not in _SIZE_SHIFT:
            raise InputError(f"{where}: {shown(text)} has an unknown unit {unit!r}")
        value = -(-(int(integer + fraction) << _SIZE_SHIFT[letter]) // 10 ** len(fraction))
        if sign and value:
            value = -value
    else:
        raise InputError(f"{where}: {shown(text)} is not a size (such as 2048 MB or 4Gi)")
    if value < 0:
        raise InputError(f"{where}: {shown(text)} is negative")
    if value > _INT64_MAX:
        raise InputError(f"{where}: {shown(text)} is past the int64 range")
    return value
