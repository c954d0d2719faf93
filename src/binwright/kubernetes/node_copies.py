"""Clusters with nodes that they do not have yet: each like one that is there, with the pods that every such node runs.

Works on copies of objects; decides nothing, and knows nothing of what a node stands on beyond the labels it is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from binwright.kubernetes.drain_filters import controller
from binwright.kubernetes.objects import (
    LabelSelector,
    Node,
    NodeSpec,
    NodeStatus,
    ObjectMeta,
    Pod,
    PodSpec,
    SpreadConstraint,
    Taint,
)
from binwright.kubernetes.pending import sort_out
from binwright.kubernetes.reader import Objects
from binwright.kubernetes.requests import CPU, MEMORY, STORAGE, amount
from binwright.units import nanos

__all__ = [
    "Mould",
    "amounts_of",
    "lasting_taints",
    "moulds",
    "reserved",
    "resized",
    "with_bound",
    "with_labels",
    "with_nodes",
    "with_spread",
]

HOSTNAME = "kubernetes.io/hostname"
_CONDITIONS = ("node.kubernetes.io/", "node.cloudprovider.kubernetes.io/")
_NODE_BOUND = ("DaemonSet", "Node")
_REVISIONS = frozenset(
    {
        "apps.kubernetes.io/pod-index",
        "batch.kubernetes.io/controller-uid",
        "batch.kubernetes.io/job-completion-index",
        "controller-revision-hash",
        "controller-uid",
        "pod-template-generation",
        "pod-template-hash",
        "statefulset.kubernetes.io/pod-name",
    }
)
"""Labels that tell pods, or generations, of one workload apart."""


@dataclass(frozen=True, eq=False)
class Mould:
    """What new nodes are made of: a node, the pods of its daemon sets and its static ones, its CSINode if any."""

    node: Node
    pods: tuple[Pod, ...] = ()
    csi_node: Any | None = None


def moulds(objects: Objects) -> dict[str, Mould]:
    """Every node of a cluster as a mould, by name: without cordon, and without taints that tell its condition."""
    kept: dict[str, list[Pod]] = {}
    for pod in sort_out(objects.pods).bound:
        owner = controller(pod)
        if owner is not None and owner.kind in _NODE_BOUND and pod.metadata.deletion_timestamp is None:
            kept.setdefault((pod.spec and pod.spec.node_name) or "", []).append(pod)
    found = {}
    for node in objects.nodes:
        name = node.metadata.name or ""
        spec = msgspec.structs.replace(node.spec or NodeSpec(), unschedulable=None, taints=lasting_taints(node))
        sound = msgspec.structs.replace(node, spec=spec)
        found[name] = Mould(sound, tuple(kept.get(name, ())), objects.related.find("CSINode", name))
    return found


def lasting_taints(node: Node) -> tuple[Taint, ...]:
    """The taints that somebody gave a node; those of its condition (not ready, cordoned, new) pass."""
    taints = (node.spec and node.spec.taints) or ()
    return tuple(one for one in taints if not one.key.startswith(_CONDITIONS))


def amounts_of(node: Node, field: str = "allocatable") -> dict[str, int]:
    """What a node offers by resource: cpu in millicores, the rest in whole units. field: or its "capacity"."""
    status = node.status or NodeStatus()
    told = status.capacity if field == "capacity" or status.allocatable is None else status.allocatable
    where = f"Node {node.metadata.name}: status.{field}"
    return {name: amount(name, nanos(text, f"{where}.{name}"), where) for name, text in (told or {}).items()}


def resized(mould: Mould, allocatable: Mapping[str, int]) -> Mould:
    """The mould with other amounts of these resources; resources with a vendor's name, which devices have, are gone."""
    kept = {name: value for name, value in amounts_of(mould.node).items() if "/" not in name}
    texts: dict[str, str | int | float] = {
        name: f"{value}m" if name == CPU else str(value) for name, value in {**kept, **allocatable}.items()
    }
    status = msgspec.structs.replace(mould.node.status or NodeStatus(), capacity=texts, allocatable=texts)
    return replace(mould, node=msgspec.structs.replace(mould.node, status=status))


def with_nodes(objects: Objects, made: Iterable[tuple[Mould, str, Mapping[str, str]]]) -> Objects:
    """The cluster with new nodes behind its own: (mould, name, labels beside or instead of the mould's)."""
    nodes, pods, csi_nodes = list(objects.nodes), list(objects.pods), []
    for mould, name, labels in made:
        nodes.append(_node(mould.node, name, labels))
        pods += [_pod(pod, name) for pod in mould.pods]
        if mould.csi_node is not None:
            csi_nodes.append(_renamed(mould.csi_node, name))
    related = objects.related
    if csi_nodes:
        related = related.copy()
        for one in csi_nodes:
            related.add("CSINode", one)
    return replace(objects, nodes=nodes, pods=pods, related=related)


def _node(node: Node, name: str, labels: Mapping[str, str]) -> Node:
    given = {**(node.metadata.labels or {}), HOSTNAME: name, **labels}
    metadata = msgspec.structs.replace(node.metadata, name=name, uid=None, labels=given)
    status = msgspec.structs.replace(node.status or NodeStatus(), addresses=None)
    spec = msgspec.structs.replace(node.spec or NodeSpec(), provider_id=None)
    return msgspec.structs.replace(node, metadata=metadata, spec=spec, status=status)


def _pod(pod: Pod, node: str) -> Pod:
    metadata = msgspec.structs.replace(pod.metadata, name=f"{pod.metadata.name}-{node}", uid=None)
    spec = msgspec.structs.replace(pod.spec or PodSpec(), node_name=node)
    return msgspec.structs.replace(pod, metadata=metadata, spec=spec)


def _renamed(csi_node: Any, name: str) -> Any:
    metadata: ObjectMeta = msgspec.structs.replace(csi_node.metadata, name=name, uid=None)
    return msgspec.structs.replace(csi_node, metadata=metadata)


def with_labels(objects: Objects, labels: Mapping[str, Mapping[str, str]]) -> Objects:
    """The cluster with more labels on the nodes that `labels` names."""
    nodes = []
    for node in objects.nodes:
        more = labels.get(node.metadata.name or "")
        if more:
            metadata = msgspec.structs.replace(node.metadata, labels={**(node.metadata.labels or {}), **more})
            node = msgspec.structs.replace(node, metadata=metadata)
        nodes.append(node)
    return replace(objects, nodes=nodes)


def with_bound(objects: Objects, hosts: Mapping[str, str]) -> Objects:
    """The cluster with pods on nodes: `hosts` is pod key -> name of a node."""
    pods = [
        msgspec.structs.replace(pod, spec=msgspec.structs.replace(pod.spec or PodSpec(), node_name=hosts[pod.key]))
        if pod.key in hosts
        else pod
        for pod in objects.pods
    ]
    return replace(objects, pods=pods)


def with_spread(objects: Objects, key: str) -> Objects:
    """The cluster in which every waiting pod with a controller spreads over the domains of `key`, too: maxSkew 1,
    DoNotSchedule, counted with all pods that have its labels, those apart that tell generations apart.
    """
    pending = {id(pod) for pod in sort_out(objects.pods).pending}
    pods = [_spread(pod, key) if id(pod) in pending else pod for pod in objects.pods]
    return replace(objects, pods=pods)


def _spread(pod: Pod, key: str) -> Pod:
    owner = controller(pod)
    labels = {name: value for name, value in (pod.metadata.labels or {}).items() if name not in _REVISIONS}
    if owner is None or owner.kind in _NODE_BOUND or not labels:
        return pod
    spec = pod.spec or PodSpec()
    constraint = SpreadConstraint(1, key, "DoNotSchedule", LabelSelector(match_labels=labels))
    constraints = (*(spec.topology_spread_constraints or ()), constraint)
    return msgspec.structs.replace(pod, spec=msgspec.structs.replace(spec, topology_spread_constraints=constraints))


def reserved(node: Node) -> dict[str, int]:
    """What kubelet and system keep of a node for themselves: capacity less allocatable of cpu, memory and disk."""
    whole, left = amounts_of(node, "capacity"), amounts_of(node)
    return {name: max(0, whole.get(name, 0) - left.get(name, 0)) for name in (CPU, MEMORY, STORAGE)}
