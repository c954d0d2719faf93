"""VolumeRestrictions: disks that one node holds once, and claims for one pod only (kubernetes spec 4)."""

from __future__ import annotations

from collections.abc import Hashable

from binwright.kubernetes.counts import Counts
from binwright.kubernetes.objects import Pod
from binwright.kubernetes.plugins.disks import claim_names, disks, volumes
from binwright.kubernetes.related import Related
from binwright.kubernetes.traits import Traits
from binwright.request import Request
from binwright.terms import HardTerm, Ref, forbid

__all__ = ["EVERYWHERE", "VolumeRestrictions"]

EVERYWHERE = "*"
"""Key of a label that the engine's hosts all have with one value, and no node can have: its sum is the cluster's."""
_DISK, _IN_USE = 0, 1
_TEXTS = (
    "node(s) had no available disk",
    "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod",
)


class VolumeRestrictions:
    """Filter on disks in use on a node, and on ReadWriteOncePod claims in use anywhere."""

    rule = plugin = "VolumeRestrictions"
    holding = True

    def __init__(self, counts: Counts, related: Related) -> None:
        self._counts = counts
        self._related = related

    def key(self, pod: Pod) -> Hashable:
        claims = tuple(claim_names(pod))
        found = tuple(disks(pod)), (pod.metadata.namespace or "default", claims) if claims else None
        return found if any(found) else None

    def has_disk(self, pod: Pod) -> bool:
        """Whether a volume names a disk, be it one without any address."""
        return any(
            one.gce_persistent_disk or one.aws_elastic_block_store or one.iscsi or one.rbd for one in volumes(pod)
        )

    def refuses(self, pod: Pod) -> str | None:
        """Why PreFilter ends the cycle, None if it does not."""
        namespace = pod.metadata.namespace or "default"
        for name in claim_names(pod):
            if self._related.find("PersistentVolumeClaim", name, namespace) is None:
                return f'persistentvolumeclaim "{name}" not found'
        return None

    def held(self, pod: Pod) -> dict[int, int]:
        found: dict[int, int] = {}
        namespace = pod.metadata.namespace or "default"
        keys: list[Hashable] = [("claim", namespace, name) for name in claim_names(pod)]
        for disk, shared in disks(pod):
            keys.append(("disk", disk))
            if not shared:
                keys.append(("exclusive", disk))
        for key in keys:
            counter = self._counts.held(key)
            found[counter] = found.get(counter, 0) + 1
        return found

    def terms(self, pod: Pod, traits: Traits) -> list[HardTerm]:
        held = [Ref(self._counts.held(("exclusive" if shared else "disk", disk))) for disk, shared in disks(pod)]
        found = [forbid(self.rule, list(dict.fromkeys(held)), argument=_DISK)] if held else []
        namespace = pod.metadata.namespace or "default"
        for name in dict.fromkeys(claim_names(pod)):
            claim = self._related.find("PersistentVolumeClaim", name, namespace)
            if claim is not None and "ReadWriteOncePod" in (claim.spec.access_modes or ()):
                used = Ref(self._counts.held(("claim", namespace, name)), EVERYWHERE)
                found.append(forbid(self.rule, [used], argument=_IN_USE, skip_when_empty=True))
        return found

    def compiled(self, request: Request, pod: Pod, traits: Traits) -> None:
        """Reads what it names itself, so later pods bring nothing new."""

    def text(self, argument: int) -> str:
        return _TEXTS[argument]
