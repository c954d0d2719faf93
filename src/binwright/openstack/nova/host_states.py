"""What Nova's scheduler knows of each host, in columns: raw weights come from here (openstack spec 5.1, 5.2).

Filled from a cloud's hosts; every server that is placed consumes from it as Nova's host state does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from binwright.openstack.cloud import Cloud, Flavor
from binwright.openstack.hosts import Hosts
from binwright.openstack.nova.weighers import WEIGHERS, multipliers

__all__ = ["FED_WEIGHERS", "HostStates", "weight_multipliers"]

# Task states that Nova counts as I/O heavy; a server that is being built counts as well.
IO_TASKS = {
    "resize_migrating",
    "rebuilding",
    "resize_prep",
    "image_snapshot",
    "image_backup",
    "rescuing",
    "unshelving",
}
MIB_PER_GIB = 1024

FED_WEIGHERS = (
    "NumInstancesWeigher",
    "CPUWeigher",
    "ServerGroupSoftAffinityWeigher",
    "ServerGroupSoftAntiAffinityWeigher",
    "RAMWeigher",
    "DiskWeigher",
    "IoOpsWeigher",
    "HypervisorVersionWeigher",
)
"""Weighers for which a dump has the data."""


@dataclass(slots=True)
class HostStates:
    """One entry a host in every column. int64, (hosts,), but `vcpu_limit`: float64, vCPUs times their ratio."""

    vcpu_limit: np.ndarray
    vcpus_used: np.ndarray
    free_ram_mb: np.ndarray
    free_disk_mb: np.ndarray
    num_io_ops: np.ndarray
    num_instances: np.ndarray
    hypervisor_version: np.ndarray

    @classmethod
    def of(cls, cloud: Cloud, hosts: Hosts) -> HostStates:
        """The states of a cloud's hosts. Reserved amounts count as used, as the resource tracker counts them."""

        def taken(name: str) -> np.ndarray:
            amounts: np.ndarray = hosts.column(name, "reserved") + hosts.column(name, "used")
            return amounts

        io_ops = np.zeros(len(hosts), dtype=np.int64)
        instances = np.zeros(len(hosts), dtype=np.int64)
        for server in cloud.servers:
            found = hosts.lookup.find(server.host) if server.host is not None else []
            if len(found) == 1:
                instances[found] += 1
                io_ops[found] += server.status == "BUILD" or server.task_state in IO_TASKS
        versions = [0 if one is None or one.version is None else one.version for one in hosts.hypervisors]
        ratios = hosts.column("VCPU", "allocation_ratio", 1.0, np.float64)
        return cls(
            vcpu_limit=hosts.column("VCPU", "total") * ratios,
            vcpus_used=taken("VCPU"),
            free_ram_mb=hosts.column("MEMORY_MB", "total") - taken("MEMORY_MB"),
            free_disk_mb=MIB_PER_GIB * (hosts.column("DISK_GB", "total") - taken("DISK_GB")),
            num_io_ops=io_ops,
            num_instances=instances,
            hypervisor_version=np.array(versions, dtype=np.int64),
        )

    def raw_weights(self, feasible: np.ndarray) -> dict[str, np.ndarray]:
        """Weigher -> raw weights of the hosts with these indexes (int64, (feasible,))."""
        columns = {
            "NumInstancesWeigher": self.num_instances,
            "CPUWeigher": self.vcpu_limit - self.vcpus_used,
            "RAMWeigher": self.free_ram_mb,
            "DiskWeigher": self.free_disk_mb,
            "IoOpsWeigher": self.num_io_ops,
            "HypervisorVersionWeigher": self.hypervisor_version,
        }
        return {name: column[feasible] for name, column in columns.items()}

    def consume(self, host: int, flavor: Flavor) -> None:
        """Count a server of this flavor as running on `host`; swap is not counted, as in Nova."""
        self.vcpus_used[host] += flavor.vcpus
        self.free_ram_mb[host] -= flavor.memory_mb
        self.free_disk_mb[host] -= MIB_PER_GIB * (flavor.root_gb + flavor.ephemeral_gb)
        self.num_instances[host] += 1
        self.num_io_ops[host] += 1


def weight_multipliers(cloud: Cloud, hosts: Hosts) -> dict[str, np.ndarray]:
    """Weigher -> multiplier of every host (float64, (hosts,)): Nova's defaults, or what the host's aggregates say."""
    metadata: list[list[Mapping[str, str]]] = [[] for _ in hosts.names]
    for aggregate in cloud.aggregates:
        for name in aggregate.hosts or ():
            for index in hosts.lookup.find(name):
                metadata[index].append(aggregate.metadata)
    return {weigher.name: multipliers(weigher, metadata) for weigher in WEIGHERS if weigher.name in FED_WEIGHERS}
