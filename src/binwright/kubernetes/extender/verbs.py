"""The verbs of the extender over a live cluster: filter, prioritize, preempt, bind (kubernetes spec 1; interfaces 1).

Answers are those of the layer: what `binwright place` would say of these nodes now. A question changes nothing; only
`bind` does. Knows bytes of the protocol, no HTTP.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import repeat

import numpy as np

from binwright.errors import InputError
from binwright.explain import FEASIBLE, Explanation
from binwright.kubernetes.compile import Cluster
from binwright.kubernetes.extender import wire
from binwright.kubernetes.extender.bounds import check_bounds
from binwright.kubernetes.extender.wire import BEST, Asked, Binding, Call, LastAsked, Names, PreemptCall, Victims
from binwright.kubernetes.live import LiveCluster
from binwright.kubernetes.objects import Pod
from binwright.kubernetes.statuses import RESOLVABLE, Statuses

__all__ = ["UNKNOWN", "Answer", "Extender"]

UNKNOWN = "node is not known to binwright"


@dataclass(slots=True)
class Answer:
    """What was answered, and what of it is told to people. `passed` of `asked` nodes; `reasons` (plugin, text) ->
    nodes; `host` where one is named; `error` where the pod could not be judged.
    """

    body: bytes
    verb: str
    pod: str
    asked: int = 0
    passed: int = 0
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    host: str | None = None
    error: str | None = None


class Extender:
    """The verbs. single: filter names the chosen node only."""

    def __init__(self, live: LiveCluster, *, single: bool = False) -> None:
        self.live = live
        self._single = single
        self._names: tuple[Cluster | None, Names] = None, Names([])
        self._last = LastAsked()

    def filter(self, body: bytes) -> Answer:
        """ExtenderArgs -> ExtenderFilterResult. Raises InputError for a call that is no such thing; a pod that cannot
        be judged is answered with its error.
        """
        call = wire.read_call(body, self._last)
        try:
            return self._filter(call)
        except InputError as problem:
            return Answer(wire.write_refusal(str(problem)), "filter", call.pod.key, len(call.names), error=str(problem))

    def _filter(self, call: Call) -> Answer:
        pod = call.pod
        check_bounds(pod)
        with self.live.asking(pod) as standing:
            cluster = standing.cluster
            names = self._names_of(cluster)
            hosts, missing = _places(cluster, call.asked)
            look = cluster.fleet.explain(cluster.request(pod), live=True)
            passes = look.verdicts_by_host()[hosts] == FEASIBLE
            passed, refused = hosts[passes], hosts[~passes]
            if self._single and len(passed):
                passed = self._chosen(cluster, pod, look, hosts)
            kinds = list(_kinds(cluster, look, refused))
        nodes = None
        if call.asked.nodes is not None:
            position = {name: number for number, name in enumerate(call.names)}
            nodes = [call.asked.nodes[position[cluster.nodes.names[host]]] for host in passed.tolist()]
        reasons: Counter[tuple[str, str]] = Counter()
        for plugin, texts, _, some in kinds:
            reasons.update({(plugin, text): len(some) for text in texts})
        if missing:
            reasons["binwright", UNKNOWN] = len(missing)
        listed = ((", ".join(texts), resolvable, some) for _, texts, resolvable, some in kinds)
        body = wire.write_filter(names, passed, nodes, listed, dict.fromkeys(missing, UNKNOWN))
        host = cluster.nodes.names[int(passed[0])] if self._single and len(passed) else None
        return Answer(body, "filter", pod.key, len(call.names), len(passed), reasons, host)

    def prioritize(self, body: bytes) -> Answer:
        """ExtenderArgs -> HostPriorityList: the totals of the asked nodes, the least 0 and the highest 10, rounded
        down between; all 10 where they are equal, 0 where a node is not known or does not pass. Raises InputError.
        """
        call = wire.read_call(body, self._last)
        pod = call.pod
        check_bounds(pod)
        with self.live.asking(pod) as standing:
            cluster = standing.cluster
            names = self._names_of(cluster)
            hosts, missing = _places(cluster, call.asked)
            look = cluster.fleet.explain(cluster.request(pod), live=True)
            feasible, totals = self._totals(cluster, pod, look, hosts)
        scores = np.zeros(len(hosts), np.int64)
        of_passed = totals[feasible]
        if len(of_passed):
            low, span = int(of_passed.min()), int(of_passed.max() - of_passed.min())
            scores[feasible] = (of_passed - low) * BEST // span if span else BEST
        fragments = names.scored(hosts, scores)
        fragments += names_scored_zero(missing)
        best = int(hosts[feasible][of_passed.argmax()]) if len(of_passed) else -1
        host = cluster.nodes.names[best] if best >= 0 else None
        return Answer(
            wire.write_scores(fragments), "prioritize", pod.key, len(call.names), int(feasible.sum()), host=host
        )

    def preempt(self, body: bytes) -> Answer:
        """ExtenderPreemptionArgs -> ExtenderPreemptionResult: of the proposed nodes those that victims could leave,
        with the least that must leave by the state held here. A node on which the pod fits as it is keeps the victims
        that the scheduler proposes. Raises InputError.
        """
        call = wire.read_preempt_call(body)
        check_bounds(call.pod)
        found = self._victims(call)
        answer = Answer(wire.write_preempted(found), "preempt", call.pod.key, len(call.proposed), len(found))
        if len(found) < len(call.proposed):
            answer.reasons["DefaultPreemption", "no victims help, or node is not known"] = len(call.proposed) - len(
                found
            )
        return answer

    def _victims(self, call: PreemptCall) -> dict[str, Victims]:
        with self.live.asking(call.pod) as standing:
            cluster = standing.cluster
            hosts, _ = _positions(cluster, list(call.proposed))
            first = cluster.fleet.explain(cluster.request(call.pod), live=True).verdicts_by_host()[hosts]
            fits, hosts = hosts[first == FEASIBLE], hosts[first != FEASIBLE]
            standing.tell_worth(hosts)
            evictions = cluster.fleet.evict(cluster.request(call.pod), hosts)
            free = [cluster.nodes.names[host] for host in fits.tolist()]
            found = {name: call.proposed[name] for name in free}
            for one in evictions.candidates:
                uids = [cluster.held[item].metadata.uid or "" for item in one.victims]
                found[cluster.nodes.names[one.host]] = Victims(uids, one.violations)
        return {name: found[name] for name in call.proposed if name in found}

    def bind(self, binding: Binding) -> Answer:
        """ExtenderBindingArgs -> ExtenderBindingResult: the pod is assumed on the node. A pod or node that is not
        known, another uid and a pod that is elsewhere already are answered with the error, and nothing changes.
        """
        try:
            self.live.assume(binding.namespace, binding.name, binding.uid, binding.node)
        except InputError as problem:
            return Answer(wire.write_bound(str(problem)), "bind", binding.key, 1, error=str(problem))
        return Answer(wire.write_bound(), "bind", binding.key, 1, 1, host=binding.node)

    def _names_of(self, cluster: Cluster) -> Names:
        if self._names[0] is not cluster:
            self._names = cluster, Names(cluster.nodes.names)
        return self._names[1]

    def _chosen(self, cluster: Cluster, pod: Pod, look: Explanation, hosts: np.ndarray) -> np.ndarray:
        """The node of highest total among the asked ones, the first in node order of several."""
        feasible, totals = self._totals(cluster, pod, look, hosts)
        best: np.ndarray = hosts[feasible][totals[feasible] == totals[feasible].max()]
        return best.min(keepdims=True)  # type: ignore[no-any-return]

    def _totals(
        self, cluster: Cluster, pod: Pod, look: Explanation, hosts: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """(which of the asked nodes pass, their totals), both (asked,). Scores are normalised over the nodes that were
        asked about, so where others pass as well the engine looks again, at these only.
        """
        first = look.verdicts_by_host()
        feasible = first[hosts] == FEASIBLE
        if int(feasible.sum()) == int((first == FEASIBLE).sum()) or not feasible.any():
            return feasible, look.scores.totals[hosts]
        cluster.fleet.window(len(hosts), hosts)
        try:
            totals = cluster.fleet.explain(cluster.request(pod), live=True).scores.totals
        finally:
            cluster.fleet.window(None)
        return feasible, totals[hosts]


def names_scored_zero(names: Iterable[str]) -> list[bytes]:
    """Entries of nodes that nothing is known of."""
    some = list(names)
    return Names(some).scored(np.arange(len(some)), np.zeros(len(some), np.int64)) if some else []


def _places(cluster: Cluster, asked: Asked) -> tuple[np.ndarray, list[str]]:
    """`_positions` of the asked nodes, reckoned once for a list that comes again."""
    if asked.places is None or asked.places[0] is not cluster:
        asked.places = cluster, _positions(cluster, asked.names)
    found: tuple[np.ndarray, list[str]] = asked.places[1]
    return found


def _positions(cluster: Cluster, names: list[str]) -> tuple[np.ndarray, list[str]]:
    """(positions of the asked nodes that are known, in the order asked; the names of the others)."""
    found = np.fromiter(map(cluster.nodes.index.get, names, repeat(-1)), np.int64, len(names))
    missing = [names[number] for number in np.flatnonzero(found < 0).tolist()]
    hosts = found[found >= 0] if missing else found
    times = np.bincount(hosts, minlength=1)
    if times.max() > 1 or len(set(missing)) < len(missing):
        twice = cluster.nodes.names[int(times.argmax())] if times.max() > 1 else missing[0]
        raise InputError(f"Node {twice}: is asked about twice")
    return hosts, missing


def _kinds(
    cluster: Cluster, look: Explanation, refused: np.ndarray
) -> Iterable[tuple[str, tuple[str, ...], bool, np.ndarray]]:
    """(plugin, reasons, whether preemption may help, the nodes refused so), for nodes that are refused."""
    if not len(refused):
        return
    kinds, numbers = Statuses(cluster, look).kinds
    of_refused = numbers[refused]
    for number in np.unique(of_refused).tolist():
        kind = kinds[number]
        if kind is not None:
            yield kind.plugin, kind.reasons, kind.code == RESOLVABLE, refused[of_refused == number]
