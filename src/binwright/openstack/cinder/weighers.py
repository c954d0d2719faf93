"""Cinder's weighers: raw weights of the pools that passed; the engine normalises and adds them (openstack spec 8)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from binwright.openstack.cinder.capacity import virtual_free
from binwright.openstack.cinder.expressions import ExpressionError, evaluate
from binwright.openstack.cinder.pools import Pool
from binwright.openstack.cinder.volumes import PlacedVolume, VolumeRequest

__all__ = ["DEFAULT_WEIGHERS", "MULTIPLIERS", "WEIGHERS", "capacity_weights", "goodness"]

DEFAULT_WEIGHERS = ("CapacityWeigher",)
MULTIPLIERS = {
    "AllocatedCapacityWeigher": ("allocated_capacity_weight_multiplier", -1.0),
    "CapacityWeigher": ("capacity_weight_multiplier", 1.0),
    "GoodnessWeigher": (None, 1.0),
    "VolumeNumberWeigher": ("volume_number_multiplier", -1.0),
}
"""Weigher -> the option that multiplies it, and that option's default."""

SPREADS_ABOVE = 100
LEAST_ABOVE = 10_000
MOST_GOODNESS = 100


def _capacity(
    pools: Sequence[Pool], volume: VolumeRequest, placed: Sequence[PlacedVolume], multiplier: float
) -> np.ndarray:
    return capacity_weights(np.array([_free(pool, volume) for pool in pools], dtype=np.float64), multiplier)


def capacity_weights(free: np.ndarray, multiplier: float) -> np.ndarray:
    """Virtual free space as a weight. Where there is no bound to it (inf) a pool is the last choice: -1, or far above
    all others where the fullest is preferred (all alike if none has a bound, on which the service fails).

    free, result : float64, (pools,).
    """
    found = np.where(np.isinf(free), -1.0, free) if multiplier > 0 else free
    bounded = found[np.isfinite(found)]
    if bounded.size == found.size:
        return found
    if not bounded.size:
        return np.zeros_like(found)
    spread = (bounded.max() - bounded.min()) * SPREADS_ABOVE
    return np.where(np.isinf(found), bounded.max() + (spread or LEAST_ABOVE), found)


def _free(pool: Pool, volume: VolumeRequest) -> float:
    if math.isinf(pool.total) or pool.free == math.inf:
        return math.inf
    return virtual_free(pool, volume.thin)


def _allocated(
    pools: Sequence[Pool], volume: VolumeRequest, placed: Sequence[PlacedVolume], multiplier: float
) -> np.ndarray:
    return np.array([pool.allocated for pool in pools], dtype=np.float64)


def _goodness(
    pools: Sequence[Pool], volume: VolumeRequest, placed: Sequence[PlacedVolume], multiplier: float
) -> np.ndarray:
    return np.array([goodness(pool, volume) for pool in pools], dtype=np.float64)


def goodness(pool: Pool, volume: VolumeRequest) -> float:
    """The backend's own opinion, 0..100: of several names of its protocol the best; 0 where it has no valid one."""
    text = pool.capabilities.get("goodness_function")
    if text is None:
        return 0
    return max(_rated(str(text), scopes) for scopes in volume.scopes(pool, str(text)))


def _rated(text: str, scopes: Mapping[str, Mapping[str, object] | None]) -> float:
    try:
        value = evaluate(text, scopes)
    except ExpressionError:
        return 0
    if isinstance(value, bool):
        return MOST_GOODNESS if value else 0
    return value if isinstance(value, int | float) and 0 <= value <= MOST_GOODNESS else 0


def _volume_number(
    pools: Sequence[Pool], volume: VolumeRequest, placed: Sequence[PlacedVolume], multiplier: float
) -> np.ndarray:
    """A volume of a cluster counts where its host is."""
    counts = Counter(one.host for one in placed)
    return np.array([counts[pool.name] for pool in pools], dtype=np.float64)


WEIGHERS: dict[str, Callable[[Sequence[Pool], VolumeRequest, Sequence[PlacedVolume], float], np.ndarray]] = {
    "AllocatedCapacityWeigher": _allocated,
    "CapacityWeigher": _capacity,
    "GoodnessWeigher": _goodness,
    "VolumeNumberWeigher": _volume_number,
}
"""All but ChanceWeigher, which draws lots."""
