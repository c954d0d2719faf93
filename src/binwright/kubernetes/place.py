"""The main job for one cluster: read it, place what is pending one after another, say what became of each pod.

Glue between reader, queue, compiler, cycle and engine; decides nothing itself.
"""

from __future__ import annotations

import gc
from bisect import insort
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from binwright.errors import InputError
from binwright.formats.files import Blob
from binwright.kubernetes import not_evaluated
from binwright.kubernetes.compile import Cluster
from binwright.kubernetes.configuration import SchedulerProfile
from binwright.kubernetes.cycle import Cycle, Decision
from binwright.kubernetes.gangs import Gang, Gangs, refused_before, resource_gap
from binwright.kubernetes.notes import notes
from binwright.kubernetes.objects import Pod
from binwright.kubernetes.pending import sort_out, turn, unbound
from binwright.kubernetes.preemption import Preemption
from binwright.kubernetes.reader import Objects, read_blobs, read_dicts, read_objects
from binwright.kubernetes.refusals import Refusals
from binwright.kubernetes.sampling import Sampling, number_to_find
from binwright.outcome import Outcome, ResourceUse, SourceOutcome
from binwright.verdict import Verdict

__all__ = ["Options", "Run", "place_dicts", "place_objects", "place_read", "place_source"]

_SHOWN_FIRST = ("cpu", "memory", "ephemeral-storage", "pods")


@dataclass(frozen=True)
class Options:
    """How to place. `preempt`: push out less important pods where that helps, which then queue again.
    `sample_percentage`: look at a part of the nodes as the peer does (0 adapts), None at all of them. `complete`: kinds
    that the input lacks have no objects. `profile`: the scheduler's, None for the default one, with Coscheduling where
    the input has PodGroups; `others`: further ones of the same configuration, for pods that name them.
    `explain`: say why a pod that nothing ties to others finds no node; without it takes less time.
    """

    preempt: bool = False
    sample_percentage: int | None = None
    complete: bool = False
    profile: SchedulerProfile | None = None
    others: tuple[SchedulerProfile, ...] = ()
    explain: bool = True

    @property
    def gangs(self) -> bool:
        """Whether pods of a PodGroup are placed together."""
        return self.profile is None or any(one.gangs for one in self.profiles)

    @property
    def profiles(self) -> tuple[SchedulerProfile, ...]:
        """All profiles, at least one."""
        return (self.profile or SchedulerProfile(), *self.others)


def place_source(name: str, blobs: Iterable[Blob], options: Options = Options()) -> SourceOutcome:
    """Place the pending pods of the cluster that the files of one source describe.

    name: what the source is called in the outcome. Amounts in the outcome: cpu in millicores, the rest in whole units.
    Raises InputError naming file, object and field for bad input, and when there is no Node at all.
    """
    return place_read(name, read_blobs(blobs, options.complete), options)


def place_dicts(name: str, items: Iterable[Mapping[str, Any]], options: Options = Options()) -> SourceOutcome:
    """As `place_source`, from objects as plain dicts in the API's JSON form (Lists are opened)."""
    return place_read(name, read_dicts(items, name, options.complete), options)


def place_objects(objects: Any, *, name: str = "cluster", options: Options = Options()) -> SourceOutcome:
    """Place the pending pods of a cluster whose objects a Python program holds: the entry for embedding.

    objects: one or an iterable of dicts, `bytes` or `str` of JSON or YAML, paths, and objects of `kubernetes`, `kr8s`
    and `lightkube` (`read_objects`). name: what the cluster is called in the outcome and in errors. Pods without uid
    are admitted first and workloads expanded (contracts, "What is pending"). The objects stay as they are; amounts in
    the outcome: cpu in millicores, the rest in whole units. Raises InputError naming object and field.
    """
    return place_read(name, read_objects(objects, name, options.complete), options)


def place_read(name: str, objects: Objects, options: Options = Options()) -> SourceOutcome:
    """As `place_source`, from objects that have been read; they stay as they are."""
    with _collector_paused():
        return _place_read(name, objects, options)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """The outcomes of 100,000 pods are no garbage, and the collector would walk them again and again as they come."""
    paused = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if paused:
            gc.enable()


def _place_read(name: str, objects: Objects, options: Options) -> SourceOutcome:
    if not objects.nodes:
        raise InputError(f"{name}: no Node in the input (kubectl get nodes,pods -A -o json gives nodes and pods)")
    profiles, arrivals = options.profiles, objects.arrivals
    queue = sort_out(objects.pods, [one.scheduler_name for one in profiles])
    gangs = Gangs(objects.related, queue, options.gangs)
    try:
        cluster = Cluster(objects.nodes, [*queue.bound, *queue.pending], profiles, objects.related)
        strays = cluster.bind(queue.bound)
        before = _totals(cluster)
        run = Run(name, cluster, options, gangs)
        run.place(queue.pending)
    except InputError as problem:
        raise InputError(f"{name}: {problem}") from None
    for pod, words in arrivals.refused:
        run.tell(pod, {"verdict": Verdict.ERROR, "message": words})
    for key, workload in arrivals.expanded.items():
        if key in run.outcomes:
            run.outcomes[key].expanded_from = workload
    outcome = SourceOutcome(name, "kubernetes", len(objects.nodes), skipped_kinds=objects.skipped_kinds)
    outcome.placed = [one for one in run.outcomes.values() if one.verdict is Verdict.PLACED]
    outcome.unplaced = [one for one in run.outcomes.values() if one.verdict is not Verdict.PLACED]
    after = _totals(cluster)
    outcome.resources = [
        ResourceUse(resource, capacity, used, after[resource][1]) for resource, (capacity, used) in before.items()
    ]
    outcome.not_evaluated = (
        not_evaluated.find(queue, objects.related, options.profile, options.others, cluster.alike)
        + arrivals.not_evaluated
    )
    if options.preempt:
        outcome.not_evaluated += not_evaluated.budgets(run.preempting, objects.related)
        outcome.not_evaluated += not_evaluated.preemption(run.refused_together, cluster.held.values())
    else:
        outcome.not_evaluated += not_evaluated.preemption(run.refused, cluster.held.values())
    nodes = len(objects.nodes)
    sample = number_to_find(nodes, profiles[0].percentage) if options.sample_percentage is None else None
    outcome.notes = notes(queue, strays, nodes, sample) + arrivals.notes + gangs.notes
    return outcome


class Run:
    """The queue of one cluster on its way. Pods are placed many at a time where nothing but the engine is asked."""

    def __init__(self, source: str, cluster: Cluster, options: Options, gangs: Gangs | None = None) -> None:
        """gangs: the groups whose pods are placed together, None where every pod is placed for itself."""
        sampled = options.sample_percentage
        self._source = source
        self._cluster = cluster
        self.cycle = Cycle(cluster, None if sampled is None else Sampling(cluster.nodes, sampled))
        self._explains = options.explain
        self._singly = options.preempt or sampled is not None
        self._preemption = Preemption(cluster) if options.preempt else None
        self._refusals = Refusals(cluster)
        self._gangs = gangs
        self.outcomes: dict[str, Outcome] = {}
        self.refused: list[Pod] = []
        self.refused_together: list[Pod] = []
        self.preempting: list[Pod] = []

    def place(self, pending: Iterable[Pod]) -> None:
        """Every pod in turn; pods pushed out on the way take their turn again."""
        queue = list(pending)
        for pod in queue:
            self.cycle.nominate(pod)
        while queue:
            alike = next((n for n, pod in enumerate(queue) if self._needs_a_cycle(pod)), len(queue))
            if alike:
                self._many(queue[:alike])
                del queue[:alike]
                continue
            pod = queue.pop(0)
            gang = self._gangs.take(pod) if self._gangs is not None else None
            if gang is not None:
                self._together(gang)
            elif pod.key not in self.outcomes:  # else it had its turn with its group
                for victim in self._one(pod):
                    insort(queue, victim, key=turn if self._gangs is None else self._gangs.turn)

    def _needs_a_cycle(self, pod: Pod) -> bool:
        """Whether a pod cannot be one of many: it waits for a node, or for others of its group."""
        waits = bool(pod.status and pod.status.nominated_node_name)
        return self._singly or waits or (self._gangs is not None and self._gangs.concerns(pod))

    def _many(self, pods: list[Pod]) -> None:
        requests = [self._cluster.request(pod) for pod in pods]
        position = {request: number for number, request in enumerate(dict.fromkeys(requests))}
        which = np.fromiter(map(position.__getitem__, requests), np.int64, len(requests))
        result = self._cluster.fleet.place_many(list(position), which)
        placed_before = np.cumsum(result.hosts >= 0).tolist()
        known: dict[tuple[int, int], dict[str, Any]] = {}  # refused alike between two placements
        columns = zip(pods, requests, result.hosts.tolist(), result.scores.tolist(), result.items.tolist())
        for number, (pod, request, host, score, item) in enumerate(columns):
            if host >= 0:
                self._cluster.held[item] = pod
                self._placed(pod, host, score)
                continue
            if not self._explains:
                self._unplaced(pod, {"verdict": Verdict.UNSCHEDULABLE})
                continue
            key = (request.index, placed_before[number])
            if key not in known:
                known[key] = self._refusals.explained(pod, result.explain(number))
            self._unplaced(pod, known[key])

    def _one(self, pod: Pod, nominated: str | None = None, victims: tuple[Pod, ...] = ()) -> list[Pod]:
        """A whole cycle for one pod; returns the pods that it pushed out."""
        decision = self.cycle.decide(pod, nominated)
        if decision.host is not None:
            score = None if decision.via_nominated else decision.look.score
            item = self.cycle.bind(decision)
            if self._preemption is not None:
                self._preemption.mark([item])
            self._placed(pod, decision.host, score, victims)
            return list(victims)
        preempts = self._preemption is not None and self._cluster.book(pod).scheduler.preempts
        if self._preemption is not None and preempts and decision.refusal is None and not victims:
            attempt = self._preemption.attempt(pod, decision.statuses, decision.nominated)
            if attempt.chosen is not None:
                self.preempting.append(pod)
                self._preemption.carry_out(attempt)
                self.cycle.clear(attempt.chosen.host, pod.spec.priority or 0 if pod.spec else 0)
                out = tuple(unbound(victim) for victim in attempt.victims)
                for victim in out:
                    self.outcomes.pop(victim.key, None)
                return self._one(pod, self._cluster.nodes.names[attempt.chosen.host], out)
        if not preempts:
            self.cycle.nominate(pod)
        self._unplaced(pod, self._refusals.decided(decision))
        return list(victims)

    def _together(self, gang: Gang) -> None:
        """All pods of a group in turn; if too few of them find a node all are taken back. They do not preempt."""
        fleet, gap = self._cluster.fleet, resource_gap(gang, self._cluster)
        early = {pod.key: gang.too_few(pod) or gap for pod in gang.members}
        if any(early.values()):
            for pod in gang.members:
                self._unplaced(pod, refused_before(early[pod.key] or "", len(self._cluster.nodes)))
            return
        for pod in gang.members:
            self._cluster.request(pod)  # what is compiled stays
            self.cycle.withdraw(pod.key)
        token = fleet.checkpoint()
        placed: list[tuple[Pod, int, Decision]] = []
        refused: list[tuple[Pod, dict[str, Any]]] = []
        for pod in gang.members:
            decision = self.cycle.decide(pod)
            if decision.host is None:
                refused.append((pod, self._refusals.decided(decision)))
            else:
                placed.append((pod, self.cycle.bind(decision), decision))
        runs = gang.enough(len(placed))
        if runs:
            fleet.keep(token)
        else:
            fleet.rollback(token)
        failed = refused[0][0] if refused else None
        for pod, item, decision in placed:
            if runs and decision.host is not None:
                if self._preemption is not None:
                    self._preemption.mark([item])
                self._placed(pod, decision.host, None if decision.via_nominated else decision.look.score)
            else:
                del self._cluster.held[item]
                self._unplaced(pod, gang.rejected(failed))
        for pod, why in refused:
            if not runs and gang.group is not None:
                why = why | {"message": f"{why['message']} {gang.post_filter(pod)}"}
            self._unplaced(pod, why)
            self.refused_together.append(pod)
        for pod in gang.members:
            if self.outcomes[pod.key].host is None:
                self.cycle.nominate(pod)

    def _placed(self, pod: Pod, host: int, score: int | float | None, victims: Iterable[Pod] = ()) -> None:
        named = [{"namespace": one.metadata.namespace or "default", "name": one.metadata.name} for one in victims]
        meta, where = pod.metadata, self._cluster.nodes.names[host]
        self.outcomes[pod.key] = Outcome(
            *(self._source, "Pod", meta.namespace or "default", meta.name or "", meta.uid),
            *(Verdict.PLACED, where, score, [], named),
            labels=meta.labels or {},
        )

    def _unplaced(self, pod: Pod, why: Mapping[str, Any]) -> None:
        self.refused.append(pod)
        self.tell(pod, why)

    def tell(self, pod: Pod, what: Mapping[str, Any]) -> None:
        """Keep what became of a pod."""
        meta = pod.metadata
        identity = (self._source, "Pod", meta.namespace or "default", meta.name or "", meta.uid)
        self.outcomes[pod.key] = Outcome(*identity, labels=meta.labels or {}, **what)


def _totals(cluster: Cluster) -> dict[str, tuple[int, int]]:
    """Resource -> (capacity, used) over all nodes."""
    names = [*_SHOWN_FIRST, *(name for name in cluster.resources if name not in _SHOWN_FIRST)]
    row = {name: number for number, name in enumerate(cluster.fleet.resources)}
    capacity, used = cluster.fleet.capacity.sum(axis=1).tolist(), cluster.fleet.used.sum(axis=1).tolist()
    return {name: (capacity[row[name]], used[row[name]]) for name in names}
