"""The parts of storage objects that the volume rules read, as msgspec Structs. Only shapes, as in `objects`."""

from __future__ import annotations

from msgspec import field

from binwright.kubernetes.objects import (
    AwsElasticBlockStore,
    AzureDisk,
    Cinder,
    GcePersistentDisk,
    LabelSelector,
    NodeSelector,
    ObjectMeta,
    Part,
    Quantities,
    Resources,
)

__all__ = [
    "CsiDriver",
    "CsiNode",
    "CsiStorageCapacity",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "StorageClass",
    "VolumeAttachment",
]


class AnnotatedMeta(ObjectMeta):
    annotations: dict[str, str] | None = None


class Phase(Part):
    phase: str | None = None


class CsiSource(Part):
    driver: str = ""
    volume_handle: str = ""


class ClaimReference(Part):
    name: str = ""
    namespace: str = "default"
    uid: str | None = None


class VolumeNodeAffinity(Part):
    required: NodeSelector | None = None


class PersistentVolumeSpec(Part):
    capacity: Quantities | None = None
    access_modes: tuple[str, ...] | None = None
    claim_ref: ClaimReference | None = None
    storage_class_name: str | None = None
    volume_mode: str | None = None
    volume_attributes_class_name: str | None = None
    node_affinity: VolumeNodeAffinity | None = None
    csi: CsiSource | None = None
    gce_persistent_disk: GcePersistentDisk | None = None
    aws_elastic_block_store: AwsElasticBlockStore | None = None
    azure_disk: AzureDisk | None = None
    cinder: Cinder | None = None


class PersistentVolume(Part):
    metadata: ObjectMeta = field(default_factory=ObjectMeta)
    spec: PersistentVolumeSpec = field(default_factory=PersistentVolumeSpec)
    status: Phase | None = None


class PersistentVolumeClaimSpec(Part):
    access_modes: tuple[str, ...] | None = None
    selector: LabelSelector | None = None
    resources: Resources | None = None
    volume_name: str | None = None
    storage_class_name: str | None = None
    volume_mode: str | None = None
    volume_attributes_class_name: str | None = None


class PersistentVolumeClaim(Part):
    metadata: AnnotatedMeta = field(default_factory=AnnotatedMeta)
    spec: PersistentVolumeClaimSpec = field(default_factory=PersistentVolumeClaimSpec)
    status: Phase | None = None


class TopologyExpression(Part):
    key: str = ""
    values: tuple[str, ...] | None = None


class TopologyTerm(Part):
    match_label_expressions: tuple[TopologyExpression, ...] | None = None


class StorageClass(Part):
    metadata: AnnotatedMeta = field(default_factory=AnnotatedMeta)
    provisioner: str = ""
    volume_binding_mode: str | None = None
    allowed_topologies: tuple[TopologyTerm, ...] | None = None


class DriverCount(Part):
    count: int | None = None


class CsiNodeDriver(Part):
    name: str = ""
    allocatable: DriverCount | None = None


class CsiNodeSpec(Part):
    drivers: tuple[CsiNodeDriver, ...] | None = None


class CsiNode(Part):
    metadata: AnnotatedMeta = field(default_factory=AnnotatedMeta)
    spec: CsiNodeSpec | None = None


class CsiDriverSpec(Part):
    storage_capacity: bool | None = None


class CsiDriver(Part):
    metadata: ObjectMeta = field(default_factory=ObjectMeta)
    spec: CsiDriverSpec | None = None


class CsiStorageCapacity(Part):
    metadata: ObjectMeta = field(default_factory=ObjectMeta)
    storage_class_name: str = ""
    capacity: str | int | float | None = None
    maximum_volume_size: str | int | float | None = None
    node_topology: LabelSelector | None = None


class AttachedSource(Part):
    persistent_volume_name: str | None = None


class VolumeAttachmentSpec(Part):
    attacher: str = ""
    node_name: str = ""
    source: AttachedSource | None = None


class VolumeAttachment(Part):
    metadata: ObjectMeta = field(default_factory=ObjectMeta)
    spec: VolumeAttachmentSpec = field(default_factory=VolumeAttachmentSpec)
