"""NodeAffinity: nodeSelector, required and preferred node affinity, and what a profile adds (kubernetes spec 4).

Its restriction to nodes by name, which comes before any Filter, is in `pre_filter`.
"""

from __future__ import annotations

import msgspec
import numpy as np

from binwright.kubernetes import selectors
from binwright.kubernetes.nodes import NodeTable
from binwright.kubernetes.objects import NodeAffinity as Affinity
from binwright.kubernetes.objects import Pod, PreferredTerm
from binwright.kubernetes.plugins import PASSES
from binwright.kubernetes.plugins.pre_filter import required_affinity
from binwright.kubernetes.ranges import WEIGHTS, check_each

__all__ = ["NodeAffinity"]

_BY_PROFILE, _BY_POD = 0, 1

_encode = msgspec.json.Encoder(order="deterministic").encode


class NodeAffinity:
    """Filter on nodeSelector and required terms; score: the weights of the preferred terms that match."""

    rule = plugin = "NodeAffinity"

    def __init__(self, nodes: NodeTable, added: Affinity | None = None) -> None:
        """added: `addedAffinity` of the profile, which every pod must satisfy as well as its own."""
        self._nodes = nodes
        self._added_preferred = _preferred(added)
        required = added.required_during_scheduling_ignored_during_execution if added else None
        self._barred = None if required is None else ~selectors.required_terms(required, nodes)

    def key(self, pod: Pod) -> bytes | None:
        """nodeSelector and node affinity as text."""
        if not self.filters(pod) and self.skips(pod):
            return None
        return _encode((pod.spec and pod.spec.node_selector, _affinity(pod)))

    def filters(self, pod: Pod) -> bool:
        """Whether PreFilter does not say Skip for this pod."""
        selector = pod.spec.node_selector if pod.spec else None
        return self._barred is not None or selector is not None or required_affinity(pod) is not None

    def rejects(self, pod: Pod) -> np.ndarray | None:
        rejected = np.full(len(self._nodes), PASSES, np.int32)
        selector = pod.spec.node_selector if pod.spec else None
        if selector:
            rejected[~selectors.node_selector(selector, self._nodes)] = _BY_POD
        required = required_affinity(pod)
        if required is not None:
            rejected[~selectors.required_terms(required, self._nodes)] = _BY_POD
        if self._barred is not None:
            rejected[self._barred] = _BY_PROFILE
        return rejected if (rejected != PASSES).any() else None

    def text(self, argument: int) -> str:
        if argument == _BY_PROFILE:
            return "node(s) didn't match scheduler-enforced node affinity"
        return "node(s) didn't match Pod's node affinity/selector"

    def raw(self, pod: Pod) -> np.ndarray | None:
        own = _preferred(_affinity(pod))
        where = f"Pod {pod.key}: spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution"
        check_each((one.weight for one in own), WEIGHTS, where, "weight")
        wished = (*self._added_preferred, *own)
        terms = [(one.weight, one.preference) for one in wished if one.preference is not None]
        total = selectors.preferred(terms, self._nodes)
        return total if total.any() else None

    def skips(self, pod: Pod) -> bool:
        affinity = _affinity(pod)
        own = affinity and affinity.preferred_during_scheduling_ignored_during_execution
        return own is None and not self._added_preferred


def _affinity(pod: Pod) -> Affinity | None:
    affinity = pod.spec.affinity if pod.spec else None
    return affinity.node_affinity if affinity else None


def _preferred(affinity: Affinity | None) -> tuple[PreferredTerm, ...]:
    return (affinity.preferred_during_scheduling_ignored_during_execution if affinity else None) or ()
