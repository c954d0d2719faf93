"""The main job for one cluster: read it, place what is pending one after another, say what became of each pod.

Glue between reader, queue, compiler and engine; decides nothing itself. Does not preempt.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from binwright.errors import InputError
from binwright.explain import Explanation
from binwright.formats.files import Blob
from binwright.kubernetes import messages, not_evaluated
from binwright.kubernetes.compile import Cluster
from binwright.kubernetes.objects import Pod
from binwright.kubernetes.pending import Queue, sort_out
from binwright.kubernetes.plugins.node_affinity import NodeAffinityNames
from binwright.kubernetes.reader import Objects, read_blobs, read_dicts
from binwright.outcome import Outcome, ReasonText, ResourceUse, SourceOutcome
from binwright.request import Request
from binwright.result import PlaceResult
from binwright.verdict import Change, Verdict

__all__ = ["place_dicts", "place_source"]

_SHOWN_FIRST = ("cpu", "memory", "ephemeral-storage", "pods")


def place_source(name: str, blobs: Iterable[Blob]) -> SourceOutcome:
    """Place the pending pods of the cluster that the files of one source describe.

    name: what the source is called in the outcome. Amounts in the outcome: cpu in millicores, the rest in whole units.
    Raises InputError naming file, object and field for bad input, and when there is no Node at all.
    """
    return _place(name, read_blobs(blobs))


def place_dicts(name: str, items: Iterable[Mapping[str, Any]]) -> SourceOutcome:
    """As `place_source`, from objects as plain dicts in the API's JSON form (Lists are opened)."""
    return _place(name, read_dicts(items, name))


def _place(name: str, objects: Objects) -> SourceOutcome:
    if not objects.nodes:
        raise InputError(f"{name}: no Node in the input (kubectl get nodes,pods -A -o json gives nodes and pods)")
    queue = sort_out(objects.pods)
    try:
        cluster = Cluster(objects.nodes, [*queue.bound, *queue.pending])
    except InputError as problem:
        raise InputError(f"{name}: {problem}") from None
    strays = cluster.bind(queue.bound)
    outcome = SourceOutcome(name, "kubernetes", len(objects.nodes), skipped_kinds=objects.skipped_kinds)
    before = _totals(cluster)
    requests = [cluster.request(pod) for pod in queue.pending]
    result = _place_all(cluster, requests)
    refused = _Refusals(name, cluster, result)
    unplaced = []
    for number, (pod, request) in enumerate(zip(queue.pending, requests)):
        host = int(result.hosts[number])
        if host >= 0:
            outcome.placed.append(
                _outcome(
                    name, pod, Verdict.PLACED, host=cluster.nodes.names[host], score=int(result.scores[number])
                )
            )
        else:
            unplaced.append(pod)
            outcome.unplaced.append(refused.outcome(pod, request, number))
    after = _totals(cluster)
    outcome.resources = [
        ResourceUse(resource, capacity, used, after[resource][1]) for resource, (capacity, used) in before.items()
    ]
    placed = [pod for pod, host in zip(queue.pending, result.hosts.tolist()) if host >= 0]
    outcome.not_evaluated = not_evaluated.find(queue)
    outcome.not_evaluated += not_evaluated.preemption(unplaced, [*queue.bound, *placed])
    outcome.notes = _notes(queue, strays)
    return outcome


def _place_all(cluster: Cluster, requests: list[Request]) -> PlaceResult:
    """The queue through the engine in one call."""
    position: dict[int, int] = {}
    classes: list[Request] = []
    for request in requests:
        if request.index not in position:
            position[request.index] = len(classes)
            classes.append(request)
    return cluster.fleet.place_many(classes, np.array([position[one.index] for one in requests], np.int64))


def _totals(cluster: Cluster) -> dict[str, tuple[int, int]]:
    """Resource -> (capacity, used) over all nodes."""
    names = [*_SHOWN_FIRST, *(name for name in cluster.resources if name not in _SHOWN_FIRST)]
    row = {name: number for number, name in enumerate(cluster.fleet.resources)}
    capacity, used = cluster.fleet.capacity.sum(axis=1).tolist(), cluster.fleet.used.sum(axis=1).tolist()
    return {name: (capacity[row[name]], used[row[name]]) for name in names}


def _outcome(source: str, pod: Pod, verdict: Verdict, **more: Any) -> Outcome:
    meta = pod.metadata
    identity = (source, "Pod", meta.namespace or "default", meta.name or "", meta.uid)
    return Outcome(*identity, verdict, labels=meta.labels or {}, **more)


class _Refusals:
    """Why pods were refused. Pods of one class between two placements are refused alike and are explained once."""

    def __init__(self, source: str, cluster: Cluster, result: PlaceResult) -> None:
        self._source = source
        self._cluster = cluster
        self._result = result
        self._placed_before = np.cumsum(result.hosts >= 0)
        self._known: dict[tuple[int, int], dict[str, Any]] = {}
        self._names = next(one for one in cluster.filters if isinstance(one, NodeAffinityNames))

    def outcome(self, pod: Pod, request: Request, number: int) -> Outcome:
        key = (request.index, int(self._placed_before[number]))
        if key not in self._known:
            self._known[key] = self._explain(pod, self._result.explain(number))
        return _outcome(self._source, pod, **self._known[key])

    def _explain(self, pod: Pod, look: Explanation) -> dict[str, Any]:
        if look.verdict is Verdict.ERROR:
            return {"verdict": Verdict.ERROR, "message": "the used amounts of the chosen node would be too large"}
        nodes = len(self._cluster.nodes)
        reasons = []
        for found in look.reasons:
            plugin, text = self._cluster.reason(found.rule, found.argument)
            reasons.append(ReasonText(plugin, found.hosts, text))
        if self._names.names(pod) == set():
            message = messages.fit_error(nodes, {}, [reason.text for reason in reasons])
        else:
            counts: Counter[str] = Counter()
            for reason in reasons:
                counts[reason.text] += reason.hosts
            message = messages.fit_error(nodes, counts)
        return {
            "verdict": look.verdict,
            "message": message,
            "reasons": reasons,
            "smallest_change": self._change(look.smallest_change),
        }

    def _change(self, change: Change | None) -> dict[str, Any] | None:
        if change is None:
            return None
        plugin = text = None
        if change.rule is not None:
            plugin, text = self._cluster.reason(change.rule, change.argument)
        return {
            "kind": change.kind,
            "host": self._cluster.nodes.names[change.host],
            "resource": change.resource,
            "rule": plugin,
            "argument": text,
            "have": change.have,
            "need": change.need,
        }


def _notes(queue: Queue, strays: list[Pod]) -> list[str]:
    notes = []
    if strays:
        nodes = sorted({(pod.spec and pod.spec.node_name) or "" for pod in strays})
        notes.append(
            f"{_count(strays)} bound to nodes that are not in the input ({_some(nodes)}), so they use nothing here: "
            f"{_some([pod.key for pod in strays])}"
        )
    if queue.deleted:
        keys = [pod.key for pod in queue.deleted]
        notes.append(f"{_count(queue.deleted)} being deleted before they got a node, not placed: {_some(keys)}")
    return notes


def _count(pods: list[Pod]) -> str:
    return f"{len(pods)} pod{'' if len(pods) == 1 else 's'}"


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
