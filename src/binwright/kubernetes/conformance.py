"""Replays recorded decisions of kube-scheduler through the layer and the engine, and compares everything recorded.

A case is a small cluster and a queue of pods; the result of each pod is built, in the recording's own schema, from the
engine's masks, scores, ties and candidates.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any

import msgspec
import numpy as np

from binwright.conformance_report import ConformanceReport
from binwright.errors import BinwrightError, InputError
from binwright.kubernetes import messages
from binwright.kubernetes.compile import Cluster
from binwright.kubernetes.configuration import read_configuration
from binwright.kubernetes.cycle import Cycle, Decision
from binwright.kubernetes.objects import Node, Pod
from binwright.kubernetes.pending import priority
from binwright.kubernetes.preemption import Attempt, Preemption
from binwright.kubernetes.related import Related, kind_by_plural
from binwright.kubernetes.sampling import Sampling
from binwright.kubernetes.statuses import UNRESOLVABLE
from binwright.units import shown

__all__ = ["replay", "replay_case"]

FIRST_START = datetime(2026, 1, 2, tzinfo=UTC)
"""A bound pod is recorded to start then, plus its place in the queue in seconds."""
REPAIRED = "interpod-nsfix"
"""The suite that was recorded with the defect nsSelectorEmptyLabels mended."""


def replay(document: Mapping[str, Any]) -> ConformanceReport:
    """Replay a file of recorded cases (its README has the schema). Raises InputError for a file of another shape."""
    report = ConformanceReport()
    cases = document.get("cases")
    if not isinstance(cases, list) or not all(isinstance(case, dict) for case in cases):
        raise InputError("cases: expected a list of objects")
    for number, case in enumerate(cases):
        report.count(_compare(case, str(case.get("name", number)), document.get("suite") == REPAIRED))
    return report


def _compare(case: Mapping[str, Any], name: str, repaired: bool) -> Iterator[str]:
    """One line for each difference of one case."""
    expected = case.get("expected") or []
    try:
        results = list(replay_case(case, repaired))
    except BinwrightError as problem:
        yield f"{name}: {problem}"
        return
    if len(results) != len(expected):
        yield f"{name}: {len(expected)} results recorded, {len(results)} pods pending"
    for wanted, got in zip(expected, results):
        wanted, got = _pruned(wanted), _pruned(got)
        for part in sorted(wanted.keys() | got.keys()):
            if wanted.get(part) != got.get(part):
                yield f"{name}: {wanted.get('pod')}: {part}: recorded {_first(wanted, got, part)}"


def _pruned(value: Any) -> Any:
    """Without what is empty: in the recordings empty lists and absent keys mean the same."""
    if isinstance(value, dict):
        pruned = {key: _pruned(one) for key, one in value.items()}
        return {key: one for key, one in pruned.items() if one is not None and one != [] and one != {}}
    return [_pruned(one) for one in value] if isinstance(value, list) else value


def _first(wanted: Any, got: Any, part: Any) -> str:
    """The first place where two results differ, in words."""
    left = wanted.get(part) if isinstance(wanted, dict) else wanted[part]
    right = got.get(part) if isinstance(got, dict) else got[part]
    if isinstance(left, dict) and isinstance(right, dict):
        key = next(key for key in sorted(left.keys() | right.keys()) if left.get(key) != right.get(key))
        return f"{key} {_first(left, right, key)}"
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        number = next(number for number in range(len(left)) if left[number] != right[number])
        return f"[{number}] {_first(left, right, number)}"
    return f"{_json(left)}, got {_json(right)}"


def _json(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) < 300 else text[:297] + "..."


def replay_case(case: Mapping[str, Any], repaired: bool = False) -> Iterator[dict[str, Any]]:
    """The result of each pending pod of one case, in queue order, each bound before the next is tried.

    repaired: the case was recorded with the defect nsSelectorEmptyLabels mended.
    """
    objects = dict(case.get("objects") or {})
    nodes = _convert(objects.pop("nodes", None) or [], list[Node], "objects.nodes")
    bound = _convert(case.get("pods") or [], list[Pod], "pods")
    waiting = _convert(case.get("nominated") or [], list[Pod], "nominated")
    pending = _convert(case.get("pending") or [], list[Pod], "pending")
    config = case.get("config")
    profile = read_configuration(config, "config")[0] if config is not None else None
    related = Related(complete=True)
    for plural, listed in objects.items():
        known = kind_by_plural(plural)
        if known is None:
            raise InputError(f"objects.{plural}: unknown kind")
        for one in _convert(listed or [], list[known[1]], f"objects.{plural}"):  # type: ignore[valid-type]
            related.add(known[0], one)
    quirk = "nsSelectorEmptyLabels" in (case.get("sensitiveTo") or ()) and not repaired
    cluster = Cluster(nodes, [*bound, *waiting, *pending], profile, related, empty_labels=quirk)
    strays = cluster.bind(bound)
    if strays:
        raise InputError(f"pods: Pod {strays[0].key}: bound to a node that is not in the case")
    run = _Replay(cluster, waiting, case.get("percentageOfNodesToScore"))
    for number, pod in enumerate(pending):
        yield run.schedule(pod, (FIRST_START + timedelta(seconds=number)).isoformat())


def _convert(data: Any, kind: Any, where: str) -> Any:
    try:
        return msgspec.convert(data, type=kind)
    except msgspec.ValidationError as problem:
        raise InputError(f"{where}: {shown(str(problem), 200)}") from None


class _Replay:
    """One case on its way."""

    def __init__(self, cluster: Cluster, waiting: Iterable[Pod], percentage: int | None) -> None:
        self.cycle = Cycle(cluster, None if percentage is None else Sampling(cluster.nodes, percentage))
        self.cluster = cluster
        self.preemption = Preemption(cluster)
        self.some_wait = False
        for pod in waiting:
            self.some_wait = True
            self.cycle.nominate(pod)

    def schedule(self, pod: Pod, start: str, nominated: str | None = None) -> dict[str, Any]:
        """Place one pod and tell everything about it; once more, at once, when others made room for it (the pod then
        waits for its `nominated` node).
        """
        result: dict[str, Any] = {"pod": pod.key, "outcome": "unschedulable"}
        if not self.cluster.nodes.names:
            return result | {"fitError": messages.NO_NODES, "message": messages.NO_NODES}
        decision = self.cycle.decide(pod, nominated)
        result["preFilter"] = self.pre_filter(pod, decision)
        if decision.refusal is not None:
            return result | self.refused_before(decision)
        result["viaNominated"] = decision.via_nominated or None
        if not decision.via_nominated:
            if decision.order is not None:
                result |= {"start": decision.start, "visited": decision.visited}
            result["filter"] = [self.status(decision, host) for host in range(len(self.cluster.nodes))]
        result["feasible"] = decision.feasible
        if decision.host is not None:
            if len(decision.feasible) > 1:
                result["score"] = self.score(decision)
                result["max"] = decision.look.ties.tolist()
            self.preemption.mark([self.cycle.bind(decision, start)])
            return result | {"outcome": "bound", "chosen": self.cluster.nodes.names[decision.host]}
        attempt = self.preemption.attempt(pod, decision.statuses, decision.nominated)
        text = messages.fit_error(len(self.cluster.nodes), decision.reasons())
        result |= {"fitError": text, "message": text + attempt.text, "preemption": {"eligible": attempt.eligible}}
        if attempt.chosen is None:
            return result
        result["outcome"] = "preempting"
        result["preemption"] |= self.preempted(attempt, pod)
        self.preemption.carry_out(attempt)
        if nominated is None:
            result["retry"] = self.schedule(pod, start, self.cluster.nodes.names[attempt.chosen.host])
        return result

    def pre_filter(self, pod: Pod, decision: Decision) -> dict[str, Any]:
        """Who said Skip, who refused, and the names that are left."""
        skips = self.cluster.rules.skips(pod, decision.look.active)
        if decision.refusal is None:
            skipped = sorted(plugin for plugin, skip in skips if skip)
            return {"code": "Success", "nodes": sorted(decision.names or ()), "skip": skipped}
        plugin, reason = decision.refusal
        before = takewhile(lambda one: one[0] != plugin, skips)
        return {
            "code": UNRESOLVABLE,
            "plugin": plugin,
            "reasons": [reason],
            "skip": sorted(name for name, skip in before if skip),
        }

    def refused_before(self, decision: Decision) -> dict[str, Any]:
        """No Filter ran, and preemption ends in an error (quirk draNotFound)."""
        text = messages.fit_error(len(self.cluster.nodes), {}, [decision.refusal[1]] if decision.refusal else ())
        return {
            "fitError": text,
            "message": text + messages.DRA_NOT_FOUND,
            "postFilterError": True,
            "preemption": {"eligible": True},
        }

    def status(self, decision: Decision, host: int) -> dict[str, Any] | None:
        """The status of one node: None when it passed, else the first plugin that rejects it, and all that do."""
        refused = decision.statuses[host]
        if refused is None:
            return None
        found: dict[str, Any] = {"code": refused.code, "reasons": list(refused.reasons)}
        if refused.absent:
            return found | {"absent": True}
        found["plugin"] = refused.plugin
        every = {} if self.some_wait else decision.statuses.every(host)
        if len(every) > 1:
            found["all"] = {name: {"code": one.code, "reasons": list(one.reasons)} for name, one in every.items()}
        return found

    def score(self, decision: Decision) -> dict[str, Any]:
        """Raw, normalised and weighted scores of the feasible nodes, by plugin."""
        table, feasible = decision.look.scores, np.array(decision.feasible)
        ran = [number for number, did in enumerate(table.ran) if did]
        plugins = [table.names[number] for number in ran]
        return {
            "plugins": plugins,
            "weights": [table.weights[number] for number in ran],
            "skip": sorted(self.cluster.scheduler.scores.keys() - set(plugins)),
            "raw": table.raw[ran][:, feasible].tolist(),
            "norm": table.normalised[ran][:, feasible].tolist(),
            "total": table.totals[feasible].tolist(),
        }

    def preempted(self, attempt: Attempt, pod: Pod) -> dict[str, Any]:
        """What the preemption chose, and among what; weaker nominations on its node are gone."""
        names, held = self.cluster.nodes.names, self.cluster.held
        chosen = attempt.chosen
        return {
            "candidates": [
                {
                    "node": names[one.host],
                    "victims": [held[item].key for item in one.victims],
                    "pdbViolations": one.violations,
                }
                for one in attempt.candidates
            ],
            "ties": [names[one.host] for one in attempt.ties],
            "nominated": None if chosen is None else names[chosen.host],
            "victims": [one.key for one in attempt.victims],
            "clearedNominations": [] if chosen is None else self.cycle.clear(chosen.host, priority(pod)),
        }
