"""What the API server makes of a pod before it stores it.

Defaults of the API, then the admission plugins that are on by default (LimitRanger, Priority, DefaultTolerationSeconds,
RuntimeClass), OpenShift's project node selector, and label keys merged into selectors (contracts, "What is pending").

Takes manifests, gives pods as a dump of the cluster would have them. Stored pods never come here. Places nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from binwright.errors import InputError
from binwright.formats.documents import shape_problem
from binwright.kubernetes.manifests import (
    LimitRangeItem,
    Manifest,
    ManifestPodAffinity,
    ManifestSpec,
    ManifestTerm,
    PriorityClass,
)
from binwright.kubernetes.objects import (
    Affinity,
    Container,
    ContainerPort,
    LabelSelector,
    Pod,
    PodAffinity,
    PodAffinityTerm,
    PodSpec,
    Quantities,
    Requirement,
    Resources,
    SpreadConstraint,
    Toleration,
    WeightedPodAffinityTerm,
)
from binwright.kubernetes.related import Related
from binwright.kubernetes.requests import pod_request
from binwright.outcome import NotEvaluated

__all__ = ["Admission", "Admitted", "admitted", "manifest"]

_Part = TypeVar("_Part")
_SYSTEM_CLASSES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
_NOT_READY = "node.kubernetes.io/not-ready"
_UNREACHABLE = "node.kubernetes.io/unreachable"
_PROJECT_SELECTOR = "openshift.io/node-selector"
_POD_LEVEL = ("cpu", "memory")
_PAGES = "hugepages-"


@dataclass(frozen=True, slots=True)
class Admitted:
    """A pod as it is stored; `refusal` is what the API server says instead of storing it, None if it does."""

    pod: Pod
    refusal: str | None = None


def manifest(data: Mapping[str, Any], where: str) -> Manifest:
    """A Pod manifest from plain objects. Raises InputError "WHERE: FIELD: ..." for a field of the wrong kind."""
    try:
        found = msgspec.convert(data, type=Manifest)
    except msgspec.ValidationError as problem:
        path, what = shape_problem(problem)
        raise InputError(f"{where}: {path.removeprefix('.') or 'the pod'}: {what}") from None
    if not found.metadata.name:
        raise InputError(f"{where}: metadata.name: missing")
    return found


def admitted(data: Mapping[str, Any], related: Related, where: str = "pod") -> Pod:
    """The pod that the cluster with these `related` objects would store for a manifest given as plain objects.

    Raises InputError naming field for a malformed manifest, and with the API server's words where it would refuse it.
    """
    result = Admission(related).admit(manifest(data, where))
    if result.refusal is not None:
        raise InputError(f"{where}: Pod {result.pod.key}: {result.refusal}")
    return result.pod


class Admission:
    """Admission to one cluster. What a manifest names and the input does not know is collected for `not_evaluated`, and
    bounds of LimitRanges, against which no pod is checked.
    """

    def __init__(self, related: Related) -> None:
        self._related = related
        self._limits: dict[str, list[tuple[Quantities, Quantities]]] = {}
        self._bounded: set[str] = set()
        for one in related.all("LimitRange"):
            where, items = one.metadata.namespace or "default", one.spec.limits or ()
            known = self._limits.setdefault(where, [])
            known += [_defaults(item) for item in items if item.type == "Container"]
            if any(item.min or item.max or item.max_limit_request_ratio for item in items):
                self._bounded.add(where)
        self._unknown: dict[str, list[str]] = {}

    def admit(self, pod: Manifest) -> Admitted:
        """The pod as it is stored. A field that the manifest states is kept, `spec.priority` too.

        Raises InputError naming pod and field for a malformed quantity.
        """
        spec = pod.spec or ManifestSpec()
        namespace = pod.metadata.namespace or "default"
        ranges = self._ranges(namespace)
        if namespace in self._bounded:
            self._unknown.setdefault("LimitRange (min, max, maxLimitRequestRatio)", []).append(pod.key)
        containers = _containers(spec.containers, ranges, spec.host_network)
        init_containers = _containers(spec.init_containers, ranges, spec.host_network)
        labels = pod.metadata.labels or {}
        stored = _as(
            PodSpec,
            spec,
            affinity=_affinity(spec.affinity, labels),
            containers=containers,
            init_containers=init_containers,
            resources=None,
            tolerations=_with_defaults(spec.tolerations),
            topology_spread_constraints=_spread(spec.topology_spread_constraints, labels),
        )
        stored.resources = _pod_level(spec, pod)
        refusals = [
            self._set_priority(spec, stored, pod.key),
            self._set_runtime(spec, stored, pod.key),
            self._set_project_selector(stored, namespace),
        ]
        refusal = next((one for one in refusals if one is not None), None)
        return Admitted(Pod(pod.metadata, stored, pod.status), refusal)

    def class_name(self, pod: Manifest) -> str | None:
        """The priority class that the pod gets."""
        usual = self._default_class()
        stated = pod.spec.priority_class_name if pod.spec else None
        return stated or (usual.metadata.name if usual is not None else None)

    @property
    def not_evaluated(self) -> list[NotEvaluated]:
        """What manifests name, of kinds that the input lacks, and what is not checked."""
        return [NotEvaluated(rule, len(pods), f"Pod {pods[0]}") for rule, pods in self._unknown.items()]

    def _ranges(self, namespace: str) -> list[tuple[Quantities, Quantities]]:
        """(default limits, default requests) of containers, one for each item of the namespace's LimitRanges."""
        return self._limits.get(namespace, [])

    def _default_class(self) -> PriorityClass | None:
        """The class of pods that name none; of several the lowest."""
        usual = [one for one in self._related.all("PriorityClass") if one.global_default]
        return min(usual, key=lambda one: one.value, default=None)

    def _set_priority(self, spec: ManifestSpec, stored: PodSpec, key: str) -> str | None:
        """Priority and preemption policy of the pod's class, or of the default one; what is stated stays."""
        name, level, policy = spec.priority_class_name, 0, None
        if not name:
            usual = self._default_class()
            if usual is not None:
                level, policy = usual.value, usual.preemption_policy
        elif name in _SYSTEM_CLASSES:
            level = _SYSTEM_CLASSES[name]
        else:
            found = self._related.find("PriorityClass", name)
            if found is not None:
                level, policy = found.value, found.preemption_policy
            elif stored.priority is not None:
                return None
            elif self._related.stated("PriorityClass"):
                return f"no PriorityClass with name {name} was found"
            else:
                self._unknown.setdefault(f"PriorityClass {name}", []).append(key)
        if stored.priority is None:
            stored.priority = level
        if stored.preemption_policy is None:
            stored.preemption_policy = policy
        return None

    def _set_runtime(self, spec: ManifestSpec, stored: PodSpec, key: str) -> str | None:
        """Overhead, node selector and tolerations of the pod's runtime class."""
        name = spec.runtime_class_name
        if not name:
            return None
        found = self._related.find("RuntimeClass", name)
        if found is None:
            if self._related.stated("RuntimeClass"):
                return f'pod rejected: RuntimeClass "{name}" not found'
            self._unknown.setdefault(f"RuntimeClass {name}", []).append(key)
            return None
        if found.overhead is not None and stored.overhead is None:
            stored.overhead = found.overhead.pod_fixed
        if found.scheduling is None:
            return None
        selector = dict(stored.node_selector or {})
        for label, value in (found.scheduling.node_selector or {}).items():
            if selector.setdefault(label, value) != value:
                own = selector[label]
                return (
                    f"conflict: runtimeClass.scheduling.nodeSelector[{label}] = {value}; "
                    f"pod.spec.nodeSelector[{label}] = {own}"
                )
        stored.node_selector = selector or stored.node_selector
        known = stored.tolerations or ()
        more = (one for one in found.scheduling.tolerations or () if one not in known)
        stored.tolerations = (*known, *more)
        return None

    def _set_project_selector(self, stored: PodSpec, namespace: str) -> str | None:
        """OpenShift's node selector of the project, or else of the cluster, which every pod of it gets."""
        found = self._related.find("Namespace", namespace)
        text = ((found.metadata.annotations or {}) if found is not None else {}).get(_PROJECT_SELECTOR)
        if text is None:
            usual = self._related.find("Scheduler", "cluster")
            text = (usual.spec.default_node_selector if usual is not None else None) or ""
        pairs = [part.partition("=") for part in text.split(",") if part.strip()]
        selector = dict(stored.node_selector or {})
        for label, _, value in pairs:
            label, value = label.strip(), value.strip()
            if selector.setdefault(label, value) != value:
                return "pod node label selector conflicts with its project node label selector"
        stored.node_selector = selector or stored.node_selector
        return None


def _as(kind: type[_Part], found: Any, **changed: Any) -> _Part:
    """The fields of `kind` from an object that has more."""
    names = kind.__struct_fields__  # type: ignore[attr-defined]
    return kind(**({name: getattr(found, name) for name in names} | changed))


# ---- resources -------------------------------------------------------------------------------------------------------


def _defaults(item: LimitRangeItem) -> tuple[Quantities, Quantities]:
    """(limits, requests): a limit that is not stated is the maximum, a request the limit, else the minimum."""
    limits = {**(item.max or {}), **(item.default or {})}
    return limits, {**(item.min or {}), **limits, **(item.default_request or {})}


def _containers(
    found: Iterable[Container] | None, ranges: list[tuple[Quantities, Quantities]], host_network: bool | None
) -> tuple[Container, ...] | None:
    """Containers with limits copied to absent requests, then LimitRange defaults; on the host's network their ports are
    the host's.
    """
    if found is None:
        return None
    return tuple(
        _as(
            Container,
            one,
            resources=_own(one.resources, ranges),
            ports=tuple(map(_on_host, one.ports)) if host_network and one.ports else one.ports,
        )
        for one in found
    )


def _own(found: Resources | None, ranges: list[tuple[Quantities, Quantities]]) -> Resources | None:
    if not ranges and (found is None or not found.limits):
        return found
    limits = (found.limits or {}) if found is not None else {}
    requests = {**limits, **((found.requests or {}) if found is not None else {})}
    for most, least in ranges:
        limits, requests = {**most, **limits}, {**least, **requests}
    return Resources(requests, limits or None)


def _on_host(port: ContainerPort) -> ContainerPort:
    return port if port.host_port else msgspec.structs.replace(port, host_port=port.container_port)


def _pod_level(spec: ManifestSpec, pod: Pod) -> Resources | None:
    """Requests of the whole pod: where it has limits, cpu and memory default to the containers' sum, else the limit. A
    limit on huge pages defaults to the containers' sum, too. LimitRanges come later.
    """
    found = spec.resources
    if found is None:
        return None
    containers, init_containers = _containers(spec.containers, [], None), _containers(spec.init_containers, [], None)
    asked = pod_request(Pod(pod.metadata, PodSpec(containers=containers, init_containers=init_containers)))
    requests, limits = dict(found.requests or {}), dict(found.limits or {})
    if requests or limits:
        pages: Quantities = {name: f"{amount}n" for name, amount in asked.items() if name.startswith(_PAGES) and amount}
        limits = {name: limit for name, limit in pages.items() if name not in requests} | limits
    if limits:
        own: Quantities = {name: f"{asked[name]}n" for name in _POD_LEVEL if name in asked}
        others = {name: limit for name, limit in limits.items() if name in _POD_LEVEL or name.startswith(_PAGES)}
        requests = others | own | requests
    return Resources(requests, limits or None)


# ---- tolerations and selectors ---------------------------------------------------------------------------------------


def _with_defaults(found: tuple[Toleration, ...] | None) -> tuple[Toleration, ...]:
    """Tolerations with those of a node that is not ready or unreachable (for 300 s), unless they speak of that."""
    known = found or ()
    evicting = [one for one in known if one.effect in (None, "", "NoExecute")]
    missing = [key for key in (_NOT_READY, _UNREACHABLE) if not any(one.key in (None, "", key) for one in evicting)]
    return (*known, *(Toleration(key=key, operator="Exists", effect="NoExecute") for key in missing))


def _spread(
    found: tuple[SpreadConstraint, ...] | None, labels: Mapping[str, str]
) -> tuple[SpreadConstraint, ...] | None:
    if not any(one.match_label_keys for one in found or ()):
        return found
    return tuple(
        msgspec.structs.replace(one, label_selector=_merged(one.label_selector, one.match_label_keys, (), labels))
        for one in found or ()
    )


def _affinity(found: Any, labels: Mapping[str, str]) -> Affinity | None:
    if found is None:
        return None
    return Affinity(
        found.node_affinity, _pod_affinity(found.pod_affinity, labels), _pod_affinity(found.pod_anti_affinity, labels)
    )


def _pod_affinity(found: ManifestPodAffinity | None, labels: Mapping[str, str]) -> PodAffinity | None:
    if found is None:
        return None
    required = found.required_during_scheduling_ignored_during_execution
    preferred = found.preferred_during_scheduling_ignored_during_execution
    return PodAffinity(
        None if required is None else tuple(_term(one, labels) for one in required),
        None
        if preferred is None
        else tuple(
            WeightedPodAffinityTerm(
                one.weight, None if one.pod_affinity_term is None else _term(one.pod_affinity_term, labels)
            )
            for one in preferred
        ),
    )


def _term(found: ManifestTerm, labels: Mapping[str, str]) -> PodAffinityTerm:
    keys, others = found.match_label_keys, found.mismatch_label_keys
    return _as(PodAffinityTerm, found, label_selector=_merged(found.label_selector, keys, others, labels))


def _merged(
    selector: LabelSelector | None,
    keys: tuple[str, ...] | None,
    others: tuple[str, ...] | None,
    labels: Mapping[str, str],
) -> LabelSelector | None:
    """A selector that also wants the pod's own values of `keys`, and none of its values of `others`."""
    if selector is None or not (keys or others):
        return selector
    more = [Requirement(key, "In", (labels[key],)) for key in keys or () if key in labels]
    more += [Requirement(key, "NotIn", (labels[key],)) for key in others or () if key in labels]
    return LabelSelector(selector.match_labels, (*(selector.match_expressions or ()), *more))
