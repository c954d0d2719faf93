"""Replays recorded decisions of kube-scheduler through the layer and the engine, and compares everything recorded.

A case is a small cluster and a queue of pods; the result of each pod is built, in the recording's own schema, from the
engine's masks, scores and ties. A plugin that is not evaluated here says Skip where the pod gives it nothing to do;
elsewhere its part is missing and the pod differs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
import numpy as np

from binwright.conformance_report import ConformanceReport
from binwright.errors import BinwrightError, InputError
from binwright.explain import Explanation
from binwright.kubernetes import messages, not_evaluated
from binwright.kubernetes.compile import FIT, Cluster
from binwright.kubernetes.configuration import read_configuration
from binwright.kubernetes.objects import Node, Pod
from binwright.kubernetes.pending import priority
from binwright.kubernetes.plugins.node_affinity import NodeAffinity, NodeAffinityNames
from binwright.kubernetes.requests import PODS
from binwright.request import Request
from binwright.units import shown

__all__ = ["replay", "replay_case"]

FEASIBLE = 255
RESOLVABLE, UNRESOLVABLE = "Unschedulable", "UnschedulableAndUnresolvable"
NEVER_SCORED = ("InterPodAffinity", "PodTopologySpread", "VolumeBinding")


def replay(document: Mapping[str, Any]) -> ConformanceReport:
    """Replay a file of recorded cases (its README has the schema). Raises InputError for a file of another shape."""
    report = ConformanceReport()
    cases = document.get("cases")
    if not isinstance(cases, list) or not all(isinstance(case, dict) for case in cases):
        raise InputError("cases: expected a list of objects")
    for number, case in enumerate(cases):
        report.count(_compare(case, str(case.get("name", number))))
    return report


def _compare(case: Mapping[str, Any], name: str) -> Iterator[str]:
    """One line for each difference of one case."""
    expected = case.get("expected") or []
    try:
        results = list(replay_case(case))
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


def replay_case(case: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The result of each pending pod of one case, in queue order, each bound before the next is tried."""
    objects = case.get("objects") or {}
    nodes = _convert(objects.get("nodes") or [], list[Node], "objects.nodes")
    bound = _convert(case.get("pods") or [], list[Pod], "pods")
    pending = _convert(case.get("pending") or [], list[Pod], "pending")
    config = case.get("config")
    profile = read_configuration(config, "config")[0] if config is not None else None
    cluster = Cluster(nodes, [*bound, *pending], profile)
    strays = cluster.bind(bound)
    if strays:
        raise InputError(f"pods: Pod {strays[0].key}: bound to a node that is not in the case")
    run = _Replay(cluster, bound)
    for pod in pending:
        yield run.schedule(pod)


def _convert(data: Any, kind: Any, where: str) -> Any:
    try:
        return msgspec.convert(data, type=kind)
    except msgspec.ValidationError as problem:
        raise InputError(f"{where}: {shown(str(problem), 200)}") from None


class _Replay:
    """One case on its way: the cluster, and who is where."""

    def __init__(self, cluster: Cluster, bound: list[Pod]) -> None:
        self.cluster = cluster
        self.holders: list[list[Pod]] = [[] for _ in cluster.nodes.names]
        for pod in bound:
            self.holders[cluster.nodes.index[(pod.spec and pod.spec.node_name) or ""]].append(pod)
        self.names = next(one for one in cluster.filters if isinstance(one, NodeAffinityNames))
        self.affinity = next(one for one in cluster.filters if isinstance(one, NodeAffinity))

    def schedule(self, pod: Pod) -> dict[str, Any]:
        """Place one pod and tell everything about it."""
        request = self.cluster.request(pod)
        placed = self.cluster.fleet.place(request)
        look = placed.explain(0)
        result: dict[str, Any] = {"pod": pod.key, "outcome": "bound" if placed.hosts[0] >= 0 else "unschedulable"}
        names = self.names.names(pod)
        if names is not None and not names:
            return result | self.conflict()
        result["preFilter"] = {
            "code": "Success",
            "nodes": sorted(names or ()),
            "skip": sorted(self.pre_filter_skips(pod)),
        }
        statuses = [self.status(request, look, host) for host in range(len(self.holders))]
        feasible = np.flatnonzero(look.verdicts_by_host() == FEASIBLE)
        result["filter"] = statuses
        result["feasible"] = feasible.tolist()
        if not len(feasible):
            return result | self.refusal(pod, statuses)
        if len(feasible) > 1:
            result["score"] = self.score(look, feasible)
            result["max"] = placed.ties(0).tolist()
        host = int(placed.hosts[0])
        result["chosen"] = self.cluster.nodes.names[host]
        self.holders[host].append(pod)
        return result

    def conflict(self) -> dict[str, Any]:
        """The pod's required terms contradict each other by name: no Filter runs, and preemption is not tried."""
        reason = self.names.text(1)
        text = messages.fit_error(len(self.holders), {}, [reason])
        return {
            "preFilter": {"code": UNRESOLVABLE, "plugin": self.names.plugin, "reasons": [reason]},
            "fitError": text,
            "message": text + messages.DRA_NOT_FOUND,
            "postFilterError": True,
            "preemption": {"eligible": True},
        }

    def pre_filter_skips(self, pod: Pod) -> Iterator[str]:
        """Plugins that have nothing to filter for this pod."""
        if not self.affinity.filters(pod):
            yield "NodeAffinity"
        others = (one for holders in self.holders for one in holders)
        if not not_evaluated.inter_pod(pod) and not any(map(not_evaluated.required_anti_affinity, others)):
            yield "InterPodAffinity"
        if not not_evaluated.host_ports(pod):
            yield "NodePorts"
        if not not_evaluated.spreads(pod):
            yield "PodTopologySpread"
        if not not_evaluated.volumes(pod):
            yield from ("NodeVolumeLimits", "VolumeBinding", "VolumeRestrictions", "VolumeZone")
        yield "DynamicResources"

    def status(self, request: Request, look: Explanation, host: int) -> dict[str, Any] | None:
        """The status of one node: None when it passed, else the first plugin that rejects it, and all that do."""
        rejections: dict[str, dict[str, Any]] = {}
        short: list[str] = []
        for rule, argument in look.reasons_at(host):
            plugin, text = self.cluster.reason(rule, argument)
            if rule == self.names.rule:
                return {"code": UNRESOLVABLE, "reasons": [text], "absent": True}
            if rule == FIT:
                short.append(str(argument))
            entry = rejections.setdefault(plugin, {"code": UNRESOLVABLE, "reasons": []})
            entry["reasons"].append(text)
        if not rejections:
            return None
        if FIT in rejections and self.could_fit(request, short, host):
            rejections[FIT]["code"] = RESOLVABLE
        first = next(iter(rejections))
        return {"plugin": first, **rejections[first], "all": rejections if len(rejections) > 1 else None}

    def could_fit(self, request: Request, short: Iterable[str], host: int) -> bool:
        """Whether the resources that are short on a node would be there if it were empty; pods always count as such."""
        fleet = self.cluster.fleet
        return all(
            name == PODS or request.demand[name] <= fleet.capacity[fleet.resources.index(name), host] for name in short
        )

    def score(self, look: Explanation, feasible: np.ndarray) -> dict[str, Any]:
        """Raw, normalised and weighted scores of the feasible nodes, by plugin."""
        table = look.scores
        ran = [number for number, did in enumerate(table.ran) if did]
        known = self.cluster.scheduler.scores
        skipped = {name for name, did in zip(table.names, table.ran) if not did}
        return {
            "plugins": [table.names[number] for number in ran],
            "weights": [table.weights[number] for number in ran],
            "skip": sorted(skipped.union(name for name in NEVER_SCORED if name in known)),
            "raw": table.raw[ran][:, feasible].tolist(),
            "norm": table.normalised[ran][:, feasible].tolist(),
            "total": table.totals[feasible].tolist(),
        }

    def refusal(self, pod: Pod, statuses: list[dict[str, Any] | None]) -> dict[str, Any]:
        """What is said about a pod that no node takes."""
        reasons = Counter(reason for status in statuses if status for reason in status["reasons"])
        text = messages.fit_error(len(statuses), reasons)
        if pod.spec is not None and pod.spec.preemption_policy == "Never":
            return {
                "fitError": text,
                "message": text + messages.NEVER_PREEMPTS,
                "preemption": {"eligible": False},
            }
        attempts: Counter[str] = Counter()
        for status, holders in zip(statuses, self.holders):
            if status is None or status["code"] != RESOLVABLE:
                attempts[messages.NOT_HELPFUL] += 1
            elif all(priority(one) >= priority(pod) for one in holders):
                attempts[messages.NO_VICTIMS] += 1
            else:
                raise BinwrightError(f"Pod {pod.key}: preemption is not evaluated yet")
        return {
            "fitError": text,
            "message": text + messages.no_preemption(len(statuses), attempts),
            "preemption": {"eligible": True},
        }
