"""What comes in as plain Python values: mappings, collections and names, each refused in one line that names it.

Knows nothing of fleets or requests; arrays and numbers are `binwright.arrays`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from binwright.errors import InputError


def mapping(where: str, given: Any, what: str) -> Mapping[str, Any]:
    """A mapping whose keys are strings; None is an empty one. `what` says from what to what it maps."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise InputError(f"{where}: {given!r} is not a mapping from {what}")
    for key in given:
        name(f"{where}: key", key)
    return given


def collection(where: str, given: Any, what: str) -> tuple[Any, ...]:
    """The members of anything that can be gone through, but for one string; `what` names them."""
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise InputError(f"{where}: {given!r} is not a collection of {what}")
    return tuple(given)


def yes_or_no(where: str, given: Any) -> int:
    """A truth value, 1 or 0."""
    if not isinstance(given, bool | np.bool_) and not (isinstance(given, int) and given in (0, 1)):
        raise InputError(f"{where}: {given!r} is neither true nor false")
    return int(given)


def names(where: str, given: Any, what: str) -> tuple[str, ...]:
    """A collection of strings."""
    return tuple(name(where, one) for one in collection(where, given, what))


def name(where: str, given: Any) -> str:
    """A string."""
    if not isinstance(given, str):
        raise InputError(f"{where}: {given!r} is not a string")
    return given
