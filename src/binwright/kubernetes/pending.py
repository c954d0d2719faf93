"""Which pods of an input wait for a node, in queue order, and which hold one.

Reads only a pod's own state; which plugins judge it, and where it goes, is decided elsewhere. The queue is
PrioritySort's: higher priority first, then the older one; namespace and name make it total.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from binwright.kubernetes.objects import Pod, PodSpec

__all__ = ["DEFAULT_SCHEDULER", "Queue", "has_node", "is_finished", "priority", "sort_out", "turn", "unbound"]

DEFAULT_SCHEDULER = "default-scheduler"


@dataclass(slots=True)
class Queue:
    """The pods of one cluster by state; every pod is in exactly one list.

    `pending` in queue order; the others in input order. `bound` pods hold resources of their node, also while they
    terminate; `finished` ones hold nothing; `deleted` ones had no node and will not get one; `gated` ones wait for
    somebody to remove a scheduling gate; `foreign` ones belong to a scheduler that has no profile here.
    """

    pending: list[Pod] = field(default_factory=list)
    bound: list[Pod] = field(default_factory=list)
    finished: list[Pod] = field(default_factory=list)
    deleted: list[Pod] = field(default_factory=list)
    gated: list[Pod] = field(default_factory=list)
    foreign: list[Pod] = field(default_factory=list)


def priority(pod: Pod) -> int:
    """`spec.priority`, 0 when absent."""
    return (pod.spec.priority or 0) if pod.spec else 0


def is_finished(pod: Pod) -> bool:
    """Whether a pod has ended, and holds nothing."""
    return pod.status is not None and pod.status.phase in ("Succeeded", "Failed")


def has_node(pod: Pod) -> bool:
    """Whether a pod holds resources of a node."""
    return bool(pod.spec and pod.spec.node_name) and not is_finished(pod)


def sort_out(pods: Iterable[Pod], schedulers: Iterable[str] = (DEFAULT_SCHEDULER,)) -> Queue:
    """Every pod to its list; `schedulers` are the names that have a profile here."""
    known = frozenset(schedulers)
    queue = Queue()
    for pod in pods:
        _list_for(pod, known, queue).append(pod)
    queue.pending.sort(key=turn)
    return queue


def _list_for(pod: Pod, known: frozenset[str], queue: Queue) -> list[Pod]:
    spec = pod.spec
    if is_finished(pod):
        return queue.finished
    if has_node(pod):
        return queue.bound
    if pod.metadata.deletion_timestamp is not None:
        return queue.deleted
    if spec is not None and spec.scheduling_gates:
        return queue.gated
    if spec is not None and (spec.scheduler_name or DEFAULT_SCHEDULER) not in known:
        return queue.foreign
    return queue.pending


def turn(pod: Pod) -> tuple[int, bool, str, str, str]:
    """Sort key of the queue. Time stamps are UTC and of one form, so text order is time order; none is the newest."""
    meta = pod.metadata
    created = meta.creation_timestamp
    return (-priority(pod), created is None, created or "", meta.namespace or "default", meta.name or "")


def unbound(pod: Pod) -> Pod:
    """A pod as it waits again after it was pushed from its node."""
    spec = msgspec.structs.replace(pod.spec or PodSpec(), node_name=None)
    return msgspec.structs.replace(pod, spec=spec, status=None)
