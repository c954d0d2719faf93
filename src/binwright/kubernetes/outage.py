"""Nodes that are lost at once: which pods go with them, and where the scheduler would put their replacements.

The cluster is compiled once; every question is answered on it and taken back. A lost node stays known but takes
nothing, as one whose kubelet no longer reports does. Budgets do not matter: nobody asks them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from binwright.explain import Explanation
from binwright.kubernetes.compile import Cluster
from binwright.kubernetes.configuration import SchedulerProfile
from binwright.kubernetes.drain_filters import controller
from binwright.kubernetes.evacuation import replacement
from binwright.kubernetes.objects import Pod, PodSpec
from binwright.kubernetes.pending import sort_out, turn
from binwright.kubernetes.reader import Objects
from binwright.kubernetes.refusals import Refusals
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


class Outages:
    """One cluster that can be asked again and again. Raises InputError naming object and field for bad objects."""

    def __init__(self, objects: Objects, profile: SchedulerProfile | None = None) -> None:
        self.profile = profile or SchedulerProfile()
        queue = sort_out(objects.pods, [self.profile.scheduler_name])
        self._cluster = Cluster(objects.nodes, queue.bound, self.profile, objects.related)
        self._cluster.bind(queue.bound)
        self._on: dict[str, list[tuple[Pod, int]]] = {}
        for item, pod in self._cluster.held.items():
            self._on.setdefault((pod.spec and pod.spec.node_name) or "", []).append((pod, item))
        self._request_of: dict[int, Request] = {}
        self._of_template: dict[tuple[str, str], tuple[PodSpec, Request]] = {}

    def lose(self, nodes: Iterable[str], *, explain: bool = True) -> Outage:
        """Lose these nodes; names that the cluster does not have are passed over. explain: say why the homeless are."""
        cluster, fleet = self._cluster, self._cluster.fleet
        lost = [cluster.nodes.index[name] for name in nodes if name in cluster.nodes.index]
        held = sorted((one for name in nodes for one in self._on.get(name, ())), key=lambda one: turn(one[0]))
        found = Outage([pod for pod, _ in held])
        again = [pod for pod, _ in held if (owner := controller(pod)) and owner.kind not in ENDS_WITH_NODE]
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

    def _request(self, pod: Pod) -> Request:
        known = self._request_of.get(id(pod))
        if known is None:
            known = self._request_of[id(pod)] = self._made(pod)
        return known

    def _made(self, pod: Pod) -> Request:
        """Pods of one ReplicaSet come from one template: those that ask for the same have the same request."""
        owner, spec = controller(pod), pod.spec
        if owner is None or owner.kind != "ReplicaSet" or spec is None:
            return self._cluster.request(replacement(pod))
        key = pod.metadata.namespace or "default", owner.name
        of_template = self._of_template.get(key)
        if of_template is not None and of_template[0].containers == spec.containers:
            return of_template[1]
        made = self._cluster.request(replacement(pod))
        self._of_template[key] = spec, made
        return made

    def _why(self, pod: Pod, request: Request) -> str:
        """The scheduler's message once the others are placed."""
        look = Explanation(self._cluster.fleet, request.index)
        return str(Refusals(self._cluster).explained(pod, look).get("message") or "")
