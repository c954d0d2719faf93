"""ImageLocality: prefers nodes that have a pod's images already, by size and spread (kubernetes spec 4)."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np

from binwright.kubernetes.nodes import NodeTable
from binwright.kubernetes.objects import Pod

__all__ = ["ImageLocality"]

_LEAST = 23 * 2**20
_MOST_PER_CONTAINER = 1000 * 2**20


class ImageLocality:
    """Score by the bytes of the pod's images that a node lists, each weighted by its share of all nodes."""

    plugin = "ImageLocality"

    def __init__(self, nodes: NodeTable) -> None:
        self._nodes = nodes

    def key(self, pod: Pod) -> Hashable:
        """Number of containers, and those of their images that a node has."""
        names = _images(pod)
        known = tuple(name for name in names if self._nodes.image(name) is not None)
        return (len(names), known) if known else None

    def raw(self, pod: Pod) -> np.ndarray | None:
        names = _images(pod)
        total = np.zeros(len(self._nodes), np.int64)
        for name in names:
            found = self._nodes.image(name)
            if found is not None:
                size, where = found
                total[where] += int(float(size) * (float(len(where)) / float(len(self._nodes))))
        most = _MOST_PER_CONTAINER * len(names)
        score = 100 * (np.clip(total, _LEAST, most) - _LEAST) // (most - _LEAST)
        return score if score.any() else None

    def skips(self, pod: Pod) -> bool:
        return False


def _images(pod: Pod) -> list[str]:
    """Image names of init and ordinary containers, with the tag that is meant where none is written."""
    if pod.spec is None:
        return []
    containers = (*(pod.spec.init_containers or ()), *(pod.spec.containers or ()))
    return [_with_tag(container.image or "") for container in containers]


def _with_tag(name: str) -> str:
    return name if name.rfind(":") > name.rfind("/") else f"{name}:latest"
