"""Cinder's language of extra specs, which looks like Nova's and is not (openstack spec 8): <is>, lists, no errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from binwright.openstack.extra_spec_operators import NUMERIC, TEXTUAL

__all__ = ["matches", "satisfies"]

TRUE = ("1", "t", "true", "on", "y", "yes")
SCOPE = "capabilities"


def satisfies(capabilities: Mapping[str, Any], extra_specs: Mapping[str, str | None]) -> bool:
    """Whether every extra spec of no scope, or of the scope "capabilities", is met; of a list, by any of its values."""
    for key, wanted in extra_specs.items():
        path = key.split(":")
        if path[0] == SCOPE:
            del path[0]
        elif len(path) > 1:
            continue
        value: Any = capabilities
        for name in path:
            if not isinstance(value, Mapping) or name not in value:
                return False
            value = value[name]
        if not any(matches(one, wanted) for one in (value if isinstance(value, list) else [value])):
            return False
    return True


def matches(value: Any, wanted: str | None) -> bool:
    """Whether a capability meets an extra spec; without an operator it must equal it, type and all.

    What cannot be compared does not match (the service fails where types do not compare at all).
    """
    if wanted is None:
        return value is None
    sign, *words = wanted.split() or [""]
    if sign not in NUMERIC and sign not in TEXTUAL and sign not in ("<or>", "<is>"):
        return bool(value == wanted)
    if value is None or not words:
        return False
    if sign == "<or>":
        return value in words[::2]
    if sign == "<is>":
        return _is_true(value) is _is_true(words[0])
    try:
        if sign in NUMERIC:
            return NUMERIC[sign](float(value), float(words[0]))
        return TEXTUAL[sign](value, words[0])
    except (TypeError, ValueError):
        return False


def _is_true(value: Any) -> bool:
    """As the service reads truth in a text; what it does not know is false."""
    return value if isinstance(value, bool) else str(value).strip().lower() in TRUE
