"""A volume that wants a place, and volumes that have one, as Cinder's scheduler is told of them (openstack spec 8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from binwright.openstack.cinder.pools import Pool

__all__ = ["PlacedVolume", "VolumeRequest"]

PROVISIONING = "provisioning:type"


@dataclass(frozen=True, slots=True)
class PlacedVolume:
    """A volume and the pool where it is, called as in `Pool.name`, and as the cluster's where the pool has one."""

    id: str
    host: str | None
    cluster: str | None = None

    def on(self, pool: Pool) -> bool:
        """Whether it is in this pool; volumes older than pools name the backend only, and are in none."""
        return self.host == pool.name if pool.cluster is None else self.cluster == pool.cluster


@dataclass(frozen=True, slots=True)
class VolumeRequest:
    """One volume; `size` in GiB. extra_specs: of its type. zones: any of them will do, none is any.

    properties: what expressions know as `volume`; qos as `qos`. extension_of: its size before, where a volume is to
    grow. is_on: the pool or cluster that has it already. attached: for the extension of a volume in use.
    """

    size: int
    extra_specs: Mapping[str, str | None] = field(default_factory=dict)
    zones: tuple[str, ...] = ()
    hints: Mapping[str, Any] = field(default_factory=dict)
    properties: Mapping[str, Any] = field(default_factory=dict)
    qos: Mapping[str, Any] | None = None
    extension_of: int | None = None
    is_on: str | None = None
    attached: bool = False

    @property
    def growth(self) -> int:
        """What it adds to a pool."""
        return self.size - (self.extension_of or 0)

    @property
    def thin(self) -> bool:
        """Whether its type lets it be thin."""
        return self.extra_specs.get(PROVISIONING) != "thick"

    def scopes(self, pool: Pool, text: str) -> list[dict[str, Any]]:
        """What the variables of a pool's expression mean, once for every name of its protocol if it speaks of that."""
        stats, said = pool.attributes(), pool.capabilities
        several = isinstance(stats["storage_protocol"], list) and "storage_protocol" in text
        protocols = stats["storage_protocol"] if several else [None]
        return [
            {
                "stats": stats if protocol is None else stats | {"storage_protocol": protocol},
                "capabilities": said if protocol is None else {**said, "storage_protocol": protocol},
                "extra": self.extra_specs,
                "volume": self.properties,
                "qos": self.qos,
            }
            for protocol in protocols
        ]
