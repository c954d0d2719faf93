"""The plugins of one scheduler profile over one cluster, in their order, and the engine's profile that they make.

Which plugin runs is decided here; what a plugin decides is its own file's. `compile` asks the plugins in these lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from binwright import Profile, Rule
from binwright.kubernetes.configuration import SchedulerProfile
from binwright.kubernetes.counts import Counts
from binwright.kubernetes.nodes import NodeTable
from binwright.kubernetes.objects import Pod
from binwright.kubernetes.plugins import Filter, Relation, Score, balanced_allocation, node_resources_fit
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
from binwright.profile import count_score, spread_score, static_score

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


def engine_profile(scheduler: SchedulerProfile) -> Profile:
    """The engine's rules and scores for a scheduler profile."""
    rules = [
        Rule(FIT, kind="fit", resolvable=(PODS,)) if one is FIT else Rule(one.rule)  # type: ignore[union-attr]
        for one in _RULES
    ]  # "Too many pods" alone: preemption may help
    scores = []
    for name, weight in scheduler.scores.items():
        if name == FIT:
            scores.append(node_resources_fit.term(scheduler.fit, weight))
        elif name == balanced_allocation.NAME:
            scores.append(balanced_allocation.term(scheduler.balanced, weight))
        elif name == PodTopologySpread.plugin:
            scores.append(spread_score(name, weight=weight))
        elif name == InterPodAffinity.plugin:
            scores.append(count_score(name, weight=weight))
        elif name in _NORMALISE:
            scores.append(static_score(name, normalise=_NORMALISE[name], weight=weight))
    return Profile(rules=tuple(rules), scores=tuple(scores))


class Rulebook:
    """`filters` reject for what a node is, `relations` for what lies there; `scores` are static, too.

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
    ) -> None:
        """limited: columns of volume limits in the fleet. empty_labels: quirk nsSelectorEmptyLabels."""
        self.affinity = NodeAffinity(nodes, scheduler.added_affinity)
        self.taints = TaintToleration(nodes)
        self.binding = VolumeBinding(nodes, related)
        self.delayed = DelayedClaims(self.binding, VolumeChoice(counts.fleet, nodes, related))
        self.zone = VolumeZone(nodes, related)
        self.restrictions = VolumeRestrictions(counts, related)
        self.limits = NodeVolumeLimits(counts, related, limited)
        self._runs = scheduler.filters
        claims = related.stated("PersistentVolumeClaim", "PersistentVolume")
        refusing = [
            (one.plugin, one.refuses)
            for one in (self.restrictions, self.binding, self.zone)
            if claims and self.runs(one.plugin)
        ]
        self.pre_filter = PreFilter(nodes, self.runs("NodeAffinity"), refusing)
        static: list[Filter] = [NodeUnschedulable(nodes), NodeName(nodes), self.taints, self.affinity]
        if claims:
            static += [BoundClaims(self.binding), MissingVolumes(self.binding), self.zone]
        self.filters: tuple[Filter, ...] = (self.pre_filter, *(one for one in static if self.runs(one.plugin)))
        scores = scheduler.scores
        spread, inter_pod = PodTopologySpread.plugin, InterPodAffinity.plugin
        self.spread = PodTopologySpread(
            counts, nodes, related, scheduler.spread, filters=self.runs(spread), scores=spread in scores
        )
        both = {"filters": self.runs(inter_pod), "scores": inter_pod in scores}
        self.inter_pod = InterPodAffinity(counts, related, scheduler.inter_pod, empty_labels, **both)
        others: list[Relation] = [NodePorts(counts), self.restrictions, self.limits]
        if claims:
            others.append(self.delayed)
        running = [one for one in others if self.runs(one.plugin)]
        self.relations: tuple[Relation, ...] = (*running, self.spread, self.inter_pod)
        listed = (self.taints, self.affinity, ImageLocality(nodes))
        self.scores: tuple[Score, ...] = tuple(one for one in listed if one.plugin in scores)
        self._by_rule: dict[str, Filter | Relation] = {one.rule: one for one in self.filters}
        self._by_rule |= {one.rule: one for one in self.relations}

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
        if plugin is self.pre_filter:
            return self.pre_filter.plugin_of(number), self.pre_filter.text(number)
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
