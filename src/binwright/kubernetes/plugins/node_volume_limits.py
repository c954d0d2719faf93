"""NodeVolumeLimits: how many volumes of a CSI driver a node attaches (kubernetes spec 4, 8.12)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping

import numpy as np

from binwright.kubernetes.counts import Counts
from binwright.kubernetes.objects import Pod
from binwright.kubernetes.plugins.disks import MIGRATED_PROVISIONERS, migrated, volume_claims, volumes
from binwright.kubernetes.related import Related
from binwright.kubernetes.traits import Traits
from binwright.request import Request
from binwright.terms import HardTerm, distinct
from binwright.units import MAX_AMOUNT

__all__ = ["NodeVolumeLimits", "attachments", "limits"]

INT32_MAX = 2**31 - 1

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


def attachments(related: Related) -> dict[str, set[Attachable]]:
    """Node -> the volumes that VolumeAttachments say are attached there, whether a pod uses them or not."""
    found: dict[str, set[Attachable]] = {}
    for one in related.all("VolumeAttachment"):
        name = one.spec.source.persistent_volume_name if one.spec.source else None
        volume = related.find("PersistentVolume", name) if name else None
        if one.spec.attacher and volume is not None and volume.spec.csi is not None:
            found.setdefault(one.spec.node_name, set()).add((one.spec.attacher, volume.spec.csi.volume_handle))
    return found


def _column(driver: str) -> str:
    return f"volumes of {driver}"


class NodeVolumeLimits:
    """Filter on the distinct volumes that the pods of a node attach, and those that are attached there besides.

    A volume of an attachment has a counter of its own for the attachment and its pods together: a pod that is the first
    of its node to use such a volume counts it once more, as the peer does.
    """

    rule = plugin = "NodeVolumeLimits"
    holding = True

    def __init__(self, counts: Counts, related: Related, limited: Iterable[str]) -> None:
        """limited: the columns of `limits`."""
        self._counts = counts
        self._related = related
        self._limited = frozenset(limited)
        self._attached_on = {
            node: sorted(one for one in some if _column(one[0]) in self._limited)
            for node, some in attachments(related).items()
        }
        self._attachments = frozenset(one for some in self._attached_on.values() for one in some)

    def attach(self, nodes: Mapping[str, int]) -> None:
        """Count what is attached before any pod is bound. nodes: position by name. No eviction takes it away."""
        fleet = self._counts.fleet
        for node, some in self._attached_on.items():
            if some and node in nodes:
                contributes = {self._union(one): 1 for one in some}
                request = fleet.request({}, contributes=contributes, priority=INT32_MAX, kind=("attached", *some))
                fleet.mark(fleet.claim(request, [nodes[node]]), priority=INT32_MAX)

    def key(self, pod: Pod) -> Hashable:
        return tuple(self._attached(pod)) or None

    def filtering(self, pod: Pod) -> bool:
        """Whether PreFilter does not say Skip."""
        return bool(volume_claims(pod)) or any(migrated(one) for one in volumes(pod))

    def held(self, pod: Pod) -> dict[int, int]:
        attached = self._attached(pod)
        counters = [self._counter(one) for one in attached]
        counters += [self._union(one) for one in attached if one in self._attachments]
        return dict.fromkeys(counters, 1)

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
        """Pods that attach the volume."""
        feeds = None if volume in self._attachments else ("attached", volume[0])
        return self._counts.held(("volume", volume), feeds=feeds)

    def _union(self, volume: Attachable) -> int:
        """The same and attachments."""
        return self._counts.held(("volume or attachment", volume), feeds=("attached", volume[0]))

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
