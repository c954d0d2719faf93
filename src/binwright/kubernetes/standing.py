"""A compiled cluster and what stands on it: the engine's item of every pod that has a node, the promise of every pod
that waits for one. Kept in step pod by pod; what cannot be (nodes, volumes, resources never met) is compiled anew by
`live`. Knows no time and no protocol.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from binwright.kubernetes.compile import Cluster
from binwright.kubernetes.configuration import SchedulerProfile
from binwright.kubernetes.objects import Node, Pod
from binwright.kubernetes.pending import has_node, priority
from binwright.kubernetes.related import Related
from binwright.kubernetes.vocabulary import Vocabulary
from binwright.request import Request

__all__ = ["Standing"]

_FEWEST_CLASSES = 256
_CELLS = 2_000_000
"""Cells (classes x nodes) that classes made on the way may fill before it is better to compile anew."""
_MOST_QUESTIONS = 100_000
"""After so many everything that was kept for pods long gone is let go."""


class Standing:
    """One compiled cluster in step with its pods. Raises InputError for pods that cannot be compiled."""

    def __init__(
        self,
        nodes: Sequence[Node],
        pods: Iterable[Pod],
        wanted: Iterable[Pod],
        profiles: Sequence[SchedulerProfile],
        related: Related,
    ) -> None:
        """pods: those that have a node, or are nominated for one. wanted: further ones like those asked about."""
        pods = list(pods)
        known = [*pods, *wanted]
        self.cluster = Cluster(nodes, known, profiles, related)
        self._vocabulary = Vocabulary(known, self.cluster.resources, profiles, related)
        self.cluster.bind(pod for pod in pods if has_node(pod))
        self._items = {pod.key: item for item, pod in self.cluster.held.items()}
        self._promises: dict[str, int] = {}
        for pod in pods:
            if not has_node(pod):
                self._nominate(pod)
        self._room = max(_FEWEST_CLASSES, _CELLS // max(len(nodes), 1))
        self._met: set[int] = set()  # classes
        self._questions = 0

    @property
    def worn(self) -> bool:
        """Whether so much was met that most of it may be of pods that are long gone."""
        return len(self._met) > self._room or self._questions > _MOST_QUESTIONS

    def knows(self, pod: Pod) -> bool:
        """Whether a pod can be asked about, or put, beside those that are here. Raises InputError."""
        return self._vocabulary.covers(pod)

    def request(self, pod: Pod) -> Request:
        """The class of a pod that is asked about."""
        found = self.cluster.request(pod)
        self._met.add(found.index)
        self._questions += 1
        return found

    def put(self, pod: Pod) -> bool:
        """A pod is as it is said here: on its node, nominated for one, or neither. False: compile anew for it.

        Raises InputError for a pod that is malformed or too large; then nothing has changed.
        """
        node = (pod.spec and pod.spec.node_name) or (pod.status and pod.status.nominated_node_name)
        if not node or node not in self.cluster.nodes.index:
            self.remove(pod.key)
            return True
        if not self.knows(pod):
            return False
        request = self.cluster.holder(pod)
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

    def items_on(self, hosts: np.ndarray) -> list[int]:
        """The items of pods on these nodes."""
        held = self.cluster.held
        return [item for host in hosts.tolist() for item in self.cluster.fleet.items_on(host).tolist() if item in held]

    def _nominate(self, pod: Pod) -> None:
        host = self.cluster.nodes.index.get((pod.status and pod.status.nominated_node_name) or "")
        if host is not None:
            self._promises[pod.key] = self.cluster.fleet.promise(self.cluster.holder(pod), host, priority(pod))
