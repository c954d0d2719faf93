"""Score terms of float64 profiles: raw value, span, multiplier; one function a kind. Checked here, computed in
`_core.float_scores` in the order of operations of Nova's weighers.
"""

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from binwright import arguments
from binwright.errors import InputError

KINDS = ("free", "used", "raw", "near")


@dataclass(frozen=True, slots=True)
class FloatScore:
    """One term: total += multiplier * (raw - low) / (high - low), 0 where low = high.

    low, high: fixed bounds that raw is clamped to; None = the smallest and largest over the feasible hosts.
    multiplier: name of a host column (`Fleet.set_column`), `weight` for hosts without a value of their own.
    """

    name: str
    kind: str
    weight: float = 1.0
    resource: str | None = None
    ratio: str | None = None
    multiplier: str | None = None
    low: float | None = None
    high: float | None = None


def check_float_score(score: FloatScore) -> None:
    """Raises InputError for names that are none and numbers that are not finite; the core relies on it."""
    arguments.name("score: name", score.name)
    if score.kind not in KINDS:
        raise InputError(f"score {score.name!r}: kind {score.kind!r} is not one of {', '.join(KINDS)}")
    for what in ("resource", "ratio", "multiplier"):
        if getattr(score, what) is not None:
            arguments.name(f"score {score.name!r}: {what}", getattr(score, what))
    for what in ("weight", "low", "high"):
        value = getattr(score, what)
        if value is None and what != "weight":
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"score {score.name!r}: {what} {value!r} is not a number")
        if not abs(value) <= sys.float_info.max:
            raise InputError(f"score {score.name!r}: {what} {value!r} is not finite")


def free_score(
    name: str,
    resource: str,
    *,
    ratio: str | None = None,
    weight: float = 1.0,
    multiplier: str | None = None,
    low: float | None = None,
    high: float | None = None,
) -> FloatScore:
    """Raw value: float(capacity) * ratio - float(used), or float(capacity - used) without a ratio column; what the
    request asks is not subtracted. Rule: Nova's CPU, RAM and disk weighers.
    """
    return FloatScore(name, "free", weight, resource, ratio, multiplier, low, high)


def used_score(
    name: str,
    resource: str,
    *,
    weight: float = 1.0,
    multiplier: str | None = None,
    low: float | None = None,
    high: float | None = None,
) -> FloatScore:
    """Raw value: float(used) of a resource that counts something. Rule: Nova's IO operations and instance weighers."""
    return FloatScore(name, "used", weight, resource, None, multiplier, low, high)


def raw_score(
    name: str,
    *,
    weight: float = 1.0,
    multiplier: str | None = None,
    low: float | None = None,
    high: float | None = None,
) -> FloatScore:
    """Raw value: a float64 column that each request brings (`raw=`)."""
    return FloatScore(name, "raw", weight, None, None, multiplier, low, high)


def near_score(
    name: str,
    *,
    weight: float = 1.0,
    multiplier: str | None = None,
    low: float | None = None,
    high: float | None = None,
) -> FloatScore:
    """Raw value: weighted sums of counters in each host's domains (a request's `SoftTerm`). Rule: Nova's soft
    (anti-)affinity weighers.
    """
    return FloatScore(name, "near", weight, None, None, multiplier, low, high)


def host_columns(scores: Sequence[FloatScore]) -> dict[str, float]:
    """Host columns that the scores name, and the value of hosts that have none of their own."""
    columns: dict[str, float] = {}
    for score in scores:
        if score.ratio is not None:
            columns.setdefault(score.ratio, 1.0)
        if score.multiplier is not None and columns.setdefault(score.multiplier, score.weight) != score.weight:
            raise InputError(f"score {score.name!r}: column {score.multiplier!r} stands for two different weights")
    return columns


def specs(scores: Sequence[FloatScore], resources: Mapping[str, int]) -> list[dict[str, Any]]:
    """The terms as the core takes them."""
    columns = {name: number for number, name in enumerate(host_columns(scores))}
    slots = {"raw": 0, "near": 0}
    found = []
    for score in scores:
        if score.resource is not None and score.resource not in resources:
            raise InputError(f"score {score.name!r}: unknown resource {score.resource!r}")
        found.append(
            {
                "kind": score.kind,
                "resource": 0 if score.resource is None else resources[score.resource],
                "ratio": -1 if score.ratio is None else columns[score.ratio],
                "slot": slots.get(score.kind, 0),
                "multiplier": -1 if score.multiplier is None else columns[score.multiplier],
                "weight": float(score.weight),
                "low": math.nan if score.low is None else float(score.low),
                "high": math.nan if score.high is None else float(score.high),
            }
        )
        if score.kind in slots:
            slots[score.kind] += 1
    return found
