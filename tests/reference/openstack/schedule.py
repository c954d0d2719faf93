"""Nova's scheduling loop: one instance after the other, claims that always succeed, alternates.

Joins filters, weighers and consumption. Source: openstack spec 5.2.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.reference.openstack.filters import run_pipeline
from tests.reference.openstack.host import Host, Request
from tests.reference.openstack.matching import option
from tests.reference.openstack.weighers import weigh

Config = dict[str, Any]


class NoValidHost(Exception):
    """Some instance found no host; nothing stays claimed."""


def select(
    hosts: list[Host], request: Request, instances: list[str], enabled: list[str], config: Config
) -> list[list[Host]]:
    """Per instance the chosen host, then its alternates; consumes the chosen hosts. Raises NoValidHost (spec 5.2).

    host_subset_size is 1 and ties are not shuffled.
    """
    packing = option(config, "compute.packing_host_numa_cells_allocation_strategy", False)
    mappings = {host.name: host.candidates for host in hosts}
    chosen: list[Host] = []
    for index, instance in enumerate(instances):
        request = replace(request, instance=instance)
        hosts = ranked(hosts, request, enabled, config, index, mappings)
        winner = next((host for host in hosts if host.candidates), None)
        if winner is None:
            raise NoValidHost
        chosen.append(winner)
        winner.consume(request, winner.candidates[0], packing)
    if len(instances) > 1:
        hosts = ranked(hosts, request, enabled, config, len(instances) - 1, mappings)
    return [[host, *alternates(host, chosen, hosts, config)] for host in chosen]


def ranked(
    hosts: list[Host], request: Request, enabled: list[str], config: Config, index: int, mappings: dict[str, list]
) -> list[Host]:
    """The hosts that pass for this instance, best first; the list only shrinks from instance to instance."""
    for host in hosts:
        host.candidates = mappings[host.name]
    _, order = weigh(run_pipeline(hosts, request, enabled, config, index), request, config)
    return [host for host, _ in order]


def alternates(host: Host, chosen: list[Host], order: list[Host], config: Config) -> list[Host]:
    """Up to max_attempts - 1 further hosts of the same cell that no instance was given (spec 5.2)."""
    wanted = option(config, "scheduler.max_attempts", 3) - 1
    others = [one for one in order if one.cell == host.cell and one not in chosen and one.candidates]
    return others[:wanted]
