"""Daemon sets: one pod for every node that one should run on, bound to it by its name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec
import numpy as np

from binwright.kubernetes.manifests import Manifest, ManifestAffinity, ManifestSpec
from binwright.kubernetes.nodes import NodeTable
from binwright.kubernetes.objects import (
    Node,
    NodeAffinity,
    NodeSelector,
    NodeSelectorTerm,
    Pod,
    Requirement,
    Toleration,
)
from binwright.kubernetes.plugins import PASSES, node_affinity, taint_toleration
from binwright.kubernetes.plugins.pre_filter import required_affinity
from binwright.kubernetes.templates import Present, active, of_workload
from binwright.kubernetes.workload_objects import Workload

__all__ = ["daemon_pods"]

_TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)
_ON_HOSTS_NETWORK = ("node.kubernetes.io/network-unavailable", "NoSchedule")


def daemon_pods(workloads: Iterable[Workload], there: Present, nodes: Sequence[Node]) -> Iterator[tuple[str, Manifest]]:
    """The pods that the daemon sets lack: none on nodes whose labels or hard taints do not suit the template."""
    table = NodeTable(nodes)
    affinity, taints = node_affinity.NodeAffinity(table), taint_toleration.TaintToleration(table)
    for workload in workloads:
        if workload.spec is None or workload.metadata.deletion_timestamp is not None:
            continue
        wanted = of_workload("DaemonSet", workload)
        if wanted.template is None:
            continue  # cut down to what it selects
        spec = _tolerating(wanted.template.spec)
        asked = Pod(wanted.template.metadata, spec)  # type: ignore[arg-type]
        suits = np.ones(len(table), np.bool_)
        for rejected in (affinity.rejects(asked), taints.rejects(asked)):
            if rejected is not None:
                suits &= rejected == PASSES
        if spec.node_name:
            suits &= table.named([spec.node_name])
        pods = there.controlled(wanted.namespace, "DaemonSet", wanted.name)
        taken = table.named(name for pod in pods if active(pod) for name in _nodes_of(pod))
        for host in np.flatnonzero(suits & ~taken).tolist():
            pod = wanted.pod(there.new_name(wanted.namespace, f"{wanted.name}-"), "DaemonSet", wanted.name)
            pod.spec = msgspec.structs.replace(spec, affinity=_only(spec.affinity, table.names[host]))
            yield wanted.words, pod


def _tolerating(spec: ManifestSpec) -> ManifestSpec:
    """The spec with what every daemon pod tolerates."""
    known = spec.tolerations or ()
    more = (*_TOLERATED, _ON_HOSTS_NETWORK) if spec.host_network else _TOLERATED
    added = (Toleration(key=key, operator="Exists", effect=effect) for key, effect in more)
    return msgspec.structs.replace(spec, tolerations=(*known, *(one for one in added if one not in known)))


def _only(found: ManifestAffinity | None, node: str) -> ManifestAffinity:
    """An affinity whose required node terms are this one node; preferences and affinity to pods stay."""
    field = Requirement("metadata.name", "In", (node,))
    required = NodeSelector((NodeSelectorTerm(match_fields=(field,)),))
    near = found.node_affinity if found is not None and found.node_affinity is not None else NodeAffinity()
    near = msgspec.structs.replace(near, required_during_scheduling_ignored_during_execution=required)
    return msgspec.structs.replace(found or ManifestAffinity(), node_affinity=near)


def _nodes_of(pod: Pod) -> list[str]:
    """The node a daemon pod has, or the one it waits for."""
    if pod.spec is not None and pod.spec.node_name:
        return [pod.spec.node_name]
    required = required_affinity(pod)
    terms = (required.node_selector_terms if required else None) or ()
    fields = (one for term in terms for one in term.match_fields or ())
    return [name for one in fields if one.key == "metadata.name" for name in one.values or ()]
