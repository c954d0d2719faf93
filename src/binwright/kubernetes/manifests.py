"""Objects as users write them, and those that the API server reads when it admits a pod, as msgspec Structs.

A `Manifest` is a pod before the API server has seen it: it has what `objects.Pod` lacks because a stored pod no longer
needs it (limits, class names, label keys). Only shapes are stated, as in `objects`; meaning is in `admission`.
"""

from __future__ import annotations

from msgspec import field

from binwright.kubernetes.objects import (
    Affinity,
    ObjectMeta,
    Part,
    Pod,
    PodAffinity,
    PodAffinityTerm,
    PodSpec,
    Quantities,
    Toleration,
    Volume,
    WeightedPodAffinityTerm,
)
from binwright.kubernetes.storage_objects import PersistentVolumeClaim

__all__ = [
    "LimitRange",
    "LimitRangeItem",
    "Manifest",
    "ManifestSpec",
    "OpenShiftScheduler",
    "PriorityClass",
    "ResourceQuota",
    "RuntimeClass",
]


# ---- pods ------------------------------------------------------------------------------------------------------------


class ManifestTerm(PodAffinityTerm):
    match_label_keys: tuple[str, ...] | None = None
    mismatch_label_keys: tuple[str, ...] | None = None


class WeightedManifestTerm(WeightedPodAffinityTerm):
    pod_affinity_term: ManifestTerm | None = None


class ManifestPodAffinity(PodAffinity):
    required_during_scheduling_ignored_during_execution: tuple[ManifestTerm, ...] | None = None
    preferred_during_scheduling_ignored_during_execution: tuple[WeightedManifestTerm, ...] | None = None


class ManifestAffinity(Affinity):
    pod_affinity: ManifestPodAffinity | None = None
    pod_anti_affinity: ManifestPodAffinity | None = None


class EphemeralVolume(Part):
    volume_claim_template: PersistentVolumeClaim | None = None


class ManifestVolume(Volume):
    ephemeral: EphemeralVolume | None = None


class ManifestSpec(PodSpec):
    affinity: ManifestAffinity | None = None
    volumes: tuple[ManifestVolume, ...] | None = None
    priority_class_name: str | None = None
    runtime_class_name: str | None = None
    host_network: bool | None = None
    active_deadline_seconds: int | None = None


class Manifest(Pod):
    spec: ManifestSpec | None = None


# ---- what admission reads --------------------------------------------------------------------------------------------


class LimitRangeItem(Part):
    type: str = ""
    default: Quantities | None = None
    default_request: Quantities | None = None
    min: Quantities | None = None
    max: Quantities | None = None
    max_limit_request_ratio: Quantities | None = None


class LimitRangeSpec(Part):
    limits: tuple[LimitRangeItem, ...] | None = None


class LimitRange(Part):
    metadata: ObjectMeta = field(default_factory=ObjectMeta)
    spec: LimitRangeSpec = field(default_factory=LimitRangeSpec)


class PriorityClass(Part):
    metadata: ObjectMeta = field(default_factory=ObjectMeta)
    value: int = 0
    global_default: bool | None = None
    preemption_policy: str | None = None


class OpenShiftSchedulerSpec(Part):
    default_node_selector: str | None = None


class OpenShiftScheduler(Part):
    """The Scheduler of config.openshift.io."""

    metadata: ObjectMeta = field(default_factory=ObjectMeta)
    spec: OpenShiftSchedulerSpec = field(default_factory=OpenShiftSchedulerSpec)


class PodOverhead(Part):
    pod_fixed: Quantities | None = None


class RuntimeScheduling(Part):
    node_selector: dict[str, str] | None = None
    tolerations: tuple[Toleration, ...] | None = None


class RuntimeClass(Part):
    metadata: ObjectMeta = field(default_factory=ObjectMeta)
    overhead: PodOverhead | None = None
    scheduling: RuntimeScheduling | None = None


class ScopeRequirement(Part):
    scope_name: str = ""
    operator: str = ""
    values: tuple[str, ...] | None = None


class ScopeSelector(Part):
    match_expressions: tuple[ScopeRequirement, ...] | None = None


class ResourceQuotaSpec(Part):
    hard: Quantities | None = None
    scopes: tuple[str, ...] | None = None
    scope_selector: ScopeSelector | None = None


class ResourceQuotaStatus(Part):
    used: Quantities | None = None


class ResourceQuota(Part):
    metadata: ObjectMeta = field(default_factory=ObjectMeta)
    spec: ResourceQuotaSpec = field(default_factory=ResourceQuotaSpec)
    status: ResourceQuotaStatus | None = None
