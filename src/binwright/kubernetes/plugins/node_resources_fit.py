"""NodeResourcesFit: the resources a node must have free, and the score strategies over them (kubernetes spec 4).

The strategies read other columns than the filter: cpu and memory with a default for containers that ask for nothing,
other resources without pod-level and in-place-resize values (the balanced score sees those).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from binwright import profile
from binwright.kubernetes.requests import CPU, MEMORY, PODS, STORAGE, Amounts, is_scalar

__all__ = ["NAME", "FitArgs", "accounted", "demand", "extra_columns", "score_column", "term", "text"]

NAME = "NodeResourcesFit"
BY_DEFAULT = {CPU: 1, MEMORY: 1}

_NATIVE = (CPU, MEMORY, STORAGE)


@dataclass(frozen=True)
class FitArgs:
    """NodeResourcesFitArgs: what is not filtered, and how resources are scored.

    `strategy` LeastAllocated, MostAllocated or RequestedToCapacityRatio (that one with `shape`: (utilization 0..100,
    score 0..10) rising), `resources` name -> weight; `ignored` names and `ignored_groups` (before the "/").
    """

    strategy: str = "LeastAllocated"
    resources: Mapping[str, int] = field(default_factory=lambda: dict(BY_DEFAULT))
    shape: tuple[tuple[int, int], ...] = ()
    ignored: frozenset[str] = frozenset()
    ignored_groups: frozenset[str] = frozenset()


def accounted(resources: Iterable[str]) -> list[str]:
    """Those resources for which the scheduler keeps accounts; a score leaves out the others."""
    return [name for name in resources if name in _NATIVE or is_scalar(name)]


def demand(args: FitArgs, amounts: Amounts) -> dict[str, int]:
    """What a node must have free for a pod of these amounts."""
    wanted = {PODS: 1}
    for name, value in amounts.fit.items():
        extended = "/" in name and "kubernetes.io/" not in name
        if not extended or not (name in args.ignored or name.partition("/")[0] in args.ignored_groups):
            wanted[name] = value
    return wanted


def score_column(resource: str) -> str:
    """The engine's column that the strategies read for a resource."""
    return f"{resource}.nonzero" if resource in BY_DEFAULT else f"{resource}.fit"


def extra_columns(args: FitArgs) -> list[str]:
    """Resources besides cpu and memory that need a column of their own for the strategy."""
    return [name for name in accounted(args.resources) if name not in BY_DEFAULT]


def term(args: FitArgs, weight: int) -> profile.Score:
    """The strategy as a score term of the engine."""
    resources = {score_column(name): args.resources[name] for name in accounted(args.resources)}
    if not resources:
        return profile.static_score(NAME, weight=weight)  # nothing to score: 0 everywhere
    optional = [score_column(name) for name in args.resources if is_scalar(name)]
    if args.strategy == "RequestedToCapacityRatio":
        return profile.requested_to_capacity_ratio(resources, args.shape, weight=weight, name=NAME, optional=optional)
    strategy = profile.most_allocated if args.strategy == "MostAllocated" else profile.least_allocated
    return strategy(resources, weight=weight, name=NAME, optional=optional)


def text(resource: str) -> str:
    """The peer's words for a shortage."""
    return "Too many pods" if resource == PODS else f"Insufficient {resource}"
