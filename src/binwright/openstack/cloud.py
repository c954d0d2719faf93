"""A cloud as its services tell it: what a dump or a live client is turned into before anything is decided.

Plain records, one per object of a service, with the services' own words; no reading, no rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from binwright.openstack.nova.numa_cells import HostCell
from binwright.openstack.placement.tree import Provider

__all__ = [
    "Aggregate",
    "BackendPool",
    "BareMetalNode",
    "Cloud",
    "Flavor",
    "Hypervisor",
    "Network",
    "NodeGroup",
    "Port",
    "QosPolicy",
    "QosRule",
    "Server",
    "ServerGroup",
    "Service",
    "Volume",
    "VolumeType",
    "VolumeWish",
    "Wish",
]


@dataclass(frozen=True, slots=True)
class Flavor:
    """A flavor: memory and swap in MiB, disks in GiB; `where` is how an error names it."""

    id: str | None
    name: str
    vcpus: int
    memory_mb: int
    root_gb: int = 0
    ephemeral_gb: int = 0
    swap_mb: int = 0
    extra_specs: Mapping[str, str] = field(default_factory=dict)
    where: str = ""


@dataclass(frozen=True, slots=True)
class Server:
    """An instance. `host` is the hypervisor's or the compute service's name, None while nothing runs it.

    `flavor` is the flavor that came embedded, else None, and then `flavor_ref` is a flavor's id or name. `service_host`
    is the compute service where the dump tells it apart from the hypervisor; `host_id` is what a tenant sees of it;
    `created` is a time as the API writes it.
    """

    id: str | None
    name: str
    status: str
    host: str | None
    flavor_ref: str | None
    flavor: Flavor | None = None
    task_state: str | None = None
    project: str | None = None
    zone: str | None = None
    from_volume: bool = False
    image: str | None = None
    hints: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""
    created: str | None = None
    service_host: str | None = None
    host_id: str | None = None
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wish:
    """`count` servers that somebody would like to have (requests.json); no service knows of them yet.

    ports: the ports of each, by name or id. together: one request for all of them, which get a host each or none does.
    """

    name: str
    flavor_ref: str
    count: int = 1
    together: bool = False
    project: str | None = None
    zone: str | None = None
    from_volume: bool = False
    image: str | None = None
    hints: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""
    ports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hypervisor:
    """A compute node. The count columns are None where the dump lacks them (compute API 2.88 dropped them)."""

    id: str | None
    hostname: str
    service_host: str | None = None
    state: str | None = None
    status: str | None = None
    type: str | None = None
    version: int | None = None
    vcpus: int | None = None
    vcpus_used: int | None = None
    memory_mb: int | None = None
    memory_mb_used: int | None = None
    local_gb: int | None = None
    local_gb_used: int | None = None
    where: str = ""


@dataclass(frozen=True, slots=True)
class ComputeNode:
    """A row of Nova's table compute_nodes: what no API tells. numa, pci_pools: None where the host has none to tell."""

    hostname: str
    numa: tuple[HostCell, ...] | None = None
    pci_pools: list[dict[str, Any]] | None = None
    cpu_info: Any = None
    supported_instances: tuple[tuple[str, ...], ...] = ()
    host_ip: str | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """A row of `openstack compute service list` or `volume service list`: a host's service and its state."""

    host: str
    binary: str | None = None
    status: str | None = None
    state: str | None = None
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A host aggregate of Nova; `hosts` (compute services) is None where the dump lacks the column."""

    id: str | None
    uuid: str | None
    name: str
    zone: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    hosts: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class ServerGroup:
    """A server group and the instances that are members; `most` is rules.max_server_per_host of anti-affinity."""

    id: str | None
    name: str
    policy: str | None
    members: frozenset[str] = frozenset()
    most: int = 1


@dataclass(frozen=True, slots=True)
class Volume:
    """A Cinder volume and the servers it is attached to; size in GiB. `host` is its pool, None while it has none."""

    id: str | None
    name: str
    status: str | None = None
    servers: frozenset[str] = frozenset()
    size: int | None = None
    type: str | None = None
    zone: str | None = None
    host: str | None = None
    project: str | None = None
    where: str = ""


@dataclass(frozen=True, slots=True)
class VolumeWish:
    """`count` volumes that somebody would like to have (requests.json); Cinder does not know of them yet."""

    name: str
    size: int
    count: int = 1
    type: str | None = None
    zone: str | None = None
    project: str | None = None
    hints: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""


@dataclass(frozen=True, slots=True)
class VolumeType:
    """A volume type with its extra specs."""

    id: str | None
    name: str
    extra_specs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BackendPool:
    """A pool of a volume backend, with what the backend says of it."""

    name: str
    capabilities: Mapping[str, Any]
    where: str = ""


@dataclass(frozen=True, slots=True)
class Port:
    """A Neutron port and the server it is for. `resource_request` as the API computes it, None where it has not."""

    id: str | None
    name: str
    server: str | None = None
    network: str | None = None
    vnic_type: str = "normal"
    qos_policy: str | None = None
    resource_request: Mapping[str, Any] | None = None
    where: str = ""


@dataclass(frozen=True, slots=True)
class Network:
    """A Neutron network; `physical_network` of its first segment, None of one that is tunnelled."""

    id: str | None
    name: str
    physical_network: str | None = None
    qos_policy: str | None = None


@dataclass(frozen=True, slots=True)
class QosRule:
    """One rule of a QoS policy that guarantees something; kbit/s or kilopackets/s."""

    id: str
    type: str
    direction: str
    least: int


@dataclass(frozen=True, slots=True)
class QosPolicy:
    """A QoS policy with the rules that guarantee something, in the API's order."""

    id: str | None
    name: str
    rules: tuple[QosRule, ...] = ()


@dataclass(frozen=True, slots=True)
class BareMetalNode:
    """An Ironic node. `instance` is the server that has it."""

    uuid: str
    name: str
    resource_class: str | None
    provision_state: str | None = None
    power_state: str | None = None
    maintenance: bool = False
    instance: str | None = None
    traits: frozenset[str] = frozenset()
    where: str = ""


@dataclass(frozen=True, slots=True)
class NodeGroup:
    """A Magnum node group; docker_volume_size in GiB."""

    name: str
    role: str
    flavor_ref: str
    node_count: int
    min_node_count: int = 0
    max_node_count: int | None = None
    cluster: str | None = None
    image: str | None = None
    status: str | None = None
    project: str | None = None
    docker_volume_size: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    where: str = ""


@dataclass(frozen=True, slots=True)
class Quota:
    """What a project may have: resource -> (limit, -1 without one; what is used, None where that is not told)."""

    project: str
    limits: Mapping[str, tuple[int, int | None]] = field(default_factory=dict)


@dataclass(slots=True)
class Cloud:
    """Everything known of one cloud. `present` names the kinds that the input has, also when it has none of them.

    `consumers` are the allocation rows per consumer, provider and class; None when the input has only sums.
    `columns` tells which column of which file gave which field; `skipped` counts objects of unknown files.
    `not_understood`: (rule, example) of what stands in wishes and could not be read; `notes`: how the input was read.
    """

    name: str
    servers: list[Server] = field(default_factory=list)
    wishes: list[Wish] = field(default_factory=list)
    flavors: list[Flavor] = field(default_factory=list)
    hypervisors: list[Hypervisor] = field(default_factory=list)
    services: list[Service] = field(default_factory=list)
    compute_nodes: list[ComputeNode] = field(default_factory=list)
    aggregates: list[Aggregate] = field(default_factory=list)
    server_groups: list[ServerGroup] = field(default_factory=list)
    volumes: list[Volume] = field(default_factory=list)
    volume_wishes: list[VolumeWish] = field(default_factory=list)
    volume_types: list[VolumeType] = field(default_factory=list)
    volume_services: list[Service] = field(default_factory=list)
    pools: list[BackendPool] = field(default_factory=list)
    ports: list[Port] = field(default_factory=list)
    networks: list[Network] = field(default_factory=list)
    qos_policies: list[QosPolicy] = field(default_factory=list)
    baremetal_nodes: list[BareMetalNode] = field(default_factory=list)
    node_groups: list[NodeGroup] = field(default_factory=list)
    quotas: list[Quota] = field(default_factory=list)
    providers: list[Provider] = field(default_factory=list)
    consumers: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    present: set[str] = field(default_factory=set)
    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)
    not_understood: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
