"""PreFilter: what ends a pod's cycle, or restricts it to nodes by name, before any Filter runs (kubernetes spec 1.2).

One rule of the engine in front of all others. Nodes outside the names are absent; where a plugin refuses the pod
altogether, every node has its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable

import numpy as np

from binwright.kubernetes import selectors
from binwright.kubernetes.nodes import NodeTable
from binwright.kubernetes.objects import NodeSelector, Pod
from binwright.kubernetes.plugins import PASSES

__all__ = ["ABSENT", "PreFilter", "required_affinity"]

ABSENT = 0
"""The argument of a node outside the names; higher ones are refusals."""

_NODE_AFFINITY = "NodeAffinity"


def required_affinity(pod: Pod) -> NodeSelector | None:
    """The pod's required node affinity."""
    affinity = pod.spec.affinity.node_affinity if pod.spec and pod.spec.affinity else None
    return affinity.required_during_scheduling_ignored_during_execution if affinity else None


class PreFilter:
    """The restriction by `metadata.name In`, and the refusals of the plugins, in plugin order."""

    rule = "PreFilter"
    plugin = _NODE_AFFINITY

    def __init__(
        self,
        nodes: NodeTable,
        names: bool,
        refusing: Iterable[tuple[str, Callable[[Pod], str | None]]],
        other: PreFilter | None = None,
    ) -> None:
        """names: whether NodeAffinity runs. refusing: (plugin, why it refuses a pod or None) after it. other: that of
        another profile, with which it shares the numbers of refusals.
        """
        self._nodes = nodes
        self._restricts = names
        self._refusing = tuple(refusing)
        self._refusals: dict[tuple[str, str], int] = other._refusals if other else {}

    def names(self, pod: Pod) -> set[str] | None:
        """The names to which the pod's required terms restrict it, None when they do not; empty: terms conflict."""
        required = required_affinity(pod) if self._restricts else None
        return None if required is None else selectors.name_set(required)

    def refusal(self, pod: Pod) -> tuple[str, str] | None:
        """(plugin, reason) where PreFilter ends the cycle."""
        if self.names(pod) == set():
            return _NODE_AFFINITY, "pod affinity terms conflict"
        for plugin, refuses in self._refusing:
            text = refuses(pod)
            if text is not None:
                return plugin, text
        return None

    def key(self, pod: Pod) -> Hashable:
        refusal = self.refusal(pod)
        if refusal is not None:
            return refusal
        names = self.names(pod)
        return None if names is None else tuple(sorted(names))

    def rejects(self, pod: Pod) -> np.ndarray | None:
        refusal = self.refusal(pod)
        if refusal is not None:
            argument = self._refusals.setdefault(refusal, len(self._refusals) + 1)
            return np.full(len(self._nodes), argument, np.int32)
        names = self.names(pod)
        if names is None:
            return None
        return np.where(self._nodes.named(names), PASSES, ABSENT).astype(np.int32)

    def text(self, argument: int) -> str:
        if argument == ABSENT:
            return "node(s) didn't satisfy plugin(s) [NodeAffinity]"
        return list(self._refusals)[argument - 1][1]

    def plugin_of(self, argument: int) -> str:
        """The plugin that speaks by this argument."""
        return _NODE_AFFINITY if argument == ABSENT else list(self._refusals)[argument - 1][0]
