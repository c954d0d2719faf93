"""TaintToleration: hard taints keep a pod off, soft ones count against a node (kubernetes spec 4)."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np

from binwright.kubernetes.nodes import NodeTable
from binwright.kubernetes.objects import Pod, Taint, Toleration
from binwright.kubernetes.plugins import PASSES
from binwright.kubernetes.tolerations import first_untolerated, tolerates

__all__ = ["TaintToleration"]

_SOFT = "PreferNoSchedule"


class TaintToleration:
    """Filter on taints NoSchedule and NoExecute; score: the number of untolerated PreferNoSchedule taints."""

    rule = plugin = "TaintToleration"

    def __init__(self, nodes: NodeTable) -> None:
        self._nodes = nodes
        self._number: dict[tuple[str, str], int] = {}  # (key, value) of a taint -> argument

    def key(self, pod: Pod) -> Hashable:
        """The tolerations."""
        return tuple((one.key, one.operator, one.value, one.effect) for one in _tolerations(pod))

    def rejects(self, pod: Pod) -> np.ndarray | None:
        tolerations = _tolerations(pod)

        def argument(taints: tuple[Taint, ...]) -> int:
            taint = first_untolerated(tolerations, taints)
            if taint is None:
                return PASSES
            return self._number.setdefault((taint.key, taint.value or ""), len(self._number))

        rejected = self._nodes.by_taints(argument, np.int32)
        return rejected if (rejected != PASSES).any() else None

    def text(self, argument: int) -> str:
        key, value = list(self._number)[argument]
        return f"node(s) had untolerated taint {{{key}: {value}}}"

    def raw(self, pod: Pod) -> np.ndarray | None:
        soft = [one for one in _tolerations(pod) if not one.effect or one.effect == _SOFT]

        def untolerated(taints: tuple[Taint, ...]) -> int:
            return sum(taint.effect == _SOFT and not any(tolerates(one, taint) for one in soft) for taint in taints)

        counts = self._nodes.by_taints(untolerated)
        return counts if counts.any() else None

    def skips(self, pod: Pod) -> bool:
        return False


def _tolerations(pod: Pod) -> tuple[Toleration, ...]:
    return (pod.spec.tolerations or ()) if pod.spec else ()
