"""Objects that never passed an API server, made part of the cluster: manifests admitted, workloads expanded.

Glue between `expansion`, `admission` and `quota`; afterwards every pod of the input is as a dump would have it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from binwright.kubernetes.admission import Admission
from binwright.kubernetes.expansion import expand
from binwright.kubernetes.manifests import Manifest
from binwright.kubernetes.objects import Node, Pod
from binwright.kubernetes.quota import exceeded
from binwright.kubernetes.related import Related
from binwright.kubernetes.stateful_sets import add_claim
from binwright.outcome import NotEvaluated

__all__ = ["Arrivals", "arrive", "is_stored"]


@dataclass(slots=True)
class Arrivals:
    """What is to be said of the objects that arrived. `expanded`: key of a pod -> the workload that it is made for.
    `refused`: pods that the API server would not store, with its words; they are nowhere else.
    """

    expanded: dict[str, str] = field(default_factory=dict)
    refused: list[tuple[Pod, str]] = field(default_factory=list)
    not_evaluated: list[NotEvaluated] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def is_stored(pod: Pod) -> bool:
    """Whether a pod has been in an API server: it has what only that gives. Such a pod is never touched."""
    meta, status = pod.metadata, pod.status
    return bool(meta.uid or meta.creation_timestamp or (status and status.phase))


def arrive(nodes: Sequence[Node], pods: Sequence[Pod], related: Related) -> tuple[list[Pod], Arrivals]:
    """(all pods of the cluster as they are stored, in input order, then those of workloads; what is to be said).

    pods: stored ones, and manifests. Raises InputError naming object and field.
    """
    arrivals = Arrivals()
    admission = Admission(related)
    new: list[tuple[Manifest, Pod]] = []

    def take(pod: Manifest) -> list[Pod]:
        _add_ephemeral_claims(pod, related)
        result = admission.admit(pod)
        if result.refusal is not None:
            arrivals.refused.append((result.pod, f'pods "{pod.metadata.name}" is forbidden: {result.refusal}'))
            return []
        if result.pod.spec is None or not result.pod.spec.node_name:
            new.append((pod, result.pod))
        return [result.pod]

    made, without_template = expand(nodes, pods, related)
    arrivals.expanded = {pod.key: words for words, pod in made}
    taken: list[Pod] = []
    for pod in (*pods, *(pod for _, pod in made)):
        if isinstance(pod, Manifest):
            taken += take(pod)
        else:
            taken.append(pod)
    arrivals.not_evaluated = admission.not_evaluated
    jobs = [f"CronJob {one.metadata.namespace or 'default'}/{one.metadata.name}" for one in related.all("CronJob")]
    machines = [
        f"MachineSet {one.metadata.namespace or 'default'}/{one.metadata.name}"
        for one in related.all("MachineSet")
        if ((one.spec and one.spec.replicas) or 0) > ((one.status and one.status.ready_replicas) or 0)
    ]
    for rule, words in (
        ("CronJob (not expanded)", jobs),
        ("workload without pod template", without_template),
        ("MachineSet (nodes that are not ready yet)", machines),
    ):
        if words:
            arrivals.not_evaluated.append(NotEvaluated(rule, len(words), words[0]))
    arrivals.notes = exceeded(new, related) + _counted(arrivals.expanded)
    return taken, arrivals


def _counted(expanded: Mapping[str, str]) -> list[str]:
    if not expanded:
        return []
    workloads = list(dict.fromkeys(expanded.values()))
    some = ", ".join(workloads[:3]) + (f" and {len(workloads) - 3} more" if len(workloads) > 3 else "")
    number = "1 pod stands" if len(expanded) == 1 else f"{len(expanded)} pods stand"
    return [f"{number} for what workloads still want: {some}"]


def _add_ephemeral_claims(pod: Manifest, related: Related) -> None:
    """The claims that are made for the pod's generic ephemeral volumes, POD-VOLUME."""
    for volume in (pod.spec.volumes if pod.spec else None) or ():
        if volume.ephemeral is not None and volume.ephemeral.volume_claim_template is not None:
            name = f"{pod.metadata.name}-{volume.name}"
            template = volume.ephemeral.volume_claim_template
            add_claim(related, pod.metadata.namespace or "default", name, template)
