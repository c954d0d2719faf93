"""VolumeBinding: where the claims of a pod are, or can be, bound to volumes (kubernetes spec 4, 8.6, 8.12).

Bound claims reject nodes once and for all; delayed ones, which depend on who took which volume, are claims on the
engine's pools. A node may be rejected for up to two reasons, which are three rules here, in the order of their texts.
"""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np

from binwright.kubernetes.nodes import NodeTable
from binwright.kubernetes.objects import Pod
from binwright.kubernetes.plugins import PASSES
from binwright.kubernetes.plugins.disks import volume_claims
from binwright.kubernetes.plugins.migrated_volumes import migrated_on, reached_by_driver
from binwright.kubernetes.related import Related
from binwright.kubernetes.storage_objects import PersistentVolumeClaim
from binwright.kubernetes.traits import Traits
from binwright.kubernetes.volume_choice import NO_SPACE, NO_VOLUME, VolumeChoice, claim_key, reached
from binwright.request import Request
from binwright.terms import HardTerm, pool

__all__ = ["BoundClaims", "DelayedClaims", "MissingVolumes", "VolumeBinding", "is_bound", "is_delayed"]

BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
_CONFLICT = "node(s) didn't match PersistentVolume's node affinity"
_MISSING = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"
_DELAYED = {
    NO_VOLUME: "node(s) didn't find available persistent volumes to bind",
    NO_SPACE: "node(s) did not have enough free storage",
}


class VolumeBinding:
    """What the three rules share: a pod's claims, and PreFilter."""

    plugin = "VolumeBinding"

    def __init__(self, nodes: NodeTable, related: Related) -> None:
        self.nodes = nodes
        self.related = related

    def filtering(self, pod: Pod) -> bool:
        """Whether PreFilter does not say Skip."""
        return bool(volume_claims(pod))

    def refuses(self, pod: Pod) -> str | None:
        """Why PreFilter ends the cycle, None if it does not: the first claim that is gone, lost or being deleted."""
        for name in volume_claims(pod):
            claim = self.related.find("PersistentVolumeClaim", name, pod.metadata.namespace or "default")
            if claim is None:
                return f'persistentvolumeclaim "{name}" not found'
            if claim.status is not None and claim.status.phase == "Lost":
                volume = claim.spec.volume_name or ""
                return f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{volume}"'
            if claim.metadata.deletion_timestamp is not None:
                return f'persistentvolumeclaim "{name}" is being deleted'
        if any(is_delayed(claim, self.related) is False for claim in self.claims(pod) if not is_bound(claim)):
            return "pod has unbound immediate PersistentVolumeClaims"
        return None

    def claims(self, pod: Pod) -> list[PersistentVolumeClaim]:
        """The pod's claims that exist, in volume order."""
        namespace = pod.metadata.namespace or "default"
        found = (self.related.find("PersistentVolumeClaim", name, namespace) for name in volume_claims(pod))
        return [claim for claim in found if claim is not None]

    def bound(self, pod: Pod) -> tuple[str, ...]:
        """Names of the volumes of the bound claims, in volume order."""
        return tuple(claim.spec.volume_name or "" for claim in self.claims(pod) if is_bound(claim))

    def delayed(self, pod: Pod) -> list[PersistentVolumeClaim]:
        """The claims that wait for their first consumer."""
        return [claim for claim in self.claims(pod) if not is_bound(claim) and is_delayed(claim, self.related)]

    def first_failures(self, pod: Pod) -> tuple[np.ndarray, np.ndarray]:
        """Nodes where the first bound claim that fails is out of reach, and those where its volume does not exist."""
        conflict, missing = self.nodes.nobody(), self.nodes.nobody()
        for name in self.bound(pod):
            volume = self.related.find("PersistentVolume", name)
            if volume is None:
                missing |= ~conflict
                break
            reach, migrated = reached(volume, self.nodes), migrated_on(volume, self.nodes, self.related)
            if migrated.any():
                reach = np.where(migrated, reached_by_driver(volume, self.nodes), reach)
            conflict |= ~reach
        return conflict, missing


def is_bound(claim: PersistentVolumeClaim) -> bool:
    """Whether a claim has its volume and the binding is complete."""
    return bool(claim.spec.volume_name) and BIND_COMPLETED in (claim.metadata.annotations or {})


def is_delayed(claim: PersistentVolumeClaim, related: Related) -> bool | None:
    """Whether a claim that is not bound waits for its first consumer, as its class says; None where that decides and
    the input knows nothing of classes. A claim that names none may yet get the default one.
    """
    if claim.spec.volume_name or claim.spec.storage_class_name == "":
        return False
    if not related.stated("StorageClass"):
        return None
    found = related.find("StorageClass", claim.spec.storage_class_name)
    return found is not None and found.volume_binding_mode == "WaitForFirstConsumer"


class BoundClaims:
    """Filter on the node affinity of bound volumes."""

    rule = plugin = "VolumeBinding"

    def __init__(self, binding: VolumeBinding) -> None:
        self._binding = binding

    def key(self, pod: Pod) -> Hashable:
        return self._binding.bound(pod) or None

    def rejects(self, pod: Pod) -> np.ndarray | None:
        return np.where(self._binding.first_failures(pod)[0], 0, PASSES).astype(np.int32)

    def text(self, argument: int) -> str:
        return _CONFLICT


class MissingVolumes:
    """Filter on bound claims whose volume does not exist."""

    rule = "VolumeBinding: missing volumes"
    plugin = "VolumeBinding"

    def __init__(self, binding: VolumeBinding) -> None:
        self._binding = binding

    def key(self, pod: Pod) -> Hashable:
        return self._binding.bound(pod) or None

    def rejects(self, pod: Pod) -> np.ndarray | None:
        return np.where(self._binding.first_failures(pod)[1], 0, PASSES).astype(np.int32)

    def text(self, argument: int) -> str:
        return _MISSING


class DelayedClaims:
    """Filter on volumes for delayed claims; placing reserves what was chosen, and it stays so when the pod goes."""

    rule = "VolumeBinding: delayed claims"
    plugin = "VolumeBinding"
    holding = False

    def __init__(self, binding: VolumeBinding, choice: VolumeChoice) -> None:
        self._binding = binding
        self._choice = choice

    def key(self, pod: Pod) -> Hashable:
        return tuple(claim_key(claim) for claim in self._binding.delayed(pod)) or None

    def held(self, pod: Pod) -> dict[int, int]:
        return {}

    def terms(self, pod: Pod, traits: Traits) -> list[HardTerm]:
        claims = [self._choice.claim(claim) for claim in self._binding.delayed(pod)]
        return [pool(self.rule, claims, argument=NO_VOLUME, missing=NO_SPACE)] if claims else []

    def compiled(self, request: Request, pod: Pod, traits: Traits) -> None:
        pass

    def text(self, argument: int) -> str:
        return _DELAYED[argument]
