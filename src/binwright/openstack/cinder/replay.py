"""Replays recorded cases of Cinder's scheduler: volumes one after another, and the expressions of drivers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from binwright.openstack.cinder.expressions import ExpressionError, evaluate
from binwright.openstack.cinder.filters import FILTERS
from binwright.openstack.cinder.pools import Pool, read_pool
from binwright.openstack.cinder.scheduler import SchedulerOptions, VolumeScheduler
from binwright.openstack.cinder.volumes import PlacedVolume, VolumeRequest
from binwright.openstack.cinder.weighers import WEIGHERS
from binwright.openstack.comparison import value_differences
from binwright.openstack.nova.weighers import normalise

__all__ = ["REPLAYS"]

Json = Mapping[str, Any]
NOT_COMPARED = ("failed_on", "error")  # where the service fails; the answer is that of the rest


def read_request(row: Json) -> VolumeRequest:
    """A recorded request."""
    grown = row.get("extends_to")
    return VolumeRequest(
        size=row["size"] if grown is None else grown,
        extra_specs=row.get("extra_specs") or {},
        zones=tuple(row.get("zones") or ()),
        hints=row.get("hints") or {},
        properties={"size": row["size"]},
        qos=row.get("qos"),
        extension_of=None if grown is None else row["size"],
        is_on=row.get("is_on"),
        attached=bool(row.get("attached")),
    )


def read_pools(rows: list[Json], options: SchedulerOptions) -> list[Pool]:
    """The recorded pools, by the host that has them."""
    ratio = options.max_over_subscription_ratio
    return [
        read_pool({**row, "name": row["host"]}, "pool", zone=row["zone"], cluster=row["cluster"], default_ratio=ratio)
        for row in rows
    ]


def volumes_differences(case: Json) -> Iterator[str]:
    """Volumes one after another."""
    options = SchedulerOptions.of(case["config"])
    placed = [PlacedVolume(row["id"], row["host"], row.get("cluster")) for row in case["volumes"]]
    scheduler = VolumeScheduler(read_pools(case["pools"], options), placed, options)
    if len(case["requests"]) != len(case["expected"]):
        yield f"expected: {len(case['expected'])} answers to {len(case['requests'])} requests"
    for number, (row, expected) in enumerate(zip(case["requests"], case["expected"])):
        wanted = {key: value for key, value in expected.items() if key not in NOT_COMPARED}
        if "weighers" in wanted:
            wanted["weighers"] = {name: one for name, one in wanted["weighers"].items() if "error" not in one}
        got = _answer(scheduler, row, stays="extends_to" not in row and "is_on" not in row and "error" not in expected)
        if "weighers" in wanted:
            got["weighers"] = {name: one for name, one in got["weighers"].items() if name in wanted["weighers"]}
        if "error" in expected:
            del got["order"]
        yield from value_differences(wanted, got, f"request {number}")


def _answer(scheduler: VolumeScheduler, row: Json, stays: bool) -> dict[str, Any]:
    """Everything that is recorded of one request."""
    volume, pools = read_request(row), scheduler.pools
    names = [pool.name for pool in pools]
    look = scheduler.explain(volume)
    totals = look.scores.totals
    feasible = np.flatnonzero(~np.isnan(totals))
    chosen = [pools[index] for index in feasible.tolist()]
    got: dict[str, Any] = {
        "filters": {
            name: [names[index] for index in np.flatnonzero(scheduler.passing(name, volume))] for name in FILTERS
        },
        "filtered": [pool.name for pool in chosen],
        "weighers": {},
    }
    for name, weigh in WEIGHERS.items():
        multiplier = scheduler.options.multiplier(name)
        raw = weigh(chosen, volume, scheduler.placed, multiplier)
        scaled = normalise(raw).tolist()
        got["weighers"][name] = {"raw": raw.tolist(), "normalized": scaled, "multiplier": multiplier}
    order = feasible[np.argsort(-totals[feasible], kind="stable")]
    got["order"] = [[names[index], float(totals[index])] for index in order]
    if stays and (placed := scheduler.place(volume, row["id"])) is not None:
        got["chosen"] = names[placed[0]]
    got["after"] = {
        pool.name: [
            pool.allocated,
            pool.provisioned,
            pool.capabilities.get("free_capacity_gb") if pool.free in (None, float("inf")) else pool.free,
        ]
        for pool in pools
    }
    return got


def expressions_differences(case: Json) -> Iterator[str]:
    """Expressions of drivers: the value, or that there is none."""
    for row in case["expected"]:
        wanted = {key: value for key, value in row.items() if key != "text"}
        try:
            got = {"value": evaluate(row["text"], case["scopes"])}
        except ExpressionError:
            got = {"error": True}
        yield from value_differences(wanted, got, row["text"])


REPLAYS = {
    "volumes": (volumes_differences, (("requests", list), ("expected", list))),
    "expressions": (expressions_differences, (("scopes", dict), ("expected", list))),
}
"""Suite -> who replays a case, and what a case must have."""
