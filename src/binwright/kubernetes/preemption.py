"""DefaultPreemption: which less important pods would have to leave some node so that a pod fits (kubernetes spec 5).

The engine finds the victims; here is who may preempt, what pods are worth, their disruption budgets, and the words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from binwright.errors import InputError
from binwright.eviction import Candidate, Evictions
from binwright.kubernetes import label_selectors, messages
from binwright.kubernetes.compile import Cluster
from binwright.kubernetes.disruption import read_budgets
from binwright.kubernetes.objects import Pod
from binwright.kubernetes.pending import priority
from binwright.kubernetes.statuses import UNRESOLVABLE, Statuses
from binwright.units import shown

__all__ = ["Attempt", "Preemption"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
STARTED_LAST = 2**62
"""The start of a pod that has none yet."""


@dataclass
class Attempt:
    """What trying to preempt came to; `text` follows the fit error where there is no candidate."""

    eligible: bool = True
    text: str = ""
    candidates: tuple[Candidate, ...] = ()
    ties: tuple[Candidate, ...] = ()
    chosen: Candidate | None = None
    victims: list[Pod] = field(default_factory=list)


class Preemption:
    """Preemption in one cluster. Makes the worth of pods known to the engine: every pod bound is told by `mark`."""

    def __init__(self, cluster: Cluster, items: Iterable[int] | None = None) -> None:
        """items: those of the pods that may be looked at, None for all."""
        self._cluster = cluster
        # a budget whose selector is empty counts for nothing here
        self._budgets = [
            (one, cluster.fleet.budget(one.allowed)) for one in read_budgets(cluster.related) if one.selector
        ]
        self.mark(cluster.held if items is None else items)

    def mark(self, items: Iterable[int]) -> None:
        """Tell the engine what the pods of these items are worth."""
        items = list(items)
        if items:
            pods = [self._cluster.held[item] for item in items]
            self._cluster.fleet.mark(
                items,
                priority=[priority(pod) for pod in pods],
                order=[_start(pod) for pod in pods],
                budgets=[self._budgets_of(pod) for pod in pods],
            )

    def _budgets_of(self, pod: Pod) -> list[int]:
        """Budgets of the pod's namespace that select it; a pod without labels has none."""
        labels = pod.metadata.labels
        if not labels:
            return []
        namespace = pod.metadata.namespace or "default"
        return [
            number
            for one, number in self._budgets
            if one.namespace == namespace
            and pod.metadata.name not in one.exempt
            and label_selectors.matches(one.selector, labels)
        ]

    def attempt(self, pod: Pod, statuses: Statuses, nominated: str | None) -> Attempt:
        """What preempting for a refused pod would do; nothing changes. nominated: the node it is waiting for."""
        if pod.spec is not None and pod.spec.preemption_policy == "Never":
            return Attempt(False, messages.NEVER_PREEMPTS)
        if self._waits_for_victims(pod, statuses, nominated):
            return Attempt(False, messages.TERMINATING_VICTIM)
        hosts = statuses.resolvable()
        found = self._cluster.fleet.evict(self._cluster.request(pod), hosts)
        best = found.best
        if best is None:
            nodes = len(self._cluster.nodes)
            reasons = self._reasons(found, statuses)
            reasons[messages.NOT_HELPFUL] += nodes - len(hosts)
            return Attempt(text=messages.no_preemption(nodes, +reasons))
        victims = [self._cluster.held[item] for item in best.victims]
        return Attempt(candidates=found.candidates, ties=found.ties, chosen=best, victims=victims)

    def _waits_for_victims(self, pod: Pod, statuses: Statuses, nominated: str | None) -> bool:
        """Whether pods that were pushed out for this one are still leaving its nominated node."""
        host = self._cluster.nodes.index.get(nominated or "")
        status = None if host is None else statuses[host]
        if host is None or (status is not None and status.code == UNRESOLVABLE):
            return False
        held, items = self._cluster.held, self._cluster.fleet.items_on(host).tolist()
        others = (held[item] for item in items if item in held)  # attached volumes are items, too
        return any(priority(other) < priority(pod) and _was_preempted(other) for other in others)

    def _reasons(self, found: Evictions, statuses: Statuses) -> Counter[str]:
        """What the dry runs that came to nothing say."""
        reasons: Counter[str] = Counter()
        for one in found.others:
            if one.why == "nothing to evict":
                reasons[messages.NO_VICTIMS] += 1
            elif one.why == "still refused":
                refused = statuses.word(one.first, one.mask, one.short, one.argument, False, one.host)
                reasons.update(refused.reasons)
            else:
                reasons[f'expected at least one victim pod on node "{self._cluster.nodes.names[one.host]}"'] += 1
        return reasons

    def carry_out(self, attempt: Attempt) -> None:
        """Let the victims go."""
        if attempt.chosen is not None:
            self._cluster.fleet.release(list(attempt.chosen.victims))
            for item in attempt.chosen.victims:
                del self._cluster.held[item]


def _was_preempted(pod: Pod) -> bool:
    """Whether a pod is terminating because the scheduler preempted it."""
    if pod.metadata.deletion_timestamp is None:
        return False
    for condition in (pod.status.conditions if pod.status else None) or ():
        if condition.type == "DisruptionTarget":
            return condition.status == "True" and condition.reason == "PreemptionByScheduler"
    return False


def _start(pod: Pod) -> int:
    """`status.startTime` in microseconds. Raises InputError when it is no time."""
    text = pod.status.start_time if pod.status else None
    if not text:
        return STARTED_LAST
    try:
        return (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, TypeError):
        raise InputError(f"Pod {pod.key}: status.startTime: {shown(text)} is not a time with its zone") from None
