"""What stands in the input and is not evaluated: named, counted, with one example, so that nothing is dropped silently.

Each entry of `RULES` says which pods use a rule that has no plugin here yet. When a plugin arrives its entry goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from binwright.kubernetes.objects import Pod
from binwright.kubernetes.pending import Queue, priority
from binwright.outcome import NotEvaluated

__all__ = ["find", "host_ports", "inter_pod", "preemption", "required_anti_affinity", "spreads", "volumes"]

_SPREAD_OWNERS = ("ReplicaSet", "StatefulSet", "ReplicationController")


def host_ports(pod: Pod) -> bool:
    """Whether a pod wants a port of its node: of its containers and sidecars, as NodePorts reads it."""
    spec = pod.spec
    sidecars = [one for one in (spec and spec.init_containers) or () if one.restart_policy == "Always"]
    containers = (*((spec and spec.containers) or ()), *sidecars)
    return any((port.host_port or 0) > 0 for container in containers for port in container.ports or ())


def claims(pod: Pod) -> bool:
    """Whether a pod has volumes that are claims."""
    return any(one.persistent_volume_claim or one.ephemeral for one in (pod.spec and pod.spec.volumes) or ())


def disks(pod: Pod) -> bool:
    """Whether a pod names a disk in its own spec."""
    return any(
        one.gce_persistent_disk or one.aws_elastic_block_store or one.azure_disk or one.cinder or one.iscsi or one.rbd
        for one in (pod.spec and pod.spec.volumes) or ()
    )


def volumes(pod: Pod) -> bool:
    """Whether a volume plugin has anything to say about a pod."""
    return claims(pod) or disks(pod)


def spreads(pod: Pod) -> bool:
    """Whether a pod brings topology spread constraints."""
    return bool(pod.spec and pod.spec.topology_spread_constraints)


def _spreads_by_default(pod: Pod) -> bool:
    owned = any(one.controller and one.kind in _SPREAD_OWNERS for one in pod.metadata.owner_references or ())
    return owned and not spreads(pod)


def inter_pod(pod: Pod) -> bool:
    """Whether a pod has affinity or anti-affinity to other pods."""
    affinity = pod.spec.affinity if pod.spec else None
    both = (affinity.pod_affinity, affinity.pod_anti_affinity) if affinity else ()
    return any(
        one.required_during_scheduling_ignored_during_execution
        or one.preferred_during_scheduling_ignored_during_execution
        for one in both
        if one is not None
    )


def required_anti_affinity(pod: Pod) -> bool:
    """Whether a pod keeps others off: bound ones restrict those that come later."""
    anti = pod.spec.affinity.pod_anti_affinity if pod.spec and pod.spec.affinity else None
    return anti is not None and bool(anti.required_during_scheduling_ignored_during_execution)


def _nominated(pod: Pod) -> bool:
    return bool(pod.status and pod.status.nominated_node_name)


def _resource_claims(pod: Pod) -> bool:
    return bool(pod.spec and pod.spec.resource_claims)


# rule -> (which pods use it, whether bound pods count as well)
RULES: dict[str, tuple[Callable[[Pod], bool], bool]] = {
    "InterPodAffinity": (inter_pod, True),
    "PodTopologySpread": (spreads, False),
    "PodTopologySpread (cluster defaults)": (_spreads_by_default, False),
    "NodePorts": (host_ports, False),
    "VolumeBinding": (claims, False),
    "VolumeZone": (claims, False),
    "VolumeRestrictions": (volumes, False),
    "NodeVolumeLimits": (volumes, False),
    "DynamicResources": (_resource_claims, False),
    "nominated node": (_nominated, False),
}


def find(queue: Queue) -> list[NotEvaluated]:
    """Every rule that some pod uses and that is not evaluated."""
    if not queue.pending:
        return _entry("SchedulingGates", queue.gated) + _foreign(queue.foreign)
    found = []
    for rule, (uses, bound_too) in RULES.items():
        users = [pod for pod in queue.pending if uses(pod)]
        if bound_too:
            users += [pod for pod in queue.bound if uses(pod)]
        found += _entry(rule, users)
    return found + _entry("SchedulingGates", queue.gated) + _foreign(queue.foreign)


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
