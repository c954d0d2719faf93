"""The pods of an openb trace placed one after another in file order; GPUs are rows below their node.

Profile: a node must have the pod's GPU model, CPU, memory and GPU thousandths free, and among its GPUs as many unused
ones as whole GPUs are asked, or one with that much free (the one with the least free, lowest index). Of the feasible
nodes the one is taken whose GPUs are allocated most after placing (kube-scheduler's MostAllocated over GPU thousandths,
in percent), lowest index first; a node without GPUs counts 0. Nobody leaves, and nothing is tried twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from binwright import Fleet, Group, Profile, Rule
from binwright.errors import InputError
from binwright.explain import Explanation
from binwright.formats.files import Blob
from binwright.kubernetes import messages
from binwright.kubernetes.openb.trace import GPU_MILLI, MOST_GPUS, TraceNode, TracePod, read_nodes, read_pods
from binwright.outcome import NotEvaluated, Outcome, ReasonText, ResourceUse, SourceOutcome
from binwright.profile import Score, most_allocated
from binwright.request import Request
from binwright.result import PlaceResult
from binwright.verdict import Change, Verdict

__all__ = ["GPU", "fleet_of", "groups_of", "place_source"]

GPU = "gpu"
"""Resource of the rows: thousandths of one GPU. The nodes' sum of them is the column gpu_milli."""
CPU, MEMORY, GPU_SUM = "cpu", "memory", "gpu_milli"
MODEL, FIT, GPUS = "GPUModel", "NodeResourcesFit", "GPUs"
_RULES = {"eligible": MODEL}
FULLEST = most_allocated({GPU_SUM: 1})


def place_source(name: str, nodes: Blob, pods: Blob) -> SourceOutcome:
    """Place every pod of the table `pods` on the nodes of the table `nodes`; see this module for the profile.

    Amounts in the outcome: cpu in millicores, memory in bytes, gpu_milli in thousandths of a GPU. A device of a placed
    pod is {"resource", "index" of the GPU on its node, "model", "amount"}. Raises InputError naming file, line, column.
    """
    offered, wanted = read_nodes(nodes), read_pods(pods)
    try:
        fleet = fleet_of(offered, (FULLEST,))
        requests = _Requests(fleet)
        classes, which = requests.of(wanted)
    except InputError as problem:
        raise InputError(f"{name}: {problem}") from None
    before = fleet.capacity.sum(axis=1).tolist()
    result = fleet.place_many(classes, which)
    outcome = SourceOutcome(name, "kubernetes", len(offered))
    refused = _Refusals(fleet, offered, result)
    first = np.cumsum([0, *(node.gpus for node in offered)])
    for number, (pod, host) in enumerate(zip(wanted, result.hosts.tolist())):
        known = (name, "Pod", None, pod.name, None)
        if host < 0:
            outcome.unplaced.append(Outcome(*known, **refused.of(number, int(which[number]))))
            continue
        node = offered[host]
        model = node.model or None
        devices = [
            {"resource": GPU_SUM, "index": int(one.row - first[host]), "model": model, "amount": one.amount}
            for one in result.devices(number)
        ]
        score = int(result.scores[number])
        outcome.placed.append(Outcome(*known, Verdict.PLACED, host=node.name, score=score, devices=devices))
    after = fleet.used.sum(axis=1).tolist()
    outcome.resources = [
        ResourceUse(resource, capacity, 0, used)
        for resource, capacity, used in zip(fleet.resources, before, after, strict=True)
    ]
    outcome.not_evaluated = _not_evaluated(wanted)
    return outcome


def fleet_of(nodes: Sequence[TraceNode], scores: tuple[Score, ...]) -> Fleet:
    """A fleet with a host a node, and below it a row a GPU, node by node, that is labelled "GPU 0", "GPU 1", ...

    The rows hold the resource GPU; the hosts cpu, memory, gpu_milli and the label "model".
    """
    columns = {
        CPU: [node.cpu for node in nodes],
        MEMORY: [node.memory for node in nodes],
        GPU_SUM: [node.gpus * GPU_MILLI for node in nodes],
    }
    fleet = Fleet(
        {resource: np.array(values, np.int64) for resource, values in columns.items()},
        names=[node.name for node in nodes],
        profile=Profile(rules=(Rule("eligible"), Rule(FIT, "fit"), Rule(GPUS, "rows")), scores=scores),
        labels={"model": [node.model if node.gpus and node.model else None for node in nodes]},
    )
    counts = [node.gpus for node in nodes]
    hosts = np.repeat(np.arange(len(nodes)), counts)
    if len(hosts):
        labels = [[f"GPU {index}"] for count in counts for index in range(count)]
        fleet.rows.add({GPU: np.full(len(hosts), GPU_MILLI)}, hosts, labels=labels)
    return fleet


def groups_of(gpus: int, gpu_milli: int, index: int | None = None) -> list[Group]:
    """What a pod asks of the GPUs of its node; with `index`, that its part of a GPU is one of just this one."""
    if gpu_milli == GPU_MILLI:
        return [Group({GPU: GPU_MILLI}, take="whole", isolated=True)] * gpus
    required = [] if index is None else [f"GPU {index}"]
    return [Group({GPU: gpu_milli}, take="share", required=required)] * gpus


class _Requests:
    """Pods that ask alike are one request."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def of(self, pods: Sequence[TracePod]) -> tuple[list[Request], np.ndarray[Any, np.dtype[np.int64]]]:
        """The different requests, and for each pod the position of its own."""
        classes: list[Request] = []
        positions: dict[tuple[Any, ...], int] = {}
        which = []
        for pod in pods:
            key = (pod.cpu, pod.memory, pod.gpus, pod.gpu_milli, pod.models)
            if key not in positions:
                positions[key] = len(classes)
                classes.append(self._request(pod))
            which.append(positions[key])
        return classes, np.array(which, np.int64)

    def _request(self, pod: TracePod) -> Request:
        return self._fleet.request(
            {CPU: pod.cpu, MEMORY: pod.memory, GPU_SUM: pod.gpu_demand},
            eligible={"model": list(pod.models)} if pod.gpus and pod.models else None,
            # No node has more; the sum alone refuses pods that ask for more.
            groups=groups_of(min(pod.gpus, MOST_GPUS), pod.gpu_milli),
        )


class _Refusals:
    """Why pods were refused. Pods of one class between two placements are refused alike and are explained once."""

    def __init__(self, fleet: Fleet, nodes: Sequence[TraceNode], result: PlaceResult) -> None:
        self._fleet = fleet
        self._nodes = nodes
        self._result = result
        self._placed_before = np.cumsum(result.hosts >= 0)
        self._known: dict[tuple[int, int], dict[str, Any]] = {}

    def of(self, number: int, position: int) -> dict[str, Any]:
        key = position, int(self._placed_before[number])
        if key not in self._known:
            self._known[key] = self._explained(self._result.explain(number))
        return self._known[key]

    def _explained(self, look: Explanation) -> dict[str, Any]:
        reasons = [
            ReasonText(_RULES.get(one.rule, one.rule), one.hosts, _text(one.rule, one.argument)) for one in look.reasons
        ]
        counts: Counter[str] = Counter()
        for reason in reasons:
            counts[reason.text] += reason.hosts
        return {
            "verdict": look.verdict,
            "message": messages.fit_error(len(self._nodes), counts),
            "reasons": reasons,
            "smallest_change": self._change(look.smallest_change),
        }

    def _change(self, change: Change | None) -> dict[str, Any] | None:
        if change is None:
            return None
        return {
            "kind": change.kind,
            "host": self._nodes[change.host].name,
            "resource": change.resource,
            "rule": change.rule and _RULES.get(change.rule, change.rule),
            "argument": None,
            "have": change.have,
            "need": change.need,
        }


def _text(rule: str, argument: int | str | None) -> str:
    if rule == FIT:
        return f"Insufficient {argument}"
    if rule == GPUS:
        return "node(s) had enough GPU free only in parts that are too small"
    return "node(s) had no GPU of the models asked for"


def _not_evaluated(pods: Sequence[TracePod]) -> list[NotEvaluated]:
    """What stands in the table of pods and does not count: they all come in file order, and none leaves."""
    found = []
    for rule, concerned in (
        ("deletion_time", [pod.name for pod in pods if pod.leaves]),
        ("pod_phase Succeeded or Failed", [pod.name for pod in pods if pod.finished]),
    ):
        if concerned:
            found.append(NotEvaluated(rule, len(concerned), f"Pod {concerned[0]}"))
    return found
