"""The main job for one cluster: read it, place what is pending one after another, say what became of each pod.

Glue between reader, queue, compiler, cycle and engine; decides nothing itself.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from binwright.errors import InputError
from binwright.formats.files import Blob
from binwright.kubernetes import not_evaluated
from binwright.kubernetes.compile import Cluster
from binwright.kubernetes.configuration import SchedulerProfile
from binwright.kubernetes.cycle import Cycle
from binwright.kubernetes.notes import notes
from binwright.kubernetes.objects import Pod
from binwright.kubernetes.pending import sort_out, turn, unbound
from binwright.kubernetes.preemption import Preemption
from binwright.kubernetes.reader import Objects, read_blobs, read_dicts
from binwright.kubernetes.refusals import Refusals
from binwright.kubernetes.sampling import Sampling, number_to_find
from binwright.outcome import Outcome, ResourceUse, SourceOutcome
from binwright.request import Request
from binwright.verdict import Verdict

__all__ = ["Options", "place_dicts", "place_source"]

_SHOWN_FIRST = ("cpu", "memory", "ephemeral-storage", "pods")


@dataclass(frozen=True)
class Options:
    """How to place. `preempt`: push out less important pods where that helps, which then queue again.
    `sample_percentage`: look at a part of the nodes as the peer does (0 adapts), None at all of them. `complete`: kinds
    that the input lacks have no objects. `profile`: the scheduler's, None for the default one.
    """

    preempt: bool = False
    sample_percentage: int | None = None
    complete: bool = False
    profile: SchedulerProfile | None = None


def place_source(name: str, blobs: Iterable[Blob], options: Options = Options()) -> SourceOutcome:
    """Place the pending pods of the cluster that the files of one source describe.

    name: what the source is called in the outcome. Amounts in the outcome: cpu in millicores, the rest in whole units.
    Raises InputError naming file, object and field for bad input, and when there is no Node at all.
    """
    return _place(name, read_blobs(blobs), options)


def place_dicts(name: str, items: Iterable[Mapping[str, Any]], options: Options = Options()) -> SourceOutcome:
    """As `place_source`, from objects as plain dicts in the API's JSON form (Lists are opened)."""
    return _place(name, read_dicts(items, name), options)


def _place(name: str, objects: Objects, options: Options) -> SourceOutcome:
    if not objects.nodes:
        raise InputError(f"{name}: no Node in the input (kubectl get nodes,pods -A -o json gives nodes and pods)")
    profile = options.profile or SchedulerProfile()
    objects.related.complete = options.complete
    queue = sort_out(objects.pods, [profile.scheduler_name])
    try:
        cluster = Cluster(objects.nodes, [*queue.bound, *queue.pending], profile, objects.related)
        strays = cluster.bind(queue.bound)
        before = _totals(cluster)
        run = _Run(name, cluster, options)
        run.place(queue.pending)
    except InputError as problem:
        raise InputError(f"{name}: {problem}") from None
    outcome = SourceOutcome(name, "kubernetes", len(objects.nodes), skipped_kinds=objects.skipped_kinds)
    outcome.placed = [one for one in run.outcomes.values() if one.verdict is Verdict.PLACED]
    outcome.unplaced = [one for one in run.outcomes.values() if one.verdict is not Verdict.PLACED]
    after = _totals(cluster)
    outcome.resources = [
        ResourceUse(resource, capacity, used, after[resource][1]) for resource, (capacity, used) in before.items()
    ]
    outcome.not_evaluated = not_evaluated.find(queue, objects.related, profile)
    if options.preempt:
        outcome.not_evaluated += not_evaluated.budgets(run.preempting, objects.related)
    else:
        outcome.not_evaluated += not_evaluated.preemption(run.refused, cluster.held.values())
    nodes = len(objects.nodes)
    sample = number_to_find(nodes, profile.percentage) if options.sample_percentage is None else None
    outcome.notes = notes(queue, strays, nodes, sample)
    return outcome


class _Run:
    """The queue of one cluster on its way. Pods are placed many at a time where nothing but the engine is asked."""

    def __init__(self, source: str, cluster: Cluster, options: Options) -> None:
        sampled = options.sample_percentage
        self._source = source
        self._cluster = cluster
        self._cycle = Cycle(cluster, None if sampled is None else Sampling(cluster.nodes, sampled))
        self._singly = options.preempt or sampled is not None
        self._preempts = options.preempt and cluster.scheduler.preempts
        self._preemption = Preemption(cluster) if self._preempts else None
        self._refusals = Refusals(cluster)
        self.outcomes: dict[str, Outcome] = {}
        self.refused: list[Pod] = []
        self.preempting: list[Pod] = []

    def place(self, pending: Iterable[Pod]) -> None:
        """Every pod in turn; pods pushed out on the way take their turn again."""
        queue = list(pending)
        for pod in queue:
            self._cycle.nominate(pod)
        while queue:
            alike = next((n for n, pod in enumerate(queue) if self._needs_a_cycle(pod)), len(queue))
            if alike:
                self._many(queue[:alike])
                del queue[:alike]
            else:
                for victim in self._one(queue.pop(0)):
                    insort(queue, victim, key=turn)

    def _needs_a_cycle(self, pod: Pod) -> bool:
        """Whether a pod cannot be one of many: it waits for a node."""
        return self._singly or bool(pod.status and pod.status.nominated_node_name)

    def _many(self, pods: list[Pod]) -> None:
        requests = [self._cluster.request(pod) for pod in pods]
        position: dict[int, int] = {}
        classes: list[Request] = []
        for request in requests:
            if request.index not in position:
                position[request.index] = len(classes)
                classes.append(request)
        result = self._cluster.fleet.place_many(classes, np.array([position[one.index] for one in requests], np.int64))
        placed_before = np.cumsum(result.hosts >= 0).tolist()
        known: dict[tuple[int, int], dict[str, Any]] = {}  # refused alike between two placements
        columns = zip(pods, requests, result.hosts.tolist(), result.scores.tolist(), result.items.tolist())
        for number, (pod, request, host, score, item) in enumerate(columns):
            if host >= 0:
                self._cluster.held[item] = pod
                self._placed(pod, host, score)
                continue
            key = (request.index, placed_before[number])
            if key not in known:
                known[key] = self._refusals.explained(pod, result.explain(number))
            self._unplaced(pod, known[key])

    def _one(self, pod: Pod, nominated: str | None = None, victims: tuple[Pod, ...] = ()) -> list[Pod]:
        """A whole cycle for one pod; returns the pods that it pushed out."""
        decision = self._cycle.decide(pod, nominated)
        if decision.host is not None:
            score = None if decision.via_nominated else decision.look.score
            item = self._cycle.bind(decision)
            if self._preemption is not None:
                self._preemption.mark([item])
            self._placed(pod, decision.host, score, victims)
            return list(victims)
        if self._preempts and decision.refusal is None and not victims:
            assert self._preemption is not None
            attempt = self._preemption.attempt(pod, decision.statuses, decision.nominated)
            if attempt.chosen is not None:
                self.preempting.append(pod)
                self._preemption.carry_out(attempt)
                self._cycle.clear(attempt.chosen.host, pod.spec.priority or 0 if pod.spec else 0)
                out = tuple(unbound(victim) for victim in attempt.victims)
                for victim in out:
                    self.outcomes.pop(victim.key, None)
                return self._one(pod, self._cluster.nodes.names[attempt.chosen.host], out)
        if self._preemption is None:
            self._cycle.nominate(pod)
        self._unplaced(pod, self._refusals.decided(decision))
        return list(victims)

    def _placed(self, pod: Pod, host: int, score: int | float | None, victims: Iterable[Pod] = ()) -> None:
        named = [{"namespace": one.metadata.namespace or "default", "name": one.metadata.name} for one in victims]
        where = self._cluster.nodes.names[host]
        self._tell(pod, {"verdict": Verdict.PLACED, "host": where, "score": score, "victims": named})

    def _unplaced(self, pod: Pod, why: Mapping[str, Any]) -> None:
        self.refused.append(pod)
        self._tell(pod, why)

    def _tell(self, pod: Pod, what: Mapping[str, Any]) -> None:
        meta = pod.metadata
        identity = (self._source, "Pod", meta.namespace or "default", meta.name or "", meta.uid)
        self.outcomes[pod.key] = Outcome(*identity, labels=meta.labels or {}, **what)


def _totals(cluster: Cluster) -> dict[str, tuple[int, int]]:
    """Resource -> (capacity, used) over all nodes."""
    names = [*_SHOWN_FIRST, *(name for name in cluster.resources if name not in _SHOWN_FIRST)]
    row = {name: number for number, name in enumerate(cluster.fleet.resources)}
    capacity, used = cluster.fleet.capacity.sum(axis=1).tolist(), cluster.fleet.used.sum(axis=1).tolist()
    return {name: (capacity[row[name]], used[row[name]]) for name in names}
