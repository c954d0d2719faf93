"""Which volume a delayed claim gets on each node, and where it can be provisioned (kubernetes spec 4, 8.6).

`VolumeState` is what placing changes: who took which volume, and the node for which a claim is to be provisioned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from binwright.kubernetes import label_selectors, selectors
from binwright.kubernetes.label_selectors import Selector
from binwright.kubernetes.nodes import NodeTable
from binwright.kubernetes.objects import Quantities
from binwright.kubernetes.related import Key, Related
from binwright.kubernetes.storage_objects import PersistentVolume, PersistentVolumeClaim, StorageClass
from binwright.units import nanos

__all__ = ["NO_SPACE", "NO_VOLUME", "Chosen", "VolumeChoice", "VolumeState", "claim_key"]

SELECTED_NODE = "volume.kubernetes.io/selected-node"
NO_PROVISIONER = ("", "kubernetes.io/no-provisioner")

FINE, NO_VOLUME, NO_SPACE = 0, 1, 2
"""Whether the delayed claims of a pod can be met on a node."""


def claim_key(claim: PersistentVolumeClaim) -> Key:
    """(namespace, name)."""
    return claim.metadata.namespace or "default", claim.metadata.name or ""


@dataclass
class VolumeState:
    """What reservations have changed since the input. `version` counts them."""

    holder: dict[str, Key] = field(default_factory=dict)
    selected: dict[Key, int] = field(default_factory=dict)
    version: int = 0

    def fork(self) -> VolumeState:
        """An independent copy."""
        return VolumeState(dict(self.holder), dict(self.selected), self.version)


@dataclass
class Chosen:
    """For a pod's delayed claims: `problem` int8 (nodes,); by claim the number of its volume, int32 (nodes,), -1 where
    it is provisioned.
    """

    problem: np.ndarray
    volumes: list[tuple[PersistentVolumeClaim, np.ndarray]]


class VolumeChoice:
    """Volumes, classes and capacities of one cluster over its nodes."""

    def __init__(self, nodes: NodeTable, related: Related) -> None:
        self._nodes = nodes
        self._related = related
        self._reach: dict[int, np.ndarray] = {}
        self._suiting: dict[Key, list[int]] = {}

    @cached_property
    def volumes(self) -> Sequence[PersistentVolume]:
        """All volumes in input order."""
        return list(self._related.all("PersistentVolume"))

    @cached_property
    def _position(self) -> Mapping[str, int]:
        return {one.metadata.name or "": number for number, one in enumerate(self.volumes)}

    def reach(self, number: int) -> np.ndarray:
        """Nodes that a volume's required node affinity allows, bool (nodes,)."""
        if number not in self._reach:
            self._reach[number] = reached(self.volumes[number], self._nodes)
        return self._reach[number]

    def selected(self, claim: PersistentVolumeClaim, state: VolumeState) -> int | None:
        """The node for which a claim is to be provisioned: -1 = one that is not in the input, None = not decided."""
        if claim_key(claim) in state.selected:
            return state.selected[claim_key(claim)]
        name = (claim.metadata.annotations or {}).get(SELECTED_NODE)
        return None if name is None else self._nodes.index.get(name, -1)

    def choose(self, claims: Iterable[PersistentVolumeClaim], state: VolumeState) -> Chosen:
        """The choice on every node: claims with a selected node first, then the rest by increasing request."""
        count = len(self._nodes)
        elsewhere = self._nodes.nobody()
        provisioned: list[tuple[PersistentVolumeClaim, np.ndarray]] = []
        unselected = []
        for claim in claims:
            node = self.selected(claim, state)
            if node is None:
                unselected.append(claim)
            else:
                elsewhere |= np.arange(count) != node
                provisioned.append((claim, ~self._nodes.nobody()))
        matched: list[tuple[PersistentVolumeClaim, np.ndarray]] = []
        for claim in sorted(unselected, key=requested):
            volume = self._volume(claim, state, [column for _, column in matched])
            matched.append((claim, volume))
            provisioned.append((claim, volume < 0))
        problem = np.zeros(count, np.int8)
        for claim, where in provisioned:
            problem = np.where((problem == FINE) & where, self._provisioning(claim), problem)
        problem[elsewhere] = NO_VOLUME
        return Chosen(problem, matched)

    def _volume(self, claim: PersistentVolumeClaim, state: VolumeState, taken: list[np.ndarray]) -> np.ndarray:
        """Number of the volume that a claim gets on each node, int32 (nodes,), -1 = none."""
        found = np.full(len(self._nodes), -1, np.int32)
        looking = ~self._nodes.nobody()
        bound = self._prebound(claim, state)
        if bound is not None:
            looking = self._taken(bound, taken)  # by this claim itself, where the pod has it twice
            found[self.reach(bound) & ~looking] = bound
        for number in self._suited(claim):
            if (self.volumes[number].metadata.name or "") not in state.holder:
                found[looking & (found < 0) & self.reach(number) & ~self._taken(number, taken)] = number
        return found

    def _taken(self, number: int, taken: list[np.ndarray]) -> np.ndarray:
        """Nodes where an earlier claim of the pod has this volume, bool (nodes,)."""
        found = self._nodes.nobody()
        for column in taken:
            found |= column == number
        return found

    def _prebound(self, claim: PersistentVolumeClaim, state: VolumeState) -> int | None:
        """The first volume that names this claim and could be its own."""
        key = claim_key(claim)
        held = [self._position[name] for name, holder in state.holder.items() if holder == key]
        for number, one in enumerate(self.volumes):
            reference = one.spec.claim_ref
            if reference is None or (reference.namespace, reference.name) != key:
                continue
            if reference.uid in (None, "", claim.metadata.uid) and _could_be(one, claim):
                held.append(number)
                break
        return min(held, default=None)

    def _suited(self, claim: PersistentVolumeClaim) -> list[int]:
        """Numbers of the unclaimed volumes that a claim could have, smallest first."""
        key = claim_key(claim)
        if key not in self._suiting:
            selector = label_selectors.parse(claim.spec.selector, f"PersistentVolumeClaim {'/'.join(key)}")
            sizes = {number: _size(one) for number, one in enumerate(self.volumes) if _suits(one, claim, selector)}
            self._suiting[key] = sorted(sizes, key=sizes.__getitem__)
        return self._suiting[key]

    def _provisioning(self, claim: PersistentVolumeClaim) -> np.ndarray:
        """Why a claim cannot be provisioned for each node, int8 (nodes,); FINE where it can."""
        found = self._related.find("StorageClass", claim.spec.storage_class_name)
        if found is None or found.provisioner in NO_PROVISIONER:
            return np.full(len(self._nodes), NO_VOLUME, np.int8)
        problem = np.where(self._allowed(found), FINE, NO_VOLUME).astype(np.int8)
        driver = self._related.find("CSIDriver", found.provisioner)
        if driver is not None and driver.spec is not None and driver.spec.storage_capacity:
            problem[~self._space(found, requested(claim)) & (problem == FINE)] = NO_SPACE
        return problem

    def _allowed(self, found: StorageClass) -> np.ndarray:
        """Nodes that allowedTopologies allows: terms ORed, expressions ANDed, no terms allow all."""
        allowed = self._nodes.nobody()
        for term in found.allowed_topologies or ():
            matching = np.full(len(self._nodes), bool(term.match_label_expressions))
            for one in term.match_label_expressions or ():
                matching &= self._nodes.label(one.key).equal_to(one.values or ())
            allowed |= matching
        return allowed if found.allowed_topologies else ~allowed

    def _space(self, found: StorageClass, wanted: int) -> np.ndarray:
        """Nodes for which some CSIStorageCapacity of the class has room for a volume of this size."""
        space = self._nodes.nobody()
        for one in self._related.all("CSIStorageCapacity"):
            limit = one.capacity if one.maximum_volume_size is None else one.maximum_volume_size
            if one.storage_class_name != found.metadata.name or limit is None:
                continue
            where = f"CSIStorageCapacity {one.metadata.name}"
            if nanos(limit, f"{where}: capacity") >= wanted:
                space |= selectors.labelled(label_selectors.parse(one.node_topology, where), self._nodes)
        return space


def reached(volume: PersistentVolume, nodes: NodeTable) -> np.ndarray:
    """Nodes that a volume's required node affinity allows, bool (nodes,)."""
    required = volume.spec.node_affinity.required if volume.spec.node_affinity else None
    return ~nodes.nobody() if required is None else selectors.required_terms(required, nodes)


def requested(claim: PersistentVolumeClaim) -> int:
    """The storage a claim asks for, in units of 1e-9."""
    resources = claim.spec.resources
    return _storage(resources.requests if resources else None, f"PersistentVolumeClaim {'/'.join(claim_key(claim))}")


def _size(volume: PersistentVolume) -> int:
    return _storage(volume.spec.capacity, f"PersistentVolume {volume.metadata.name}")


def _storage(quantities: Quantities | None, where: str) -> int:
    return nanos((quantities or {}).get("storage", 0), f"{where}: storage")


def _could_be(volume: PersistentVolume, claim: PersistentVolumeClaim) -> bool:
    """Large enough, not being deleted, and of the class, mode and attributes asked for: what a volume that names the
    claim must be as well.
    """
    spec, wanted = volume.spec, claim.spec
    return (
        (spec.storage_class_name or "") == (wanted.storage_class_name or "")
        and (spec.volume_mode or "Filesystem") == (wanted.volume_mode or "Filesystem")
        and (spec.volume_attributes_class_name or "") == (wanted.volume_attributes_class_name or "")
        and volume.metadata.deletion_timestamp is None
        and _size(volume) >= requested(claim)
    )


def _suits(volume: PersistentVolume, claim: PersistentVolumeClaim, selector: Selector) -> bool:
    """Available, unclaimed, and of the access and labels asked for."""
    return (
        volume.status is not None
        and volume.status.phase == "Available"
        and volume.spec.claim_ref is None
        and set(claim.spec.access_modes or ()) <= set(volume.spec.access_modes or ())
        and (selector is None or label_selectors.matches(selector, volume.metadata.labels or {}))
        and _could_be(volume, claim)
    )
