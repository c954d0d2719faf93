"""Availability zones: which hosts a zone means (openstack spec 3.2).

A zone is the aggregates whose metadata give it. Placement sees them as provider aggregates, which win over Nova's host
lists where the input has both; hosts of no such aggregate are in Nova's default zone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from binwright.openstack.cloud import Aggregate, Cloud
from binwright.openstack.hosts import Hosts

__all__ = ["DEFAULT_ZONE", "Zones", "cloud_zones"]

DEFAULT_ZONE = "nova"


@dataclass(slots=True)
class Zones:
    """Zone -> its hosts (bool, (hosts,)). `known` is False when the input does not tell which hosts are in a zone."""

    members: dict[str, np.ndarray]
    known: bool = True
    notes: list[str] = field(default_factory=list)

    def hosts_of(self, zone: str | None) -> np.ndarray | None:
        """Hosts that a server asking for `zone` may go to; None is all: no aggregate has that zone, as in Nova."""
        return None if zone is None else self.members.get(zone)

    def missing(self, zone: str | None) -> bool:
        """Whether `zone` is asked for and is no zone of the cloud, which Nova's API refuses before any scheduling."""
        return self.known and zone not in (None, DEFAULT_ZONE) and zone not in self.members


def cloud_zones(cloud: Cloud, hosts: Hosts) -> Zones:
    """The zones of a cloud."""
    if "aggregates" not in cloud.present:
        return Zones({}, known=False)
    zones = Zones({})
    for aggregate in cloud.aggregates:
        if aggregate.zone is None:
            continue
        inside = _members(aggregate, cloud, hosts, zones.notes)
        if inside is None:
            zones.known = False
            zones.notes.append(f"aggregates.json: aggregate {aggregate.name}: neither Hosts nor provider_aggregates/")
        elif aggregate.zone in zones.members:
            zones.members[aggregate.zone] = zones.members[aggregate.zone] | inside
        else:
            zones.members[aggregate.zone] = inside
    return zones if zones.known else Zones({}, known=False, notes=zones.notes)


def _members(aggregate: Aggregate, cloud: Cloud, hosts: Hosts, notes: list[str]) -> np.ndarray | None:
    listed, lost = _listed(aggregate, hosts)
    if aggregate.uuid is None or "provider_aggregates" not in cloud.present:
        notes += [
            f"aggregates.json: aggregate {aggregate.name}: host {name!r} is no host of this cloud" for name in lost
        ]
        return listed
    mirrored = np.array([aggregate.uuid in own for own in hosts.aggregates], dtype=bool)
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
