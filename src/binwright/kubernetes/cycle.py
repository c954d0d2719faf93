"""One scheduling cycle of kube-scheduler (kubernetes spec 1): refusal, nominated node, window, decision, binding.

Decides by the engine and keeps who waits for which node; preemption and words for people are elsewhere.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property

import msgspec
import numpy as np

from binwright.explain import Explanation
from binwright.kubernetes.compile import Cluster
from binwright.kubernetes.objects import Pod, PodSpec, PodStatus
from binwright.kubernetes.pending import priority
from binwright.kubernetes.plugins.node_affinity import NodeAffinity
from binwright.kubernetes.sampling import Sampling
from binwright.kubernetes.statuses import UNASKED, Statuses
from binwright.request import Request

__all__ = ["Cycle", "Decision", "bound_to"]


@dataclass
class Decision:
    """What one cycle came to. `host` None: nowhere. `order` None: every node was looked at, in input order.
    `failed_there`: how the nominated node judged, where it refused.
    """

    cluster: Cluster
    pod: Pod
    request: Request
    look: Explanation
    refusal: tuple[str, str] | None
    names: set[str] | None
    nominated: str | None = None
    via_nominated: bool = False
    failed_there: Statuses | None = None
    order: list[int] | None = None
    start: int = 0
    feasible: list[int] = field(default_factory=list)
    host: int | None = None

    @cached_property
    def statuses(self) -> Statuses:
        """The status of every node."""
        asked, plugins = None, {NodeAffinity.plugin}
        if self.failed_there is not None:
            asked = self.cluster.nodes.index[self.nominated or ""], self.failed_there
            refused = self.failed_there[asked[0]]
            assert refused is not None
            plugins.add(refused.plugin)
        outside = None
        if self.order is not None and self.names is not None:
            outside = ~self.cluster.nodes.named(self.names)
        absent = f"node(s) didn't satisfy plugin(s) [{' '.join(sorted(plugins))}]"
        return Statuses(self.cluster, self.look, absent, outside, asked)

    @cached_property
    def visited(self) -> list[int]:
        """The nodes of the window that were looked at, in order."""
        first = self.look.verdicts_by_host()
        order = self.order or []
        count = int((first[order] != UNASKED).sum()) if order else 0
        return [order[(self.start + turn) % len(order)] for turn in range(count)]

    def reasons(self) -> Counter[str]:
        """Reason -> nodes that give it."""
        counts: Counter[str] = Counter()
        for (_, reason), times in self.statuses.histogram().items():
            counts[reason] += times
        return counts


class Cycle:
    """The cycles of one cluster, one after another."""

    def __init__(self, cluster: Cluster, sampling: Sampling | None = None) -> None:
        """sampling: look at a part of the nodes, as the peer does; None looks at all."""
        self._cluster = cluster
        self._sampling = sampling
        self._waiting: dict[str, tuple[Pod, int, int]] = {}  # pod -> itself, node and promise

    def nominate(self, pod: Pod) -> None:
        """A pod waits for its nominated node; others of at most its priority leave it room there."""
        host = self._cluster.nodes.index.get((pod.status and pod.status.nominated_node_name) or "")
        if host is not None:
            promise = self._cluster.fleet.promise(self._cluster.holder(pod), host, priority(pod))
            self._waiting[pod.key] = pod, host, promise

    def clear(self, host: int, level: int) -> list[str]:
        """Nominations for this node of a lower priority are gone; returns their pods."""
        weaker = [key for key, (pod, where, _) in self._waiting.items() if where == host and priority(pod) < level]
        for key in weaker:
            self.withdraw(key)
        return weaker

    def withdraw(self, key: str) -> None:
        """A pod no longer waits for its node, if it did."""
        if key in self._waiting:
            self._cluster.fleet.withdraw(self._waiting.pop(key)[2])

    def decide(self, pod: Pod, nominated: str | None = None) -> Decision:
        """One decision; only the place where the next window starts has changed. nominated: the node that the pod
        waits for, if not the one in its status.
        """
        cluster, fleet = self._cluster, self._cluster.fleet
        self.withdraw(pod.key)
        pre_filter = cluster.book(pod).pre_filter
        request, names = cluster.request(pod), pre_filter.names(pod)
        refusal = pre_filter.refusal(pod)
        nominated = nominated or (pod.status.nominated_node_name if pod.status else None)
        host = None if refusal is not None else cluster.nodes.index.get(nominated or "")
        failed = None
        if host is not None:
            look = fleet.explain(request if names is None else cluster.request(pod, anywhere=True))
            failed = Statuses(cluster, look)
            if failed[host] is None:
                return Decision(cluster, pod, request, look, None, names, nominated, True, feasible=[host], host=host)
        order = None if self._sampling is None or refusal is not None else self._sampling.order(names)
        decision = Decision(
            cluster, pod, request, fleet.explain(request), refusal, names, nominated, failed_there=failed, order=order
        )
        if self._sampling is not None and order is not None:
            decision.start = self._sampling.start
            self._sampling.open(fleet, order, cluster.percentage(pod))
            decision.look = fleet.explain(request)
            judged = set(decision.visited) | ({host} if failed is not None else set())
            self._sampling.start = (decision.start + len(judged)) % len(cluster.nodes)
            fleet.window(None)
        feasible = np.flatnonzero(decision.look.verdicts_by_host() == 255)
        decision.feasible = feasible.tolist()
        if order is not None:
            passed = set(decision.feasible)
            decision.feasible = [number for number in decision.visited if number in passed]
        decision.host = decision.look.host
        return decision

    def bind(self, decision: Decision, start: str | None = None) -> int:
        """The pod takes its node; returns the engine's item."""
        assert decision.host is not None
        item = int(self._cluster.fleet.claim(decision.request, decision.host)[0])
        self._cluster.held[item] = bound_to(decision.pod, self._cluster.nodes.names[decision.host], start)
        return item


def bound_to(pod: Pod, node: str, start: str | None) -> Pod:
    """The pod as it stands on its node."""
    spec = msgspec.structs.replace(pod.spec or PodSpec(), node_name=node)
    status = msgspec.structs.replace(pod.status or PodStatus(), nominated_node_name=None, start_time=start)
    return msgspec.structs.replace(pod, spec=spec, status=status)
