"""A cloud as its services tell it: what a dump or a live client is turned into before anything is decided.

Plain records, one per object of Nova, Placement and Cinder, with the services' own words; no reading, no rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from binwright.openstack.placement.tree import Provider

__all__ = [
    "Aggregate",
    "Cloud",
    "Flavor",
    "Hypervisor",
    "Server",
    "ServerGroup",
    "Service",
    "Volume",
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
    is the compute service where the dump tells it apart from the hypervisor; `host_id` is what a tenant sees of it.
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
    service_host: str | None = None
    host_id: str | None = None
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wish:
    """`count` servers that somebody would like to have (requests.json); no service knows of them yet."""

    name: str
    flavor_ref: str
    count: int = 1
    project: str | None = None
    zone: str | None = None
    from_volume: bool = False
    image: str | None = None
    hints: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""


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
class Service:
    """A row of `openstack compute service list`: the nova-compute of a host and its state."""

    host: str
    binary: str | None = None
    status: str | None = None
    state: str | None = None


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
    """A Cinder volume and the servers it is attached to."""

    id: str | None
    name: str
    status: str | None = None
    servers: frozenset[str] = frozenset()


@dataclass(slots=True)
class Cloud:
    """Everything known of one cloud. `present` names the kinds that the input has, also when it has none of them.

    `consumers` are the allocation rows per consumer, provider and class; None when the input has only sums.
    `columns` tells which column of which file gave which field; `skipped` counts objects of unknown files.
    """

    name: str
    servers: list[Server] = field(default_factory=list)
    wishes: list[Wish] = field(default_factory=list)
    flavors: list[Flavor] = field(default_factory=list)
    hypervisors: list[Hypervisor] = field(default_factory=list)
    services: list[Service] = field(default_factory=list)
    aggregates: list[Aggregate] = field(default_factory=list)
    server_groups: list[ServerGroup] = field(default_factory=list)
    volumes: list[Volume] = field(default_factory=list)
    providers: list[Provider] = field(default_factory=list)
    consumers: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    present: set[str] = field(default_factory=set)
    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)
