"""Nova's weighers: raw weight per host, normalisation, multipliers, total and order.

Ranks the hosts it is given; picks none. Source: openstack spec 5.1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.reference.openstack.host import Host, Request
from tests.reference.openstack.matching import option, smallest

Config = dict[str, Any]
Raw = Callable[[Host, Request, Config], float]

METRIC_UNAVAILABLE = -10000.0


class MetricNotFound(Exception):
    """A required metric is missing on a host."""


def cpu(host: Host, request: Request, config: Config) -> float:
    return host["vcpus_total"] * host["cpu_allocation_ratio"] - host["vcpus_used"]


def ram(host: Host, request: Request, config: Config) -> float:
    return host["free_ram_mb"]


def disk(host: Host, request: Request, config: Config) -> float:
    return host["free_disk_mb"]


def io_ops(host: Host, request: Request, config: Config) -> float:
    return host["num_io_ops"]


def num_instances(host: Host, request: Request, config: Config) -> float:
    return host["num_instances"]


def pci_devices(host: Host, request: Request, config: Config) -> float:
    """Hosts with fewer free devices first: 100 - min(devices, 99)."""
    return 100 - min(sum(pool["count"] for pool in host.pci_pools or ()), 99)


def group_members(host: Host, request: Request, policy: str) -> int:
    if request.group is None or request.group.policy != policy:
        return 0
    return len(set(host.instances) & set(request.group.members))


def soft_affinity(host: Host, request: Request, config: Config) -> float:
    return group_members(host, request, "soft-affinity")


def soft_anti_affinity(host: Host, request: Request, config: Config) -> float:
    return -group_members(host, request, "soft-anti-affinity")


def build_failure(host: Host, request: Request, config: Config) -> float:
    return host["failed_builds"]


def cross_cell(host: Host, request: Request, config: Config) -> float:
    """+1 for the request's own cell, -1 for another, only for cross-cell moves."""
    destination = request.destination or {}
    if not destination.get("allow_cross_cell_move"):
        return 0
    return 1 if host.cell == destination.get("cell") else -1


def hypervisor_version(host: Host, request: Request, config: Config) -> float:
    return host["hypervisor_version"] or 0


def metrics(host: Host, request: Request, config: Config) -> float:
    """Sum of value * ratio; values are whole numbers, percentages were stored as fractions (spec 5.1)."""
    total = 0.0
    multiplier = multiplier_of(WEIGHERS["MetricsWeigher"], host, config)
    for setting in option(config, "metrics.weight_setting", []):
        name, _, text = setting.partition("=")
        ratio = float(text)
        if name in host.metrics:
            value = host.metrics[name]
            total += int(value * 100 if name.endswith(".percent") else value) * ratio
        elif option(config, "metrics.required", True):
            raise MetricNotFound(f"host {host.name}: metric {name}")
        elif ratio * multiplier != 0:
            return option(config, "metrics.weight_of_unavailable", METRIC_UNAVAILABLE)
    return total


@dataclass(frozen=True)
class Weigher:
    """A raw weight with its fixed lower bound, and the option that multiplies it."""

    raw: Raw
    section: str
    option: str
    default: float
    minval: float | None = None
    sign: float = 1.0
    aggregate_key: str | None = None  # where it is not the option's own name


def _scheduler(raw: Raw, name: str, default: float, minval: float | None = None, sign: float = 1.0) -> Weigher:
    return Weigher(raw, "filter_scheduler", f"{name}_weight_multiplier", default, minval, sign)


# Without ImagePropertiesWeigher: 0 unless enabled, and no recorded host says what its instances were made of
WEIGHERS = {
    "CPUWeigher": _scheduler(cpu, "cpu", 1.0, 0),
    "RAMWeigher": _scheduler(ram, "ram", 1.0, 0),
    "DiskWeigher": _scheduler(disk, "disk", 1.0, 0),
    "IoOpsWeigher": _scheduler(io_ops, "io_ops", -1.0, 0),
    "NumInstancesWeigher": _scheduler(num_instances, "num_instances", 0.0),
    "PCIWeigher": _scheduler(pci_devices, "pci", 1.0),
    "ServerGroupSoftAffinityWeigher": _scheduler(soft_affinity, "soft_affinity", 1.0),
    "ServerGroupSoftAntiAffinityWeigher": _scheduler(soft_anti_affinity, "soft_anti_affinity", 1.0),
    "BuildFailureWeigher": _scheduler(build_failure, "build_failure", 1000000.0, sign=-1.0),
    "CrossCellWeigher": _scheduler(cross_cell, "cross_cell_move", 1000000.0),
    "HypervisorVersionWeigher": _scheduler(hypervisor_version, "hypervisor_version", 1.0),
    "MetricsWeigher": Weigher(metrics, "metrics", "weight_multiplier", 1.0, aggregate_key="metrics_weight_multiplier"),
}


def multiplier_of(weigher: Weigher, host: Host, config: Config) -> float:
    """Per host: the aggregates' smallest value of the option's name, else the configured one (spec 5.1)."""
    configured = option(config, f"{weigher.section}.{weigher.option}", weigher.default)
    values = host.aggregate_values(weigher.aggregate_key or weigher.option)
    return weigher.sign * smallest(values, configured, float)


def normalise(raw: list[float], minval: float | None) -> list[float]:
    """(w - lo) / (hi - lo), 0 for all if lo == hi; `lo` is the fixed bound where there is one (spec 5.1)."""
    low = min(raw) if minval is None else minval
    high = max(raw)
    if low == high:
        return [0.0] * len(raw)
    return [(weight - low) / (high - low) for weight in raw]


def weigh(hosts: list[Host], request: Request, config: Config) -> tuple[dict[str, dict], list[tuple[Host, float]]]:
    """(table per weigher, hosts with their totals, best first; stable); totals stay 0.0 below two hosts (spec 5.1)."""
    totals = [0.0] * len(hosts)
    table = {}
    for name, weigher in WEIGHERS.items():
        raw = [weigher.raw(host, request, config) for host in hosts]
        if weigher.minval is not None:
            raw = [max(weight, weigher.minval) for weight in raw]
        normalised = normalise(raw, weigher.minval) if hosts else []
        multipliers = [multiplier_of(weigher, host, config) for host in hosts]
        totals = [total + m * n for total, m, n in zip(totals, multipliers, normalised)]
        names = [host.name for host in hosts]
        table[name] = {
            "minval": weigher.minval,
            "maxval": None,
            "raw": dict(zip(names, raw)),
            "normalized": dict(zip(names, normalised)),
            "multiplier": dict(zip(names, multipliers)),
        }
    if len(hosts) < 2:
        totals = [0.0] * len(hosts)
    order = sorted(zip(hosts, totals), key=lambda pair: pair[1], reverse=True)
    return table, order
