"""Raw weights of hosts for Nova's weighers, and the ranking that `weighers` makes of them (openstack spec 5.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from binwright.errors import InputError
from binwright.openstack.nova.compute_host import ComputeHost
from binwright.openstack.nova.options import Config, option
from binwright.openstack.nova.pci import device_count
from binwright.openstack.nova.request_spec import RequestSpec
from binwright.openstack.nova.weighers import WEIGHERS, multipliers, normalise, weigh

__all__ = ["MissingMetric", "configured_weights", "factors", "ranked", "raw_weights", "score_parts"]

MOST_DEVICES = 99
METRICS = "MetricsWeigher"


class MissingMetric(InputError):
    """A host lacks a metric that is required."""


def raw_weights(hosts: Sequence[ComputeHost], request: RequestSpec, config: Config) -> dict[str, np.ndarray]:
    """Weigher -> raw weight of each host (float64, (hosts,)), before any bound. Raises MissingMetric.

    The weigher of image properties is absent: hosts do not say what their instances were made of.
    """
    soft = {"soft-affinity": 0.0, "soft-anti-affinity": 0.0}
    if request.group is not None:
        soft[request.group.policy] = 1.0
    members = _column([_members(host, request) for host in hosts])
    return {
        "CPUWeigher": _column([host.vcpus_total * host.cpu_allocation_ratio - host.vcpus_used for host in hosts]),
        "RAMWeigher": _column([host.free_ram_mb for host in hosts]),
        "DiskWeigher": _column([host.free_disk_mb for host in hosts]),
        "IoOpsWeigher": _column([host.num_io_ops for host in hosts]),
        "NumInstancesWeigher": _column([host.num_instances for host in hosts]),
        "PCIWeigher": _column(
            [MOST_DEVICES + 1 - min(device_count(host.pci_pools or ()), MOST_DEVICES) for host in hosts]
        ),
        "ServerGroupSoftAffinityWeigher": members * soft["soft-affinity"],
        "ServerGroupSoftAntiAffinityWeigher": -members * soft["soft-anti-affinity"],
        "BuildFailureWeigher": _column([host.failed_builds for host in hosts]),
        "CrossCellWeigher": _column([_cell(host, request) for host in hosts]),
        "HypervisorVersionWeigher": _column([host.hypervisor_version or 0 for host in hosts]),
        METRICS: _metrics(hosts, config),
    }


def factors(hosts: Sequence[ComputeHost], config: Config) -> dict[str, np.ndarray]:
    """Weigher -> its multiplier on each host (float64, (hosts,)); the hosts' aggregates may override the options."""
    metadata = [host.aggregates for host in hosts]
    configured = configured_weights(config)
    return {weigher.name: multipliers(weigher, metadata, configured) for weigher in WEIGHERS}


def configured_weights(config: Config) -> dict[str, float]:
    """The multipliers that the configuration sets, by the weighers' option."""
    names = {weigher.option: _option_name(weigher.option) for weigher in WEIGHERS}
    return {option: float(config[name]) for option, name in names.items() if name in config}


def ranked(
    hosts: Sequence[ComputeHost],
    request: RequestSpec,
    config: Config,
    multiplied: Mapping[str, np.ndarray] | None = None,
) -> list[tuple[ComputeHost, float]]:
    """Hosts with their total weights, best first; equal ones in their order.

    multiplied: the `factors` of these hosts, where they are known already.
    """
    if not hosts:
        return []
    totals = weigh(raw_weights(hosts, request, config), multiplied or factors(hosts, config))
    order = np.argsort(-totals, kind="stable")
    return [(hosts[index], float(totals[index])) for index in order]


def score_parts(
    hosts: Sequence[ComputeHost], request: RequestSpec, config: Config
) -> list[list[tuple[str, float, float, float]]]:
    """For each host (weigher, raw weight, normalised, multiplier) of every weigher that tells hosts apart.

    One host alone is not weighed.
    """
    if len(hosts) < 2:
        return [[] for _ in hosts]
    multiplied = factors(hosts, config)
    parts: list[list[tuple[str, float, float, float]]] = [[] for _ in hosts]
    raws = raw_weights(hosts, request, config)
    for weigher in WEIGHERS:
        if weigher.name not in raws:
            continue
        scaled = normalise(raws[weigher.name], weigher.minval)
        for index, part in enumerate(parts if scaled.any() else ()):
            raw, factor = float(raws[weigher.name][index]), float(multiplied[weigher.name][index])
            part.append((weigher.name, raw, float(scaled[index]), factor))
    return parts


def _column(values: Sequence[float]) -> np.ndarray:
    return np.array(values, dtype=np.float64)


def _option_name(name: str) -> str:
    """Where nova.conf has a weigher's option: one of them lies in a section of its own."""
    return "metrics.weight_multiplier" if name == "metrics_weight_multiplier" else f"filter_scheduler.{name}"


def _members(host: ComputeHost, request: RequestSpec) -> int:
    return 0 if request.group is None else len(request.group.members.intersection(host.instances))


def _cell(host: ComputeHost, request: RequestSpec) -> int:
    """For a move that may leave its cell: 1 for a host of that cell, -1 for one of another."""
    wanted = request.destination
    if not wanted.allow_cross_cell_move:
        return 0
    return 1 if host.cell == wanted.cell else -1


def _metrics(hosts: Sequence[ComputeHost], config: Config) -> np.ndarray:
    """Sum of value times ratio; values are whole numbers, and what is a percentage is kept as a fraction."""
    settings = [setting.partition("=") for setting in option(config, "metrics.weight_setting")]
    result = np.zeros(len(hosts), dtype=np.float64)
    if not settings:
        return result
    multiplier = factors(hosts, config)[METRICS]
    for index, host in enumerate(hosts):
        for name, _, ratio in settings:
            if name in host.metrics:
                value = host.metrics[name] * (100 if name.endswith(".percent") else 1)
                result[index] += int(value) * float(ratio)
            elif option(config, "metrics.required"):
                raise MissingMetric(f"host {host.host}: metric {name} is missing")
            elif float(ratio) * multiplier[index] != 0:
                result[index] = option(config, "metrics.weight_of_unavailable")
                break
    return result
