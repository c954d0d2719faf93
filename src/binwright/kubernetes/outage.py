"""Nodes that are lost at once: which pods go with them, and where the scheduler would put their replacements.

The cluster is compiled once; every question is answered on it and taken back. A lost node stays known but takes
nothing, as one whose kubelet no longer reports does. Budgets do not matter: nobody asks them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from binwright.explain import Explanation
from binwright.kubernetes import not_evaluated
from binwright.kubernetes.compile import Cluster
from binwright.kubernetes.configuration import Profiles, profiles_of
from binwright.kubernetes.drain_filters import controller
from binwright.kubernetes.evacuation import replacement
from binwright.kubernetes.objects import Pod
from binwright.kubernetes.pending import DEFAULT_SCHEDULER, Queue, sort_out, turn
from binwright.kubernetes.reader import Objects
from binwright.kubernetes.refusals import Refusals
from binwright.outcome import NotEvaluated
from binwright.request import Request

__all__ = ["Outage", "Outages"]

ENDS_WITH_NODE = ("DaemonSet", "Node")


@dataclass(slots=True)
class Outage:
    """What one loss does to one cluster. lost: every bound pod of the nodes, in queue order. placed: (pod, node) of
    those whose replacement finds a node; homeless: (pod, why) of those whose does not. The rest ends with its node or,
    without a controller, for good.
    """

    lost: list[Pod] = field(default_factory=list)
    placed: list[tuple[Pod, str]] = field(default_factory=list)
    homeless: list[tuple[Pod, str]] = field(default_factory=list)


def is_replaced(pod: Pod) -> bool:
    """Whether somebody makes another one when a pod is lost with its node."""
    owner = controller(pod)
    return owner is not None and owner.kind not in ENDS_WITH_NODE


class Outages:
    """One cluster that can be asked again and again. Raises InputError naming object and field for bad objects."""

    def __init__(self, objects: Objects, profile: Profiles = None) -> None:
        self.profiles = profiles_of(profile)
        queue = sort_out(objects.pods, [one.scheduler_name for one in self.profiles])
        self._cluster = Cluster(objects.nodes, queue.bound, self.profiles, objects.related)
        self._cluster.bind(queue.bound)
        self._on: dict[str, list[tuple[Pod, int]]] = {}
        for item, pod in self._cluster.held.items():
            self._on.setdefault((pod.spec and pod.spec.node_name) or "", []).append((pod, item))
        self._request_of: dict[int, Request] = {}  # by the pod that stands for others

    def lose(self, nodes: Iterable[str], *, explain: bool = True) -> Outage:
        """Lose these nodes; names that the cluster does not have are passed over. explain: say why the homeless are."""
        cluster, fleet = self._cluster, self._cluster.fleet
        lost = [cluster.nodes.index[name] for name in nodes if name in cluster.nodes.index]
        held = sorted((one for name in nodes for one in self._on.get(name, ())), key=lambda one: turn(one[0]))
        found = Outage([pod for pod, _ in held])
        again = [pod for pod, _ in held if is_replaced(pod)]
        requests = [self._request(pod) for pod in again]
        token = fleet.checkpoint()
        try:
            fleet.cordon(np.array(lost, np.int64))
            fleet.release(np.array([item for _, item in held], np.int64))
            hosts = fleet.place_many(requests).hosts.tolist() if requests else []
            for pod, request, host in zip(again, requests, hosts, strict=True):
                if host >= 0:
                    found.placed.append((pod, cluster.nodes.names[host]))
                else:
                    why = self._why(pod, request) if explain else ""
                    found.homeless.append((pod, why))
        finally:
            fleet.rollback(token)
        return found

    def not_evaluated(self) -> list[NotEvaluated]:
        """What replacements of the bound pods use and is not evaluated."""
        pods: list[Pod] = []
        others: list[Pod] = []
        for pod in self._cluster.held.values():
            (pods if is_replaced(pod) else others).append(pod)
        own = [one.scheduler_name for one in self.profiles]
        foreign = [pod for pod in pods if ((pod.spec and pod.spec.scheduler_name) or DEFAULT_SCHEDULER) not in own]
        asked = Queue(pending=pods, bound=others, foreign=foreign)
        return not_evaluated.find(
            asked, self._cluster.related, self.profiles[0], self.profiles[1:], alike=self._cluster.alike
        )

    def _request(self, pod: Pod) -> Request:
        first = self._cluster.alike.first(pod)
        known = self._request_of.get(id(first))
        if known is None:
            known = self._request_of[id(first)] = self._cluster.request(replacement(first))
        return known

    def _why(self, pod: Pod, request: Request) -> str:
        """The scheduler's message once the others are placed."""
        look = Explanation(self._cluster.fleet, request.index)
        return str(Refusals(self._cluster).explained(pod, look).get("message") or "")
