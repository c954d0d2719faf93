"""The scheduling of one pod (spec 1): PreFilter, Filter, Score, selection, or the fit error and PostFilter.

Decides; commits nothing but the scan start of the sampling.  Results are dicts in the vectors' schema.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.reference.kubernetes import messages
from tests.reference.kubernetes.cycle import (
    Cycle,
    PreFilterOutcome,
    all_rejections,
    run_filters_with_nominated,
    run_pre_filters,
)
from tests.reference.kubernetes.pods import Pod
from tests.reference.kubernetes.preemption import PostFilter, run_post_filter
from tests.reference.kubernetes.sampling import number_to_find, scan
from tests.reference.kubernetes.scoring import score_nodes
from tests.reference.kubernetes.snapshot import Node, snapshot_order
from tests.reference.kubernetes.status import UNRESOLVABLE, Status

if TYPE_CHECKING:
    from tests.reference.kubernetes.cluster import Cluster

Json = dict[str, Any]


@dataclass
class Decision:
    """What was decided for one pod, and what committing it needs."""

    pod: Pod
    cycle: Cycle
    result: Json
    node: Node | None = None  # chosen
    post_filter: PostFilter | None = None


def schedule(cluster: Cluster, pod: Pod) -> Decision:
    """One scheduling cycle; the cluster is left as it is, except for the scan start."""
    cycle = Cycle(cluster, pod)
    result: Json = {"pod": pod.key, "outcome": "unschedulable", "feasible": []}
    decision = Decision(pod, cycle, result)
    if not cluster.nodes:
        result["fitError"] = result["message"] = messages.NO_NODES
        return decision

    pre_filter = run_pre_filters(cycle)
    result["preFilter"] = pre_filter.as_result(cycle)
    if pre_filter.rejection is not None:
        reasons = pre_filter.rejection.reasons
        result["fitError"] = messages.nodes_available(len(cluster.nodes), ", ".join(reasons))
        _post_filter(decision, pre_filter, {node.name: pre_filter.rejection for node in cluster.nodes})
        return decision

    nominated = cluster.node(pod.nominated_node)
    nominated_rejection = None
    if nominated is not None:
        nominated_rejection = run_filters_with_nominated(cycle, nominated)
        if nominated_rejection is None:
            result["viaNominated"] = True
            _choose(decision, [nominated])
            return decision

    judged = _filter(cycle, pre_filter, result, nominated if nominated_rejection is not None else None)
    feasible = [node for node, status in judged if status is None]
    statuses = {node.name: status for node, status in judged if status is not None}
    absent = _absent_status(pre_filter, nominated_rejection)
    if nominated is not None and nominated_rejection is not None:
        statuses.setdefault(nominated.name, nominated_rejection)  # recorded from the peer: outside the names, too
    if pre_filter.names is not None:
        outside = [node.name for node in cluster.nodes if node.name not in pre_filter.names]
        statuses = dict.fromkeys(outside, absent) | statuses
    result["filter"] = [_node_result(cycle, node, statuses.get(node.name), absent) for node in cluster.nodes]
    if feasible:
        _choose(decision, feasible)
    else:
        reasons = [reason for status in statuses.values() for reason in status.reasons]
        result["fitError"] = messages.histogram(len(cluster.nodes), reasons)
        _post_filter(decision, pre_filter, statuses)
    return decision


def _filter(
    cycle: Cycle, pre_filter: PreFilterOutcome, result: Json, rejected_before: Node | None
) -> list[tuple[Node, Status | None]]:
    """Judge the nodes (spec 1.4): all of them in input order, or with sampling a part of the snapshot order.

    The peer's next scan starts as many nodes further as have a status, of all nodes, the nominated one included.
    """
    cluster = cycle.cluster
    sampling = cluster.percentage is not None
    nodes = snapshot_order(cluster.nodes) if sampling else cluster.nodes
    if pre_filter.names is not None:
        nodes = [node for node in nodes if node.name in pre_filter.names]
    if not sampling:
        return [(node, run_filters_with_nominated(cycle, node)) for node in nodes]
    wanted = number_to_find(len(nodes), cluster.percentage)
    result["start"] = cluster.scan_start
    judged = scan(nodes, cluster.scan_start, wanted, lambda node: run_filters_with_nominated(cycle, node))
    seen = {node.name for node, _ in judged} | ({rejected_before.name} if rejected_before else set())
    cluster.scan_start = (cluster.scan_start + len(seen)) % len(cluster.nodes)
    result["visited"] = [cluster.index_of(node) for node, _ in judged]
    return judged


def _absent_status(pre_filter: PreFilterOutcome, nominated_rejection: Status | None) -> Status:
    """The status of nodes outside the name set (spec 1.4)."""
    plugins = set(pre_filter.restricting)
    if nominated_rejection is not None:
        plugins.add(nominated_rejection.plugin)
    return Status(UNRESOLVABLE, (f"node(s) didn't satisfy plugin(s) [{' '.join(sorted(plugins))}]",))


def _node_result(cycle: Cycle, node: Node, status: Status | None, absent: Status) -> Json | None:
    if status is None:
        return None
    if status is absent:
        return {**status.as_result(), "absent": True}
    rejections = all_rejections(cycle, node)
    if len(rejections) < 2:
        return status.as_result()
    parts = {name: {"code": s.code, "reasons": list(s.reasons)} for name, s in rejections.items()}
    return {**status.as_result(), "all": parts}


def _choose(decision: Decision, feasible: list[Node]) -> None:
    """Selection (spec 1.5, 1.6): one feasible node is taken unscored; else the highest total, lowest index first."""
    cycle, result = decision.cycle, decision.result
    cluster = cycle.cluster
    best = feasible
    if len(feasible) > 1:
        scores = score_nodes(cycle, feasible)
        result["score"] = scores.as_result()
        highest = max(scores.total)
        best = [node for node, total in zip(feasible, scores.total, strict=True) if total == highest]
        best.sort(key=cluster.index_of)
        result["max"] = [cluster.index_of(node) for node in best]
    result["outcome"] = "bound"
    result["feasible"] = [cluster.index_of(node) for node in feasible]
    result["chosen"] = best[0].name
    decision.node = best[0]


def _post_filter(decision: Decision, pre_filter: PreFilterOutcome, statuses: dict[str, Status]) -> None:
    """PostFilter and the final message (spec 5, 6)."""
    post_filter = run_post_filter(decision.cycle, pre_filter, statuses)
    result = decision.result
    decision.post_filter = post_filter
    result["message"] = result["fitError"] + (f" {post_filter.text}" if post_filter.text else "")
    result["preemption"] = post_filter.as_result()
    if post_filter.error:
        result["postFilterError"] = True
    if post_filter.chosen is not None:
        result["outcome"] = "preempting"
