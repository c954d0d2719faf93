"""What single nodes say of a pod, in kube-scheduler's words: each plugin that rejects, shortfalls, smallest change.

Reads one decision of the engine and what the cluster holds at that moment; changes nothing.
"""

from __future__ import annotations

from binwright.explain import FEASIBLE, Explanation
from binwright.explained import HostAnswer, HostScore, RuleText, ScorePart, Shortfall
from binwright.kubernetes.compile import Cluster
from binwright.kubernetes.refusals import Refusals
from binwright.kubernetes.statuses import RESOLVABLE, Refused, Statuses

__all__ = ["answer", "best_scores", "rejected_by", "shortfalls"]


def answer(cluster: Cluster, look: Explanation, statuses: Statuses, host: int) -> HostAnswer:
    """The answer of one node."""
    status = statuses[host]
    name = cluster.nodes.names[host]
    if status is None:
        return HostAnswer(name, score=look.scores.totals[host].item())
    return HostAnswer(
        name,
        rejected_by(statuses, host, status),
        status.code == RESOLVABLE,
        shortfalls(cluster, look, host),
        Refusals(cluster).change(look.smallest_change_at(host)),
    )


def rejected_by(statuses: Statuses, host: int, status: Refused) -> list[RuleText]:
    """The plugin whose status a node has, with its reasons, then every other one that rejects it too."""
    others = [one for one in statuses.every(host).values() if one.plugin != status.plugin]
    return [RuleText(one.plugin, text) for one in (status, *others) for text in one.reasons]


def shortfalls(cluster: Cluster, look: Explanation, host: int) -> list[Shortfall]:
    """The resources of which a node has too little free, whichever plugin rejects it first."""
    short, demand, fleet = int(look.refusals.short[host]), look.demand, cluster.fleet
    found = []
    for number, resource in enumerate(fleet.resources):
        if short >> number & 1:
            free = int(fleet.capacity[number, host]) - int(fleet.used[number, host])
            found.append(Shortfall(resource, demand.get(resource, 0), free))
    return found


def best_scores(cluster: Cluster, look: Explanation, most: int, also: int | None) -> list[HostScore]:
    """The `most` feasible nodes of highest total, ties in node order; then node `also`, if feasible and not listed."""
    table = look.scores
    feasible = [host for host, first in enumerate(look.verdicts_by_host().tolist()) if first == FEASIBLE]
    feasible.sort(key=lambda host: -table.totals[host])
    chosen = list(enumerate(feasible[:most], 1))
    if also is not None and also in feasible[most:]:
        chosen.append((feasible.index(also) + 1, also))
    return [
        HostScore(
            cluster.nodes.names[host],
            rank,
            table.totals[host].item(),
            tuple(
                ScorePart(name, table.raw[term, host].item(), table.normalised[term, host].item(), table.weights[term])
                for term, name in enumerate(table.names)
                if table.ran[term]
            ),
        )
        for rank, host in chosen
    ]
