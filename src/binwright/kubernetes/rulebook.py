"""The plugins of one scheduler profile over one cluster, in their order, and the engine's profile that they make.

Which plugin runs is decided here; what a plugin decides is its own file's. `compile` asks the plugins in these lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from binwright import Profile, Rule
from binwright.kubernetes.configuration import SchedulerProfile
from binwright.kubernetes.counts import Counts
from binwright.kubernetes.nodes import NodeTable
from binwright.kubernetes.objects import Pod
from binwright.kubernetes.plugins import Filter, Relation, balanced_allocation, node_resources_fit
from binwright.kubernetes.plugins import Score as ScorePlugin
from binwright.kubernetes.plugins.image_locality import ImageLocality
from binwright.kubernetes.plugins.inter_pod_affinity import InterPodAffinity
from binwright.kubernetes.plugins.node_affinity import NodeAffinity
from binwright.kubernetes.plugins.node_name import NodeName
from binwright.kubernetes.plugins.node_ports import NodePorts
from binwright.kubernetes.plugins.node_unschedulable import NodeUnschedulable
from binwright.kubernetes.plugins.node_volume_limits import NodeVolumeLimits
from binwright.kubernetes.plugins.pod_topology_spread import PodTopologySpread
from binwright.kubernetes.plugins.pre_filter import PreFilter
from binwright.kubernetes.plugins.taint_toleration import TaintToleration
from binwright.kubernetes.plugins.volume_binding import BoundClaims, DelayedClaims, MissingVolumes, VolumeBinding
from binwright.kubernetes.plugins.volume_restrictions import VolumeRestrictions
from binwright.kubernetes.plugins.volume_zone import VolumeZone
from binwright.kubernetes.related import Related
from binwright.kubernetes.requests import PODS
from binwright.kubernetes.volume_choice import VolumeChoice
from binwright.profile import Score, count_score, spread_score, static_score

__all__ = ["FIT", "Rulebook", "engine_profile"]

FIT = node_resources_fit.NAME
LOST = "cordon"
"""The engine's own rule for hosts that take nothing: only nodes that are lost, on trial, are closed this way."""
_RULES = (
    PreFilter, NodeUnschedulable, NodeName, TaintToleration, NodeAffinity, NodePorts, FIT, VolumeRestrictions,
    NodeVolumeLimits, BoundClaims, DelayedClaims, MissingVolumes, VolumeZone, PodTopologySpread, InterPodAffinity,
)  # fmt: skip
"""Every rule, in the order of the verdicts."""
_NORMALISE = {"TaintToleration": "reverse", "NodeAffinity": "max", "ImageLocality": None}


def engine_profile(schedulers: Sequence[SchedulerProfile]) -> tuple[Profile, list[dict[str, str]]]:
    """The engine's rules and scores for scheduler profiles that share one queue, and what each profile's score plugins
    are called there. A score that a later profile weighs like an earlier one is one score; requests skip those of other
    profiles.
    """
    rules = [
        Rule(FIT, kind="fit", resolvable=(PODS,)) if one is FIT else Rule(one.rule)  # type: ignore[union-attr]
        for one in _RULES
    ]  # "Too many pods" alone: preemption may help
    names: dict[Score, str] = {}
    called: list[dict[str, str]] = []
    for scheduler in schedulers:
        own = {}
        for plugin, weight in scheduler.scores.items():
            score = _engine_score(plugin, weight, scheduler)
            if score is not None:
                taken = plugin in names.values()
                own[plugin] = names.setdefault(score, f"{plugin} ({scheduler.scheduler_name})" if taken else plugin)
        called.append(own)
    scores = tuple(replace(score, name=name) for score, name in names.items())
    return Profile(rules=tuple(rules), scores=scores), called


def _engine_score(plugin: str, weight: int, scheduler: SchedulerProfile) -> Score | None:
    if plugin == FIT:
        return node_resources_fit.term(scheduler.fit, weight)
    if plugin == balanced_allocation.NAME:
        return balanced_allocation.term(scheduler.balanced, weight)
    if plugin == PodTopologySpread.plugin:
        return spread_score(plugin, weight=weight)
    if plugin == InterPodAffinity.plugin:
        return count_score(plugin, weight=weight)
    if plugin in _NORMALISE:
        return static_score(plugin, normalise=_NORMALISE[plugin], weight=weight)
    return None


class Rulebook:
    """`filters` reject for what a node is, `relations` for what lies there; `scores` are static, too. `called`: the
    engine's name of each score plugin.

    A rule whose kinds of objects are unknown (`Related.stated`) is left out; `not_evaluated` lists it.
    """

    def __init__(
        self,
        nodes: NodeTable,
        related: Related,
        scheduler: SchedulerProfile,
        counts: Counts,
        limited: Iterable[str],
        empty_labels: bool = False,
        *,
        called: Mapping[str, str],
        first: Rulebook | None = None,
    ) -> None:
        """limited: columns of volume limits in the fleet. empty_labels: quirk nsSelectorEmptyLabels. first: the book of
        another profile of the same cluster, with which this one shares every plugin that has no arguments.
        """
        self.scheduler = scheduler
        self.called = called
        self.affinity = NodeAffinity(nodes, scheduler.added_affinity)
        self.taints: TaintToleration = first.taints if first else TaintToleration(nodes)
        self.binding: VolumeBinding = first.binding if first else VolumeBinding(nodes, related)
        self.zone: VolumeZone = first.zone if first else VolumeZone(nodes, related)
        self.restrictions: VolumeRestrictions = first.restrictions if first else VolumeRestrictions(counts, related)
        self.limits: NodeVolumeLimits = first.limits if first else NodeVolumeLimits(counts, related, limited)
        self.ports: NodePorts = first.ports if first else NodePorts(counts)
        self.images: ImageLocality = first.images if first else ImageLocality(nodes)
        self._runs = scheduler.filters
        claims = related.stated("PersistentVolumeClaim", "PersistentVolume")
        refusing = [
            (one.plugin, one.refuses)
            for one in (self.restrictions, self.binding, self.zone)
            if claims and self.runs(one.plugin)
        ]
        known = first.pre_filter if first else None
        self.pre_filter: PreFilter = PreFilter(nodes, self.runs("NodeAffinity"), refusing, known)
        choice = VolumeChoice(counts.fleet, nodes, related)
        self.delayed: DelayedClaims = first.delayed if first else DelayedClaims(self.binding, choice)
        static: list[Filter] = [NodeUnschedulable(nodes), NodeName(nodes), self.taints, self.affinity]
        if claims:
            static += [BoundClaims(self.binding), MissingVolumes(self.binding), self.zone]
        self.filters: tuple[Filter, ...] = (self.pre_filter, *(one for one in static if self.runs(one.plugin)))
        self.spread = PodTopologySpread(
            counts,
            nodes,
            related,
            scheduler.spread,
            filters=self.runs(PodTopologySpread.plugin),
            score=called.get(PodTopologySpread.plugin),
        )
        self.inter_pod: InterPodAffinity = InterPodAffinity(
            counts,
            nodes,
            related,
            scheduler.inter_pod,
            empty_labels,
            filters=self.runs(InterPodAffinity.plugin),
            score=called.get(InterPodAffinity.plugin),
            others=first.inter_pod if first else None,
        )
        asked: list[Relation] = [self.ports, self.restrictions, self.limits]
        if claims:
            asked.append(self.delayed)
        asked = [one for one in asked if self.runs(one.plugin)]
        self.relations: tuple[Relation, ...] = (*asked, self.spread, self.inter_pod)
        listed = (self.taints, self.affinity, self.images)
        self.scores: tuple[ScorePlugin, ...] = tuple(one for one in listed if one.plugin in called)
        self._by_rule: dict[str, Filter | Relation] = first._by_rule if first else {}
        judging: list[Filter | Relation] = [*self.filters, *self.relations]
        for rule in judging:
            self._by_rule.setdefault(rule.rule, rule)

    def runs(self, plugin: str) -> bool:
        """Whether the Filter of a plugin is in the profile."""
        return plugin in self._runs

    def reason(self, rule: str, argument: int | str | None) -> tuple[str, str]:
        """(plugin, text) of a reason of the engine, as kube-scheduler words it."""
        if rule == FIT:
            return FIT, node_resources_fit.text(str(argument))
        if rule == LOST:
            return "TaintToleration", "node(s) had untolerated taint {node.kubernetes.io/unreachable: }"
        plugin = self._by_rule[rule]
        number = int(argument or 0)
        if isinstance(plugin, PreFilter):
            return plugin.plugin_of(number), plugin.text(number)
        return plugin.plugin, plugin.text(number)

    def skips(self, pod: Pod, active: frozenset[str]) -> Iterator[tuple[str, bool]]:
        """(plugin, whether its PreFilter says Skip for the pod), in plugin order. active: `Explanation.active`."""
        yield "NodeAffinity", not self.affinity.filters(pod)
        yield "NodePorts", NodePorts.rule not in active
        yield "VolumeRestrictions", VolumeRestrictions.rule not in active and not self.restrictions.has_disk(pod)
        yield "NodeVolumeLimits", not self.limits.filtering(pod)
        yield "VolumeBinding", not self.binding.filtering(pod)
        yield "VolumeZone", self.zone.key(pod) is None
        yield "PodTopologySpread", PodTopologySpread.rule not in active
        yield "InterPodAffinity", InterPodAffinity.rule not in active
        yield "DynamicResources", not (pod.spec and pod.spec.resource_claims)
