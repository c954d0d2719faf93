"""NodeName: a pod that already names its node goes nowhere else (kubernetes spec 4)."""

from __future__ import annotations

import numpy as np

from binwright.kubernetes.nodes import NodeTable
from binwright.kubernetes.objects import Pod
from binwright.kubernetes.plugins import PASSES

__all__ = ["NodeName"]


class NodeName:
    """Filter on `spec.nodeName`."""

    rule = plugin = "NodeName"

    def __init__(self, nodes: NodeTable) -> None:
        self._nodes = nodes

    def key(self, pod: Pod) -> str | None:
        """The node's name, None for a pod without one."""
        return (pod.spec.node_name if pod.spec else None) or None

    def rejects(self, pod: Pod) -> np.ndarray | None:
        name = self.key(pod)
        return np.where(self._nodes.named((name or "",)), PASSES, 0).astype(np.int32)

    def text(self, argument: int) -> str:
        return "node(s) didn't match the requested node name"
