"""Pod templates of workloads: which pods of an input are a workload's own, and pods made from its template.

What every controller does alike; how many pods which kind wants is in `expansion`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import msgspec

from binwright.errors import InputError
from binwright.kubernetes import label_selectors
from binwright.kubernetes.label_selectors import Selector
from binwright.kubernetes.manifests import Manifest
from binwright.kubernetes.objects import AnnotatedMeta, LabelSelector, OwnerReference, Pod
from binwright.kubernetes.workload_objects import PodTemplate

__all__ = ["MOST", "Present", "Wanted", "active", "number", "of_workload", "template_hash"]

MOST = 100_000
"""Pods of one workload; a larger number is a slip of the pen."""
_SAFE = "bcdfghjklmnpqrstvwxz2456789"
_SUFFIX = 5
_LONGEST_BASE = 58  # of a generated name, as the API server cuts it
_VERSIONS = {"ReplicationController": "v1", "Job": "batch/v1"}


@dataclass(frozen=True)
class Wanted:
    """What a workload says of its pods; `words` name it in messages: "Deployment shop/web". `template` None: the object
    was cut down to what says whom it owns, so no pod can be made of it.
    """

    words: str
    namespace: str
    name: str
    template: PodTemplate | None
    selector: Selector

    def pod(self, name: str, kind: str, owner: str, labels: Mapping[str, str] | None = None) -> Manifest:
        """A pod of the template, controlled by the object `owner` of `kind`."""
        assert self.template is not None
        reference = OwnerReference(_VERSIONS.get(kind, "apps/v1"), kind, owner, True)
        own = {**(self.template.metadata.labels or {}), **(labels or {})}
        meta = AnnotatedMeta(name=name, namespace=self.namespace, labels=own, owner_references=(reference,))
        return Manifest(meta, self.template.spec)


def of_workload(kind: str, workload: Any) -> Wanted:
    """Raises InputError naming the workload for a selector that cannot be read."""
    meta = workload.metadata
    namespace = meta.namespace or "default"
    words = f"{kind} {namespace}/{meta.name}"
    template, selector = (workload.spec.template, workload.spec.selector) if workload.spec else (None, None)
    if isinstance(selector, LabelSelector):
        parsed = label_selectors.parse(selector, f"{words}: spec.selector")
    else:
        parsed = label_selectors.of_map(selector or (template.metadata.labels if template else None) or {})
    return Wanted(words, namespace, meta.name, template, parsed)


def number(stated: int | None, default: int, words: str, field: str) -> int:
    """How many pods. Raises InputError for a number that cannot be meant."""
    count = default if stated is None else stated
    if not 0 <= count <= MOST:
        raise InputError(f"{words}: {field}: {count} is not in 0..{MOST}")
    return count


def active(pod: Pod) -> bool:
    """Whether a pod counts for its workload: it has not finished. One that is being deleted counts, since the pod that
    takes its place, where its controller has made one, is in the input too.
    """
    return pod.status is None or pod.status.phase not in ("Succeeded", "Failed")


class Present:
    """The pods of an input by who controls them. `without_template`: the workloads that lack pods which cannot be made,
    in words.
    """

    def __init__(self, pods: Iterable[Pod]) -> None:
        self.without_template: list[str] = []
        self._owned: dict[tuple[str, str], dict[str, list[Pod]]] = {}  # (namespace, kind) -> name -> pods
        self._orphans: dict[str, list[Pod]] = {}
        self._names: set[str] = set()
        for pod in pods:
            namespace = pod.metadata.namespace or "default"
            self._names.add(pod.key)
            owner = next((one for one in pod.metadata.owner_references or () if one.controller), None)
            if owner is None:
                self._orphans.setdefault(namespace, []).append(pod)
            else:
                self._owned.setdefault((namespace, owner.kind), {}).setdefault(owner.name, []).append(pod)

    def controlled(self, namespace: str, kind: str, name: str) -> list[Pod]:
        """The pods whose controller this is."""
        return self._owned.get((namespace, kind), {}).get(name, [])

    def adopted(self, wanted: Wanted) -> list[Pod]:
        """Pods without controller that the workload selects."""
        return [pod for pod in self._orphans.get(wanted.namespace, ()) if wanted.selector and _selects(wanted, pod)]

    def of_unknown(self, kind: str, known: Collection[str], wanted: Wanted) -> list[Pod]:
        """Pods that the workload selects and whose controller of this kind is not among the known names."""
        by_name = self._owned.get((wanted.namespace, kind), {})
        return [pod for name, pods in by_name.items() if name not in known for pod in pods if _selects(wanted, pod)]

    def can_make(self, wanted: Wanted) -> bool:
        """Whether the pods that the workload lacks can be made; where not, it is kept in mind."""
        if wanted.template is None:
            self.without_template.append(wanted.words)
        return wanted.template is not None

    def any_of(self, kind: str) -> bool:
        """Whether any pod has a controller of this kind."""
        return any(owner == kind for _, owner in self._owned)

    def new_name(self, namespace: str, base: str) -> str:
        """BASE and five characters, as the API server would draw them: no pod has this name, the next call another."""
        base = base[:_LONGEST_BASE]
        drawn = int.from_bytes(blake2b(f"{namespace}/{base}".encode(), digest_size=4).digest())
        while True:
            found = base + _letters(drawn)
            drawn += 1_000_003  # no multiple of 3, so all 27**5 endings come before one repeats
            if f"{namespace}/{found}" not in self._names:
                self._names.add(f"{namespace}/{found}")
                return found


def _selects(wanted: Wanted, pod: Pod) -> bool:
    return label_selectors.matches(wanted.selector, pod.metadata.labels or {})


def _letters(drawn: int) -> str:
    found = ""
    for _ in range(_SUFFIX):
        drawn, letter = divmod(drawn, len(_SAFE))
        found += _SAFE[letter]
    return found


def template_hash(wanted: Wanted) -> str:
    """Ten characters that tell one template from another, where a ReplicaSet has its own hash."""
    digest = blake2b(msgspec.json.encode(wanted.template), digest_size=10).digest()
    return "".join(_SAFE[byte % len(_SAFE)] for byte in digest)
