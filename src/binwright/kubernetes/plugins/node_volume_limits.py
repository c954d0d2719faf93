"""NodeVolumeLimits: how many volumes of a CSI driver a node attaches (kubernetes spec 4, 8.12)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import numpy as np

from binwright.kubernetes.counts import Counts
from binwright.kubernetes.objects import Pod
from binwright.kubernetes.plugins.disks import MIGRATED_PROVISIONERS, migrated, volume_claims, volumes
from binwright.kubernetes.related import Related
from binwright.kubernetes.traits import Traits
from binwright.request import Request
from binwright.terms import HardTerm, distinct
from binwright.units import MAX_AMOUNT

__all__ = ["NodeVolumeLimits", "limits"]

Attachable = tuple[str, str]
"""(driver, volume)."""


def limits(names: Iterable[str], related: Related) -> dict[str, np.ndarray]:
    """Column name of a driver's limit -> int64 (nodes,); nodes that state none have no limit."""
    found: dict[str, np.ndarray] = {}
    names = list(names)
    for number, name in enumerate(names):
        node = related.find("CSINode", name)
        for driver in (node.spec.drivers if node is not None and node.spec else None) or ():
            if driver.allocatable is not None and driver.allocatable.count is not None:
                column = found.setdefault(_column(driver.name), np.full(len(names), MAX_AMOUNT, np.int64))
                column[number] = driver.allocatable.count
    return found


def _column(driver: str) -> str:
    return f"volumes of {driver}"


class NodeVolumeLimits:
    """Filter on the distinct volumes that the pods of a node attach."""

    rule = plugin = "NodeVolumeLimits"
    holding = True

    def __init__(self, counts: Counts, related: Related, limited: Iterable[str]) -> None:
        """limited: the columns of `limits`."""
        self._counts = counts
        self._related = related
        self._limited = frozenset(limited)

    def key(self, pod: Pod) -> Hashable:
        return tuple(self._attached(pod)) or None

    def filtering(self, pod: Pod) -> bool:
        """Whether PreFilter does not say Skip."""
        return bool(volume_claims(pod)) or any(migrated(one) for one in volumes(pod))

    def held(self, pod: Pod) -> dict[int, int]:
        return {self._counter(one): 1 for one in self._attached(pod)}

    def terms(self, pod: Pod, traits: Traits) -> list[HardTerm]:
        by_driver: dict[str, list[int]] = {}
        for one in self._attached(pod):
            by_driver.setdefault(one[0], []).append(self._counter(one))
        return [
            distinct(self.rule, counters, self._counts.held(("attached", driver)), _column(driver))
            for driver, counters in by_driver.items()
        ]

    def compiled(self, request: Request, pod: Pod, traits: Traits) -> None:
        """Reads what it names itself, so later pods bring nothing new."""

    def text(self, argument: int) -> str:
        return "node(s) exceed max volume count"

    def _counter(self, volume: Attachable) -> int:
        return self._counts.held(("volume", volume), feeds=("attached", volume[0]))

    def _attached(self, pod: Pod) -> list[Attachable]:
        """The distinct volumes of drivers with a limit that the pod attaches, sorted."""
        if not self._limited:
            return []
        found = {self._of_claim(pod.metadata.namespace or "default", name) for name in volume_claims(pod)}
        found |= {migrated(one) for one in volumes(pod)}
        return sorted(one for one in found if one is not None and _column(one[0]) in self._limited)

    def _of_claim(self, namespace: str, name: str) -> Attachable | None:
        claim = self._related.find("PersistentVolumeClaim", name, namespace)
        if claim is None:
            return None
        bound = self._related.find("PersistentVolume", claim.spec.volume_name) if claim.spec.volume_name else None
        if bound is not None:
            csi = bound.spec.csi
            return (csi.driver, csi.volume_handle) if csi else migrated(bound.spec, bound.metadata.labels)
        storage_class = self._related.find("StorageClass", claim.spec.storage_class_name)
        if storage_class is None:
            return None
        driver = storage_class.provisioner
        return MIGRATED_PROVISIONERS.get(driver, driver), f"claim {namespace}/{name}"
