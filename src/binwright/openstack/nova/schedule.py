"""Nova's scheduling of one request: an instance after another, the best host first, alternates (openstack spec 5.2).

Claims always succeed here: Placement's part is over when candidates are given. Ties go to the first host, and the best
one is taken (host_subset_size 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from binwright.errors import BinwrightError
from binwright.openstack.nova.compute_host import ComputeHost
from binwright.openstack.nova.filters import NUMA_FILTER, filtered
from binwright.openstack.nova.options import Config, option
from binwright.openstack.nova.raw_weights import ranked
from binwright.openstack.nova.request_spec import RequestSpec

__all__ = ["NoValidHost", "schedule"]


class NoValidHost(BinwrightError):
    """Some instance of a request found no host."""


def schedule(
    hosts: Sequence[ComputeHost],
    request: RequestSpec,
    instances: Sequence[str],
    enabled: Sequence[str],
    config: Config,
) -> list[list[ComputeHost]]:
    """For each instance its host, then the alternates; the hosts are consumed. Raises NoValidHost, having consumed."""
    packing = option(config, "compute.packing_host_numa_cells_allocation_strategy")
    limited = NUMA_FILTER in enabled and not request.forced
    candidates = {host.uuid: host.candidates for host in hosts}
    chosen: list[ComputeHost] = []
    left = list(hosts)

    def best_first(index: int) -> list[ComputeHost]:
        for host in left:
            host.candidates = candidates[host.uuid]
        passing = filtered(left, replace(request, instance=instances[index]), enabled, config, index)
        return [host for host, _ in ranked(passing, request, config)]

    for index, instance in enumerate(instances):
        left = best_first(index)
        winner = next((host for host in left if host.candidates), None)
        if winner is None:
            raise NoValidHost(f"instance {instance}: no host is left")
        chosen.append(winner)
        winner.consume(replace(request, instance=instance), winner.candidates[0], limited=limited, packing=packing)
    if len(instances) > 1:
        left = best_first(len(instances) - 1)
    others = [host for host in left if host not in chosen and host.candidates]
    most = option(config, "scheduler.max_attempts") - 1
    return [[host, *[one for one in others if one.cell == host.cell][:most]] for host in chosen]
