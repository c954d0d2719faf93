"""The parts of Kubernetes objects that rules read, as msgspec Structs.

Field names are the API's, in snake case. Whatever may be absent or null in stored JSON may be None here; unknown fields
are ignored. Only shapes are stated: meaning (defaults, rounding, matching) is in the modules that read them.
"""

from __future__ import annotations

from typing import Any

from binwright.errors import MissingExtraError

try:
    from msgspec import Struct, field
except ModuleNotFoundError as missing:
    raise MissingExtraError.for_module("msgspec", extra="cli") from missing

__all__ = [
    "Affinity",
    "Container",
    "ContainerPort",
    "ContainerStatus",
    "DisruptionBudget",
    "Image",
    "LabelSelector",
    "Namespace",
    "Node",
    "NodeAffinity",
    "NodeSelector",
    "NodeSelectorTerm",
    "ObjectMeta",
    "OwnerReference",
    "Part",
    "Pod",
    "PodAffinity",
    "PodAffinityTerm",
    "PodSpec",
    "PodStatus",
    "PreferredTerm",
    "Quantities",
    "Requirement",
    "Resources",
    "SelectingSpec",
    "Service",
    "SpreadConstraint",
    "Taint",
    "Toleration",
    "Volume",
    "WeightedPodAffinityTerm",
]

Quantities = dict[str, str | int | float]
"""Resource name -> quantity as written; `units.nanos` reads it."""


class Part(Struct, rename="camel", gc=False, omit_defaults=True):
    """Base of all: trees without cycles, so the garbage collector need not walk a hundred thousand of them.

    Sequences are tuples for the same reason: one without collectable content leaves the collector's lists, which makes
    reading a big dump twice as fast.
    """


class OwnerReference(Part):
    api_version: str = ""
    kind: str = ""
    name: str = ""
    controller: bool | None = None


class ObjectMeta(Part):
    name: str | None = None
    namespace: str | None = None
    uid: str | None = None
    labels: dict[str, str] | None = None
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    owner_references: tuple[OwnerReference, ...] | None = None


class Annotations(Part):
    """The annotations that say who may be moved; every other one is read over."""

    mirror: str | None = field(name="kubernetes.io/config.mirror", default=None)
    safe_to_evict: str | None = field(name="cluster-autoscaler.kubernetes.io/safe-to-evict", default=None)
    scale_down_disabled: str | None = field(name="cluster-autoscaler.kubernetes.io/scale-down-disabled", default=None)
    do_not_disrupt: str | None = field(name="karpenter.sh/do-not-disrupt", default=None)


class AnnotatedMeta(ObjectMeta):
    """Metadata of nodes and pods."""

    annotations: Annotations | None = None


# ---- Node ------------------------------------------------------------------------------------------------------------


class Taint(Part):
    key: str = ""
    value: str | None = None
    effect: str = ""


class NodeAddress(Part):
    type: str = ""
    address: str = ""


class NodeSpec(Part):
    provider_id: str | None = field(name="providerID", default=None)
    unschedulable: bool | None = None
    taints: tuple[Taint, ...] | None = None


class Image(Part):
    names: tuple[str, ...] | None = None
    size_bytes: int | None = None


class NodeStatus(Part):
    capacity: Quantities | None = None
    allocatable: Quantities | None = None
    addresses: tuple[NodeAddress, ...] | None = None
    images: tuple[Image, ...] | None = None


class Node(Part):
    metadata: AnnotatedMeta = field(default_factory=AnnotatedMeta)
    spec: NodeSpec | None = None
    status: NodeStatus | None = None


# ---- Pod -------------------------------------------------------------------------------------------------------------


class Requirement(Part):
    """One expression of a selector: key, operator, values."""

    key: str = ""
    operator: str = ""
    values: tuple[str, ...] | None = None


class NodeSelectorTerm(Part):
    match_expressions: tuple[Requirement, ...] | None = None
    match_fields: tuple[Requirement, ...] | None = None


class NodeSelector(Part):
    node_selector_terms: tuple[NodeSelectorTerm, ...] | None = None


class PreferredTerm(Part):
    weight: int = 0
    preference: NodeSelectorTerm | None = None


class NodeAffinity(Part):
    required_during_scheduling_ignored_during_execution: NodeSelector | None = None
    preferred_during_scheduling_ignored_during_execution: tuple[PreferredTerm, ...] | None = None


class LabelSelector(Part):
    match_labels: dict[str, str] | None = None
    match_expressions: tuple[Requirement, ...] | None = None


class PodAffinityTerm(Part):
    topology_key: str = ""
    label_selector: LabelSelector | None = None
    namespaces: tuple[str, ...] | None = None
    namespace_selector: LabelSelector | None = None


class WeightedPodAffinityTerm(Part):
    weight: int = 0
    pod_affinity_term: PodAffinityTerm | None = None


class PodAffinity(Part):
    """Affinity or anti-affinity between pods."""

    required_during_scheduling_ignored_during_execution: tuple[PodAffinityTerm, ...] | None = None
    preferred_during_scheduling_ignored_during_execution: tuple[WeightedPodAffinityTerm, ...] | None = None


class Affinity(Part):
    node_affinity: NodeAffinity | None = None
    pod_affinity: PodAffinity | None = None
    pod_anti_affinity: PodAffinity | None = None


class Toleration(Part):
    key: str | None = None
    operator: str | None = None
    value: str | None = None
    effect: str | None = None


class Resources(Part):
    requests: Quantities | None = None
    limits: Quantities | None = None


class ContainerPort(Part):
    container_port: int | None = None
    host_port: int | None = None
    protocol: str | None = None
    host_ip: str | None = field(name="hostIP", default=None)


class Container(Part):
    name: str = ""
    image: str | None = None
    resources: Resources | None = None
    ports: tuple[ContainerPort, ...] | None = None
    restart_policy: str | None = None


class ClaimSource(Part):
    claim_name: str = ""


class GcePersistentDisk(Part):
    pd_name: str = ""
    read_only: bool | None = None


class AwsElasticBlockStore(Part):
    volume_id: str = field(name="volumeID", default="")


class AzureDisk(Part):
    disk_uri: str = field(name="diskURI", default="")


class Cinder(Part):
    volume_id: str = field(name="volumeID", default="")


class Iscsi(Part):
    iqn: str = ""
    read_only: bool | None = None


class Rbd(Part):
    monitors: tuple[str, ...] | None = None
    image: str = ""
    pool: str | None = None
    read_only: bool | None = None


class EmptyDir(Part):
    """That a volume is one is all that is read."""


class Volume(Part):
    """Only the sources of a volume that a rule reads; a volume of another source has none of them."""

    name: str = ""
    persistent_volume_claim: ClaimSource | None = None
    empty_dir: EmptyDir | None = None
    ephemeral: Any = None
    gce_persistent_disk: GcePersistentDisk | None = None
    aws_elastic_block_store: AwsElasticBlockStore | None = None
    azure_disk: AzureDisk | None = None
    cinder: Cinder | None = None
    iscsi: Iscsi | None = None
    rbd: Rbd | None = None


class SpreadConstraint(Part):
    max_skew: int = 1
    topology_key: str = ""
    when_unsatisfiable: str | None = None
    label_selector: LabelSelector | None = None
    min_domains: int | None = None
    node_affinity_policy: str | None = None
    node_taints_policy: str | None = None
    match_label_keys: tuple[str, ...] | None = None


class PodSpec(Part):
    node_name: str | None = None
    node_selector: dict[str, str] | None = None
    affinity: Affinity | None = None
    tolerations: tuple[Toleration, ...] | None = None
    containers: tuple[Container, ...] | None = None
    init_containers: tuple[Container, ...] | None = None
    overhead: Quantities | None = None
    resources: Resources | None = None
    priority: int | None = None
    scheduler_name: str | None = None
    scheduling_gates: tuple[Any, ...] | None = None
    preemption_policy: str | None = None
    topology_spread_constraints: tuple[SpreadConstraint, ...] | None = None
    volumes: tuple[Volume, ...] | None = None
    resource_claims: tuple[Any, ...] | None = None


class ContainerStatus(Part):
    name: str = ""
    resources: Resources | None = None
    allocated_resources: Quantities | None = None


class PodCondition(Part):
    type: str = ""
    status: str | None = None
    reason: str | None = None


class PodStatus(Part):
    phase: str | None = None
    start_time: str | None = None
    nominated_node_name: str | None = None
    conditions: tuple[PodCondition, ...] | None = None
    container_statuses: tuple[ContainerStatus, ...] | None = None
    init_container_statuses: tuple[ContainerStatus, ...] | None = None


class Pod(Part):
    metadata: AnnotatedMeta = field(default_factory=AnnotatedMeta)
    spec: PodSpec | None = None
    status: PodStatus | None = None

    @property
    def key(self) -> str:
        """NAMESPACE/NAME, the words for this pod in every message."""
        return f"{self.metadata.namespace or 'default'}/{self.metadata.name}"


# ---- what rules read beside nodes and pods ---------------------------------------------------------------------------


class NamespaceMeta(ObjectMeta):
    annotations: dict[str, str] | None = None


class Namespace(Part):
    metadata: NamespaceMeta = field(default_factory=NamespaceMeta)


class ServiceSpec(Part):
    selector: dict[str, str] | None = None


class Service(Part):
    metadata: ObjectMeta = field(default_factory=ObjectMeta)
    spec: ServiceSpec | None = None


class SelectingSpec(Part):
    selector: LabelSelector | None = None


class DisruptionBudgetMeta(ObjectMeta):
    generation: int | None = None


class DisruptionBudgetSpec(SelectingSpec):
    unhealthy_pod_eviction_policy: str | None = None


class DisruptionBudgetStatus(Part):
    observed_generation: int | None = None
    current_healthy: int | None = None
    desired_healthy: int | None = None
    disruptions_allowed: int | None = None
    disrupted_pods: dict[str, Any] | None = None


class DisruptionBudget(Part):
    metadata: DisruptionBudgetMeta = field(default_factory=DisruptionBudgetMeta)
    spec: DisruptionBudgetSpec | None = None
    status: DisruptionBudgetStatus | None = None
