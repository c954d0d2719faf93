"""Cinder's scheduler, one volume at a time: filters, weighers, order, consumption. Source: openstack spec 8.

Goodness is a number that a pool brings; the expressions of drivers are not read here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

NUMBERS = {
    "=": lambda a, b: a >= b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}
TEXTS = {
    "s==": lambda a, b: a == b,
    "s!=": lambda a, b: a != b,
    "s<": lambda a, b: a < b,
    "s<=": lambda a, b: a <= b,
    "s>": lambda a, b: a > b,
    "s>=": lambda a, b: a >= b,
    "<in>": lambda a, b: b in a,
}
NO_NUMBER = ("infinite", "unknown")


@dataclass
class Pool:
    """One pool as its backend reported it; capacities in GB or "infinite" or "unknown"."""

    name: str
    total: Any
    free: Any
    allocated: float
    provisioned: float
    reserved: float
    thin: bool
    over: Any
    zone: str
    capabilities: dict
    goodness: float = 0
    ratio: float = field(init=False)

    def __post_init__(self) -> None:
        """The ratio is worked out from the report, and holds until the next one."""
        if not self.thin or self.total in NO_NUMBER or self.free in NO_NUMBER:
            self.ratio = 1.0
        elif self.over != "auto":
            self.ratio = float(self.over)
        elif self.provisioned == 0:
            self.ratio = 20
        else:
            self.ratio = 1 + self.provisioned / (self.total - self.free + 1)


def factors(pool: Pool, thin: bool) -> tuple[float, float]:
    """(available, virtual free), both to two decimals."""
    usable = pool.total - math.floor(pool.total * (pool.reserved / 100))
    if thin and pool.thin:
        available = usable * pool.ratio
        return round(available, 2), round(available - pool.provisioned, 2)
    return round(usable, 2), round(min(pool.free, usable - pool.provisioned), 2)


def capacity_filter(pool: Pool, size: int, thin: bool) -> bool:
    if size == 0:
        return True
    if pool.free is None:
        return False
    if pool.free in NO_NUMBER:
        return True
    if pool.total in NO_NUMBER:
        return pool.reserved == 0
    if pool.total <= 0:
        return False
    available, free = factors(pool, thin)
    if thin and pool.thin and (pool.ratio < 1 or not available or (pool.provisioned + size) / available > pool.ratio):
        return False
    return free >= size


def capabilities_filter(pool: Pool, extra_specs: dict) -> bool:
    for key, wanted in extra_specs.items():
        scope, colon, rest = key.partition(":")
        if colon and scope != "capabilities":
            continue
        value: Any = pool.capabilities
        for name in (rest if colon else key).split(":"):
            if not isinstance(value, dict) or name not in value:
                return False
            value = value[name]
        if not any(holds(one, wanted) for one in (value if isinstance(value, list) else [value])):
            return False
    return True


def holds(value: Any, wanted: str | None) -> bool:
    if wanted is None:
        return value is None
    operator, *words = wanted.split() or [""]
    known = operator in NUMBERS or operator in TEXTS or operator in ("<is>", "<or>")
    if known and (value is None or not words):
        return False
    if operator == "<is>":
        return truth(value) == truth(words[0])
    if operator == "<or>":
        return any(value == word for word in words if word != "<or>")
    if operator in NUMBERS:
        try:
            return NUMBERS[operator](float(value), float(words[0]))
        except (TypeError, ValueError):
            return False
    if operator in TEXTS:
        return isinstance(value, (str, list)) and TEXTS[operator](value, words[0])
    return value == wanted


def truth(value: Any) -> bool:
    return value if isinstance(value, bool) else str(value).lower() in ("1", "t", "true", "on", "y", "yes")


def passing(pools: list[Pool], size: int, extra_specs: dict, zones: list[str]) -> list[Pool]:
    """The pools that pass the three default filters."""
    thin = extra_specs.get("provisioning:type") != "thick"
    return [
        pool
        for pool in pools
        if (not zones or pool.zone in zones)
        and capacity_filter(pool, size, thin)
        and capabilities_filter(pool, extra_specs)
    ]


def raw_capacity(pools: list[Pool], thin: bool, multiplier: float) -> list[float]:
    """Virtual free space; without bound -1, or the maximum plus 100 times the spread."""
    raw: list[float] = []
    for pool in pools:
        if pool.total in NO_NUMBER or pool.free in NO_NUMBER:
            raw.append(-1 if multiplier > 0 else math.inf)
        else:
            raw.append(factors(pool, thin)[1])
    known = [weight for weight in raw if weight != math.inf]
    if not known:
        return [0.0] * len(raw)
    spread = max(known) - min(known)
    top = max(known) + (100 * spread if spread else 10000)
    return [top if weight == math.inf else weight for weight in raw]


def normalised(raw: list[float]) -> list[float]:
    low, high = min(raw), max(raw)
    return [0.0 if low == high else (weight - low) / (high - low) for weight in raw]


def ranked(pools: list[Pool], extra_specs: dict, multipliers: dict[str, float]) -> list[tuple[Pool, float]]:
    """Pools with total weights, best first, stable; `multipliers` of the weighers that are enabled, in their order."""
    if not pools:
        return []
    thin = extra_specs.get("provisioning:type") != "thick"
    totals = [0.0] * len(pools)
    for weigher, multiplier in multipliers.items():
        raw = {
            "CapacityWeigher": lambda factor=multiplier: raw_capacity(pools, thin, factor),
            "AllocatedCapacityWeigher": lambda: [pool.allocated for pool in pools],
            "GoodnessWeigher": lambda: [pool.goodness for pool in pools],
        }[weigher]()
        totals = [total + multiplier * weight for total, weight in zip(totals, normalised(raw))]
    return sorted(zip(pools, totals), key=lambda pair: pair[1], reverse=True)


def consume(pool: Pool, size: int) -> None:
    """What the scheduler keeps count of until the next report."""
    pool.allocated += size
    pool.provisioned += size
    if pool.free not in NO_NUMBER:
        pool.free -= size
