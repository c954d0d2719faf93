"""VolumeZone: a bound volume with zone or region labels keeps its pod there (kubernetes spec 4, 8.12)."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np

from binwright.kubernetes.nodes import NodeTable
from binwright.kubernetes.objects import Pod
from binwright.kubernetes.plugins import PASSES
from binwright.kubernetes.plugins.disks import claim_names
from binwright.kubernetes.related import Related

__all__ = ["VolumeZone"]

_GENERAL = {
    "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
}
"""Beta key -> the key that took its place."""
_KEYS = (*_GENERAL, *_GENERAL.values())


class VolumeZone:
    """Filter on the zone and region labels of the volumes of bound claims."""

    rule = plugin = "VolumeZone"

    def __init__(self, nodes: NodeTable, related: Related) -> None:
        self._nodes = nodes
        self._related = related

    def key(self, pod: Pod) -> Hashable:
        """(label, values that are allowed), None without any."""
        return tuple(self._wanted(pod)) or None

    def refuses(self, pod: Pod) -> str | None:
        """Why PreFilter ends the cycle, None if it does not."""
        for name in self._volumes(pod):
            if self._related.find("PersistentVolume", name) is None:
                return f'persistentvolume "{name}" not found'
        return None

    def rejects(self, pod: Pod) -> np.ndarray | None:
        labelled = self._nodes.nobody()
        for key in _KEYS:
            labelled |= self._nodes.label(key).codes >= 0
        outside = self._nodes.nobody()
        for key, allowed in self._wanted(pod):
            column, general = self._nodes.label(key), self._nodes.label(_GENERAL.get(key, key))
            outside |= ~np.where(column.codes >= 0, column.equal_to(allowed), general.equal_to(allowed))
        return np.where(outside & labelled, 0, PASSES).astype(np.int32)

    def text(self, argument: int) -> str:
        return "node(s) had no available volume zone"

    def _volumes(self, pod: Pod) -> list[str]:
        """Names of the volumes of claims that have one, in volume order."""
        namespace = pod.metadata.namespace or "default"
        claims = (self._related.find("PersistentVolumeClaim", name, namespace) for name in claim_names(pod))
        return [claim.spec.volume_name for claim in claims if claim is not None and claim.spec.volume_name]

    def _wanted(self, pod: Pod) -> list[tuple[str, tuple[str, ...]]]:
        found = []
        for name in self._volumes(pod):
            volume = self._related.find("PersistentVolume", name)
            labels = (volume.metadata.labels or {}) if volume is not None else {}
            found += [(key, tuple(labels[key].split("__"))) for key in _KEYS if key in labels]
        return found
