"""The parts of workload objects that say how many pods they want and of what kind, as msgspec Structs. Only shapes."""

from __future__ import annotations

from msgspec import field

from binwright.kubernetes.manifests import ManifestSpec
from binwright.kubernetes.objects import ObjectMeta, Part, SelectingSpec
from binwright.kubernetes.storage_objects import PersistentVolumeClaim

__all__ = [
    "CronJob",
    "Job",
    "JobSpec",
    "MachineSet",
    "MapSelecting",
    "PodTemplate",
    "StatefulSet",
    "StatefulSetSpec",
    "Workload",
    "WorkloadSpec",
]


class PodTemplate(Part):
    metadata: ObjectMeta = field(default_factory=ObjectMeta)
    spec: ManifestSpec = field(default_factory=ManifestSpec)


class WorkloadSpec(SelectingSpec):
    replicas: int | None = None
    template: PodTemplate | None = None


class Workload(Part):
    """A Deployment, a ReplicaSet or a DaemonSet."""

    metadata: ObjectMeta = field(default_factory=ObjectMeta)
    spec: WorkloadSpec | None = None


class MapSelectingSpec(Part):
    selector: dict[str, str] | None = None
    replicas: int | None = None
    template: PodTemplate | None = None


class MapSelecting(Part):
    """A ReplicationController or a DeploymentConfig, which select by a plain map as a Service does."""

    metadata: ObjectMeta = field(default_factory=ObjectMeta)
    spec: MapSelectingSpec | None = None


class Ordinals(Part):
    start: int | None = None


class StatefulSetSpec(WorkloadSpec):
    ordinals: Ordinals | None = None
    volume_claim_templates: tuple[PersistentVolumeClaim, ...] | None = None


class StatefulSet(Part):
    metadata: ObjectMeta = field(default_factory=ObjectMeta)
    spec: StatefulSetSpec | None = None


class JobSpec(SelectingSpec):
    parallelism: int | None = None
    completions: int | None = None
    completion_mode: str | None = None
    suspend: bool | None = None
    template: PodTemplate | None = None


class JobCondition(Part):
    type: str = ""
    status: str | None = None


class JobStatus(Part):
    succeeded: int | None = None
    conditions: tuple[JobCondition, ...] | None = None


class Job(Part):
    metadata: ObjectMeta = field(default_factory=ObjectMeta)
    spec: JobSpec | None = None
    status: JobStatus | None = None


class CronJob(Part):
    """Makes Jobs at certain times, so nothing of it is read but that it exists."""

    metadata: ObjectMeta = field(default_factory=ObjectMeta)


class MachineSetSpec(Part):
    replicas: int | None = None


class MachineSetStatus(Part):
    ready_replicas: int | None = None


class MachineSet(Part):
    """Makes nodes, not pods; how many of them are not there yet is read."""

    metadata: ObjectMeta = field(default_factory=ObjectMeta)
    spec: MachineSetSpec | None = None
    status: MachineSetStatus | None = None
