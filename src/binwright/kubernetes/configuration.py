"""Scheduler profiles: kube-scheduler's default one, and those of a KubeSchedulerConfiguration (kubernetes spec 2.1).

Says which filters and scores run, with which weights and arguments. What a configuration asks for and is not carried
out is kept by name in `not_evaluated`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from binwright.errors import InputError
from binwright.formats import documents
from binwright.formats.documents import shape_problem
from binwright.formats.files import read_path
from binwright.kubernetes.objects import NodeAffinity, SpreadConstraint
from binwright.kubernetes.pending import DEFAULT_SCHEDULER
from binwright.kubernetes.plugins import balanced_allocation
from binwright.kubernetes.plugins.inter_pod_affinity import InterPodArgs
from binwright.kubernetes.plugins.node_resources_fit import BY_DEFAULT, FitArgs
from binwright.kubernetes.plugins.spread_constraints import SpreadArgs, check_numbers
from binwright.kubernetes.ranges import ADDED_WEIGHTS, HARD_WEIGHTS, check, check_each
from binwright.units import shown

__all__ = ["DEFAULT_SCORES", "Profiles", "SchedulerProfile", "profiles_of", "read_configuration", "read_file"]

DEFAULT_SCORES = {
    "TaintToleration": 3,
    "NodeAffinity": 2,
    "NodeResourcesFit": 1,
    "VolumeBinding": 1,
    "PodTopologySpread": 2,
    "InterPodAffinity": 2,
    "NodeResourcesBalancedAllocation": 1,
    "ImageLocality": 1,
}
"""Score plugins of the default profile, in order, with their weights."""

DEFAULT_FILTERS = (
    "NodeUnschedulable",
    "NodeName",
    "TaintToleration",
    "NodeAffinity",
    "NodePorts",
    "NodeResourcesFit",
    "VolumeRestrictions",
    "NodeVolumeLimits",
    "VolumeBinding",
    "VolumeZone",
    "PodTopologySpread",
    "InterPodAffinity",
    "DynamicResources",
)
"""Filter plugins of the default profile, in order."""

_DEFAULT = dict.fromkeys(("PrioritySort", "SchedulingGates", *DEFAULT_FILTERS, "DefaultPreemption", "DefaultBinder"), 1)
_DEFAULT |= DEFAULT_SCORES
"""multiPoint of the default profile; its order among scores is that of DEFAULT_SCORES."""
COSCHEDULING = "Coscheduling"
"""The plugin of scheduler-plugins that places the pods of a PodGroup together (see `gangs`)."""
_CARRIED_OUT = ("multiPoint", "score", "filter", "postFilter")

_STRATEGIES = ("LeastAllocated", "MostAllocated", "RequestedToCapacityRatio")


@dataclass(frozen=True)
class SchedulerProfile:
    """One profile. `scores`: plugin -> weight in the order in which they are summed. `percentage`: of the nodes that
    sampling looks at, 0 adapts to their number. `gangs`: whether Coscheduling runs.
    """

    scheduler_name: str = DEFAULT_SCHEDULER
    scores: Mapping[str, int] = field(default_factory=lambda: dict(DEFAULT_SCORES))
    fit: FitArgs = field(default_factory=FitArgs)
    balanced: tuple[str, ...] = balanced_allocation.RESOURCES
    added_affinity: NodeAffinity | None = None
    spread: SpreadArgs = field(default_factory=SpreadArgs)
    inter_pod: InterPodArgs = field(default_factory=InterPodArgs)
    filters: frozenset[str] = frozenset(DEFAULT_FILTERS)
    preempts: bool = True
    gangs: bool = False
    percentage: int = 0
    not_evaluated: tuple[str, ...] = ()


class _Part(msgspec.Struct, rename="camel"):
    pass


class _Enabled(_Part):
    name: str
    weight: int = 0


class _Point(_Part):
    enabled: list[_Enabled] = []
    disabled: list[_Enabled] = []


class _PluginConfig(_Part):
    name: str
    args: dict[str, Any] = {}


class _Profile(_Part):
    scheduler_name: str = DEFAULT_SCHEDULER
    percentage: int | None = msgspec.field(name="percentageOfNodesToScore", default=None)
    plugins: dict[str, _Point | None] = {}
    plugin_config: list[_PluginConfig] = []


class _Configuration(_Part):
    percentage: int | None = msgspec.field(name="percentageOfNodesToScore", default=None)
    profiles: list[_Profile] = []
    extenders: list[Any] = []


class _Weighted(_Part):
    name: str
    weight: int = 0


class _ShapePoint(_Part):
    utilization: int
    score: int = 0


class _Ratio(_Part):
    shape: list[_ShapePoint] = []


class _Strategy(_Part):
    type: str = "LeastAllocated"
    resources: list[_Weighted] = []
    requested_to_capacity_ratio: _Ratio | None = None


class _FitArgs(_Part):
    scoring_strategy: _Strategy | None = None
    ignored_resources: list[str] = []
    ignored_resource_groups: list[str] = []


class _BalancedArgs(_Part):
    resources: list[_Weighted] = []


class _AffinityArgs(_Part):
    added_affinity: NodeAffinity | None = None


class _SpreadArgs(_Part):
    default_constraints: tuple[SpreadConstraint, ...] = ()
    defaulting_type: str = "System"


class _InterPodArgs(_Part):
    hard_pod_affinity_weight: int = 1
    ignore_preferred_terms_of_existing_pods: bool = False


Profiles = SchedulerProfile | Sequence[SchedulerProfile] | None
"""One profile, several that share a queue, or None for the default one."""


def profiles_of(given: Profiles) -> tuple[SchedulerProfile, ...]:
    """All of them, at least one."""
    return tuple(given) if isinstance(given, Sequence) else (given or SchedulerProfile(),)


def read_configuration(data: Mapping[str, Any], where: str = "configuration") -> list[SchedulerProfile]:
    """The profiles of a KubeSchedulerConfiguration given as plain objects; without any, the default one.

    Raises InputError "WHERE: ..." naming the field for what is malformed.
    """
    found = _convert(data, _Configuration, where)
    left_out = tuple(["extenders"] if found.extenders else [])
    if not found.profiles:
        return [SchedulerProfile(percentage=found.percentage or 0, not_evaluated=left_out)]
    names = [one.scheduler_name for one in found.profiles]
    if len(set(names)) != len(names):
        raise InputError(f"{where}: two profiles of one schedulerName")
    return [
        _profile(one, f"{where}: profile {one.scheduler_name}", left_out, found.percentage or 0)
        for one in found.profiles
    ]


def read_file(path: str) -> list[SchedulerProfile]:
    """The profiles of a file with a KubeSchedulerConfiguration, the one named default-scheduler first if there is one.

    Raises InputError naming the file.
    """
    loaded = [one for blob in read_path(path) for one in documents.load(blob)]
    if len(loaded) != 1 or not isinstance(loaded[0], dict):
        raise InputError(f"{path}: not one KubeSchedulerConfiguration")
    kind = loaded[0].get("kind")
    if kind != "KubeSchedulerConfiguration":
        raise InputError(f"{path}: kind: {shown(kind)} is not KubeSchedulerConfiguration")
    return sorted(read_configuration(loaded[0], path), key=lambda one: one.scheduler_name != DEFAULT_SCHEDULER)


def _profile(found: _Profile, where: str, left_out: tuple[str, ...], percentage: int) -> SchedulerProfile:
    not_evaluated = [*left_out]
    args: dict[str, Any] = {}
    for one in found.plugin_config:
        if one.name in args:
            raise InputError(f"{where}: pluginConfig {shown(one.name)}: stands twice")
        args[one.name] = one.args
    fit, balanced, affinity = FitArgs(), balanced_allocation.RESOURCES, None
    spread, inter_pod = SpreadArgs(), InterPodArgs()
    for name, values in args.items():
        place = f"{where}: {name}"
        if name == "NodeResourcesFit":
            fit = _fit(_convert(values, _FitArgs, place), place)
        elif name == "NodeResourcesBalancedAllocation":
            resources = _convert(values, _BalancedArgs, place).resources
            balanced = tuple(one.name for one in resources) or balanced
        elif name == "NodeAffinity":
            affinity = _added(_convert(values, _AffinityArgs, place), place)
        elif name == "PodTopologySpread":
            spread = _spread(_convert(values, _SpreadArgs, place), place)
        elif name == "InterPodAffinity":
            wishes = _convert(values, _InterPodArgs, place)
            check(wishes.hard_pod_affinity_weight, HARD_WEIGHTS, f"{place}: hardPodAffinityWeight")
            inter_pod = InterPodArgs(wishes.hard_pod_affinity_weight, wishes.ignore_preferred_terms_of_existing_pods)
        elif name not in ("DefaultPreemption", COSCHEDULING):  # every node is a candidate, nobody waits
            not_evaluated.append(f"pluginConfig {name}")
    points = {name: point or _Point() for name, point in found.plugins.items()}
    gangs = any(one.name == COSCHEDULING for point in points.values() for one in point.enabled)
    multi = _everywhere(points.get("multiPoint", _Point()), where)
    scoring = {name: weight for name, weight in multi.items() if name in DEFAULT_SCORES}
    scores = _scores(points.get("score", _Point()), scoring, where)
    filters = _filters(points.get("filter", _Point()), multi.keys() & set(DEFAULT_FILTERS))
    post = points.get("postFilter", _Point())
    preempts = "DefaultPreemption" in _scores(post, {name: 1 for name in multi if name == "DefaultPreemption"}, where)
    named = dict.fromkeys((*multi, *scores, *sorted(filters), *(one.name for one in post.enabled)))
    not_evaluated += [
        f"plugins.{point}" for point, what in points.items() if point not in _CARRIED_OUT and not _is_idle(what)
    ]
    not_evaluated += [f"plugin {name}" for name in named if name not in (*_DEFAULT, COSCHEDULING)]
    return SchedulerProfile(
        found.scheduler_name,
        {name: weight for name, weight in scores.items() if name in DEFAULT_SCORES},
        fit,
        balanced,
        affinity,
        spread,
        inter_pod,
        filters=frozenset(filters),
        preempts=preempts,
        gangs=gangs,
        percentage=percentage if found.percentage is None else found.percentage,
        not_evaluated=tuple(not_evaluated),
    )


def _is_idle(point: _Point) -> bool:
    """Whether a point changes nothing that is not carried out: at most Coscheduling in the place of PrioritySort."""
    others = {one.name for one in point.enabled} - {COSCHEDULING}
    instead = {one.name for one in point.disabled} <= ({"*", "PrioritySort"} if point.enabled else set())
    return not others and instead


def _everywhere(custom: _Point, where: str) -> dict[str, int]:
    """multiPoint: the plugins of all points in order, with the weights they score with. A default that is enabled again
    keeps its place.
    """
    _check_weights(custom, where)
    disabled = {one.name for one in custom.disabled}
    kept = {} if "*" in disabled else {name: w for name, w in _DEFAULT.items() if name not in disabled}
    return kept | {one.name: one.weight or 1 for one in custom.enabled}


def _scores(point: _Point, base: Mapping[str, int], where: str) -> dict[str, int]:
    """What multiPoint gives less the disabled; an enabled one that is still there moves to the front, another to the
    end.
    """
    _check_weights(point, where)
    disabled = {one.name for one in point.disabled}
    kept = {} if "*" in disabled else {name: w for name, w in base.items() if name not in disabled}
    enabled = {one.name: one.weight or 1 for one in point.enabled}
    front = {name: weight for name, weight in enabled.items() if name in kept}
    return front | {name: weight for name, weight in kept.items() if name not in front} | enabled


def _filters(point: _Point, base: Iterable[str]) -> set[str]:
    """The Filter plugins, whose order stays the default one."""
    disabled = {one.name for one in point.disabled}
    kept = set() if "*" in disabled else set(base) - disabled
    return kept | {one.name for one in point.enabled}


def _check_weights(point: _Point, where: str) -> None:
    for one in point.enabled:
        if not 0 <= one.weight <= 2**20:
            raise InputError(f"{where}: score plugin {shown(one.name)}: weight {one.weight} is not in 0..{2**20}")


def _fit(found: _FitArgs, where: str) -> FitArgs:
    strategy = found.scoring_strategy or _Strategy()
    if strategy.type not in _STRATEGIES:
        known = ", ".join(_STRATEGIES)
        raise InputError(f"{where}: scoringStrategy.type: {shown(strategy.type)} is not one of {known}")
    ratio = strategy.requested_to_capacity_ratio
    return FitArgs(
        strategy=strategy.type,
        resources={one.name: one.weight or 1 for one in strategy.resources} or dict(BY_DEFAULT),
        shape=tuple((point.utilization, point.score) for point in ratio.shape) if ratio else (),
        ignored=frozenset(found.ignored_resources),
        ignored_groups=frozenset(found.ignored_resource_groups),
    )


def _added(found: _AffinityArgs, where: str) -> NodeAffinity | None:
    added = found.added_affinity
    listed = (added.preferred_during_scheduling_ignored_during_execution if added else None) or ()
    where = f"{where}: addedAffinity.preferredDuringSchedulingIgnoredDuringExecution"
    check_each((one.weight for one in listed), ADDED_WEIGHTS, where, "weight")
    return added


def _spread(found: _SpreadArgs, where: str) -> SpreadArgs:
    if found.defaulting_type not in ("System", "List"):
        raise InputError(f"{where}: defaultingType: {shown(found.defaulting_type)} is not System or List")
    if found.defaulting_type == "System":
        return SpreadArgs()
    check_numbers(found.default_constraints, f"{where}: defaultConstraints")
    return SpreadArgs(found.default_constraints, system=False)


def _convert(data: Any, kind: type, where: str) -> Any:
    try:
        return msgspec.convert(data, type=kind)
    except msgspec.ValidationError as problem:
        path, what = shape_problem(problem)
        raise InputError(f"{where}: {path.removeprefix('.') or 'the configuration'}: {what}") from None
