"""One compute host as Nova's scheduler sees it, and what an instance takes of it (openstack spec 5.1, 5.2).

Field names are the service's, because capability filters and JSON queries name them. Decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from binwright.openstack.nova import pci
from binwright.openstack.nova.numa_cells import HostCell, used_by
from binwright.openstack.nova.numa_fit import Devices, Limits, fit
from binwright.openstack.nova.request_spec import RequestSpec

__all__ = ["ComputeHost"]

MIB_PER_GIB = 1024
ATTRIBUTES = (
    *("host", "nodename", "uuid", "hypervisor_hostname", "hypervisor_type", "hypervisor_version", "host_ip"),
    *("vcpus_total", "vcpus_used", "free_ram_mb", "total_usable_ram_mb", "total_usable_disk_gb"),
    *("free_disk_mb", "disk_mb_used", "cpu_info", "supported_instances"),
    *("num_io_ops", "num_instances", "failed_builds"),
    *("cpu_allocation_ratio", "ram_allocation_ratio", "disk_allocation_ratio"),
)
STATS = {"io_workload": "num_io_ops", "num_instances": "num_instances", "failed_builds": "failed_builds"}


@dataclass(slots=True, eq=False)
class ComputeHost:
    """The state of a host.

    aggregates: the metadata of those that it is in. candidates: for each allocation candidate that is left, which
    providers serve each group.
    """

    host: str
    nodename: str
    uuid: str
    vcpus_total: int = 0
    vcpus_used: int = 0
    free_ram_mb: int = 0
    total_usable_ram_mb: int = 0
    total_usable_disk_gb: int = 0
    free_disk_mb: int = 0
    disk_mb_used: int = 0
    hypervisor_type: str | None = None
    hypervisor_version: int | None = None
    host_ip: str | None = None
    cpu_info: Any = None
    supported_instances: Sequence[Sequence[str]] = ()
    num_io_ops: int = 0
    num_instances: int = 0
    failed_builds: int = 0
    cpu_allocation_ratio: float = 1.0
    ram_allocation_ratio: float = 1.0
    disk_allocation_ratio: float = 1.0
    cell: str | None = None
    up: bool = True
    disabled: bool = False
    instances: list[str] = field(default_factory=list)
    metrics: Mapping[str, float] = field(default_factory=dict)
    aggregates: Sequence[Mapping[str, str]] = ()
    numa: tuple[HostCell, ...] | None = None
    pci_pools: list[pci.Pool] | None = None
    candidates: list[pci.Mapped] = field(default_factory=list)

    @property
    def hypervisor_hostname(self) -> str:
        return self.nodename

    def attribute(self, name: str) -> Any:
        """The attribute or statistic that a filter names, None if there is none."""
        if name in ATTRIBUTES:
            return getattr(self, name)
        return getattr(self, STATS[name]) if name in STATS else None

    @staticmethod
    def knows(name: str) -> bool:
        """Whether hosts have an attribute or statistic of this name."""
        return name in ATTRIBUTES or name in STATS

    def metadata(self, key: str) -> list[str]:
        """The different values that the host's aggregates give to a key, in order."""
        return sorted({data[key] for data in self.aggregates if key in data})

    def saved(self) -> ComputeHost:
        """The state as it is, for `restore`."""
        return replace(self, instances=list(self.instances))

    def restore(self, before: ComputeHost) -> None:
        """Be as `saved` said; what is saved must not be restored twice."""
        for one in fields(self):
            setattr(self, one.name, getattr(before, one.name))

    def limits(self, request: RequestSpec) -> Limits:
        """The bounds of a guest's NUMA fit on this host."""
        return Limits(self.cpu_allocation_ratio, self.ram_allocation_ratio, request.physnets, request.tunneled)

    def consume(self, request: RequestSpec, mapped: pci.Mapped, *, limited: bool, packing: bool = False) -> None:
        """An instance has come: its sizes (swap is not counted), NUMA cells and devices are used.

        limited: whether the NUMA filter ran, without which the cells have no bounds of overcommit.
        """
        flavor = request.flavor
        self.vcpus_used += flavor.vcpus
        self.free_ram_mb -= flavor.memory_mb
        self.free_disk_mb -= MIB_PER_GIB * (flavor.root_gb + flavor.ephemeral_gb)
        self.num_instances += 1
        self.num_io_ops += 1
        cells = None
        if self.numa is not None and request.topology is not None:
            devices = Devices(self.pci_pools, request.pci_requests, mapped)
            placed = fit(self.numa, request.topology, self.limits(request) if limited else Limits(), devices, packing)
            if placed is not None:
                self.numa = used_by(self.numa, placed)
                cells = [cell.id for cell in placed.cells]
        if request.pci_requests and self.pci_pools is not None:
            sockets = {cell.id: cell.socket for cell in self.numa or ()}
            left = pci.without_devices(self.pci_pools, request.pci_requests, mapped, cells, sockets)
            self.pci_pools = self.pci_pools if left is None else left
        if request.group is not None:
            request.group.hosts.append(self.host)
            if request.instance is not None and request.instance not in self.instances:
                self.instances.append(request.instance)
