"""What Nova's scheduler is asked: the request spec that filters and weighers see (openstack spec 3, 4, 5.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from binwright.openstack.cloud import Flavor
from binwright.openstack.nova.numa_cells import GuestTopology

__all__ = ["Destination", "GroupMembers", "Image", "RequestSpec", "RequestedGroup"]


@dataclass(frozen=True, slots=True)
class Image:
    """An image; `properties` as Glance has them, required traits as "trait:NAME"."""

    id: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)
    disk_format: str = "qcow2"


@dataclass(slots=True)
class GroupMembers:
    """The server group of a request: instances that are members, and the hosts that have one, in order of arrival."""

    policy: str
    members: frozenset[str] = frozenset()
    hosts: list[str] = field(default_factory=list)
    most: int = 1


@dataclass(frozen=True, slots=True)
class Destination:
    """A requested destination. `aggregates`: clauses of which each is met by any of its uuids."""

    host: str | None = None
    node: str | None = None
    cell: str | None = None
    allow_cross_cell_move: bool = False
    aggregates: Sequence[Sequence[str]] = ()
    forbidden_aggregates: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class RequestedGroup:
    """What a port or a device profile asks of one provider."""

    id: str
    resources: Mapping[str, int]
    required: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RequestSpec:
    """One request for instances; `instance` is the one that is being placed. `topology` is the guest's, None without.

    requested_groups, same_subtrees: what ports and device profiles ask of Placement.
    """

    flavor: Flavor
    image: Image = Image()
    project: str = ""
    instance: str | None = None
    group: GroupMembers | None = None
    hints: Mapping[str, Any] = field(default_factory=dict)
    destination: Destination = Destination()
    physnets: frozenset[str] = frozenset()
    tunneled: bool = False
    pci_requests: Sequence[Mapping[str, Any]] = ()
    force_hosts: Sequence[str] = ()
    force_nodes: Sequence[str] = ()
    ignore_hosts: Sequence[str] = ()
    topology: GuestTopology | None = None
    zone: str | None = None
    from_volume: bool = False
    requested_groups: Sequence[RequestedGroup] = ()
    same_subtrees: Sequence[Sequence[str]] = ()
    root_required: frozenset[str] = frozenset()
    root_forbidden: frozenset[str] = frozenset()

    @property
    def forced(self) -> bool:
        """Whether it names hosts or nodes that must be taken unfiltered."""
        return bool(self.force_hosts or self.force_nodes) and "_nova_check_type" not in self.hints
