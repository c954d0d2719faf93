"""Why one pod goes where it goes, node by node (`explain POD`).

A pod that waits is decided as at its turn: everything that `place` places before it is placed first. A pod that has a
node is taken out, decided about as if it came now, and put back: what is pending is not placed. Words and numbers of a
node come from `host_answers`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from binwright.errors import InputError
from binwright.explained import Explained, Named
from binwright.formats.files import Blob
from binwright.kubernetes import not_evaluated
from binwright.kubernetes.compile import Cluster
from binwright.kubernetes.cycle import Cycle, Decision
from binwright.kubernetes.gangs import Gangs, group_of
from binwright.kubernetes.host_answers import answer, best_scores
from binwright.kubernetes.notes import notes
from binwright.kubernetes.objects import Pod, PodSpec
from binwright.kubernetes.pending import Queue, sort_out, unbound
from binwright.kubernetes.place import Options, Run
from binwright.kubernetes.reader import Objects, read_blobs
from binwright.kubernetes.refusals import Refusals
from binwright.outcome import Outcome
from binwright.verdict import Verdict

__all__ = ["ExplainableCluster", "open_source"]

_NO_TURN = {
    "finished": "it has finished, so this is about another pod like it",
    "deleted": "it is being deleted, so the scheduler passes it over",
    "gated": "it has scheduling gates, so the scheduler does not look at it before they are removed",
    "foreign": "it belongs to another scheduler, whose rules may differ",
}
"""Why a pod without a node is not in the queue."""


def open_source(name: str, blobs: Iterable[Blob], options: Options) -> ExplainableCluster:
    """Read the cluster that the files of one source describe.

    Raises InputError naming file, object and field for bad input, and when there is no Node at all.
    """
    objects = read_blobs(blobs, options.complete)
    if not objects.nodes:
        raise InputError(f"{name}: no Node in the input (kubectl get nodes,pods -A -o json gives nodes and pods)")
    return ExplainableCluster(name, objects, options)


@dataclass(frozen=True)
class _Situation:
    """What a pod is and has, and what is supposed when it is decided about."""

    state: str
    supposes: str
    on: str | None


@dataclass
class ExplainableCluster:
    """A cluster that has been read. `options` as for `place`, without preemption and sampling."""

    name: str
    read: Objects
    options: Options

    def objects(self) -> list[Named]:
        """Every pod, in input order; then those that the API server would refuse."""
        refused = [pod for pod, _ in self.read.arrivals.refused]
        return [Named(*self._identity(pod), labels=pod.metadata.labels or {}) for pod in (*self.read.pods, *refused)]

    def explain(self, number: int, best: int) -> Explained:
        """Pod `number`, with the scores of the `best` best nodes."""
        if number >= len(self.read.pods):
            return self._never_stored(*self.read.arrivals.refused[number - len(self.read.pods)])
        pod = self.read.pods[number]
        profiles = self.options.profiles
        queue = sort_out(self.read.pods, [one.scheduler_name for one in profiles])
        others = [other for other in queue.bound if other is not pod]
        states = ("pending", "bound", *_NO_TURN)
        state = next(one for one in states if any(pod is other for other in getattr(queue, one)))
        asking = waiting(pod)
        try:
            cluster = Cluster(self.read.nodes, [*others, *queue.pending, asking], profiles, self.read.related)
            strays = cluster.bind(others)
            if state == "bound":
                cycle, supposes = Cycle(cluster), "as if it came now: taken out, decided about, put back"
            else:
                cycle, supposes = self._before(cluster, queue, asking)
                supposes += f"; {_NO_TURN[state]}" if state in _NO_TURN else ""
            situation = _Situation(state, supposes, pod.spec.node_name if pod.spec and state == "bound" else None)
            explained = self._told(cluster, cycle.decide(asking), best, situation)
        except InputError as problem:
            raise InputError(f"{self.name}: {problem}") from None
        asked = Queue(pending=[pod], bound=others)
        explained.not_evaluated = not_evaluated.find(
            asked, self.read.related, self.options.profile, self.options.others
        )
        explained.not_evaluated += self.read.arrivals.not_evaluated
        explained.notes = notes(asked, strays, len(self.read.nodes), None)
        return explained

    def _before(self, cluster: Cluster, queue: Queue, asking: Pod) -> tuple[Cycle, str]:
        """Place what is in the queue before a pod; returns how to go on, and the words for it."""
        gangs = Gangs(self.read.related, queue, self.options.gangs)
        position = bisect_left(queue.pending, gangs.turn(asking), key=gangs.turn)
        run = Run(self.name, cluster, Options(), gangs)
        for later in queue.pending[position:]:
            run.cycle.nominate(later)
        own = group_of(asking) if gangs.concerns(asking) else None
        mates = [one for one in queue.pending[:position] if own is not None and group_of(one) == own]
        run.place(one for one in queue.pending[:position] if own is None or group_of(one) != own)
        placed = sum(one.verdict is Verdict.PLACED for one in run.outcomes.values())
        for mate in mates:
            decision = run.cycle.decide(mate)
            if decision.host is not None:
                run.cycle.bind(decision)
                placed += 1
        where = "the first in the queue"
        if position:
            pods = f"{position} pod{'' if position == 1 else 's'}"
            where = f"after {pods} in the queue before it ({placed} placed)"
        whole = "" if own is None else f"; whether PodGroup {own} gets enough pods to run is not asked here"
        return run.cycle, f"at its turn, {where}{whole}"

    def _told(self, cluster: Cluster, decision: Decision, best: int, situation: _Situation) -> Explained:
        """A decision in words."""
        look, statuses, pod = decision.look, decision.statuses, decision.pod
        outcome = Outcome(*self._identity(pod), look.verdict, expanded_from=self.read.arrivals.expanded.get(pod.key))
        if decision.host is not None:
            outcome.verdict = Verdict.PLACED
            outcome.host = cluster.nodes.names[decision.host]
            outcome.score = None if decision.via_nominated else look.score
        else:
            why = Refusals(cluster).decided(decision)
            outcome.verdict, outcome.message = why["verdict"], why["message"]
            outcome.reasons, outcome.smallest_change = why.get("reasons", []), why.get("smallest_change")
        answers = [answer(cluster, look, statuses, host) for host in range(len(cluster.nodes))]
        scores = best_scores(cluster, look, best, cluster.nodes.index.get(situation.on or ""))
        return Explained(outcome, situation.state, situation.on, situation.supposes, look.demand, answers, scores)

    def _never_stored(self, pod: Pod, words: str) -> Explained:
        outcome = Outcome(*self._identity(pod), Verdict.ERROR, message=words)
        return Explained(outcome, "refused", None, "by the API server, before any node is asked", {}, [])

    def _identity(self, pod: Pod) -> tuple[str, str, str, str, str | None]:
        meta = pod.metadata
        return self.name, "Pod", meta.namespace or "default", meta.name or "", meta.uid


def waiting(pod: Pod) -> Pod:
    """A pod as if it had no node and nothing kept it from the queue."""
    if pod.spec is not None and pod.spec.node_name:
        pod = unbound(pod)
    spec = msgspec.structs.replace(pod.spec or PodSpec(), scheduling_gates=None)
    return msgspec.structs.replace(pod, spec=spec)
