"""A compiled cluster and what stands on it: the engine's item of every pod that has a node, the promise of every pod
that waits for one. Kept in step pod by pod; what cannot be (nodes, volumes, resources never met) is compiled anew by
`live`. Knows no time and no protocol.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType

import numpy as np

from binwright.kubernetes.compile import Cluster
from binwright.kubernetes.configuration import SchedulerProfile
from binwright.kubernetes.objects import Node, Pod
from binwright.kubernetes.pending import has_node, priority
from binwright.kubernetes.plugins.disks import volume_claims
from binwright.kubernetes.preemption import Preemption
from binwright.kubernetes.related import Related
from binwright.kubernetes.vocabulary import Vocabulary
from binwright.request import Request

__all__ = ["Standing"]

_FEWEST_CLASSES = 1024
_CELLS = 10_000_000
"""Cells (classes x nodes) that classes made on the way may fill before it is better to compile anew."""
_MOST_QUESTIONS = 100_000
_MOST_BUDGETS = 20_000
"""After so many everything that was kept for what is long gone is let go."""


class Standing:
    """One compiled cluster in step with its pods. Raises InputError for pods that cannot be compiled."""

    def __init__(
        self,
        nodes: Sequence[Node],
        pods: Iterable[Pod],
        wanted: Iterable[Pod],
        profiles: Sequence[SchedulerProfile],
        related: Related,
        assumed: Mapping[str, Pod] = MappingProxyType({}),
    ) -> None:
        """pods: those that have a node, or are nominated for one. wanted: further ones like those asked about. assumed:
        of those that no event has shown on their node, by key, as they were when they looked for it.
        """
        pods = list(pods)
        known = [*pods, *wanted, *assumed.values()]
        self.cluster = Cluster(nodes, known, profiles, related)
        self._vocabulary = Vocabulary(known, self.cluster.resources, profiles, related)
        reserving = {key: pod for key, pod in assumed.items() if volume_claims(pod)}
        self.cluster.bind(pod for pod in pods if has_node(pod) and pod.key not in reserving)
        self._items = {pod.key: item for item, pod in self.cluster.held.items()}
        self._promises: dict[str, int] = {}
        for pod in pods:
            if not has_node(pod):
                self._nominate(pod)
        self._room = max(_FEWEST_CLASSES, _CELLS // max(len(nodes), 1))
        self._met: set[int] = set()  # classes
        self._questions = 0
        self._related = related
        self._preemption: Preemption | None = None
        self._budgets: tuple[object, ...] = ()
        self._budgets_made = 0
        for pod in pods:
            if pod.key in reserving:
                self.put(pod, reserving[pod.key])

    @property
    def worn(self) -> bool:
        """Whether so much was met that most of it may be of pods that are long gone."""
        worn = len(self._met) / self._room, self._questions / _MOST_QUESTIONS, self._budgets_made / _MOST_BUDGETS
        return max(worn) > 1

    def knows(self, pod: Pod) -> bool:
        """Whether a pod can be asked about, or put, beside those that are here. Raises InputError."""
        return self._vocabulary.covers(pod)

    def request(self, pod: Pod) -> Request:
        """The class of a pod that is asked about."""
        found = self.cluster.request(pod)
        self._met.add(found.index)
        self._questions += 1
        return found

    def put(self, pod: Pod, assumed: Pod | None = None) -> bool:
        """A pod is as it is said here: on its node, nominated for one, or neither. False: compile anew for it.

        assumed: the pod as it looked for the node; then it takes volumes that its claims wait for as well.

        Raises InputError for a pod that is malformed or too large; then nothing has changed.
        """
        node = (pod.spec and pod.spec.node_name) or (pod.status and pod.status.nominated_node_name)
        if not node or node not in self.cluster.nodes.index:
            self.remove(pod.key)
            return True
        if not self.knows(pod):
            return False
        reserves = assumed is not None and volume_claims(assumed)
        request = self.cluster.request(assumed) if assumed and reserves else self.cluster.holder(pod)
        self._met.add(request.index)
        token = self.cluster.fleet.checkpoint()
        before = self._items.get(pod.key), self._promises.get(pod.key)
        held = None if before[0] is None else self.cluster.held[before[0]]
        try:
            self.remove(pod.key)
            if has_node(pod):
                item = int(self.cluster.fleet.claim(request, [self.cluster.nodes.index[node]])[0])
                self.cluster.held[item] = pod
                self._items[pod.key] = item
            else:
                self._nominate(pod)
        except BaseException:
            self.cluster.fleet.rollback(token)
            if before[0] is not None and held is not None:
                self._items[pod.key], self.cluster.held[before[0]] = before[0], held
            if before[1] is not None:
                self._promises[pod.key] = before[1]
            raise
        self.cluster.fleet.keep(token)
        return True

    def remove(self, key: str) -> None:
        """A pod is gone, or has no node and waits for none."""
        if key in self._items:
            item = self._items.pop(key)
            self.cluster.fleet.release([item])
            del self.cluster.held[item]
        if key in self._promises:
            self.cluster.fleet.withdraw(self._promises.pop(key))

    @contextmanager
    def without(self, key: str) -> Iterator[Cluster]:
        """The cluster as it is for a pod that looks for a node: itself neither there nor waiting."""
        if key not in self._items and key not in self._promises:
            yield self.cluster
            return
        token = self.cluster.fleet.checkpoint()
        try:
            if key in self._items:
                self.cluster.fleet.release([self._items[key]])
            if key in self._promises:
                self.cluster.fleet.withdraw(self._promises[key])
            yield self.cluster
        finally:
            self.cluster.fleet.rollback(token)

    def tell_worth(self, hosts: np.ndarray) -> None:
        """Let the engine know what the pods on these nodes are worth, and the disruption budgets as they are now."""
        budgets = tuple(self._related.all("PodDisruptionBudget"))
        if self._preemption is None or budgets != self._budgets:
            self._preemption, self._budgets = Preemption(self.cluster, ()), budgets
            self._budgets_made += len(budgets)
        held, fleet = self.cluster.held, self.cluster.fleet
        items = (item for host in hosts.tolist() for item in fleet.items_on(host).tolist())
        self._preemption.mark(item for item in items if item in held)

    def _nominate(self, pod: Pod) -> None:
        host = self.cluster.nodes.index.get((pod.status and pod.status.nominated_node_name) or "")
        if host is not None:
            self._promises[pod.key] = self.cluster.fleet.promise(self.cluster.holder(pod), host, priority(pod))
