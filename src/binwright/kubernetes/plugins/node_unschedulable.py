"""NodeUnschedulable: a cordoned node takes only pods that tolerate being there (kubernetes spec 4)."""

from __future__ import annotations

import numpy as np

from binwright.kubernetes.nodes import NodeTable
from binwright.kubernetes.objects import Pod, Taint
from binwright.kubernetes.plugins import PASSES
from binwright.kubernetes.tolerations import tolerates

__all__ = ["UNSCHEDULABLE", "NodeUnschedulable"]

UNSCHEDULABLE = Taint("node.kubernetes.io/unschedulable", None, "NoSchedule")


class NodeUnschedulable:
    """Filter on `spec.unschedulable`."""

    rule = plugin = "NodeUnschedulable"

    def __init__(self, nodes: NodeTable) -> None:
        cordoned = nodes.unschedulable
        self._cordoned = np.where(cordoned, 0, PASSES).astype(np.int32) if cordoned.any() else None

    def key(self, pod: Pod) -> bool | None:
        """True for a pod that minds; all of them are alike."""
        if self._cordoned is None:
            return None
        tolerations = (pod.spec.tolerations or ()) if pod.spec else ()
        return None if any(tolerates(toleration, UNSCHEDULABLE) for toleration in tolerations) else True

    def rejects(self, pod: Pod) -> np.ndarray | None:
        return self._cordoned

    def text(self, argument: int) -> str:
        return "node(s) were unschedulable"
