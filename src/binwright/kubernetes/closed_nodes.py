"""Nodes that the cluster itself closes to new pods: cordons, and taints that controllers set by a node's condition.

Both say nothing of pods that were there before. Tells which nodes are closed, what they are like when open, and in
kube-scheduler's words which pods they would refuse today.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from binwright.explained import RuleText
from binwright.kubernetes.nodes import NodeTable
from binwright.kubernetes.objects import Node, Pod, Taint
from binwright.kubernetes.plugins import PASSES
from binwright.kubernetes.plugins.node_unschedulable import NodeUnschedulable
from binwright.kubernetes.plugins.taint_toleration import TaintToleration

__all__ = ["ClosedNodes", "by_condition"]

_CONDITIONS = ("node.kubernetes.io/", "node.cloudprovider.kubernetes.io/")
_SCALED_DOWN = ("ToBeDeletedByClusterAutoscaler", "karpenter.sh/disrupted")


def by_condition(taint: Taint) -> bool:
    """Whether controllers set and lift this taint as the node's condition changes, or when it is to go."""
    return taint.key.startswith(_CONDITIONS) or taint.key in _SCALED_DOWN


class ClosedNodes:
    """`opened`: the nodes in the order given, as if nothing closed them."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        closed: list[Node] = []
        self.opened: list[Node] = []
        for node in nodes:
            opened = _opened(node)
            self.opened.append(opened)
            if opened is not node:
                closed.append(node)
        self._table = NodeTable(closed)
        self._plugins = (NodeUnschedulable(self._table), TaintToleration(self._table))

    def refuses(self, pod: Pod, node: str) -> list[RuleText]:
        """Why a closed node takes no pod like this, which it would take when open; empty where it does."""
        number = self._table.index.get(node)
        if number is None:
            return []
        found = []
        for plugin in self._plugins:
            rejected = None if plugin.key(pod) is None else plugin.rejects(pod)
            if rejected is not None and rejected[number] != PASSES:
                found.append(RuleText(plugin.plugin, plugin.text(int(rejected[number]))))
        return found


def _opened(node: Node) -> Node:
    spec = node.spec
    if spec is None or not (spec.unschedulable or any(map(by_condition, spec.taints or ()))):
        return node
    taints = tuple(taint for taint in spec.taints or () if not by_condition(taint))
    return msgspec.structs.replace(node, spec=msgspec.structs.replace(spec, unschedulable=None, taints=taints))
