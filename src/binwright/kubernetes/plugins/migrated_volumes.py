"""Volumes of in-tree plugins on nodes where a CSI driver has taken over: their affinity in the driver's own labels.

A node says in its CSINode which plugins are migrated there; VolumeBinding then reads a bound volume as the driver would
have made it: zones under the driver's topology key, taken from the affinity or, if it names none, from the labels.
"""

from __future__ import annotations

import msgspec
import numpy as np

from binwright.kubernetes import selectors
from binwright.kubernetes.nodes import NodeTable
from binwright.kubernetes.objects import NodeSelector, NodeSelectorTerm, Requirement
from binwright.kubernetes.related import Related
from binwright.kubernetes.storage_objects import PersistentVolume, PersistentVolumeSpec

__all__ = ["migrated_on", "reached_by_driver"]

ANNOTATION = "storage.alpha.kubernetes.io/migrated-plugins"
_ZONES = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")
_REGIONS = ("topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region")


def _plugin(spec: PersistentVolumeSpec) -> tuple[str, str] | None:
    """(in-tree plugin, topology key of its driver) of a volume, None for one without a key of its own."""
    if spec.gce_persistent_disk:
        return "kubernetes.io/gce-pd", "topology.gke.io/zone"
    if spec.aws_elastic_block_store:
        return "kubernetes.io/aws-ebs", "topology.ebs.csi.aws.com/zone"
    if spec.cinder:
        return "kubernetes.io/cinder", "topology.cinder.csi.openstack.org/zone"
    return None


def migrated_on(volume: PersistentVolume, nodes: NodeTable, related: Related) -> np.ndarray:
    """Nodes where a CSI driver attaches this in-tree volume, bool (nodes,)."""
    found = nodes.nobody()
    plugin = _plugin(volume.spec)
    if plugin is not None:
        for number, name in enumerate(nodes.names):
            node = related.find("CSINode", name)
            stated = (node.metadata.annotations or {}).get(ANNOTATION, "") if node is not None else ""
            found[number] = plugin[0] in stated.split(",")
    return found


def reached_by_driver(volume: PersistentVolume, nodes: NodeTable) -> np.ndarray:
    """Nodes that the volume's affinity allows, in the labels of its driver, bool (nodes,)."""
    plugin = _plugin(volume.spec)
    assert plugin is not None
    required = volume.spec.node_affinity.required if volume.spec.node_affinity else None
    terms = list((required.node_selector_terms if required else None) or ())
    labels = volume.metadata.labels or {}
    named = {one.key for term in terms for one in term.match_expressions or ()}
    which = next((at for where in (named, labels) for at, key in enumerate(_ZONES) if key in where), 0)
    zone, region = _ZONES[which], _REGIONS[which]
    if _values(terms, zone):
        terms = _renamed(terms, zone, plugin[1])
    else:
        zones = sorted({one.strip() for one in labels.get(zone, "").split("__")} - {""})
        if zones:
            there = Requirement(key=plugin[1], operator="In", values=tuple(zones))
            terms = [_with(term, (*(term.match_expressions or ()), there)) for term in terms or [NodeSelectorTerm()]]
    if which and _values(terms, region):
        terms = _renamed(terms, region, _REGIONS[0])
    if required is None and not terms:
        return ~nodes.nobody()
    return selectors.required_terms(NodeSelector(node_selector_terms=tuple(terms)), nodes)


def _values(terms: list[NodeSelectorTerm], key: str) -> bool:
    """Whether some expression of this key names values."""
    return any(one.key == key and one.values for term in terms for one in term.match_expressions or ())


def _renamed(terms: list[NodeSelectorTerm], old: str, new: str) -> list[NodeSelectorTerm]:
    def renamed(one: Requirement) -> Requirement:
        return msgspec.structs.replace(one, key=new) if one.key == old else one

    return [_with(term, tuple(map(renamed, term.match_expressions or ()))) for term in terms]


def _with(term: NodeSelectorTerm, expressions: tuple[Requirement, ...]) -> NodeSelectorTerm:
    return msgspec.structs.replace(term, match_expressions=expressions)
