"""The slow answer that each workload is checked against: one decision by plain loops over plain lists.

Uses the arithmetic of tests/reference; knows nothing of the engine but the score terms it was given.
"""

from typing import Any

from bench.fleets import Wanted
from tests.reference import arithmetic


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
            scores = arithmetic.normalise([wanted.raw[slot][host] for host in hosts], spec["normalise"])
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
        return arithmetic.balanced(pairs)
    shares = [arithmetic.least_part(whole, taken) for whole, taken in pairs]
    return arithmetic.weighted_mean(list(zip(shares, spec["weights"], strict=True)))
