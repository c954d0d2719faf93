"""Clusters as they would be: without some nodes, or a second one with other nodes. Copies; nothing is placed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import msgspec

from binwright.kubernetes.drain_filters import controller
from binwright.kubernetes.evacuation import replacement
from binwright.kubernetes.node_copies import HOSTNAME
from binwright.kubernetes.objects import NodeSpec, PodSpec
from binwright.kubernetes.outage import ENDS_WITH_NODE
from binwright.kubernetes.reader import Objects

__all__ = ["with_other_nodes", "without_nodes"]


def without_nodes(objects: Objects, names: Collection[str]) -> Objects:
    """The cluster without these nodes. Pods on them wait again if a controller makes them anew, else they are gone."""
    pods = []
    for pod in objects.pods:
        if ((pod.spec and pod.spec.node_name) or "") in names:
            owner = controller(pod)
            if owner is None or owner.kind in ENDS_WITH_NODE:
                continue
            pod = replacement(pod)
        pods.append(pod)
    nodes = [node for node in objects.nodes if node.metadata.name not in names]
    return replace(objects, nodes=nodes, pods=pods)


def with_other_nodes(objects: Objects, servers: Mapping[str, tuple[str, str, Mapping[str, str]]]) -> Objects:
    """A cluster like this one on other servers: `servers` is name of a node -> (new name, providerID, labels of the new
    place). Nodes that it leaves out are not there.
    """
    lost = {node.metadata.name or "" for node in objects.nodes} - servers.keys()
    kept = without_nodes(objects, lost)
    nodes = []
    for node in kept.nodes:
        name, provider, there = servers[node.metadata.name or ""]
        labels = {**(node.metadata.labels or {}), HOSTNAME: name, **there}
        metadata = msgspec.structs.replace(node.metadata, name=name, uid=None, labels=labels)
        spec = msgspec.structs.replace(node.spec or NodeSpec(), provider_id=provider)
        status = None if node.status is None else msgspec.structs.replace(node.status, addresses=None)
        nodes.append(msgspec.structs.replace(node, metadata=metadata, spec=spec, status=status))
    pods = []
    for pod in kept.pods:
        on = (pod.spec and pod.spec.node_name) or ""
        if on in servers:
            spec_ = msgspec.structs.replace(pod.spec or PodSpec(), node_name=servers[on][0])
            pod = msgspec.structs.replace(pod, spec=spec_)
        pods.append(pod)
    related = kept.related.copy()
    for name, (new, *_) in servers.items():
        csi_node = related.find("CSINode", name)
        if csi_node is not None:
            renamed = msgspec.structs.replace(csi_node.metadata, name=new, uid=None)
            related.add("CSINode", msgspec.structs.replace(csi_node, metadata=renamed))
    return replace(kept, nodes=nodes, pods=pods, related=related)
