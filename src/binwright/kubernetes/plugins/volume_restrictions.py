"""VolumeRestrictions: disks that one node holds once, and claims for one pod only (kubernetes spec 4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable

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
_MOST_USERS = 2**12
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
        self._users: Counter[Hashable] = Counter()

    def bound(self, pods: Iterable[Pod]) -> None:
        """Pods that have a node, before any of them is compiled: how many use a claim that is for one pod only. There
        is at most one, but where the API server was not asked there are more.
        """
        self._users.update(key for pod in pods for key in set(self._exclusive(pod)))

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

    def held(self, pod: Pod) -> dict[int, tuple[int, int]]:
        """On trial a user of a claim counts for all its users: the peer counts claims in use, takes one off for every
        user that leaves, and looks no further.
        """
        found: dict[int, tuple[int, int]] = {}
        keys = self._exclusive(pod)
        for disk, shared in disks(pod):
            keys.append(("disk", disk))
            if not shared:
                keys.append(("exclusive", disk))
        for key in keys:
            counter = self._counts.held(key)
            lies, moves = found.get(counter, (0, 0))
            found[counter] = lies + 1, moves + min(max(self._users[key], 1), _MOST_USERS)
        return found

    def _exclusive(self, pod: Pod) -> list[Hashable]:
        """The pod's references to claims that are for one pod only."""
        namespace = pod.metadata.namespace or "default"
        found: list[Hashable] = []
        for name in claim_names(pod):
            claim = self._related.find("PersistentVolumeClaim", name, namespace)
            if claim is not None and "ReadWriteOncePod" in (claim.spec.access_modes or ()):
                found.append(("claim", namespace, name))
        return found

    def terms(self, pod: Pod, traits: Traits) -> list[HardTerm]:
        held = [Ref(self._counts.held(("exclusive" if shared else "disk", disk))) for disk, shared in disks(pod)]
        found = [forbid(self.rule, list(dict.fromkeys(held)), argument=_DISK)] if held else []
        for key in dict.fromkeys(self._exclusive(pod)):
            used = Ref(self._counts.held(key), EVERYWHERE)
            found.append(forbid(self.rule, [used], argument=_IN_USE, skip_when_empty=True))
        return found

    def compiled(self, request: Request, pod: Pod, traits: Traits) -> None:
        """Reads what it names itself, so later pods bring nothing new."""

    def text(self, argument: int) -> str:
        return _TEXTS[argument]
