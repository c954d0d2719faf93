"""Volumes placed one by one by the real cinder scheduler and by binwright, in one process, on the same pools.

    V/bin/pip install cinder==29.0.0 pyparsing==3.2.5 .    # in a virtual environment V of its own
    V/bin/python bench/peers/openstack/volumes.py

Both are given what backends report and a type with an extra spec; both must choose the same pool for every volume.
"""

from __future__ import annotations

import logging
import time
from typing import Any

import record_cinder as peer  # first: it quietens the service
from cinder import context
from cinder_cases import backend, pool

from binwright.openstack.cinder.replay import read_pools, read_request
from binwright.openstack.cinder.scheduler import SchedulerOptions, VolumeScheduler

SIZES = ((20, 500), (200, 500), (1000, 100))
REQUEST = {"size": 3, "extra_specs": {"disk": "<or> ssd <or> nvme"}, "zones": ["nova"]}


def cloud(pools: int) -> dict[str, Any]:
    """A case with so many pools, ten a backend, every second one thin."""
    kinds: tuple[dict[str, Any], ...] = (
        {"thin_provisioning_support": True, "max_over_subscription_ratio": "2.0"},
        {"reserved_percentage": 5},
    )
    rows = [
        pool(f"p{number}", 10_000, 9000 + number, allocated_capacity_gb=10, disk="ssd", **kinds[number % 2])
        for number in range(pools)
    ]
    return {"config": {}, "backends": [backend(f"h{at}@b", *rows[at : at + 10]) for at in range(0, pools, 10)]}


def by_cinder(case: dict[str, Any], volumes: int) -> tuple[float, list[str]]:
    """Seconds, and the chosen pools."""
    made, admin, chosen = peer.scheduler(case), context.get_admin_context(), []
    made.host_manager.get_all_backend_states(admin)
    start = time.perf_counter()
    for number in range(volumes):
        spec, properties = peer.properties_of(REQUEST | {"id": str(number)})
        candidates = made._get_weighted_candidates(admin, spec, properties)
        chosen.append(made._choose_top_backend(candidates, spec).obj.host)
    return time.perf_counter() - start, chosen


def by_binwright(rows: list[dict[str, Any]], volumes: int) -> tuple[float, list[str]]:
    """Seconds, and the chosen pools; reading the pools counts."""
    start = time.perf_counter()
    scheduler, request = VolumeScheduler(read_pools(rows, SchedulerOptions())), read_request(REQUEST)
    chosen = [scheduler.pools[found[0]].name for n in range(volumes) if (found := scheduler.place(request, str(n)))]
    return time.perf_counter() - start, chosen


def main() -> None:
    """A line for every size."""
    peer.CONF([], project="cinder")
    logging.disable(logging.CRITICAL)
    peer.stand_in()
    for pools, volumes in SIZES:
        case = cloud(pools)
        theirs, wanted = by_cinder(case, volumes)
        ours, chosen = by_binwright(peer.pools_of(peer.scheduler(case)), volumes)
        assert chosen == wanted
        each = [seconds / volumes * 1e3 for seconds in (theirs, ours)]
        print(
            f"{pools} pools, {volumes} volumes, ms a volume: cinder {each[0]:.2f}, binwright {each[1]:.3f}; same pools"
        )


if __name__ == "__main__":
    main()
