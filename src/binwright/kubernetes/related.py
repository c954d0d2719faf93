"""The objects beside nodes and pods that rules read: by kind as they stand in the input, and found as rules ask.

Knows names, never what a field means. `stated` says which kinds the input has at all: where one is absent the rule that
reads it has nothing to judge by, unless the input is known to be complete.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from binwright.kubernetes.manifests import (
    LimitRange,
    OpenShiftScheduler,
    PriorityClass,
    ResourceQuota,
    RuntimeClass,
)
from binwright.kubernetes.objects import DisruptionBudget, Namespace, Service
from binwright.kubernetes.pod_groups import PodGroup
from binwright.kubernetes.storage_objects import (
    CsiDriver,
    CsiNode,
    CsiStorageCapacity,
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
    VolumeAttachment,
)
from binwright.kubernetes.workload_objects import CronJob, Job, MachineSet, MapSelecting, StatefulSet, Workload

__all__ = ["KINDS", "Related", "kind_by_plural"]

KINDS: dict[tuple[str, str], type] = {
    ("v1", "Namespace"): Namespace,
    ("v1", "Service"): Service,
    ("v1", "ReplicationController"): MapSelecting,
    ("apps/v1", "ReplicaSet"): Workload,
    ("apps/v1", "StatefulSet"): StatefulSet,
    ("apps/v1", "Deployment"): Workload,
    ("apps/v1", "DaemonSet"): Workload,
    ("apps.openshift.io/v1", "DeploymentConfig"): MapSelecting,
    ("batch/v1", "Job"): Job,
    ("batch/v1", "CronJob"): CronJob,
    ("policy/v1", "PodDisruptionBudget"): DisruptionBudget,
    ("v1", "PersistentVolume"): PersistentVolume,
    ("v1", "PersistentVolumeClaim"): PersistentVolumeClaim,
    ("storage.k8s.io/v1", "StorageClass"): StorageClass,
    ("storage.k8s.io/v1", "CSINode"): CsiNode,
    ("storage.k8s.io/v1", "CSIDriver"): CsiDriver,
    ("storage.k8s.io/v1", "CSIStorageCapacity"): CsiStorageCapacity,
    ("storage.k8s.io/v1", "VolumeAttachment"): VolumeAttachment,
    ("v1", "LimitRange"): LimitRange,
    ("v1", "ResourceQuota"): ResourceQuota,
    ("scheduling.k8s.io/v1", "PriorityClass"): PriorityClass,
    ("node.k8s.io/v1", "RuntimeClass"): RuntimeClass,
    ("scheduling.x-k8s.io/v1alpha1", "PodGroup"): PodGroup,
    ("config.openshift.io/v1", "Scheduler"): OpenShiftScheduler,
    ("machine.openshift.io/v1beta1", "MachineSet"): MachineSet,
}
"""(apiVersion, kind) -> Struct of everything that is read here."""

CLUSTER_WIDE = frozenset(
    {
        "Namespace", "PersistentVolume", "StorageClass", "CSINode", "CSIDriver", "VolumeAttachment", "PriorityClass",
        "RuntimeClass", "Scheduler",
    }
)  # fmt: skip

Key = tuple[str, str]
"""(namespace, name); namespace "" for objects of the whole cluster."""


def kind_by_plural(plural: str) -> tuple[str, type] | None:
    """(kind, Struct) of a plural such as "csiDrivers" or "replicaSets"; None for a kind that is not read."""
    for (_, kind), struct in KINDS.items():
        singular = plural.removesuffix("es") if plural.endswith("sses") else plural.removesuffix("s")
        if kind.lower() in (singular.lower(), singular.lower().removesuffix("ie") + "y"):
            return kind, struct
    return None


class Related:
    """Objects by kind, in input order; `complete`: a kind that is absent has no objects, rather than being unknown."""

    def __init__(self, complete: bool = False) -> None:
        self.complete = complete
        self._by_kind: dict[str, dict[Key, Any]] = {}

    def add(self, kind: str, found: Any) -> None:
        """Keep one object; one of the same name replaces it."""
        meta = found.metadata
        namespace = "" if kind in CLUSTER_WIDE else meta.namespace or "default"
        self._by_kind.setdefault(kind, {})[namespace, meta.name or ""] = found
        self.__dict__.pop("services", None)

    def remove(self, kind: str, name: str, namespace: str = "") -> None:
        """Forget one object, if it is there; its kind stays stated."""
        self._by_kind.get(kind, {}).pop((namespace, name), None)
        self.__dict__.pop("services", None)

    def state(self, kind: str) -> None:
        """Say that the kind is known, though it may have no objects."""
        self._by_kind.setdefault(kind, {})

    def copy(self) -> Related:
        """The same objects, to which more can be added without this one noticing."""
        made = Related(self.complete)
        made._by_kind = {kind: dict(found) for kind, found in self._by_kind.items()}
        return made

    def stated(self, *kinds: str) -> bool:
        """Whether rules that read all these kinds have what they need."""
        return self.complete or all(kind in self._by_kind for kind in kinds)

    def all(self, kind: str) -> Iterable[Any]:
        """Every object of a kind, in input order."""
        return self._by_kind.get(kind, {}).values()

    def find(self, kind: str, name: str | None, namespace: str = "") -> Any | None:
        """The object of this name, None when there is none."""
        return self._by_kind.get(kind, {}).get((namespace, name or ""))

    @cached_property
    def services(self) -> Mapping[str, list[Service]]:
        """Services by namespace."""
        found: dict[str, list[Service]] = {}
        for one in self.all("Service"):
            found.setdefault(one.metadata.namespace or "default", []).append(one)
        return found

    def namespace_labels(self, name: str) -> Mapping[str, str]:
        """Labels of a namespace, none when it is not known."""
        found = self.find("Namespace", name)
        return (found.metadata.labels or {}) if found is not None else {}
