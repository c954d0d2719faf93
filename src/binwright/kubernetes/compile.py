"""Nodes and pods compiled for the engine: nodes become a Fleet, pods become request classes.

A class is all that decides about a pod: its amounts, its traits and what each plugin reads of it. A plugin is asked
once per distinct reading, pods that agree in all readings share one request. Pods that hold a node need less: a class
of theirs says what they take and what they add to counters. Chooses nothing and words nothing for people.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence

import numpy as np

from binwright import Fleet
from binwright.kubernetes.alike import Alike
from binwright.kubernetes.configuration import Profiles, SchedulerProfile, profiles_of
from binwright.kubernetes.counts import Counts
from binwright.kubernetes.label_selectors import Needs
from binwright.kubernetes.nodes import NodeTable
from binwright.kubernetes.objects import Node, Pod
from binwright.kubernetes.pending import DEFAULT_SCHEDULER, priority
from binwright.kubernetes.plugins import PASSES, Filter, Score, balanced_allocation, node_resources_fit
from binwright.kubernetes.plugins.affinity_terms import terms_of
from binwright.kubernetes.plugins.node_volume_limits import limits
from binwright.kubernetes.plugins.spread_constraints import constraints_of
from binwright.kubernetes.plugins.volume_restrictions import EVERYWHERE
from binwright.kubernetes.related import Related
from binwright.kubernetes.requests import CPU, MEMORY, PODS, STORAGE, Amounts, Requests, amount, is_scalar
from binwright.kubernetes.rulebook import FIT, Rulebook, engine_profile
from binwright.kubernetes.traits import TraitsOf
from binwright.request import Request
from binwright.units import nanos

__all__ = ["FIT", "Cluster", "allocatable"]


class Cluster:
    """One cluster in the engine: `fleet` has a host per node in input order, holding nothing until `bind`.

    `resources` are the filtered ones: pods, cpu (millicores), memory, ephemeral-storage, then every other resource that
    a node offers, a pod asks for or the balanced score compares, by name. `held` has the pod of each item that this
    class bound, `alike` which pod stands for which others. Raises InputError naming node, pod and field for malformed
    amounts.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        pods: Iterable[Pod],
        profile: Profiles = None,
        related: Related | None = None,
        *,
        fit_score_pod_level: bool = False,
        empty_labels: bool = False,
    ) -> None:
        """pods: all that will be bound or asked about. profile: one, or several that share one queue: each pod is
        judged by that of its schedulerName, one of another scheduler by the first. fit_score_pod_level: see
        `requests.Requests`. empty_labels: quirk nsSelectorEmptyLabels of 1.34.1.
        """
        profiles = profiles_of(profile)
        self.scheduler = profiles[0]
        self.related = related or Related()
        self.nodes = NodeTable(nodes)
        self.held: dict[int, Pod] = {}
        pods = list(pods)
        self.alike = Alike(pods)
        kinds = self.alike.firsts()
        self._amounts = Requests(fit_score_pod_level)
        offered = [allocatable(node) for node in nodes]
        asked = {name for amounts in map(self._amounts.of, kinds) for name in (*amounts.used, *amounts.fit)}
        others = asked.union(*(one.balanced for one in profiles), *offered)
        self.resources = (PODS, CPU, MEMORY, STORAGE, *sorted(name for name in others if is_scalar(name)))
        columns = {
            name: np.fromiter((one.get(name, 0) for one in offered), np.int64, len(offered)) for name in self.resources
        }
        extra = dict.fromkeys(name for one in profiles for name in node_resources_fit.extra_columns(one.fit))
        self._extra = tuple(extra)
        for name in (CPU, MEMORY, *extra):
            if name not in columns:
                columns[name] = np.zeros(len(offered), np.int64)
            columns[node_resources_fit.score_column(name)] = columns[name]
        limited = limits(self.nodes.names, self.related)
        columns |= limited
        engine, called = engine_profile(profiles)
        self._by_scheduler = {one.scheduler_name: number for number, one in enumerate(profiles)}
        self._traits_of, keys = self._selected_by(kinds, profiles)
        self.fleet = Fleet(
            columns,
            names=self.nodes.names,
            profile=engine,
            scored_only=[name for name in columns if name not in self.resources],
            labels={EVERYWHERE: [EVERYWHERE] * len(offered), **{key: self.nodes.label(key).texts() for key in keys}},
        )
        self.counts = Counts(self.fleet)
        self._books: list[Rulebook] = []
        for one, names in zip(profiles, called):
            first = self._books[0] if self._books else None
            rest = one, self.counts, limited, empty_labels
            self._books.append(Rulebook(self.nodes, self.related, *rest, called=names, first=first))
        self.rules = self._books[0]
        self.rules.limits.attach(self.nodes.index)
        self.rules.restrictions.bound(pod for pod in pods if pod.spec and pod.spec.node_name in self.nodes.index)
        relations = {id(relation): relation for book in self._books for relation in book.relations}
        self._holding_relations = tuple(relations.values())
        self._skips = [[one.name for one in engine.scores if one.name not in names.values()] for names in called]
        self._columns: dict[tuple[str, int, Hashable], np.ndarray | None] = {}  # (part, plugin, reading) -> its answer
        self._registered: set[int] = set()  # classes that later counters will concern
        self._seeking: dict[tuple[Hashable, ...], Request] = {}
        self._holding: dict[tuple[Hashable, ...], Request] = {}
        self._of_kind: dict[tuple[int, bool], Request] = {}  # (a pod that stands for others, anywhere) -> its class
        self._holding_kind: dict[int, Request] = {}

    def _number(self, pod: Pod) -> int:
        """The pod's profile."""
        return self._by_scheduler.get((pod.spec and pod.spec.scheduler_name) or DEFAULT_SCHEDULER, 0)

    def book(self, pod: Pod) -> Rulebook:
        """The plugins of the pod's profile."""
        return self._books[self._number(pod)]

    def percentage(self, pod: Pod) -> int | None:
        """Of the nodes that sampling looks at for the pod; None where there is one profile, whose user knows it."""
        return self.book(pod).scheduler.percentage if len(self._books) > 1 else None

    def _selected_by(self, pods: Iterable[Pod], profiles: Sequence[SchedulerProfile]) -> tuple[TraitsOf, list[str]]:
        """What pods select each other by, and the topology keys over which they do."""
        needed: dict[Needs, None] = {}
        topology: set[str] = set()
        selecting = False
        for pod in pods:
            terms = [term for some in terms_of(pod) for term in some]
            constraints = constraints_of(pod, profiles[self._number(pod)].spread, self.related)[0]
            if not terms and not constraints:
                continue
            selecting = True
            topology.update(term.key for term in terms)
            topology.update(one.key for one in constraints)
            for selector in (*(term.about.selector for term in terms), *(one.selector for one in constraints)):
                needed.update(dict.fromkeys(selector or ()))
        return TraitsOf(needed, selecting), sorted(topology - {EVERYWHERE})

    # ---- classes -------------------------------------------------------------------------------------------

    def request(self, pod: Pod, *, anywhere: bool = False) -> Request:
        """The request class of a pod that looks for a node. anywhere: without its restriction by node names."""
        first = pod if pod.spec is None or pod.spec.node_name else self.alike.first(pod)
        known = self._of_kind.get((id(first), anywhere))
        if known is None:
            known = self._sought(first, anywhere)
            if first is not pod or self.alike.keeps(pod):  # else it may be gone tomorrow, and its id another's
                self._of_kind[id(first), anywhere] = known
        return known

    def _sought(self, pod: Pod, anywhere: bool) -> Request:
        number = self._number(pod)
        rules = self._books[number]
        scheduler = rules.scheduler
        amounts, traits = self._amounts.of(pod), self._traits_of(pod)
        filters = [one for one in rules.filters if not (anywhere and one is rules.pre_filter)]
        readings = tuple(one.key(pod) for one in filters), tuple(one.key(pod) for one in rules.scores)
        related = tuple(one.key(pod) for one in rules.relations)
        skipped = tuple(one.plugin for one in rules.scores if one.skips(pod))
        if balanced_allocation.NAME in rules.called and balanced_allocation.skips(scheduler.balanced, amounts):
            skipped += (balanced_allocation.NAME,)
        key = (number, id(amounts), readings, related, skipped, traits, priority(pod), anywhere)
        if key not in self._seeking:
            held = self._held(pod)
            terms = [term for one in rules.relations for term in one.terms(pod, traits)]
            by_rule = {one.rule: (one, reading) for one, reading in zip(filters, readings[0])}
            by_score = {rules.called[one.plugin]: (one, reading) for one, reading in zip(rules.scores, readings[1])}
            made = self.fleet.request(
                node_resources_fit.demand(scheduler.fit, amounts) if rules.runs(FIT) else {},
                commit=self._taken(amounts),
                score=self._scored(amounts),
                rejects=self._answers("rejects", by_rule, pod),
                raw=self._answers("raw", by_score, pod),
                skip=[*(rules.called[plugin] for plugin in skipped), *self._skips[number]],
                terms=terms,
                contributes=held | self.counts.matching(traits),
                priority=priority(pod),
                kind=("seeks", number, traits, related),
            )
            self._seeking[key] = made
            if made.index not in self._registered:
                self._registered.add(made.index)
                self.counts.register(made, traits)
                for relation in rules.relations:
                    relation.compiled(made, pod, traits)
        return self._seeking[key]

    def eligible(self, pod: Pod) -> np.ndarray:
        """(nodes,) bool: no rule about what a node is rejects the pod. What lies there, and amounts, are not asked."""
        by_rule = {one.rule: (one, one.key(pod)) for one in self.book(pod).filters}
        passes = np.ones(len(self.nodes), np.bool_)
        for column in self._answers("rejects", by_rule, pod).values():
            passes &= ~column if column.dtype == np.bool_ else column == PASSES
        return passes

    def holder(self, pod: Pod) -> Request:
        """The class of a pod that has a node, or was promised one: what it takes and adds to counters there."""
        first = self.alike.first(pod)
        known = self._holding_kind.get(id(first))
        if known is None:
            known = self._holder(first)
            if first is not pod or self.alike.keeps(pod):
                self._holding_kind[id(first)] = known
        return known

    def _holder(self, pod: Pod) -> Request:
        amounts, traits = self._amounts.of(pod), self._traits_of(pod)
        key = (id(amounts), traits, *(one.key(pod) for one in self._holding_relations if one.holding))
        if key not in self._holding:
            contributes = self._held(pod) | self.counts.matching(traits)
            kind = ("holds", *key[1:])
            made = self.fleet.request({}, commit=self._taken(amounts), contributes=contributes, kind=kind)
            self._holding[key] = made
            if made.index not in self._registered:
                self._registered.add(made.index)
                self.counts.register(made, traits)
        return self._holding[key]

    def _held(self, pod: Pod) -> dict[int, tuple[int, int]]:
        """What the plugins count of a pod itself."""
        return {
            counter: amount if isinstance(amount, tuple) else (amount, amount)
            for one in self._holding_relations
            for counter, amount in one.held(pod).items()
        }

    def _answers(
        self, part: str, plugins: Mapping[str, tuple[Filter | Score, Hashable]], pod: Pod
    ) -> dict[str, np.ndarray]:
        """What the plugins say of this pod in `part` ("rejects" or "raw"), without those that say nothing."""
        answers: dict[str, np.ndarray] = {}
        for name, (plugin, reading) in plugins.items():
            if reading is None:
                continue
            key = (part, id(plugin), reading)
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
        for name in self._extra:
            taken[node_resources_fit.score_column(name)] = amounts.used.get(name, 0)
        return taken

    def _scored(self, amounts: Amounts) -> dict[str, int]:
        """What the two resource scores add to what is used on a node."""
        seen = dict(amounts.balanced_score)
        for name in (CPU, MEMORY, *self._extra):
            seen[node_resources_fit.score_column(name)] = amounts.fit_score.get(name, 0)
        return seen

    # ---- pods on nodes -------------------------------------------------------------------------------------

    def bind(self, pods: Iterable[Pod]) -> list[Pod]:
        """Let pods that have a node take their amounts there. Returns those whose node is not in the input."""
        strays: list[Pod] = []
        bound: list[Pod] = []
        requests: list[Request] = []
        hosts: list[int] = []
        for pod in pods:
            host = self.nodes.index.get((pod.spec and pod.spec.node_name) or "")
            if host is None:
                strays.append(pod)
                continue
            bound.append(pod)
            requests.append(self.holder(pod))
            hosts.append(host)
        if hosts:
            items = self.fleet.claim_many(requests, None, np.array(hosts, np.int64))
            self.held.update(zip(items.tolist(), bound))
        return strays


def allocatable(node: Node) -> dict[str, int]:
    """What a node offers, by resource; names without amount are left out.

    Where only the capacity is stated all of it can be allocated, as the API server fills it in. Raises InputError
    naming node and field for a malformed quantity.
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
