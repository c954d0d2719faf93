"""The slow answer that each workload is checked against: one decision by plain loops over plain lists.

Knows nothing of the engine but the score terms it was given; its arithmetic is that of tests/reference.
"""

from __future__ import annotations

from typing import Any

from binwright.bench.fleets import Wanted


def feasible(capacity: list[Any], used: list[Any], wanted: Wanted) -> list[int]:
    """Hosts that nothing rejects, ascending."""
    rejected = wanted.mask or bytes(len(capacity[0]))
    hosts = [host for host, bits in enumerate(rejected) if not bits]
    for whole, taken, amount in zip(capacity, used, wanted.demand, strict=True):
        hosts = [host for host in hosts if amount <= whole[host] - taken[host]]
    return hosts


def best(capacity: list[Any], used: list[Any], wanted: Wanted, specs: list[dict[str, Any]]) -> tuple[int, int]:
    """(host, total) of the feasible host of highest total, lowest index first; (-1, -1) without one."""
    hosts = feasible(capacity, used, wanted)
    totals = [0] * len(hosts)
    slot = 0
    for spec in specs:
        if spec["kind"] == "static":
            scores = normalised([wanted.raw[slot][host] for host in hosts], spec["normalise"])
            slot += 1
        else:
            scores = [score(spec, capacity, used, wanted, host) for host in hosts]
        totals = [total + spec["weight"] * value for total, value in zip(totals, scores, strict=True)]
    if not hosts:
        return -1, -1
    highest = max(totals)
    return hosts[totals.index(highest)], highest


def score(spec: dict[str, Any], capacity: list[Any], used: list[Any], wanted: Wanted, host: int) -> int:
    """One resource score of one host after placing."""
    pairs = [(capacity[r][host], used[r][host] + wanted.demand[r]) for r in spec["columns"]]
    if spec["kind"] == "balanced":
        return balanced(pairs)
    shares = [0 if taken > whole else (whole - taken) * 100 // whole for whole, taken in pairs]
    total: int = sum(share * weight for share, weight in zip(shares, spec["weights"], strict=True))
    return total // int(sum(spec["weights"]))


def balanced(pairs: list[tuple[int, int]]) -> int:
    """100 less the deviation of two used fractions."""
    (first, one), (second, other) = pairs
    deviation = abs((min(float(one) / float(first), 1.0) - min(float(other) / float(second), 1.0)) / 2.0)
    return int((1.0 - deviation) * 100.0)


def normalised(raw: list[int], how: str | None) -> list[int]:
    """Raw scores 0..100 by the largest, "reverse" upside down."""
    largest = max(raw, default=0)
    if largest == 0:
        return [100 if how == "reverse" else 0] * len(raw)
    scaled = [100 * value // largest for value in raw]
    return [100 - value for value in scaled] if how == "reverse" else scaled
