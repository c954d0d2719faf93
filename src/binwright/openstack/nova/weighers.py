"""Nova's weighers: which feasible host is best (openstack spec 5.1).

Float arithmetic in binary64 and in the peer's order, over the columns of the hosts that passed the filters. What a raw
weight is made of is the caller's business (`host_states`); which hosts pass is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["WEIGHERS", "Weigher", "multipliers", "normalise", "weigh"]


@dataclass(frozen=True, slots=True)
class Weigher:
    """One weigher: its option, the option's default, and the bound that raw weights are clamped to and scaled from.

    `sign` is what the peer multiplies the option with.
    """

    name: str
    option: str
    default: float
    minval: float | None = None
    sign: float = 1.0


WEIGHERS = (
    Weigher("CrossCellWeigher", "cross_cell_move_weight_multiplier", 1_000_000.0),
    Weigher("NumInstancesWeigher", "num_instances_weight_multiplier", 0.0),
    Weigher("MetricsWeigher", "metrics_weight_multiplier", 1.0),
    Weigher("CPUWeigher", "cpu_weight_multiplier", 1.0, minval=0.0),
    Weigher("BuildFailureWeigher", "build_failure_weight_multiplier", 1_000_000.0, sign=-1.0),
    Weigher("ServerGroupSoftAffinityWeigher", "soft_affinity_weight_multiplier", 1.0),
    Weigher("ServerGroupSoftAntiAffinityWeigher", "soft_anti_affinity_weight_multiplier", 1.0),
    Weigher("RAMWeigher", "ram_weight_multiplier", 1.0, minval=0.0),
    Weigher("DiskWeigher", "disk_weight_multiplier", 1.0, minval=0.0),
    Weigher("PCIWeigher", "pci_weight_multiplier", 1.0),
    Weigher("ImagePropertiesWeigher", "image_props_weight_multiplier", 0.0),
    Weigher("IoOpsWeigher", "io_ops_weight_multiplier", -1.0, minval=0.0),
    Weigher("HypervisorVersionWeigher", "hypervisor_version_weight_multiplier", 1.0),
)
"""All of the peer's, in the order in which it sums them: it decides the last bits of a total."""


def normalise(raw: np.ndarray, minval: float | None = None) -> np.ndarray:
    """Raw weights scaled to 0..1 from `minval` (else their minimum) to their maximum; all 0 where these are equal.

    raw, result : float64, (hosts,). Weights below `minval` count as `minval`.
    """
    raw = np.asarray(raw, dtype=np.float64)
    if minval is not None:
        raw = np.maximum(raw, minval)
    if not raw.size:
        return raw
    low = raw.min() if minval is None else minval
    high = raw.max()
    if low == high:
        return np.zeros_like(raw)
    scaled: np.ndarray = (raw - low) / (high - low)
    return scaled


def multipliers(
    weigher: Weigher, metadata: Sequence[Iterable[Mapping[str, str]]], config: Mapping[str, float] | None = None
) -> np.ndarray:
    """The multiplier of each host: float64, (hosts,).

    `metadata[i]` are those of the aggregates of host i; a key of the option's name overrides the configured value, of
    several the smallest counts, and one that is no number makes the configured value count.
    """
    configured = (config or {}).get(weigher.option, weigher.default)
    result = np.full(len(metadata), configured, dtype=np.float64)
    for index, own in enumerate(metadata):
        texts = [data[weigher.option] for data in own if weigher.option in data]
        if texts:
            result[index] = _smallest(texts, configured)
    return result * weigher.sign


def _smallest(texts: Iterable[str], configured: float) -> float:
    try:
        return min(float(text) for text in texts)
    except ValueError:
        return configured


def weigh(raws: Mapping[str, np.ndarray], factors: Mapping[str, np.ndarray]) -> np.ndarray:
    """Total weight of each feasible host: float64, (hosts,); a weigher that is not in `raws` adds nothing.

    One host alone is not weighed and has 0.0. The best is the first of the greatest totals, in input order.
    """
    count = max((len(raw) for raw in raws.values()), default=0)
    totals = np.zeros(count, dtype=np.float64)
    if count < 2:
        return totals
    for weigher in WEIGHERS:
        if weigher.name in raws:
            totals += factors[weigher.name] * normalise(raws[weigher.name], weigher.minval)
    return totals
