"""Stateful sets: pods by number, each with claims of its own."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from binwright.kubernetes.manifests import Manifest, ManifestVolume
from binwright.kubernetes.objects import ClaimSource
from binwright.kubernetes.related import Related
from binwright.kubernetes.storage_objects import AnnotatedMeta, PersistentVolumeClaim
from binwright.kubernetes.templates import Present, active, number, of_workload
from binwright.kubernetes.workload_objects import StatefulSet

__all__ = ["add_claim", "stateful_pods"]

_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def stateful_pods(workload: StatefulSet, there: Present, related: Related) -> Iterator[tuple[str, Manifest]]:
    """The pods NAME-0, NAME-1, ... that are not there.

    Claims from the templates that do not exist are added to `related`, if the input knows claims at all.
    """
    spec = workload.spec
    if spec is None or spec.replicas == 0 or workload.metadata.deletion_timestamp is not None:
        return
    if spec.replicas is None and spec.template is None:
        return  # cut down to what it selects
    wanted = of_workload("StatefulSet", workload)
    first = number(spec.ordinals.start if spec.ordinals else None, 0, wanted.words, "spec.ordinals.start")
    pods = there.controlled(wanted.namespace, "StatefulSet", wanted.name) + there.adopted(wanted)
    taken = {pod.metadata.name for pod in pods if active(pod)}
    templates = spec.volume_claim_templates or ()
    end = first + number(spec.replicas, 1, wanted.words, "spec.replicas")
    missing = [one for one in range(first, end) if f"{wanted.name}-{one}" not in taken]
    if not missing or not there.can_make(wanted):
        return
    for ordinal in missing:
        name = f"{wanted.name}-{ordinal}"
        labels = {"apps.kubernetes.io/pod-index": str(ordinal), "statefulset.kubernetes.io/pod-name": name}
        pod = wanted.pod(name, "StatefulSet", wanted.name, labels)
        if templates and pod.spec is not None:
            claims = {one.metadata.name or "": f"{one.metadata.name}-{name}" for one in templates}
            others = [one for one in pod.spec.volumes or () if one.name not in claims]
            own = [ManifestVolume(volume, ClaimSource(claim)) for volume, claim in claims.items()]
            pod.spec = msgspec.structs.replace(pod.spec, volumes=(*others, *own))
            for one in templates:
                add_claim(related, wanted.namespace, claims[one.metadata.name or ""], one)
        yield wanted.words, pod


def add_claim(related: Related, namespace: str, name: str, template: PersistentVolumeClaim) -> None:
    """A claim that a controller would make, of the default class where it names none; one that is there stays."""
    if not related.stated("PersistentVolumeClaim") or related.find("PersistentVolumeClaim", name, namespace):
        return
    spec = template.spec
    if spec.storage_class_name is None:
        usual = [one for one in related.all("StorageClass") if _is_default(one.metadata)]
        newest = max(usual, key=lambda one: one.metadata.creation_timestamp or "", default=None)
        spec = msgspec.structs.replace(spec, storage_class_name=newest and newest.metadata.name)
    meta = AnnotatedMeta(name=name, namespace=namespace, labels=template.metadata.labels)
    related.add("PersistentVolumeClaim", PersistentVolumeClaim(meta, spec))


def _is_default(meta: AnnotatedMeta) -> bool:
    return (meta.annotations or {}).get(_DEFAULT_CLASS) == "true"
