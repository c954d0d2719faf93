"""Volumes of a cluster and the delayed claims on them, as the engine's pools know them (kubernetes spec 4, 8.6).

Says which volumes a claim could have, which nodes see them, and where it can be provisioned; who took what is state of
the engine.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from binwright import Fleet
from binwright.kubernetes import label_selectors, selectors
from binwright.kubernetes.label_selectors import Selector
from binwright.kubernetes.nodes import NodeTable
from binwright.kubernetes.objects import Quantities
from binwright.kubernetes.related import Key, Related
from binwright.kubernetes.storage_objects import PersistentVolume, PersistentVolumeClaim, StorageClass
from binwright.units import nanos

__all__ = ["NO_SPACE", "NO_VOLUME", "VolumeChoice", "claim_key", "reached"]

SELECTED_NODE = "volume.kubernetes.io/selected-node"
NO_PROVISIONER = ("", "kubernetes.io/no-provisioner")

FINE, NO_VOLUME, NO_SPACE = 0, 1, 2
"""Whether the delayed claims of a pod can be met on a node."""


def claim_key(claim: PersistentVolumeClaim) -> Key:
    """(namespace, name)."""
    return claim.metadata.namespace or "default", claim.metadata.name or ""


class VolumeChoice:
    """The volumes of one cluster as pool rows, and its delayed claims on them, each made when it is asked for."""

    def __init__(self, fleet: Fleet, nodes: NodeTable, related: Related) -> None:
        self._fleet = fleet
        self._nodes = nodes
        self._related = related
        self._claims: dict[Key, int] = {}
        self._suiting: dict[str, list[int]] = {}  # by what a claim asks for

    def claim(self, claim: PersistentVolumeClaim) -> int:
        """The claim's number in the pools. It holds the volumes that name it; it is to be provisioned for the node that
        its annotation names, which may be none of the input.
        """
        key = claim_key(claim)
        if key not in self._claims:
            selected = (claim.metadata.annotations or {}).get(SELECTED_NODE)
            problem = self._provisioning(claim)
            self._claims[key] = self._fleet.pools.add_claim(
                self._rank(requested(claim)),
                [self._row[number] for number in self._suited(claim)],
                provision=problem != NO_VOLUME,
                room=problem != NO_SPACE,
                held=self._prebound(claim),
                pinned=None if selected is None else self._nodes.index.get(selected, -1),
            )
        return self._claims[key]

    @cached_property
    def _volumes(self) -> Sequence[PersistentVolume]:
        """All volumes in input order."""
        return list(self._related.all("PersistentVolume"))

    @cached_property
    def _sizes(self) -> Sequence[int]:
        """Every size that volumes have or claims ask for, rising."""
        sizes = {_size(one) for one in self._volumes}
        return sorted(sizes.union(requested(one) for one in self._related.all("PersistentVolumeClaim")))

    def _rank(self, size: int) -> int:
        """A number in place of a size: only the order of sizes counts. One that came later stands between two."""
        place = bisect_left(self._sizes, size)
        return 2 * place + int(self._sizes[place : place + 1] == [size])

    @cached_property
    def _row(self) -> Sequence[int]:
        """The pool row of every volume."""
        seen = [reached(one, self._nodes) for one in self._volumes]
        rows: list[int] = self._fleet.pools.add([self._rank(_size(one)) for one in self._volumes], seen).tolist()
        return rows

    def _prebound(self, claim: PersistentVolumeClaim) -> list[int]:
        """The rows of the volumes that name this claim and could be its own."""
        uids = (None, "", claim.metadata.uid)
        return [
            self._row[number]
            for number, uid in self._named.get(claim_key(claim), ())
            if uid in uids and _could_be(self._volumes[number], claim)
        ]

    @cached_property
    def _named(self) -> Mapping[Key, list[tuple[int, str | None]]]:
        """(number, uid that it gives) of the volumes that name a claim, by the claim."""
        found: dict[Key, list[tuple[int, str | None]]] = {}
        for number, one in enumerate(self._volumes):
            if (named := one.spec.claim_ref) is not None:
                found.setdefault((named.namespace, named.name), []).append((number, named.uid))
        return found

    def _suited(self, claim: PersistentVolumeClaim) -> list[int]:
        """Numbers of the unclaimed volumes that a claim could have."""
        asked = repr(claim.spec)
        if asked not in self._suiting:
            selector = label_selectors.parse(claim.spec.selector, f"PersistentVolumeClaim {'/'.join(claim_key(claim))}")
            suiting = [number for number, one in enumerate(self._volumes) if _suits(one, claim, selector)]
            self._suiting[asked] = suiting
        return self._suiting[asked]

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
