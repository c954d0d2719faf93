"""PodTopologySpread: keeps what a constraint selects even over the domains of a label (kubernetes spec 4, 8.4)."""

from __future__ import annotations

from collections.abc import Hashable

import msgspec
import numpy as np

from binwright.kubernetes import label_selectors, selectors
from binwright.kubernetes.counts import Counts
from binwright.kubernetes.nodes import NodeTable
from binwright.kubernetes.objects import Pod, Taint
from binwright.kubernetes.plugins.spread_constraints import HARD, HOSTNAME, SOFT, Constraint, SpreadArgs, constraints_of
from binwright.kubernetes.related import Related
from binwright.kubernetes.tolerations import first_untolerated
from binwright.kubernetes.traits import Traits
from binwright.request import Request
from binwright.terms import HardTerm, Ref, SoftTerm, skew

__all__ = ["PodTopologySpread", "counted_nodes"]

_SKEWED, _MISSING = 0, 1

_encode = msgspec.json.Encoder(order="deterministic").encode


class PodTopologySpread:
    """Filter on the constraints that must hold, score by those that should."""

    rule = plugin = "PodTopologySpread"
    holding = False

    def __init__(
        self, counts: Counts, nodes: NodeTable, related: Related, args: SpreadArgs, *, filters: bool, score: str | None
    ) -> None:
        """score: what the engine calls its score, None where it has none."""
        self._counts = counts
        self._nodes = nodes
        self._related = related
        self._args = args
        self._filters = filters
        self._score = score

    def key(self, pod: Pod) -> Hashable:
        """The constraints, and what decides which nodes they count."""
        constraints, require_all = constraints_of(pod, self._args, self._related)
        if not constraints:
            return None
        spec = pod.spec
        affinity = spec.affinity.node_affinity if spec and spec.affinity else None
        where = _encode((spec and spec.node_selector, affinity, spec and spec.tolerations))
        return tuple(constraints), require_all, where

    def filtering(self, pod: Pod) -> bool:
        """Whether PreFilter does not say Skip."""
        return any(one.when == HARD for one in constraints_of(pod, self._args, self._related)[0])

    def held(self, pod: Pod) -> dict[int, int]:
        return {}

    def terms(self, pod: Pod, traits: Traits) -> list[HardTerm | SoftTerm]:
        constraints, require_all = constraints_of(pod, self._args, self._related)
        hard = [one for one in constraints if one.when == HARD]
        soft = [one for one in constraints if one.when == SOFT]
        found: list[HardTerm | SoftTerm] = []
        if self._filters:
            with_keys = self._with_keys(hard)
            labels = pod.metadata.labels or {}
            found += [
                skew(
                    self.rule,
                    Ref(
                        self._counter(one, pod),
                        self._nodes.domain_key(one.key),
                        self._members(one, pod, with_keys),
                    ),
                    one.max_skew,
                    own=int(label_selectors.matches(one.selector, labels)),
                    least_domains=one.least_domains,
                    argument=_SKEWED,
                    missing=_MISSING,
                )
                for one in hard
            ]
        if self._score is not None and soft:
            with_keys = self._with_keys(soft) if require_all else ~self._nodes.nobody()
            refs = tuple(
                Ref(
                    self._counter(one, pod),
                    one.key,
                    self._members(one, pod, with_keys),
                    max_skew=one.max_skew,
                    per_host=one.key == HOSTNAME,
                )
                for one in soft
            )
            found.append(SoftTerm(self._score, refs, require_all))
        return found

    def compiled(self, request: Request, pod: Pod, traits: Traits) -> None:
        """Constraints select pods, and pods of later classes are counted by `Counts`."""

    def text(self, argument: int) -> str:
        more = " (missing required label)" if argument == _MISSING else ""
        return f"node(s) didn't match pod topology spread constraints{more}"

    def _counter(self, one: Constraint, pod: Pod) -> int:
        """Pods of the namespace that the selector matches; terminating ones, and all of an empty selector, only count
        when they are moved on trial.
        """
        namespace, selector = pod.metadata.namespace or "default", one.selector
        live = int(bool(selector))

        def holds(traits: Traits) -> bool:
            return traits.namespace == namespace and label_selectors.matches(selector, traits.labels)

        def amount(traits: Traits) -> tuple[int, int]:
            return (0 if traits.terminating else live), 1

        key = ("spread", namespace, selector)
        return self._counts.matched(key, label_selectors.anchor(selector), holds, amount)

    def _with_keys(self, constraints: list[Constraint]) -> np.ndarray:
        """Nodes that carry the key of every constraint."""
        chosen = ~self._nodes.nobody()
        for one in constraints:
            chosen &= self._nodes.label(one.key).codes >= 0
        return chosen

    def _members(self, one: Constraint, pod: Pod, with_keys: np.ndarray) -> int | None:
        """Nodes that the constraint counts."""
        return self._counts.members(counted_nodes(one, pod, self._nodes, with_keys))


def counted_nodes(one: Constraint, pod: Pod, nodes: NodeTable, with_keys: np.ndarray) -> np.ndarray:
    """(nodes,) bool: those of `with_keys` that a constraint of this pod counts, by its policies."""
    counted = with_keys
    spec = pod.spec
    if one.honor_affinity and spec is not None:
        if spec.node_selector:
            counted = counted & selectors.node_selector(spec.node_selector, nodes)
        affinity = spec.affinity.node_affinity if spec.affinity else None
        required = affinity.required_during_scheduling_ignored_during_execution if affinity else None
        if required is not None:
            counted = counted & selectors.required_terms(required, nodes)
    if one.honor_taints:
        tolerations = (spec.tolerations or ()) if spec else ()

        def tolerated(taints: tuple[Taint, ...]) -> int:
            return first_untolerated(tolerations, taints) is None

        counted = counted & nodes.by_taints(tolerated, np.bool_)
    return counted
