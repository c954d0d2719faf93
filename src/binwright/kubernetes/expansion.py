"""Workloads as the pods that their controllers would still make: what they want less what is there.

Followed as far as the scheduler can see: number, names of kubectl's form, labels and owner. Stateful sets and daemon
sets, which tell their pods apart, have their own files. The pods are manifests; `admission` makes stored pods of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from binwright.kubernetes.daemon_sets import daemon_pods
from binwright.kubernetes.manifests import Manifest
from binwright.kubernetes.objects import LabelSelector, Node, Pod
from binwright.kubernetes.related import Related
from binwright.kubernetes.stateful_sets import stateful_pods
from binwright.kubernetes.templates import Present, active, number, of_workload, template_hash
from binwright.kubernetes.workload_objects import Job, Workload, WorkloadSpec

__all__ = ["expand"]

# kind -> (kind through which it makes pods, label that tells its generations apart)
_THROUGH = {
    "Deployment": ("ReplicaSet", "pod-template-hash"),
    "DeploymentConfig": ("ReplicationController", "deployment"),
}
_EXPANDED = (*_THROUGH, "ReplicaSet", "ReplicationController", "StatefulSet", "Job", "DaemonSet")


def expand(
    nodes: Sequence[Node], pods: Iterable[Pod], related: Related
) -> tuple[list[tuple[str, Manifest]], list[str]]:
    """((words for the workload, a pod that it lacks) for the workloads of `related`, kind by kind in input order; the
    words for those workloads that lack pods and have no template to make them of).

    pods: those of the input. What a controller makes beside pods is added to `related`: replica sets of deployments,
    claims of stateful sets. Raises InputError naming workload and field for a number that cannot be meant.
    """
    if not any(related.all(kind) for kind in _EXPANDED):
        return [], []
    there = Present(pods)
    return list(_expanded(nodes, there, related)), there.without_template


def _expanded(nodes: Sequence[Node], there: Present, related: Related) -> Iterator[tuple[str, Manifest]]:
    for kind in _THROUGH:
        for workload in list(related.all(kind)):
            yield from _through(kind, workload, there, related)
    for through in ("ReplicaSet", "ReplicationController"):
        for workload in related.all(through):
            if not any(_owner(workload, kind) and _found(related, workload, kind) for kind in _THROUGH):
                yield from _replicas(through, workload, there)
    for workload in related.all("StatefulSet"):
        yield from stateful_pods(workload, there, related)
    for workload in related.all("Job"):
        yield from _job(workload, there)
    yield from daemon_pods(related.all("DaemonSet"), there, nodes)


def _owner(workload: Any, kind: str) -> str | None:
    """Name of the workload's controller of this kind."""
    references = workload.metadata.owner_references or ()
    return next((one.name for one in references if one.controller and one.kind == kind), None)


def _found(related: Related, workload: Any, kind: str) -> bool:
    """Whether the workload's controller of this kind is in the input."""
    return related.find(kind, _owner(workload, kind), workload.metadata.namespace or "default") is not None


def _through(kind: str, workload: Any, there: Present, related: Related) -> Iterator[tuple[str, Manifest]]:
    """What a deployment lacks: all its replica sets count, the newest makes what is missing."""
    if not _makes_pods(workload):
        return
    wanted = of_workload(kind, workload)
    through, label = _THROUGH[kind]
    others = [one for one in related.all(through) if (one.metadata.namespace or "default") == wanted.namespace]
    own = [one for one in others if _owner(one, kind) == wanted.name]
    pods = there.of_unknown(through, {one.metadata.name for one in others}, wanted) + there.adopted(wanted)
    pods += [pod for one in own for pod in there.controlled(wanted.namespace, through, one.metadata.name)]
    missing = number(workload.spec.replicas, 1, wanted.words, "spec.replicas") - sum(map(active, pods))
    if missing <= 0 or not there.can_make(wanted):
        return
    if own:
        newest = max(own, key=lambda one: (one.metadata.creation_timestamp or "", one.metadata.name))
        name, labels = newest.metadata.name, dict(newest.metadata.labels or {})
        labels = {key: value for key, value in labels.items() if key in (label, "deploymentconfig")}
    elif kind == "Deployment":
        generation = template_hash(wanted)
        name, labels = f"{wanted.name}-{generation}", {label: generation}
        if related.stated("ReplicaSet") or not there.any_of("ReplicaSet"):  # else those of other pods would seem gone
            related.add("ReplicaSet", _replica_set(workload, name, labels))
    else:
        name = f"{wanted.name}-1"
        labels = {label: name, "deploymentconfig": wanted.name}
    for _ in range(missing):
        yield wanted.words, wanted.pod(there.new_name(wanted.namespace, f"{name}-"), through, name, labels)


def _makes_pods(workload: Any) -> bool:
    """Whether the workload wants any pod at all. One without number and template was cut down to what it selects."""
    spec = workload.spec
    stated = spec is not None and (spec.replicas is not None or spec.template is not None)
    return stated and spec.replicas != 0 and workload.metadata.deletion_timestamp is None


def _replica_set(deployment: Workload, name: str, labels: dict[str, str]) -> Workload:
    """As the deployment would make it, without pods of its own."""
    selector = (deployment.spec.selector if deployment.spec else None) or LabelSelector()
    pairs = {**(selector.match_labels or {}), **labels}
    spec = WorkloadSpec(LabelSelector(pairs, selector.match_expressions), replicas=0)
    return Workload(msgspec.structs.replace(deployment.metadata, name=name), spec)


def _replicas(kind: str, workload: Any, there: Present) -> Iterator[tuple[str, Manifest]]:
    """What a replica set, or a replication controller, lacks."""
    if not _makes_pods(workload):
        return
    wanted = of_workload(kind, workload)
    pods = there.controlled(wanted.namespace, kind, wanted.name) + there.adopted(wanted)
    missing = number(workload.spec.replicas, 1, wanted.words, "spec.replicas") - sum(map(active, pods))
    if missing <= 0 or not there.can_make(wanted):
        return
    for _ in range(missing):
        yield wanted.words, wanted.pod(there.new_name(wanted.namespace, f"{wanted.name}-"), kind, wanted.name)


def _job(job: Job, there: Present) -> Iterator[tuple[str, Manifest]]:
    """The pods that a job would run now, at most as many as it has completions to go."""
    spec, status = job.spec, job.status
    ended = any(
        one.type in ("Complete", "Failed", "SuccessCriteriaMet", "FailureTarget") and one.status == "True"
        for one in (status and status.conditions) or ()
    )
    if spec is None or spec.suspend or ended or job.metadata.deletion_timestamp is not None:
        return
    wanted = of_workload("Job", job)
    pods = there.controlled(wanted.namespace, "Job", wanted.name)
    parallel = number(spec.parallelism, 1, wanted.words, "spec.parallelism")
    done = [pod for pod in pods if pod.status is not None and pod.status.phase == "Succeeded"]
    succeeded = max(len(done), (status.succeeded or 0) if status else 0)
    running = [pod for pod in pods if active(pod)]
    if spec.completions is None and spec.parallelism is not None:
        wants = parallel if not succeeded else 0  # a work queue: when one has succeeded, no more begin
    else:
        wants = min(parallel, number(spec.completions, 1, wanted.words, "spec.completions") - succeeded)
    if wants <= len(running) or not there.can_make(wanted):
        return
    labels = {"batch.kubernetes.io/job-name": wanted.name, "job-name": wanted.name}
    if spec.completion_mode != "Indexed":
        for _ in range(wants - len(running)):
            name = there.new_name(wanted.namespace, f"{wanted.name}-")
            yield wanted.words, wanted.pod(name, "Job", wanted.name, labels)
        return
    key = "batch.kubernetes.io/job-completion-index"
    taken = {(pod.metadata.labels or {}).get(key) for pod in (*running, *done)}
    free = (str(index) for index in range(spec.completions or 0) if str(index) not in taken)
    for index in [index for _, index in zip(range(wants - len(running)), free)]:
        name = there.new_name(wanted.namespace, f"{wanted.name}-{index}-")
        yield wanted.words, wanted.pod(name, "Job", wanted.name, {**labels, key: index})
