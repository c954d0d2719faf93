"""Nodes and pods compiled for the engine: nodes become a Fleet, pods become request classes.

A class is all that decides about a pod: its amounts and what each plugin reads of it. A plugin is asked once per
distinct reading, pods that agree in all readings share one request. Chooses nothing and words nothing for people but
the reasons of its own plugins.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence

import numpy as np

from binwright import Fleet, Profile, Rule
from binwright.kubernetes.configuration import SchedulerProfile
from binwright.kubernetes.nodes import NodeTable
from binwright.kubernetes.objects import Node, Pod
from binwright.kubernetes.plugins import Filter, Score, balanced_allocation, node_resources_fit
from binwright.kubernetes.plugins.image_locality import ImageLocality
from binwright.kubernetes.plugins.node_affinity import NodeAffinity, NodeAffinityNames
from binwright.kubernetes.plugins.node_name import NodeName
from binwright.kubernetes.plugins.node_unschedulable import NodeUnschedulable
from binwright.kubernetes.plugins.taint_toleration import TaintToleration
from binwright.kubernetes.requests import CPU, MEMORY, PODS, STORAGE, Amounts, Requests, amount, is_scalar
from binwright.profile import static_score
from binwright.request import Request
from binwright.units import nanos

__all__ = ["Cluster"]

FIT = node_resources_fit.NAME
_NORMALISE = {"TaintToleration": "reverse", "NodeAffinity": "max", "ImageLocality": None}


class Cluster:
    """One cluster in the engine: `fleet` has a host per node in input order, holding nothing until `bind`.

    `resources` are the filtered ones: pods, cpu (millicores), memory, ephemeral-storage, then every other resource that
    a node offers, a pod asks for or the balanced score compares, by name. Raises InputError naming node, pod and field
    for malformed amounts.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        pods: Iterable[Pod],
        profile: SchedulerProfile | None = None,
        *,
        fit_score_pod_level: bool = False,
    ) -> None:
        """pods: all that will be bound or asked about. fit_score_pod_level: see `requests.Requests`."""
        self.scheduler = profile or SchedulerProfile()
        self.nodes = NodeTable(nodes)
        self._amounts = Requests(fit_score_pod_level)
        names = NodeAffinityNames(self.nodes)
        affinity = NodeAffinity(self.nodes, self.scheduler.added_affinity)
        taints = TaintToleration(self.nodes)
        self.filters: tuple[Filter, ...] = (
            names, NodeUnschedulable(self.nodes), NodeName(self.nodes), taints, affinity,
        )  # fmt: skip
        self.scores: tuple[Score, ...] = tuple(
            one for one in (taints, affinity, ImageLocality(self.nodes)) if one.plugin in self.scheduler.scores
        )
        self._filter = {one.rule: one for one in self.filters}
        self._columns: dict[tuple[str, str, Hashable], np.ndarray | None] = {}  # (part, plugin, reading) -> its answer
        self._requests: dict[tuple[Hashable, ...], Request] = {}

        offered = [_allocatable(node) for node in nodes]
        asked = {name for amounts in map(self._amounts.of, pods) for name in (*amounts.used, *amounts.fit)}
        others = asked.union(self.scheduler.balanced, *offered)
        self.resources = (PODS, CPU, MEMORY, STORAGE, *sorted(name for name in others if is_scalar(name)))
        columns = {
            name: np.fromiter((one.get(name, 0) for one in offered), np.int64, len(offered)) for name in self.resources
        }
        for name in (CPU, MEMORY, *node_resources_fit.extra_columns(self.scheduler.fit)):
            if name not in columns:
                columns[name] = np.zeros(len(offered), np.int64)
            columns[node_resources_fit.score_column(name)] = columns[name]
        scored_only = [name for name in columns if name not in self.resources]
        self.fleet = Fleet(columns, names=self.nodes.names, profile=self._profile(), scored_only=scored_only)

    def _profile(self) -> Profile:
        fit = Rule(FIT, kind="fit", resolvable=(PODS,))  # "Too many pods" alone: preemption may help
        scores = []
        for name, weight in self.scheduler.scores.items():
            if name == FIT:
                scores.append(node_resources_fit.term(self.scheduler.fit, weight))
            elif name == balanced_allocation.NAME:
                scores.append(balanced_allocation.term(self.scheduler.balanced, weight))
            elif name in _NORMALISE:
                scores.append(static_score(name, normalise=_NORMALISE[name], weight=weight))
        return Profile(rules=(*(Rule(one.rule) for one in self.filters), fit), scores=tuple(scores))

    def request(self, pod: Pod) -> Request:
        """The request class of a pod that looks for a node."""
        amounts = self._amounts.of(pod)
        readings = tuple(one.key(pod) for one in self.filters), tuple(one.key(pod) for one in self.scores)
        skipped = tuple(one.plugin for one in self.scores if one.skips(pod))
        if balanced_allocation.NAME in self.scheduler.scores and balanced_allocation.skips(
            self.scheduler.balanced, amounts
        ):
            skipped += (balanced_allocation.NAME,)
        key = (id(amounts), readings, skipped)
        if key not in self._requests:
            filters = {one.rule: (one, reading) for one, reading in zip(self.filters, readings[0])}
            scores = {one.plugin: (one, reading) for one, reading in zip(self.scores, readings[1])}
            self._requests[key] = self.fleet.request(
                node_resources_fit.demand(self.scheduler.fit, amounts),
                commit=self._taken(amounts),
                score=self._scored(amounts),
                rejects=self._answers("rejects", filters, pod),
                raw=self._answers("raw", scores, pod),
                skip=skipped,
            )
        return self._requests[key]

    def _answers(
        self, part: str, plugins: Mapping[str, tuple[Filter | Score, Hashable]], pod: Pod
    ) -> dict[str, np.ndarray]:
        """What the plugins say of this pod in `part` ("rejects" or "raw"), without those that say nothing."""
        answers: dict[str, np.ndarray] = {}
        for name, (plugin, reading) in plugins.items():
            if reading is None:
                continue
            key = (part, name, reading)
            if key not in self._columns:
                self._columns[key] = getattr(plugin, part)(pod)
            column = self._columns[key]
            if column is not None:
                answers[name] = column
        return answers

    def _taken(self, amounts: Amounts) -> dict[str, int]:
        """What a bound pod of these amounts adds to every column of its node."""
        taken = {PODS: 1, **amounts.used}
        taken |= {node_resources_fit.score_column(name): value for name, value in amounts.used_nonzero.items()}
        for name in node_resources_fit.extra_columns(self.scheduler.fit):
            taken[node_resources_fit.score_column(name)] = amounts.used.get(name, 0)
        return taken

    def _scored(self, amounts: Amounts) -> dict[str, int]:
        """What the two resource scores add to what is used on a node."""
        seen = dict(amounts.balanced_score)
        for name in (CPU, MEMORY, *node_resources_fit.extra_columns(self.scheduler.fit)):
            seen[node_resources_fit.score_column(name)] = amounts.fit_score.get(name, 0)
        return seen

    def bind(self, pods: Iterable[Pod]) -> list[Pod]:
        """Let pods that have a node take their amounts there. Returns those whose node is not in the input."""
        strays: list[Pod] = []
        made: list[Request] = []
        which: list[int] = []
        hosts: list[int] = []
        position: dict[int, int] = {}
        for pod in pods:
            host = self.nodes.index.get((pod.spec and pod.spec.node_name) or "")
            if host is None:
                strays.append(pod)
                continue
            amounts = self._amounts.of(pod)
            if id(amounts) not in position:
                position[id(amounts)] = len(made)
                made.append(self.fleet.request({}, commit=self._taken(amounts)))
            which.append(position[id(amounts)])
            hosts.append(host)
        if hosts:
            self.fleet.claim_many(made, np.array(which, np.int64), np.array(hosts, np.int64))
        return strays

    def reason(self, rule: str, argument: int | str | None) -> tuple[str, str]:
        """(plugin, text) of a reason of the engine, as kube-scheduler words it."""
        if rule == FIT:
            return FIT, node_resources_fit.text(str(argument))
        plugin = self._filter[rule]
        return plugin.plugin, plugin.text(int(argument or 0))


def _allocatable(node: Node) -> dict[str, int]:
    """What a node offers, by resource; names without amount are left out.

    Where only the capacity is stated all of it can be allocated, as the API server fills it in.
    """
    status = node.status
    if status is None:
        return {}
    offered = status.capacity if status.allocatable is None else status.allocatable
    field = "capacity" if status.allocatable is None else "allocatable"
    where = f"Node {node.metadata.name}: status.{field}"
    found = {}
    for name, quantity in (offered or {}).items():
        if name in (PODS, CPU, MEMORY, STORAGE) or is_scalar(name):
            value = amount(name, nanos(quantity, f"{where}.{name}"), where)
            if value:
                found[name] = value
    return found
