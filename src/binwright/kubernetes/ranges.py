"""Ranges that numbers of pods and scheduler configurations must keep to. Knows no rule that uses the numbers.

Source: the validation of the API server, and of kube-scheduler for its configuration.
"""

from __future__ import annotations

from collections.abc import Iterable

from binwright.errors import InputError
from binwright.units import shown

__all__ = ["ADDED_WEIGHTS", "ALLOWANCES", "AT_LEAST_ONE", "HARD_WEIGHTS", "WEIGHTS", "check", "check_each"]

WEIGHTS = range(101)
"""Of the preferred terms of a pod; the API server stores none of 0, the scheduler passes such a one over."""
ADDED_WEIGHTS = range(2**31)
"""Of the preferred terms that a profile adds: any int32 that leaves scores positive; 0 adds nothing."""
HARD_WEIGHTS = range(101)
"""hardPodAffinityWeight of a profile."""
AT_LEAST_ONE = range(1, 2**31)
"""maxSkew and minDomains, int32."""
ALLOWANCES = range(1 - 2**31, 2**31)
"""disruptionsAllowed of a budget, int32."""


def check(number: int, allowed: range, where: str) -> None:
    """Raises InputError "WHERE: N is outside LEAST..MOST"."""
    if number not in allowed:
        raise InputError(f"{where}: {shown(number)} is outside {allowed[0]}..{allowed[-1]}")


def check_each(numbers: Iterable[int | None], allowed: range, where: str, field: str) -> None:
    """`check` of one field of every entry of a list, WHERE[i].FIELD in the error; None = not stated, which passes."""
    for index, number in enumerate(numbers):
        if number is not None and number not in allowed:
            check(number, allowed, f"{where}[{index}].{field}")
