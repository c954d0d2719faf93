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
    "Image",
    "Node",
    "NodeAffinity",
    "NodeSelector",
    "NodeSelectorTerm",
    "ObjectMeta",
    "OwnerReference",
    "Pod",
    "PodSpec",
    "PodStatus",
    "PreferredTerm",
    "Quantities",
    "Requirement",
    "Resources",
    "SpreadConstraint",
    "Taint",
    "Toleration",
    "Volume",
]

Quantities = dict[str, str | int | float]
"""Resource name -> quantity as written; `units.nanos` reads it."""


class _Part(Struct, rename="camel", gc=False, omit_defaults=True):
    """Base of all: trees without cycles, so the garbage collector need not walk a hundred thousand of them.

    Sequences are tuples for the same reason: one without collectable content leaves the collector's lists, which makes
    reading a big dump twice as fast.
    """


class OwnerReference(_Part):
    kind: str = ""
    name: str = ""
    controller: bool | None = None


class ObjectMeta(_Part):
    name: str | None = None
    namespace: str | None = None
    uid: str | None = None
    labels: dict[str, str] | None = None
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    owner_references: tuple[OwnerReference, ...] | None = None


# ---- Node ------------------------------------------------------------------------------------------------------------


class Taint(_Part):
    key: str = ""
    value: str | None = None
    effect: str = ""


class NodeSpec(_Part):
    unschedulable: bool | None = None
    taints: tuple[Taint, ...] | None = None


class Image(_Part):
    names: tuple[str, ...] | None = None
    size_bytes: int | None = None


class NodeStatus(_Part):
    capacity: Quantities | None = None
    allocatable: Quantities | None = None
    images: tuple[Image, ...] | None = None


class Node(_Part):
    metadata: ObjectMeta = field(default_factory=ObjectMeta)
    spec: NodeSpec | None = None
    status: NodeStatus | None = None


# ---- Pod -------------------------------------------------------------------------------------------------------------


class Requirement(_Part):
    """One expression of a selector: key, operator, values."""

    key: str = ""
    operator: str = ""
    values: tuple[str, ...] | None = None


class NodeSelectorTerm(_Part):
    match_expressions: tuple[Requirement, ...] | None = None
    match_fields: tuple[Requirement, ...] | None = None


class NodeSelector(_Part):
    node_selector_terms: tuple[NodeSelectorTerm, ...] | None = None


class PreferredTerm(_Part):
    weight: int = 0
    preference: NodeSelectorTerm | None = None


class NodeAffinity(_Part):
    required_during_scheduling_ignored_during_execution: NodeSelector | None = None
    preferred_during_scheduling_ignored_during_execution: tuple[PreferredTerm, ...] | None = None


class PodAffinity(_Part):
    """Affinity or anti-affinity between pods; not evaluated yet, so its terms stay as they are."""

    required_during_scheduling_ignored_during_execution: tuple[Any, ...] | None = None
    preferred_during_scheduling_ignored_during_execution: tuple[Any, ...] | None = None


class Affinity(_Part):
    node_affinity: NodeAffinity | None = None
    pod_affinity: PodAffinity | None = None
    pod_anti_affinity: PodAffinity | None = None


class Toleration(_Part):
    key: str | None = None
    operator: str | None = None
    value: str | None = None
    effect: str | None = None


class Resources(_Part):
    requests: Quantities | None = None


class ContainerPort(_Part):
    container_port: int | None = None
    host_port: int | None = None
    protocol: str | None = None
    host_ip: str | None = field(name="hostIP", default=None)


class Container(_Part):
    name: str = ""
    image: str | None = None
    resources: Resources | None = None
    ports: tuple[ContainerPort, ...] | None = None
    restart_policy: str | None = None


class Volume(_Part):
    """Only the sources of a volume that a rule reads; a volume of another source has none of them."""

    name: str = ""
    persistent_volume_claim: Any = None
    ephemeral: Any = None
    gce_persistent_disk: Any = None
    aws_elastic_block_store: Any = None
    azure_disk: Any = None
    cinder: Any = None
    iscsi: Any = None
    rbd: Any = None


class SpreadConstraint(_Part):
    """A topology spread constraint; not evaluated yet beyond whether it is a demand or a wish."""

    when_unsatisfiable: str | None = None


class PodSpec(_Part):
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


class ContainerStatus(_Part):
    name: str = ""
    resources: Resources | None = None
    allocated_resources: Quantities | None = None


class PodCondition(_Part):
    type: str = ""
    reason: str | None = None


class PodStatus(_Part):
    phase: str | None = None
    nominated_node_name: str | None = None
    conditions: tuple[PodCondition, ...] | None = None
    container_statuses: tuple[ContainerStatus, ...] | None = None
    init_container_statuses: tuple[ContainerStatus, ...] | None = None


class Pod(_Part):
    metadata: ObjectMeta = field(default_factory=ObjectMeta)
    spec: PodSpec | None = None
    status: PodStatus | None = None

    @property
    def key(self) -> str:
        """NAMESPACE/NAME, the words for this pod in every message."""
        return f"{self.metadata.namespace or 'default'}/{self.metadata.name}"
