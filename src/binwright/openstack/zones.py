"""Host aggregates and the availability zones that they make: which hosts are in each (openstack spec 3.2).

A zone is the aggregates whose metadata give it. Placement sees them as provider aggregates, which win over Nova's host
lists where the input has both; hosts of no such aggregate are in Nova's default zone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import NAMESPACE_DNS, uuid5

import numpy as np

from binwright.openstack.cloud import Aggregate, Cloud
from binwright.openstack.hosts import Hosts

__all__ = ["DEFAULT_ZONE", "Zones", "cloud_zones"]

DEFAULT_ZONE = "nova"


@dataclass(slots=True)
class Zones:
    """Zone -> its hosts (bool, (hosts,)). `known` is False when the input does not tell which hosts are in a zone.

    `aggregates` are those whose hosts are known, each with a uuid that their root providers are members of, whether or
    not the input has Placement's side; `metadata[i]` are those of the aggregates that host i is in.
    """

    members: dict[str, np.ndarray]
    metadata: list[list[Mapping[str, str]]]
    aggregates: list[Aggregate] = field(default_factory=list)
    known: bool = True
    notes: list[str] = field(default_factory=list)

    def hosts_of(self, zone: str | None) -> np.ndarray | None:
        """Hosts that a server asking for `zone` may go to; None is all: no aggregate has that zone, as in Nova."""
        return None if zone is None else self.members.get(zone)

    def missing(self, zone: str | None) -> bool:
        """Whether `zone` is asked for and is no zone of the cloud, which Nova's API refuses before any scheduling."""
        return self.known and zone not in (None, DEFAULT_ZONE) and zone not in self.members

    def clauses(self) -> dict[frozenset[str], str]:
        """What a pre-filter's clause of aggregate uuids means: the zone that a server is outside of, in words."""
        uuids: dict[str, set[str]] = {}
        for aggregate in self.aggregates:
            if aggregate.zone is not None:
                uuids.setdefault(aggregate.zone, set()).add(aggregate.uuid or "")
        return {frozenset(own): f"outside availability zone {zone}" for zone, own in uuids.items()}


def cloud_zones(cloud: Cloud, hosts: Hosts) -> Zones:
    """The zones of a cloud. The root providers of `hosts` become members of aggregates that only Nova's lists tell."""
    zones = Zones({}, [[] for _ in hosts.names], known="aggregates" in cloud.present)
    for aggregate in cloud.aggregates:
        inside = _members(aggregate, cloud, hosts, zones.notes)
        if inside is not None:
            zones.aggregates.append(_in_placement(aggregate, inside, hosts))
            listed, _ = _listed(aggregate, hosts)
            for index in np.flatnonzero(inside if listed is None else listed).tolist():
                zones.metadata[index].append(aggregate.metadata)
        if aggregate.zone is None:
            continue
        if inside is None:
            zones.known = False
            zones.notes.append(f"aggregates.json: aggregate {aggregate.name}: neither Hosts nor provider_aggregates/")
        elif aggregate.zone in zones.members:
            zones.members[aggregate.zone] = zones.members[aggregate.zone] | inside
        else:
            zones.members[aggregate.zone] = inside
    if not zones.known:
        zones.members = {}
    return zones


def _in_placement(aggregate: Aggregate, inside: np.ndarray, hosts: Hosts) -> Aggregate:
    """An aggregate as the pre-filters see it: its zone in the metadata, its uuid at the roots of its hosts."""
    uuid = aggregate.uuid or str(uuid5(NAMESPACE_DNS, aggregate.name))
    for index in np.flatnonzero(inside).tolist():
        provider = hosts.providers[index]
        if provider is not None:
            provider.aggregates |= {uuid}
    metadata = dict(aggregate.metadata)
    if aggregate.zone is not None:
        metadata["availability_zone"] = aggregate.zone
    return replace(aggregate, uuid=uuid, metadata=metadata)


def _members(aggregate: Aggregate, cloud: Cloud, hosts: Hosts, notes: list[str]) -> np.ndarray | None:
    listed, lost = _listed(aggregate, hosts)
    if aggregate.uuid is None or "provider_aggregates" not in cloud.present:
        notes += [
            f"aggregates.json: aggregate {aggregate.name}: host {name!r} is no host of this cloud" for name in lost
        ]
        return listed
    mirrored = np.array([one is not None and aggregate.uuid in one.aggregates for one in hosts.providers], dtype=bool)
    # Without the compute services' names a bare-metal service cannot be resolved; then nothing is comparable.
    if listed is not None and not lost and (listed != mirrored).any():
        notes.append(
            f"aggregate {aggregate.name}: {int((listed != mirrored).sum())} hosts differ between aggregates.json and "
            "provider_aggregates/; Placement's list counts"
        )
    return mirrored


def _listed(aggregate: Aggregate, hosts: Hosts) -> tuple[np.ndarray | None, list[str]]:
    """Nova's own list as bool (hosts,), None where the input lacks it, and the names that mean no host."""
    if aggregate.hosts is None:
        return None, []
    inside = np.zeros(len(hosts), dtype=bool)
    lost = []
    for name in aggregate.hosts:
        found = hosts.lookup.find(name)
        inside[found] = True
        if not found:
            lost.append(name)
    return inside, lost
