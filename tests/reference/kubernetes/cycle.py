"""One pod's way through PreFilter and Filter (spec 1.2 to 1.4, 5): the state of a cycle and how plugins are called.

Knows which plugin runs when; never what a plugin decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.reference.kubernetes.plugins import FILTERS, PRE_FILTERS
from tests.reference.kubernetes.plugins.base import Skip
from tests.reference.kubernetes.status import SUCCESS, UNRESOLVABLE, Status

if TYPE_CHECKING:
    from tests.reference.kubernetes.cluster import Cluster
    from tests.reference.kubernetes.pods import Pod
    from tests.reference.kubernetes.snapshot import Node


class Cycle:
    """What the plugins share about one pod; ``state`` is by plugin name."""

    def __init__(self, cluster: Cluster, pod: Pod) -> None:
        self.cluster = cluster
        self.pod = pod
        self.state: dict[str, Any] = {}
        self.skipped: set[str] = set()  # plugins whose Filter and hooks are not run

    def copy(self) -> Cycle:
        """A cycle for a dry run, which adds and removes pods."""
        other = Cycle(self.cluster, self.pod)
        other.skipped = self.skipped
        other.state = {
            name: self.cluster.plugins[name].copy_state(state)
            for name, state in self.state.items()
            if name in self.cluster.plugins
        }
        return other

    def add_pod(self, pod: Pod, node: Node) -> None:
        """Dry run: the pod joins the node, the PreFilter data follow; skipped plugins stay skipped (spec 5)."""
        node.add_pod(pod)
        self._update(pod, node, 1)

    def remove_pod(self, pod: Pod, node: Node) -> None:
        """Dry run: the pod leaves the node, the PreFilter data follow."""
        node.remove_pod(pod)
        self._update(pod, node, -1)

    def _update(self, pod: Pod, node: Node, sign: int) -> None:
        for name in PRE_FILTERS:
            if name not in self.skipped:
                self.cluster.plugins[name].update(self, pod, node, sign)


@dataclass(frozen=True)
class PreFilterOutcome:
    """What the PreFilter plugins said together."""

    rejection: Status | None
    names: frozenset[str] | None  # node names the pod is restricted to
    restricting: tuple[str, ...]  # plugins that gave names
    ran: tuple[str, ...]

    def as_result(self, cycle: Cycle) -> dict[str, Any]:
        """In the vectors' schema."""
        result: dict[str, Any] = self.rejection.as_result() if self.rejection else {"code": SUCCESS}
        if self.names is not None and self.rejection is None:
            result["nodes"] = sorted(self.names)
        result["skip"] = sorted(cycle.skipped)
        return result


def run_pre_filters(cycle: Cycle) -> PreFilterOutcome:
    """PreFilter plugins in order; UU stops at once, name sets are intersected (spec 1.2).

    No default plugin answers U here, so there is nothing to remember.
    """
    names: frozenset[str] | None = None
    restricting: list[str] = []
    for position, name in enumerate(PRE_FILTERS):
        ran = PRE_FILTERS[: position + 1]
        answer = cycle.cluster.plugins[name].pre_filter(cycle)
        if isinstance(answer, Skip):
            cycle.skipped.add(name)
        elif isinstance(answer, Status):
            return PreFilterOutcome(answer, None, tuple(restricting), ran)
        elif answer is not None:
            restricting.append(name)
            names = answer if names is None else names & answer
            if not names:
                return PreFilterOutcome(_empty_intersection(restricting), names, tuple(restricting), ran)
    return PreFilterOutcome(None, names, tuple(restricting), PRE_FILTERS)


def _empty_intersection(restricting: list[str]) -> Status:
    if len(restricting) == 1:
        return Status(UNRESOLVABLE, (f"node(s) didn't satisfy plugin {restricting[0]}",))
    return Status(UNRESOLVABLE, (f"node(s) didn't satisfy plugin(s) [{' '.join(restricting)}] simultaneously",))


def run_filters(cycle: Cycle, node: Node) -> Status | None:
    """Filter plugins in order; the first rejection is the node's status (spec 1.4)."""
    for name in FILTERS:
        if name not in cycle.skipped:
            status = cycle.cluster.plugins[name].filter(cycle, node)
            if status is not None:
                return status
    return None


def run_filters_with_nominated(cycle: Cycle, node: Node) -> Status | None:
    """Filter twice where pods of equal or higher priority are nominated: with them, then without (spec 5)."""
    nominated = cycle.cluster.nominated_on(node.name, cycle.pod)
    if nominated:
        crowded_cycle, crowded_node = cycle.copy(), node.copy()
        for pod in nominated:
            crowded_cycle.add_pod(pod, crowded_node)
        status = run_filters(crowded_cycle, crowded_node)
        if status is not None:
            return status
    return run_filters(cycle, node)


def all_rejections(cycle: Cycle, node: Node) -> dict[str, Status]:
    """Every plugin that rejects the node, by name; the vectors' ``all``."""
    rejections = {}
    for name in FILTERS:
        if name not in cycle.skipped:
            status = cycle.cluster.plugins[name].filter(cycle, node)
            if status is not None:
                rejections[name] = status
    return rejections
