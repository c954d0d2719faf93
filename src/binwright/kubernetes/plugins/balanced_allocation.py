"""NodeResourcesBalancedAllocation: prefers nodes whose resources are used evenly (kubernetes spec 4)."""

from __future__ import annotations

from collections.abc import Iterable

from binwright import profile
from binwright.kubernetes.plugins.node_resources_fit import BY_DEFAULT, accounted
from binwright.kubernetes.requests import Amounts, is_scalar

__all__ = ["NAME", "RESOURCES", "skips", "term"]

NAME = "NodeResourcesBalancedAllocation"
RESOURCES = tuple(BY_DEFAULT)


def term(resources: Iterable[str], weight: int) -> profile.Score:
    """The score term of the engine over these resources; it reads the same columns as the filter."""
    names = accounted(resources)
    if not names:
        return profile.static_score(NAME, weight=weight)  # nothing to compare: never run, see `skips`
    optional = [name for name in names if is_scalar(name)]
    return profile.balanced_allocation(names, weight=weight, name=NAME, optional=optional)


def skips(resources: Iterable[str], amounts: Amounts) -> bool:
    """Whether PreScore says Skip: a pod that asks for nothing of these resources."""
    return not any(amounts.balanced_score.get(name) for name in resources)
