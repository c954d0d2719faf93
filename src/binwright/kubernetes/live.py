"""A cluster that changes while it is asked about: objects as events bring them, pods assumed to be on their nodes.

An assumption is what a bind commits before the watch shows it: it counts at once, ends when an event says what became
of the pod, or after 30 s. All that a change says is taken, or nothing of it. One thread at a time; the clock is given.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from binwright.errors import BinwrightError, InputError
from binwright.kubernetes import not_evaluated
from binwright.kubernetes.compile import allocatable
from binwright.kubernetes.configuration import SchedulerProfile
from binwright.kubernetes.cycle import bound_to
from binwright.kubernetes.disruption import read_budget
from binwright.kubernetes.objects import Node, Pod
from binwright.kubernetes.pending import DEFAULT_SCHEDULER, Queue, has_node, is_finished
from binwright.kubernetes.reader import Objects
from binwright.kubernetes.related import CLUSTER_WIDE, Related
from binwright.kubernetes.requests import Requests
from binwright.kubernetes.standing import Standing
from binwright.outcome import NotEvaluated

__all__ = ["ASSUMED_SECONDS", "IMAGES_SECONDS", "KINDS", "Change", "LiveCluster"]

ASSUMED_SECONDS = 30.0
IMAGES_SECONDS = 60.0
"""How long the score for images may be behind: nodes pull them all the time, and nothing else depends on them."""
_SELECTING = ("Service", "ReplicationController", "ReplicaSet", "StatefulSet")
"""Of these only the selector is read, for what pods spread over by default."""
_BUDGET = "PodDisruptionBudget"
"""Read when somebody preempts; what other rules read they have read when the cluster was compiled."""
KINDS = (
    *("Node", "Pod", "Namespace", *_SELECTING, _BUDGET, "PersistentVolume", "PersistentVolumeClaim", "StorageClass"),
    *("CSINode", "CSIDriver", "CSIStorageCapacity", "VolumeAttachment"),
)
"""Every kind that counts here; changes of others are passed over."""
_MOST_WANTED = 128
_MOST_ASKED = 4096
_MOST_LISTED = 200


@dataclass(frozen=True, slots=True)
class Change:
    """One event of a watch. gone: the object is no more."""

    kind: str
    found: Any
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Assumed:
    """A pod on the node that a bind named, as it looked for it, until when."""

    pod: Pod
    asked: Pod
    until: float


_Undo = list[Callable[[], object]]


class LiveCluster:
    """The cluster now. `builds` counts how often it was compiled; `changed` how often anything changed."""

    def __init__(
        self,
        profiles: Sequence[SchedulerProfile] = (SchedulerProfile(),),
        *,
        complete: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """profiles: as for `Cluster`. complete: kinds that never came have no objects. clock: seconds, never back."""
        self.profiles = tuple(profiles)
        self.builds = 0
        self.changed = 0
        self._clock = clock
        self._schedulers = {one.scheduler_name for one in self.profiles}
        self._nodes: dict[str, Node] = {}
        self._pods: dict[str, Pod] = {}
        self._pending: set[str] = set()
        self._related = Related(complete)
        self._assumed: dict[str, Assumed] = {}  # oldest first
        self._asked: dict[str, Pod] = {}  # the pods of the last questions, which a bind may name
        self._wanted: dict[int, Pod] = {}  # like pods that could not be compiled beside those that are here
        self._standing: Standing | None = None
        self._built = 0.0
        self._images_changed = False

    # ---- what is there -------------------------------------------------------------------------------------

    @property
    def nodes(self) -> int:
        return len(self._nodes)

    @property
    def pods(self) -> int:
        """All pods known, those assumed included."""
        return len(self._pods.keys() | self._assumed.keys())

    @property
    def pending(self) -> int:
        """Pods that wait for a node, assumed ones left out."""
        return len(self._pending - self._assumed.keys())

    @property
    def assumed(self) -> int:
        return len(self._assumed)

    @property
    def related(self) -> Related:
        return self._related

    def where(self, key: str, uid: str = "") -> str | None:
        """The node of a pod NAMESPACE/NAME, assumed or stored; None if its uid is another one."""
        pod = self._effective(key)
        if pod is not None and uid and pod.metadata.uid and pod.metadata.uid != uid:
            return None
        return pod.spec.node_name if pod is not None and pod.spec is not None and has_node(pod) else None

    def bound(self) -> Iterator[Pod]:
        """Every pod that has a node, assumed ones included."""
        for key in dict.fromkeys((*self._pods, *self._assumed)):
            pod = self._effective(key)
            if pod is not None and has_node(pod):
                yield pod

    def _effective(self, key: str) -> Pod | None:
        return self._assumed[key].pod if key in self._assumed else self._pods.get(key)

    # ---- changes -------------------------------------------------------------------------------------------

    def replace(self, objects: Objects) -> None:
        """All that is known is this. Pods that were assumed and are not shown on a node stay assumed for their time.

        Raises InputError naming object and field, or where there is no Node; then nothing has changed.
        """
        if not objects.nodes:
            raise InputError("state: no Node in it (kubectl get nodes,pods -A -o json gives nodes and pods)")
        after = LiveCluster(self.profiles, complete=self._related.complete, clock=self._clock)
        after._nodes = {node.metadata.name or "": node for node in objects.nodes}
        after._related = objects.related
        after._related.complete = self._related.complete
        for pod in objects.pods:
            after._store(pod)
        for budget in after._related.all(_BUDGET):
            read_budget(budget)
        after._assumed = {
            key: one for key, one in self._assumed.items() if not _settled(one.pod, after._pods.get(key), False)
        }
        after._wanted = dict(self._wanted)
        after._stand()
        kept = {"builds": self.builds + 1, "changed": self.changed + 1, "_asked": self._asked}
        self.__dict__.update(after.__dict__ | kept)

    def list_changes(self, kind: str, objects: Sequence[Any], begun: float) -> list[Change]:
        """What a whole list of one kind changes. The kind is known from now on, though it may have no objects. begun:
        when the list was asked for, by the clock; pods that were assumed before and are not in it are gone.
        """
        if kind == "Node":
            known: Iterable[Any] = self._nodes.values()
        elif kind == "Pod":
            before = begun + ASSUMED_SECONDS
            known = [*self._pods.values(), *(one.pod for one in self._assumed.values() if one.until < before)]
        else:
            if not self._related.stated(kind):
                self._related.state(kind)
                self._standing = None
            known = self._related.all(kind)
        there = {(one.metadata.namespace, one.metadata.name) for one in objects}
        lost = [one for one in known if (one.metadata.namespace, one.metadata.name) not in there]
        return [Change(kind, one, gone=True) for one in lost] + [Change(kind, one) for one in objects]

    def apply(self, changes: Iterable[Change], *, settle: bool = True) -> None:
        """Events of a watch, in order: all of them, or with InputError none.

        settle: compile what has to be compiled anew at once, so that what cannot be is refused here.
        """
        undo: _Undo = []
        amounts = Requests()
        try:
            for change in changes:
                if not change.gone:
                    _check(change, amounts)
                self._change(change, undo)
            if settle and undo and self._nodes:
                self._stand()
        except BaseException:
            for back in reversed(undo):
                back()
            self._standing = None
            raise
        self.changed += bool(undo)

    def _change(self, change: Change, undo: _Undo) -> None:
        if change.kind == "Pod":
            self._change_pod(change, undo)
        elif change.kind == "Node":
            self._change_node(change, undo)
        elif change.kind in KINDS:
            self._change_related(change, undo)

    def _change_node(self, change: Change, undo: _Undo) -> None:
        name = change.found.metadata.name
        before = self._nodes.get(name)
        if before == (None if change.gone else change.found):
            return
        if change.gone:
            order = list(self._nodes)
            del self._nodes[name]
            undo.append(lambda: self._restore_nodes(order, name, before))
        else:
            self._nodes[name] = change.found
            undo.append(lambda: _put_back(self._nodes, name, before))
            if before is not None and _rules_read(before) == _rules_read(change.found):
                self._images_changed |= _images(before) != _images(change.found)
                return
        self._standing = None

    def _restore_nodes(self, order: list[str], name: str, node: Node | None) -> None:
        """Back in their order, which breaks ties."""
        nodes = {**self._nodes, name: node}
        self._nodes = {one: found for one in order if (found := nodes[one]) is not None}

    def _change_related(self, change: Change, undo: _Undo) -> None:
        meta, kind = change.found.metadata, change.kind
        namespace = "" if kind in CLUSTER_WIDE else meta.namespace or "default"
        before = self._related.find(kind, meta.name, namespace)
        same = _reads(kind, before) == (None if change.gone else _reads(kind, change.found))
        if same and (before is None) == change.gone and self._related.stated(kind):
            return
        if change.gone:
            self._related.remove(kind, meta.name or "", namespace)
        else:
            self._related.add(kind, change.found)
        undo.append(
            lambda: (
                self._related.remove(kind, meta.name or "", namespace)
                if before is None
                else self._related.add(kind, before)
            )
        )
        if kind != _BUDGET:
            self._standing = None

    def _change_pod(self, change: Change, undo: _Undo) -> None:
        pod: Pod = change.found
        key = pod.key
        before, assumed = self._pods.get(key), self._assumed.get(key)
        if change.gone and before is None and assumed is None:
            return
        if not change.gone and before == pod and assumed is None:
            return
        undo.append(lambda: self._restore_pod(key, before, assumed))
        if assumed is not None and _settled(assumed.pod, pod, change.gone):
            former = before is not None and _other(assumed.pod, before) and not _other(pod, before)
            if not former:  # else the event is still about a pod that had the name before
                del self._assumed[key]
        if change.gone:
            self._pods.pop(key, None)
            self._pending.discard(key)
        else:
            self._store(pod)
        self._show(key)

    def _restore_pod(self, key: str, before: Pod | None, assumed: Assumed | None) -> None:
        _put_back(self._pods, key, before)
        self._pending.discard(key)
        if before is not None:
            self._store(before)
        if assumed is not None:
            self._assumed[key] = assumed
            self._assumed = dict(sorted(self._assumed.items(), key=lambda one: one[1].until))

    def _store(self, pod: Pod) -> None:
        self._pods[pod.key] = pod
        spec = pod.spec
        name = (spec and spec.scheduler_name) or DEFAULT_SCHEDULER
        waits = not has_node(pod) and not is_finished(pod) and pod.metadata.deletion_timestamp is None
        if waits and name in self._schedulers and not (spec and spec.scheduling_gates):
            self._pending.add(pod.key)
        else:
            self._pending.discard(pod.key)

    def _show(self, key: str) -> None:
        """Let the compiled cluster, if there is one, see what became of a pod."""
        if self._standing is None:
            return
        pod = self._effective(key)
        if pod is None or is_finished(pod):
            self._standing.remove(key)
        elif not self._standing.put(pod, self._assumed[key].asked if key in self._assumed else None):
            self._standing = None

    # ---- pods assumed --------------------------------------------------------------------------------------

    def assume(self, namespace: str, name: str, uid: str, node: str) -> Pod:
        """A bind puts the pod on the node until an event says what became of it; returns the pod as it stands there.

        The pod must be known from events, or from one of the last questions. Again on the same node is no change.
        Raises InputError for a pod or a node that is not known, another uid, and a pod that is on another node.
        """
        self.expire()
        key = f"{namespace or 'default'}/{name}"
        pod, there = self._effective(key), self.where(key)
        if pod is None or (uid and pod.metadata.uid != uid and key in self._asked):
            pod, there = self._asked.get(key), None  # one of its name that is here is no more
        if pod is None:
            raise InputError(f"Pod {key}: is not known: no event brought it and no question was about it")
        if uid and pod.metadata.uid and pod.metadata.uid != uid:
            raise InputError(f"Pod {key}: has uid {pod.metadata.uid}, not {uid}")
        if node not in self._nodes:
            raise InputError(f"Pod {key}: Node {node}: is not known")
        if there == node:
            return pod
        if there is not None:
            raise InputError(f"Pod {key}: is on Node {there} already, so it is not bound to {node}")
        if is_finished(pod):
            raise InputError(f"Pod {key}: has ended")
        bound = bound_to(pod, node, pod.status.start_time if pod.status else None)
        former = self._assumed.pop(key, None)  # of another pod of its name; the latest stands last
        self._assumed[key] = Assumed(bound, pod, self._clock() + ASSUMED_SECONDS)
        try:
            self._show(key)
        except BaseException:
            del self._assumed[key]
            self._restore_pod(key, self._pods.get(key), former)
            raise
        self.changed += 1
        return bound

    def forget(self, key: str, uid: str = "") -> None:
        """A pod is not assumed any more: its binding failed, or its time is over. uid: of that pod, no other of its
        name.
        """
        there = self._assumed.get(key)
        if there is not None and (not uid or there.pod.metadata.uid in (uid, None, "")):
            del self._assumed[key]
            self._show(key)
            self.changed += 1

    def expire(self) -> list[str]:
        """End the assumptions whose time is over; returns their pods."""
        now = self._clock()
        over = []
        for key, one in self._assumed.items():
            if one.until > now:
                break
            over.append(key)
        for key in over:
            self.forget(key)
        return over

    # ---- questions -----------------------------------------------------------------------------------------

    @contextmanager
    def asking(self, pod: Pod) -> Iterator[Standing]:
        """The cluster compiled, in step, ready for a question about this pod, which itself is taken out meanwhile.

        Raises InputError when there is no node yet, or naming the object that cannot be compiled.
        """
        self.expire()
        if not self._nodes:
            raise InputError("no Node is known yet, so nothing can be judged")
        standing = self._stand()
        if not standing.knows(pod):
            if len(self._wanted) >= _MOST_WANTED:
                del self._wanted[next(iter(self._wanted))]
            self._wanted[self.builds] = pod
            self._standing = None
            try:
                standing = self._stand()
            except BinwrightError:
                del self._wanted[self.builds]
                raise
        self._asked.pop(pod.key, None)
        self._asked[pod.key] = pod
        if len(self._asked) > _MOST_ASKED:
            del self._asked[next(iter(self._asked))]
        standing.request(pod)  # what is compiled stays
        with standing.without(pod.key):
            yield standing

    def not_evaluated(self) -> list[NotEvaluated]:
        """Rules that pods of the last questions use and that are not evaluated, and what of the profiles is not."""
        some = list(self._asked.values())[-_MOST_LISTED:]
        return not_evaluated.find(Queue(pending=some), self._related, self.profiles[0], self.profiles[1:])

    def current(self) -> Standing | None:
        """The compiled cluster, None without any node."""
        self.expire()
        return self._stand() if self._nodes else None

    def _stand(self) -> Standing:
        stale = self._images_changed and self._clock() - self._built >= IMAGES_SECONDS
        if self._standing is None or self._standing.worn or stale:
            pods = (self._effective(key) for key in dict.fromkeys((*self._pods, *self._assumed)))
            there = [pod for pod in pods if pod is not None and (has_node(pod) or _waits_for_a_node(pod))]
            self._standing = Standing(
                list(self._nodes.values()),
                there,
                self._wanted.values(),
                self.profiles,
                self._related,
                {key: one.asked for key, one in self._assumed.items()},
            )
            self.builds += 1
            self._built, self._images_changed = self._clock(), False
        return self._standing


def _check(change: Change, amounts: Requests) -> None:
    """Raises InputError for an object with which no cluster could be compiled, or nobody could preempt."""
    if change.kind == "Node":
        allocatable(change.found)
    elif change.kind == "Pod" and has_node(change.found):
        amounts.of(change.found)
    elif change.kind == _BUDGET:
        read_budget(change.found)


def _waits_for_a_node(pod: Pod) -> bool:
    return not is_finished(pod) and bool(pod.status and pod.status.nominated_node_name)


def _settled(assumed: Pod, stored: Pod | None, gone: bool) -> bool:
    """Whether what is stored says what became of an assumed pod: on a node, ended, deleted, or another of its name."""
    if gone:
        return True
    if stored is None:
        return False
    return _other(assumed, stored) or has_node(stored) or is_finished(stored)


def _other(one: Pod, another: Pod) -> bool:
    """Whether these are two pods, though of one name."""
    return bool(one.metadata.uid and another.metadata.uid) and one.metadata.uid != another.metadata.uid


def _rules_read(node: Node) -> tuple[Any, ...]:
    """What of a node rules read, images left out."""
    spec, status = node.spec, node.status
    offered = (status.capacity, status.allocatable) if status else None
    return node.metadata.labels, bool(spec and spec.unschedulable), (spec and spec.taints) or (), offered


def _images(node: Node) -> Any:
    return (node.status and node.status.images) or ()


def _reads(kind: str, found: Any) -> Any:
    """What of an object counts: of those that select pods only the selector, so that their scaling is no change."""
    return (found.spec and found.spec.selector) if kind in _SELECTING and found is not None else found


def _put_back(objects: dict[str, Any], name: str, before: Any) -> None:
    if before is None:
        objects.pop(name, None)
    else:
        objects[name] = before
