"""What the page shows: use of the fleet, node by node, and what was decided last. Numbers and names for JSON."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from binwright import __version__
from binwright.errors import InputError
from binwright.kubernetes.compile import Cluster
from binwright.serve.extender import ExtenderService

__all__ = ["overview"]

_FIRST = ("cpu", "memory", "ephemeral-storage", "pods")


def overview(service: ExtenderService) -> dict[str, Any]:
    """The state of a service now. `hosts.use`: thousandths of the fullest of cpu and memory, one a node, -1 where a
    node offers neither.
    """
    live, journal = service.live, service.journal
    found: dict[str, Any] = {
        "version": __version__,
        "source": service.source,
        "ready": service.ready(),
        "uptimeSeconds": round(time.time() - service.started),
        "summary": {"hosts": live.nodes, "pods": live.pods, "pending": live.pending, "assumed": live.assumed},
        "resources": [],
        "hosts": {"names": [], "use": []},
        "unschedulable": [{"rule": rule, "pods": count} for rule, count in journal.by_rule().most_common()],
        "decisions": [one.to_dict() for one in reversed(journal.last)],
        "refusals": [one.to_dict() for one in reversed(journal.refusals)],
        "notEvaluated": [],
        "error": None,
    }
    try:
        standing = live.current()
        found["notEvaluated"] = [
            {"rule": one.rule, "objects": one.objects, "example": one.example} for one in live.not_evaluated()
        ]
    except InputError as problem:
        found["error"] = str(problem)
        return found
    if standing is not None:
        found["resources"] = _resources(standing.cluster)
        found["hosts"] = {"names": standing.cluster.nodes.names, "use": _use(standing.cluster).tolist()}
    return found


def _resources(cluster: Cluster) -> list[dict[str, Any]]:
    rows = {name: number for number, name in enumerate(cluster.fleet.resources)}
    names = [*_FIRST, *(name for name in cluster.resources if name not in _FIRST)]
    capacity, used = cluster.fleet.capacity.sum(axis=1), cluster.fleet.used.sum(axis=1)
    return [
        {"name": name, "capacity": int(capacity[rows[name]]), "used": int(used[rows[name]])}
        for name in names
        if capacity[rows[name]]
    ]


def _use(cluster: Cluster) -> np.ndarray:
    rows = [number for number, name in enumerate(cluster.fleet.resources) if name in ("cpu", "memory")]
    capacity, used = cluster.fleet.capacity[rows], cluster.fleet.used[rows]
    share = np.where(capacity > 0, used * 1000 // np.maximum(capacity, 1), -1)
    most: np.ndarray = share.max(axis=0)
    return most
