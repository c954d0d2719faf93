"""What Nova's scheduler knows of each host of a cloud, in columns (openstack spec 5.1, last paragraph).

From the hypervisors' own columns where every host has them, as Nova reads them, else from Placement's inventories.
Says what there is before anything is placed; who places keeps count.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from binwright.openstack.cloud import Cloud
from binwright.openstack.hosts import COLUMNS, Hosts

__all__ = ["HostStates"]

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


@dataclass(slots=True)
class HostStates:
    """One entry a host in every column: int64, (hosts,); `vcpu_ratio` float64. `instances` are ids of servers."""

    vcpus: np.ndarray
    vcpus_used: np.ndarray
    vcpu_ratio: np.ndarray
    ram_mb: np.ndarray
    ram_mb_used: np.ndarray
    disk_mb: np.ndarray
    disk_mb_used: np.ndarray
    io_ops: np.ndarray
    hypervisor_version: np.ndarray
    instances: list[list[str]]

    @classmethod
    def of(cls, cloud: Cloud, hosts: Hosts) -> HostStates:
        """The states of a cloud's hosts."""
        io_ops = np.zeros(len(hosts), dtype=np.int64)
        instances: list[list[str]] = [[] for _ in hosts.names]
        for number, server in enumerate(cloud.servers):
            found = hosts.lookup.find(server.host) if server.host is not None else []
            if len(found) == 1:
                instances[found[0]].append(server.id or f"{number}")
                io_ops[found] += server.status == "BUILD" or server.task_state in IO_TASKS
        versions = [0 if one is None or one.version is None else one.version for one in hosts.hypervisors]
        vcpus, ram, disk = (_totals(hosts, name) for name in COLUMNS)
        return cls(
            vcpus=vcpus[0],
            vcpus_used=vcpus[1],
            vcpu_ratio=hosts.column("VCPU", "allocation_ratio", 1.0, np.float64),
            ram_mb=ram[0],
            ram_mb_used=ram[1],
            disk_mb=MIB_PER_GIB * disk[0],
            disk_mb_used=MIB_PER_GIB * disk[1],
            io_ops=io_ops,
            hypervisor_version=np.array(versions, dtype=np.int64),
            instances=instances,
        )


def _totals(hosts: Hosts, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Total and used of a class on every host; reserved amounts count as used, as the resource tracker counts them."""
    rows = [
        tuple(None if one is None else getattr(one, column) for column in COLUMNS[name]) for one in hosts.hypervisors
    ]
    if rows and all(value is not None for row in rows for value in row):
        total, used = np.array(rows, dtype=np.int64).T.copy()
        return total, used
    return hosts.column(name, "total"), hosts.column(name, "reserved") + hosts.column(name, "used")
