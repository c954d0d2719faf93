"""Measured use of the sample: 24 hourly values of CPU and memory for every running pod and every active server.

A day's shape by profile, a level drawn per object, small noise per hour. A node's server uses what its pods use plus
its own system; the legacy servers are levelled so that all hypervisors together use the share the catalogue names.
"""

from __future__ import annotations

from dataclasses import dataclass

from binwright.sample import catalogue
from binwright.sample.catalogue import HOST_CLASSES
from binwright.sample.cloud_plan import CloudPlan, Server
from binwright.sample.cluster_plan import ClusterPlan, Pod
from binwright.sample.dice import Dice

HOURS = 24
# Percent of the level, hour by hour of UTC.
_SHAPES = {
    "web": (
        45, 38, 33, 30, 30, 36, 55, 80, 105, 120, 125, 130, 135, 130, 125, 122, 125, 135, 150, 160, 150, 125, 90, 60,
    ),
    "office": (
        20, 20, 20, 20, 20, 30, 70, 150, 210, 220, 215, 190, 170, 210, 215, 205, 170, 100, 50, 35, 25, 20, 20, 20,
    ),
    "batch": (170, 180, 185, 180, 160, 120, 80, 60, 70, 80, 85, 90, 80, 85, 90, 85, 75, 65, 60, 60, 75, 95, 120, 150),
    "night": (260, 280, 280, 270, 220, 120, 50, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 45, 50, 60, 90, 150, 220),
    "steady": (100,) * HOURS,
    "idle": (100,) * HOURS,
}  # fmt: skip
_SHAPE_OF = {"system": "steady", "control": "steady"}
# Profile -> mean CPU as a share of the request of a pod, drawn between the two.
_POD_LEVEL = {
    "web": (0.18, 0.40),
    "batch": (0.25, 0.55),
    "steady": (0.20, 0.45),
    "idle": (0.02, 0.10),
    "system": (0.25, 0.60),
    "control": (0.40, 1.20),
}
# Profile -> mean CPU of a legacy server as a share of its vCPUs before levelling, drawn between the two.
_SERVER_LEVEL = {"idle": (0.01, 0.05), "office": (0.08, 0.22), "night": (0.08, 0.24), "steady": (0.15, 0.35)}
_CONTROL_MEMORY_MB = {"etcd": 420, "kube-apiserver": 1900, "kube-controller-manager": 260, "kube-scheduler": 110}
_NODE_SYSTEM_CPU_M, _NODE_SYSTEM_MEMORY_MB = 120, 900  # kubelet, container runtime and kernel of a node


@dataclass(frozen=True)
class Series:
    """24 hourly means: CPU in millicores, memory in MiB."""

    cpu: tuple[int, ...]
    memory: tuple[int, ...]


def _shape(load: str) -> tuple[int, ...]:
    return _SHAPES[_SHAPE_OF.get(load, load)]


def _wave(dice: Dice, load: str, mean: float, most: int | None) -> tuple[int, ...]:
    values = (int(mean * percent / 100 * dice.fraction(0.85, 1.15) + 0.5) for percent in _shape(load))
    return tuple(value if most is None else min(value, most) for value in values)


def _memory(dice: Dice, level: float) -> tuple[int, ...]:
    return tuple(int(level * dice.fraction(0.97, 1.03) + 0.5) for _ in range(HOURS))


def _pod_series(dice: Dice, pod: Pod) -> Series:
    load = pod.workload
    level = dice.fraction(*_POD_LEVEL[load.load]) * load.cpu
    most = load.cpu * load.burst if load.burst else None
    share = dice.fraction(0.70, 0.92) if load.load == "steady" else dice.fraction(0.35, 0.85)
    return Series(
        _wave(dice, load.load, level, most), _memory(dice, share * (load.memory or _CONTROL_MEMORY_MB[load.name]))
    )


def _add(series: list[Series], cpu: int, memory: int) -> Series:
    return Series(
        tuple(cpu + sum(one.cpu[hour] for one in series) for hour in range(HOURS)),
        tuple(memory + sum(one.memory[hour] for one in series) for hour in range(HOURS)),
    )


class UsagePlan:
    """``pods[cluster]`` is a list of (pod, series), ``servers`` a list of (server, series); SHUTOFF servers use 0."""

    def __init__(self, seed: int, cloud: CloudPlan, clusters: dict[str, ClusterPlan]) -> None:
        self.pods: dict[str, list[tuple[Pod, Series]]] = {}
        of_node: dict[str, list[Series]] = {}
        under_cpu = 0.0
        for cluster in clusters.values():
            dice = Dice(seed, f"usage of {cluster.name}")
            rows = [(pod, _pod_series(dice, pod)) for pod in cluster.pods if pod.ready]
            self.pods[cluster.name] = rows
            for pod, series in rows:
                if pod.on.server is not None:
                    of_node.setdefault(pod.on.name, []).append(series)
                elif pod.on.metal.is_hypervisor:
                    under_cpu += sum(series.cpu) / HOURS
        nodes = {
            server.uuid: _add(of_node[server.name], _NODE_SYSTEM_CPU_M, _NODE_SYSTEM_MEMORY_MB)
            for server in cloud.servers
            if server.is_node and server.host is not None
        }
        legacy = self._legacy(seed, cloud, nodes, under_cpu)
        self.servers = [(server, (nodes | legacy)[server.uuid]) for server in cloud.servers if server.host is not None]

    def _legacy(self, seed: int, cloud: CloudPlan, nodes: dict[str, Series], under_cpu: float) -> dict[str, Series]:
        dice = Dice(seed, "usage of legacy servers")
        servers = [server for server in cloud.servers if server.host is not None and not server.is_node]
        levels = {
            server.uuid: dice.fraction(*_SERVER_LEVEL[server.load]) * server.flavor.vcpus * 1000
            for server in servers
            if server.status == "ACTIVE"
        }
        threads = sum(HOST_CLASSES[host.kind].threads for host in cloud.hypervisors)
        of_nodes = sum(
            sum(nodes[server.uuid].cpu) / HOURS
            for server in cloud.servers
            if server.uuid in nodes and server.metal.is_hypervisor
        )
        raw = sum(
            levels[server.uuid] * sum(_shape(server.load)) / 100 / HOURS for server in servers if server.uuid in levels
        )
        scale = (catalogue.CPU_USED_TARGET * threads * 1000 - of_nodes - under_cpu) / raw
        return {
            server.uuid: self._legacy_series(dice, server, levels.get(server.uuid, 0.0) * scale) for server in servers
        }

    def _legacy_series(self, dice: Dice, server: Server, level: float) -> Series:
        if server.status != "ACTIVE":
            return Series((0,) * HOURS, (0,) * HOURS)
        share = dice.fraction(0.25, 0.8)
        return Series(
            _wave(dice, server.load, level, server.flavor.vcpus * 1000), _memory(dice, share * server.flavor.ram_mb)
        )
