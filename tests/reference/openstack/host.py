"""What Nova's scheduler knows of a compute host, and of a request for instances; and what a chosen host has left.

Holds state and consumption; decides nothing. Source: openstack spec 5.1 (last paragraph), 5.2, 13.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.reference.openstack import pci
from tests.reference.openstack.numa import GuestTopology, HostCell, host_cells, usage_after
from tests.reference.openstack.numa_constraints import numa_constraints
from tests.reference.openstack.numa_fit import Limits, fit

DEFAULT_IMAGE = "c6b0ed28-4a5c-4f5c-8f5c-000000000001"

Mapping = dict[str, list[str]]


@dataclass
class Group:
    """A server group (spec 5.3)."""

    policy: str
    members: list[str]
    hosts: list[str]
    max_server_per_host: int = 1


@dataclass
class Request:
    """The request spec: what all filters and weighers see (defaults: vectors README)."""

    flavor: dict
    image: dict
    project: str
    instance: str | None
    group: Group | None
    hints: dict
    destination: dict | None
    network: dict
    pci_requests: list[dict]
    force_hosts: list[str]
    force_nodes: list[str]
    ignore_hosts: list[str]
    topology: GuestTopology | None

    @classmethod
    def from_json(cls, spec: dict) -> Request:
        image = {"id": DEFAULT_IMAGE, "properties": {}} | (spec.get("image") or {})
        group = spec.get("group")
        if group is not None:
            limit = int((group.get("rules") or {}).get("max_server_per_host", 1))
            group = Group(group["policy"], list(group["members"]), list(group["hosts"]), limit)
        return cls(
            flavor=spec["flavor"],
            image=image,
            project=spec.get("project_id", "p"),
            instance=spec.get("instance_uuid"),
            group=group,
            hints=spec.get("scheduler_hints") or {},
            destination=spec.get("requested_destination"),
            network=spec.get("network_metadata") or {},
            pci_requests=spec.get("pci_requests") or [],
            force_hosts=spec.get("force_hosts") or [],
            force_nodes=spec.get("force_nodes") or [],
            ignore_hosts=spec.get("ignore_hosts") or [],
            topology=numa_constraints(spec["flavor"], image),
        )

    @property
    def extra_specs(self) -> dict[str, str]:
        return self.flavor["extra_specs"]

    @property
    def properties(self) -> dict[str, Any]:
        return self.image["properties"]


@dataclass
class Host:
    """One compute host; `candidates` are the mappings of the allocation candidates it has left."""

    attributes: dict[str, Any]  # by the names that filters look up
    stats: dict[str, Any]
    cell: str
    service: dict
    instances: list[str]
    metrics: dict[str, float]
    aggregates: list[dict[str, str]]  # their metadata
    numa: tuple[HostCell, ...] | None
    pci_pools: list[dict] | None
    candidates: list[Mapping] = field(default_factory=list)
    numa_limits: Limits | None = None  # set by NUMATopologyFilter

    @classmethod
    def from_json(cls, host: dict, aggregates: list[dict]) -> Host:
        metadata = {aggregate["name"]: aggregate["metadata"] for aggregate in aggregates}
        free_gb = host["local_gb"] - host["local_gb_used"]
        if host["disk_available_least"] is not None:
            free_gb = min(free_gb, host["disk_available_least"])
        same = ("host", "nodename", "uuid", "vcpus_used", "hypervisor_type", "hypervisor_version", "host_ip")
        same += ("cpu_info", "supported_instances", "num_io_ops", "num_instances", "failed_builds")
        same += ("cpu_allocation_ratio", "ram_allocation_ratio", "disk_allocation_ratio")
        attributes = {name: host[name] for name in same} | {
            "hypervisor_hostname": host["nodename"],
            "vcpus_total": host["vcpus"],
            "free_ram_mb": host["memory_mb"] - host["memory_mb_used"],
            "total_usable_ram_mb": host["memory_mb"],
            "total_usable_disk_gb": host["local_gb"],
            "disk_mb_used": host["local_gb_used"] * 1024,
            "free_disk_mb": free_gb * 1024,
        }
        pools = host["pci_pools"]
        return cls(
            attributes=attributes,
            stats={
                "io_workload": host["num_io_ops"],
                "num_instances": host["num_instances"],
                "failed_builds": host["failed_builds"],
            },
            cell=host["cell"],
            service=host["service"],
            instances=list(host["instances"]),
            metrics=host["metrics"],
            aggregates=[metadata[name] for name in host["aggregates"]],
            numa=host_cells(host["numa_topology"]),
            pci_pools=None if pools is None else pci.sorted_pools(pools),
            candidates=[{"": [host["uuid"]]}],
        )

    def __getitem__(self, name: str) -> Any:
        return self.attributes[name]

    @property
    def name(self) -> str:
        return self["host"]

    def aggregate_values(self, key: str) -> set[str]:
        """The values that this host's aggregates give to a metadata key."""
        return {metadata[key] for metadata in self.aggregates if key in metadata}

    def consume(self, request: Request, mapping: Mapping, packing: bool = False) -> None:
        """Take one instance: disk without swap, NUMA and PCI usage (spec 5.2); `packing` as in numa_fit."""
        flavor = request.flavor
        self.attributes["vcpus_used"] += flavor["vcpus"]
        self.attributes["free_ram_mb"] -= flavor["memory_mb"]
        self.attributes["free_disk_mb"] -= 1024 * (flavor["root_gb"] + flavor["ephemeral_gb"])
        self.attributes["num_instances"] += 1
        self.attributes["num_io_ops"] += 1
        placed = None
        if self.numa is not None and request.topology is not None:
            limits = self.numa_limits or Limits()
            placed = fit(self.numa, request.topology, limits, self.pci_pools, request.pci_requests, mapping, packing)
            if placed is not None:
                self.numa = usage_after(self.numa, placed)
        if request.pci_requests and self.pci_pools is not None:
            cells = [cell.id for cell in placed.cells] if placed else None
            left = pci.apply_requests(self.pci_pools, request.pci_requests, mapping, cells, self.sockets())
            self.pci_pools = self.pci_pools if left is None else left
        if request.group is not None:
            request.group.hosts.append(self.name)
            if request.instance not in self.instances:
                self.instances.append(request.instance)

    def sockets(self) -> dict[int, int | None]:
        return {cell.id: cell.socket for cell in self.numa or ()}

    def to_json(self) -> dict:
        """The fields that a schedule case records after the loop."""
        names = ("vcpus_used", "free_ram_mb", "free_disk_mb", "num_instances", "num_io_ops")
        pinned = None if self.numa is None else {str(cell.id): sorted(cell.pinned_cpus) for cell in self.numa}
        return {name: self[name] for name in names} | {"pinned": pinned, "pci_pools": self.pci_pools}
