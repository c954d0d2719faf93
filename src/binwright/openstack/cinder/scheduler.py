"""Cinder's scheduler on the engine: a pool is a host, the filters reject, the weighers are a float64 profile.

The filters' verdicts and the raw weights are columns that each volume brings; reasons, normalising, sums and the choice
are the engine's. A placed volume changes its pool, as the service keeps count between two reports (openstack spec 8).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from binwright.errors import InputError
from binwright.explain import Explanation
from binwright.fleet import Fleet
from binwright.float_scores import raw_score
from binwright.openstack.cinder.columns import CapacityColumns
from binwright.openstack.cinder.filters import DEFAULT_FILTERS, FILTERS
from binwright.openstack.cinder.pools import DEFAULT_RATIO, Pool
from binwright.openstack.cinder.volumes import PlacedVolume, VolumeRequest
from binwright.openstack.cinder.weighers import DEFAULT_WEIGHERS, MULTIPLIERS, WEIGHERS, capacity_weights
from binwright.profile import Profile, Rule
from binwright.request import Request

__all__ = ["SERVICE", "SchedulerOptions", "VolumeScheduler"]

SERVICE = "service"
VOLUMES = "volumes"
MOST_VOLUMES = 2**31
CAPACITY_FILTER, CAPACITY_WEIGHER = "CapacityFilter", "CapacityWeigher"
RESOLVABLE = (CAPACITY_FILTER, "DifferentBackendFilter")


@dataclass(frozen=True, slots=True)
class SchedulerOptions:
    """What cinder.conf says of the scheduler. multipliers: by the name of their option. Raises InputError."""

    filters: Sequence[str] = DEFAULT_FILTERS
    weighers: Sequence[str] = DEFAULT_WEIGHERS
    multipliers: Mapping[str, float] = field(default_factory=dict)
    max_over_subscription_ratio: str = DEFAULT_RATIO

    def __post_init__(self) -> None:
        for option, given, known in (
            ("scheduler_default_filters", self.filters, FILTERS),
            ("scheduler_default_weighers", self.weighers, WEIGHERS),
        ):
            for name in given:
                if name not in known:
                    raise InputError(f"{option}: {name!r} is not evaluated, only {', '.join(sorted(known))}")

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> SchedulerOptions:
        """From options as cinder.conf names them."""
        return cls(
            tuple(config.get("scheduler_default_filters", DEFAULT_FILTERS)),
            tuple(config.get("scheduler_default_weighers", DEFAULT_WEIGHERS)),
            {name: value for name, value in config.items() if name.endswith("_multiplier")},
            str(config.get("max_over_subscription_ratio", DEFAULT_RATIO)),
        )

    def multiplier(self, weigher: str) -> float:
        """What a weigher's normalised weights are multiplied with."""
        option, default = MULTIPLIERS[weigher]
        return float(self.multipliers.get(option or "", default))


class VolumeScheduler:
    """Pools in order, of which the first is taken among equals; `placed` are the volumes that are there already.

    Placing changes the pools given. Not thread-safe.
    """

    def __init__(
        self,
        pools: Sequence[Pool],
        placed: Iterable[PlacedVolume] = (),
        options: SchedulerOptions | None = None,
    ) -> None:
        self.pools = pools
        self.placed = list(placed)
        self.options = options or SchedulerOptions()
        self._columns = CapacityColumns(pools)
        self._backends = np.array([pool.backend_id for pool in pools], dtype=object)
        self._up = np.array([pool.up for pool in pools], dtype=bool)
        self._static: dict[tuple[object, ...], np.ndarray] = {}
        self.fleet = Fleet(
            {VOLUMES: np.full(len(pools), MOST_VOLUMES, dtype=np.int64)},
            names=[pool.name for pool in pools],
            profile=Profile(
                rules=(
                    Rule(SERVICE, kind="cordon"),
                    *(Rule(name, resolvable=name in RESOLVABLE) for name in self.options.filters),
                    Rule(VOLUMES, kind="fit"),
                ),
                scores=tuple(raw_score(name, weight=self.options.multiplier(name)) for name in self.options.weighers),
            ),
        )
        down = np.flatnonzero(~self._up)
        if down.size:
            self.fleet.cordon(down)

    def passing(self, name: str, volume: VolumeRequest) -> np.ndarray:
        """Which pools pass one filter: bool, (pools,)."""
        if name == CAPACITY_FILTER:
            room = self._columns.room(volume.growth, volume.thin)
            return room if volume.is_on is None else np.logical_or(room, self._backends == volume.is_on)
        key: tuple[object, ...] | None = None
        if name == "AvailabilityZoneFilter":
            key = name, volume.zones
        elif name == "CapabilitiesFilter":
            grows = volume.extension_of is not None and volume.attached
            key = name, tuple(volume.extra_specs.items()), grows
        if key in self._static:
            return self._static[key]
        accepts = FILTERS[name]
        found = np.array([accepts(pool, volume, self.placed) for pool in self.pools], dtype=bool)
        if key is not None:  # of what a pool is, not of what it holds
            self._static[key] = found
        return found

    def request(self, volume: VolumeRequest) -> Request:
        """The volume as the engine is asked for it now; valid until the next one is placed."""
        rejects = {name: ~self.passing(name, volume) for name in self.options.filters}
        left = self._up.copy()
        for rejected in rejects.values():
            left &= ~rejected
        raw = {name: self._weights(name, volume, np.flatnonzero(left)) for name in self.options.weighers}
        return self.fleet.request({VOLUMES: 1}, rejects=rejects, raw=raw)

    def _weights(self, name: str, volume: VolumeRequest, chosen: np.ndarray) -> np.ndarray:
        """One weigher's raw weights of the pools that passed, 0 for others: float64, (pools,)."""
        column = np.zeros(len(self.pools), dtype=np.float64)
        multiplier = self.options.multiplier(name)
        if not chosen.size:
            return column
        if name == CAPACITY_WEIGHER:
            column[chosen] = capacity_weights(self._columns.free(volume.thin)[chosen], multiplier)
        else:
            feasible = [self.pools[index] for index in chosen.tolist()]
            column[chosen] = WEIGHERS[name](feasible, volume, self.placed, multiplier)
        return column

    def explain(self, volume: VolumeRequest) -> Explanation:
        """What would be decided now, and why."""
        return self.fleet.explain(self.request(volume))

    def place(self, volume: VolumeRequest, name: str) -> tuple[int, float] | None:
        """Place a volume called `name` in the best pool: its index and total weight; None if there is no pool."""
        result = self.fleet.place(self.request(volume))
        host = int(result.hosts[0])
        if host < 0:
            return None
        pool = self.pools[host]
        pool.consume(volume.size)
        self._columns.update(host)
        self.placed.append(PlacedVolume(name, pool.name, pool.cluster))
        return host, float(result.scores[0])
