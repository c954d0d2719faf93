"""The shapes that `capacity --pod` names, as pods that the cluster would store.

A shape is amounts (cpu=500m,memory=1Gi), a file with pods or workloads, or an object of the input: a pod
(NAMESPACE/POD), or the next pod of a workload (deploy/NAME). Manifests go through `admission`. Places nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from binwright.errors import InputError
from binwright.formats import documents
from binwright.formats.files import read_path
from binwright.kubernetes import label_selectors
from binwright.kubernetes.admission import Admission, manifest
from binwright.kubernetes.drain_filters import controller
from binwright.kubernetes.manifests import Manifest
from binwright.kubernetes.objects import Pod, PodSpec
from binwright.kubernetes.reader import Objects
from binwright.kubernetes.requests import CPU, MEMORY, STORAGE, is_scalar, pod_request
from binwright.kubernetes.templates import Wanted, of_workload, template_hash
from binwright.kubernetes.workload_objects import Job, MapSelecting, StatefulSet, Workload
from binwright.outcome import NotEvaluated
from binwright.units import nanos

__all__ = ["Shape", "Shapes", "split"]

_AMOUNT = re.compile(r"([A-Za-z0-9][-A-Za-z0-9./_]*)=([^=,]+)")
_TIMES = re.compile(r"([1-9][0-9]{0,5}):(.+)")
_FILES = (".json", ".yaml", ".yml", ".jsonl", ".gz", ".xz")

_Pod = TypeVar("_Pod", bound=Pod)

# kind -> how kubectl lets it be called, API group aside, and the Struct of a manifest
_WORKLOADS: dict[str, tuple[frozenset[str], type]] = {
    "Deployment": (frozenset({"deploy", "deployment", "deployments"}), Workload),
    "ReplicaSet": (frozenset({"rs", "replicaset", "replicasets"}), Workload),
    "StatefulSet": (frozenset({"sts", "statefulset", "statefulsets"}), StatefulSet),
    "Job": (frozenset({"job", "jobs"}), Job),
    "ReplicationController": (frozenset({"rc", "replicationcontroller", "replicationcontrollers"}), MapSelecting),
    "DeploymentConfig": (frozenset({"dc", "deploymentconfig", "deploymentconfigs"}), MapSelecting),
}
_PODS = frozenset({"po", "pod", "pods"})
_KINDS = {word: kind for kind, (words, _) in _WORKLOADS.items() for word in words} | dict.fromkeys(_PODS, "Pod")
# the kind that makes a workload's pods, where it is another one
_THROUGH = {"Deployment": "ReplicaSet", "DeploymentConfig": "ReplicationController"}


@dataclass(frozen=True, slots=True)
class Shape:
    """`each` of this pod make a round of the mix. `written`: the manifest that the pod was stored from, None for one of
    the input. `refusal`: why the API server would not store it.
    """

    name: str
    each: int
    pod: Pod
    written: Manifest | None = None
    refusal: str | None = None


def split(texts: Iterable[str]) -> list[tuple[int, str]]:
    """(times, shape) of what --pod was given: commas separate shapes, but amounts in a row are one shape until one of
    them is named again: cpu=1,memory=1Gi,cpu=2 are two.

    Raises InputError for an empty shape.
    """
    found: list[tuple[int, str]] = []
    for text in texts:
        amounts: set[str] | None = None  # those of the shape that can still grow
        for part in text.split(","):
            counted = _TIMES.fullmatch(part)
            times, shape = (int(counted[1]), counted[2]) if counted else (1, part)
            amount = _AMOUNT.fullmatch(shape)
            if not shape.strip():
                raise InputError(f"--pod {text}: an empty shape")
            if amount is not None and not counted and amounts is not None and amount[1] not in amounts:
                amounts.add(amount[1])
                found[-1] = (found[-1][0], f"{found[-1][1]},{shape}")
                continue
            amounts = {amount[1]} if amount is not None else None
            found.append((times, shape))
    return found


@dataclass
class Shapes:
    """Reads shapes for one cluster. `namespace`: of those that name none. `unknown`: those that name an object which
    the cluster does not have.
    """

    objects: Objects
    namespace: str | None = None
    unknown: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._admission = Admission(self.objects.related)
        self._without_claims: list[Pod] = []

    @property
    def not_evaluated(self) -> list[NotEvaluated]:
        """What could not be looked up, and volumes that every pod of a shape would have for itself."""
        found = self._admission.not_evaluated
        if self._without_claims:
            example = f"Pod {self._without_claims[0].key}"
            found.append(NotEvaluated("VolumeBinding (a claim for each pod)", len(self._without_claims), example))
        return found

    def read(self, texts: Iterable[str]) -> list[Shape]:
        """Raises InputError naming the shape for one that cannot be read, or that is ambiguous."""
        return [shape for times, text in split(texts) for shape in self._read(times, text)]

    def _read(self, times: int, text: str) -> Iterator[Shape]:
        if _AMOUNT.match(text) and not Path(text).exists():
            yield self._admitted(text, times, self._of_amounts(text))
        elif text == "-" or text.endswith(_FILES) or Path(text).is_file():
            pods = list(self._of_file(text))
            if not pods:
                raise InputError(f"--pod {text}: holds no pod and no workload")
            for pod in pods:
                name = text if len(pods) == 1 else f"{text}:{pod.metadata.name}"
                yield self._admitted(name, times, pod)
        else:
            named = self._named(text)
            if named is None:
                self.unknown.append(text)
            elif isinstance(named, Manifest):
                yield self._admitted(text, times, named)
            else:
                yield Shape(text, times, self._unclaimed(named))

    def _admitted(self, name: str, times: int, pod: Manifest) -> Shape:
        try:
            result = self._admission.admit(pod)
            pod_request(result.pod)  # its amounts can be read
        except InputError as problem:
            raise InputError(f"--pod {name}: {problem}") from None
        return Shape(name, times, self._unclaimed(result.pod), pod, result.refusal)

    # ---- amounts and files ---------------------------------------------------------------------------------------

    def _of_amounts(self, text: str) -> Manifest:
        requests: dict[str, str] = {}
        for part in text.split(","):
            amount = _AMOUNT.fullmatch(part)
            if amount is None:
                raise InputError(f"--pod {text}: {part}: not RESOURCE=AMOUNT")
            name = amount[1]
            if not (is_scalar(name) or name in (CPU, MEMORY, STORAGE)):
                raise InputError(f"--pod {text}: {name}: no resource that pods ask for (cpu, memory, VENDOR/NAME, ...)")
            nanos(amount[2], f"--pod {text}: {name}")
            requests[name] = amount[2]
        containers = [{"name": "shape", "resources": {"requests": requests}}]
        metadata = {"name": "shape", "namespace": self.namespace or "default"}
        return manifest({"metadata": metadata, "spec": {"containers": containers}}, f"--pod {text}")

    def _of_file(self, path: str) -> Iterator[Manifest]:
        for blob in read_path(path):
            for document in documents.load(blob):
                yield from self._of_document(document, f"--pod {blob.name}")

    def _of_document(self, data: Any, where: str) -> Iterator[Manifest]:
        if isinstance(data, (list, tuple)):
            for item in data:
                yield from self._of_document(item, where)
            return
        kind = data.get("kind") if isinstance(data, Mapping) else None
        if not isinstance(kind, str):
            raise InputError(f"{where}: kind: missing, so this is no Kubernetes object")
        if kind.endswith("List"):
            for item in data.get("items") or ():
                yield from self._of_document(item, where)
        elif kind == "Pod":
            yield self._in_namespace(unnoded(manifest(data, where)))
        elif kind == "CronJob":
            spec = data.get("spec")
            job = spec.get("jobTemplate") if isinstance(spec, Mapping) else None
            if not isinstance(job, Mapping):
                raise InputError(f"{where}: CronJob: spec.jobTemplate: missing")
            yield from self._of_document({**job, "kind": "Job", "metadata": data.get("metadata") or {}}, where)
        elif kind in _WORKLOADS:
            try:
                workload: Any = msgspec.convert(data, type=_WORKLOADS[kind][1])
            except msgspec.ValidationError as problem:
                field_, what = documents.shape_problem(problem)
                raise InputError(f"{where}: {kind}: {field_.removeprefix('.') or 'the object'}: {what}") from None
            if not workload.metadata.name:
                raise InputError(f"{where}: {kind}: metadata.name: missing")
            try:
                yield self._in_namespace(made_by(kind, of_workload(kind, workload)))
            except InputError as problem:
                raise InputError(f"{where}: {problem}") from None

    def _in_namespace(self, pod: Manifest) -> Manifest:
        if self.namespace is None:
            return pod
        return msgspec.structs.replace(pod, metadata=msgspec.structs.replace(pod.metadata, namespace=self.namespace))

    # ---- objects of the input ------------------------------------------------------------------------------------

    def _named(self, text: str) -> Pod | None:
        """The object of this name as a pod; a Manifest where it is made from a template. None when there is none."""
        kind, _, rest = text.partition("/")
        wanted = _KINDS.get(kind.lower().partition(".")[0]) if rest else None
        if wanted is not None and wanted != "Pod":
            found = self._only(text, list(self.objects.related.all(wanted)), rest)
            return None if found is None else self._next_of(text, wanted, of_workload(wanted, found))
        pod: Pod | None = self._only(text, self.objects.pods, rest if wanted else text)
        return None if pod is None else unnoded(pod)

    def _only(self, text: str, things: Sequence[Any], name: str) -> Any | None:
        """The one thing of this NAME or NAMESPACE/NAME. Raises InputError where there are several."""
        found = []
        for one in things:
            namespace = one.metadata.namespace or "default"
            full = f"{namespace}/{one.metadata.name}"
            if name == full or (name == one.metadata.name and self.namespace in (None, namespace)):
                found.append(full)
                last = one
        if len(found) > 1:
            more = f" and {len(found) - 3} more" if len(found) > 3 else ""
            raise InputError(f"--pod {text}: ambiguous, could be {', '.join(found[:3])}{more}")
        return last if found else None

    def _next_of(self, text: str, kind: str, wanted: Wanted) -> Pod:
        """The pod that a workload would make next: as its youngest one is, else by its template."""
        maker = _THROUGH.get(kind, kind)
        own = [
            pod
            for pod in self.objects.pods
            if (pod.metadata.namespace or "default") == wanted.namespace
            and label_selectors.matches(wanted.selector, pod.metadata.labels or {})
            and (owner := controller(pod)) is not None
            and owner.kind == maker
        ]
        if not own:
            try:
                return made_by(kind, wanted)
            except InputError as problem:
                raise InputError(f"--pod {text}: {problem}, and no pod of it is in the input") from None
        return unnoded(max(own, key=lambda pod: (pod.metadata.creation_timestamp or "", pod.metadata.name or "")))

    def _unclaimed(self, pod: Pod) -> Pod:
        """Without volumes that the next pod of its kind would not share: of stateful sets, and ephemeral ones."""
        volumes = (pod.spec.volumes if pod.spec else None) or ()
        owner = controller(pod)
        own = owner is not None and owner.kind == "StatefulSet"
        kept = tuple(
            one for one in volumes if one.ephemeral is None and not (own and one.persistent_volume_claim is not None)
        )
        if len(kept) == len(volumes):
            return pod
        self._without_claims.append(pod)
        return msgspec.structs.replace(pod, spec=msgspec.structs.replace(pod.spec or PodSpec(), volumes=kept))


def made_by(kind: str, wanted: Wanted) -> Manifest:
    """A pod of a workload's template, with the labels that its controller would add for the rules to see.

    Raises InputError naming the workload when it has none.
    """
    if wanted.template is None:
        raise InputError(f"{wanted.words}: spec.template: missing")
    labels = {"pod-template-hash": template_hash(wanted)} if kind == "Deployment" else {}
    return wanted.pod(wanted.name, _THROUGH.get(kind, kind), wanted.name, labels)


def unnoded(pod: _Pod) -> _Pod:
    """A pod without node, status and gates, as one like it would come."""
    if pod.spec is None:
        return pod
    spec = msgspec.structs.replace(pod.spec, node_name=None, scheduling_gates=None)
    return msgspec.structs.replace(pod, spec=spec, status=None)
