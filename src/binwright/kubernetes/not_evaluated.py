"""What stands in the input and is not evaluated: named, counted, with one example, so that nothing is dropped silently.

Mostly rules that read kinds of objects which the input does not have (`Related.stated`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from binwright.kubernetes.alike import Alike
from binwright.kubernetes.configuration import SchedulerProfile
from binwright.kubernetes.gangs import group_of
from binwright.kubernetes.objects import Pod
from binwright.kubernetes.pending import Queue, priority
from binwright.kubernetes.plugins.affinity_terms import terms_of
from binwright.kubernetes.plugins.disks import migrated, volume_claims, volumes
from binwright.kubernetes.plugins.spread_constraints import defaults_judged, own
from binwright.kubernetes.plugins.volume_binding import is_bound, is_delayed
from binwright.kubernetes.related import Related
from binwright.outcome import NotEvaluated

__all__ = ["budgets", "find", "preemption"]


def _claims(pod: Pod) -> bool:
    return bool(volume_claims(pod))


def _attaches(pod: Pod) -> bool:
    return _claims(pod) or any(migrated(one) for one in volumes(pod))


def _by_namespace_labels(pod: Pod) -> bool:
    return any(term.about.namespace_selector for terms in terms_of(pod) for term in terms)


def _resource_claims(pod: Pod) -> bool:
    return bool(pod.spec and pod.spec.resource_claims)


def _rules(related: Related) -> Iterable[tuple[str, Callable[[Pod], bool], bool]]:
    """(rule, which pods use it, whether bound pods count as well) of what cannot be judged."""
    if not related.stated("Namespace"):
        yield "InterPodAffinity (namespaceSelector)", _by_namespace_labels, True

    def unjudged(pod: Pod) -> bool:
        return not own(pod) and not defaults_judged(pod, related)

    yield "PodTopologySpread (cluster defaults)", unjudged, False
    if not related.stated("PersistentVolumeClaim", "PersistentVolume"):
        for rule in ("VolumeBinding", "VolumeZone", "VolumeRestrictions (ReadWriteOncePod)"):
            yield rule, _claims, False
    elif not related.stated("StorageClass"):

        def undecided(pod: Pod) -> bool:
            namespace = pod.metadata.namespace or "default"
            found = (related.find("PersistentVolumeClaim", name, namespace) for name in volume_claims(pod))
            delayed = [is_delayed(claim, related) for claim in found if claim is not None and not is_bound(claim)]
            return None in delayed and False not in delayed  # one that is immediate refuses the pod anyway

        yield "VolumeBinding (unbound claims)", undecided, False
    if not related.stated("CSINode", "PersistentVolumeClaim", "PersistentVolume"):
        yield "NodeVolumeLimits", _attaches, False
    elif not related.stated("VolumeAttachment"):
        yield "NodeVolumeLimits (VolumeAttachment)", _attaches, False
    yield "DynamicResources", _resource_claims, False


def find(
    queue: Queue,
    related: Related,
    profile: SchedulerProfile | None = None,
    others: Sequence[SchedulerProfile] = (),
    alike: Alike | None = None,
) -> list[NotEvaluated]:
    """Every rule that some pod uses and that is not evaluated, and what of the profiles is not carried out. alike: of
    the queue's pods, so that those of one template are asked once.
    """
    found = []
    pending = _kinds(queue.pending, alike)
    for rule, uses, bound_too in _rules(related) if pending else ():
        kinds = [*pending, *_kinds(queue.bound, alike)] if bound_too else pending
        found += _entry(rule, [pod for kind, pods in kinds if uses(kind) for pod in pods])
    found += _entry("SchedulingGates", queue.gated) + _foreign(queue.foreign)
    if not (related.stated("PodGroup") and (profile is None or any(one.gangs for one in (profile, *others)))):
        found += _entry("PodGroup", [pod for kind, pods in pending if group_of(kind) for pod in pods])
    for named in (*(() if profile is None else (profile,)), *others):
        found += [NotEvaluated(one, 1, f"profile {named.scheduler_name}") for one in named.not_evaluated]
    return found


def _kinds(pods: Iterable[Pod], alike: Alike | None) -> list[tuple[Pod, list[Pod]]]:
    """Pods with those that they stand for, in order."""
    if alike is None:
        return [(pod, [pod]) for pod in pods]
    kinds: dict[int, tuple[Pod, list[Pod]]] = {}
    for pod in pods:
        first = alike.first(pod)
        kinds.setdefault(id(first), (first, []))[1].append(pod)
    return list(kinds.values())


def budgets(preempting: Sequence[Pod], related: Related) -> list[NotEvaluated]:
    """Pods that pushed out others, where the input says nothing of disruption budgets."""
    return [] if related.stated("PodDisruptionBudget") else _entry("PodDisruptionBudget", preempting)


def preemption(unplaced: Iterable[Pod], others: Iterable[Pod]) -> list[NotEvaluated]:
    """Pods that did not fit and have pods of lower priority to push out. others: the pods that hold a node."""
    lowest = min((priority(pod) for pod in others), default=None)
    return _entry(
        "DefaultPreemption",
        [
            pod
            for pod in unplaced
            if lowest is not None
            and priority(pod) > lowest
            and not (pod.spec and pod.spec.preemption_policy == "Never")
        ],
    )


def _entry(rule: str, pods: Sequence[Pod]) -> list[NotEvaluated]:
    return [NotEvaluated(rule, len(pods), f"Pod {pods[0].key}")] if pods else []


def _foreign(pods: Iterable[Pod]) -> list[NotEvaluated]:
    """Pods of other schedulers, one entry a scheduler."""
    by_name: dict[str, list[Pod]] = {}
    for pod in pods:
        by_name.setdefault((pod.spec and pod.spec.scheduler_name) or "", []).append(pod)
    return [entry for name, some in by_name.items() for entry in _entry(f"schedulerName {name}", some)]
