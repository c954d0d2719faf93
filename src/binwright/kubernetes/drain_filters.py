"""What `kubectl drain` does with each pod of a node: its filters, flags and sentences.

Source: k8s.io/kubectl/pkg/drain/filters.go (v1.34): daemon set, mirror, local storage, unmanaged, in this order; the
first that does not let a pod go decides. Reads one pod at a time; budgets and room are elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from binwright.kubernetes.objects import OwnerReference, Pod

__all__ = ["Action", "DrainFlags", "Fate", "controller", "fate", "has_local_storage", "is_daemon", "is_mirror"]

DAEMON_FATAL = "cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)"
DAEMON_IGNORED = "ignoring DaemonSet-managed Pods"
STORAGE_FATAL = "cannot delete Pods with local storage (use --delete-emptydir-data to override)"
STORAGE_DELETED = "deleting Pods with local storage"
UNMANAGED_FATAL = "cannot delete Pods that declare no controller (use --force to override)"
UNMANAGED_DELETED = "deleting Pods that declare no controller"
MIRROR = "mirror pod of a static pod, skipped"
FINISHED = "finished, removed"
LEAVING = "already being deleted"


@dataclass(frozen=True)
class DrainFlags:
    """Flags of `kubectl drain`, off as there."""

    ignore_daemonsets: bool = False
    delete_emptydir_data: bool = False
    force: bool = False


class Action(Enum):
    """What becomes of a pod."""

    EVICT = "evict"
    DELETE = "delete"
    STAY = "stay"
    REFUSE = "refuse"


@dataclass(frozen=True)
class Fate:
    """EVICT: it goes and its controller makes another; DELETE: it goes for good; STAY: it is left where it is; REFUSE:
    the drain does not begin because of it. `reason` is a word, `text` a sentence, kubectl's where it has one.
    """

    action: Action
    reason: str = ""
    text: str = ""


def fate(pod: Pod, flags: DrainFlags) -> Fate:
    """What `kubectl drain` with these flags does with a pod of the node; whether its daemon set still exists is not
    asked.
    """
    if is_finished(pod):
        return Fate(Action.STAY, "mirror", MIRROR) if is_mirror(pod) else Fate(Action.DELETE, "finished", FINISHED)
    if is_daemon(pod):
        if not flags.ignore_daemonsets:
            return Fate(Action.REFUSE, "daemonSet", DAEMON_FATAL)
        return Fate(Action.STAY, "daemonSet", DAEMON_IGNORED)
    if is_mirror(pod):
        return Fate(Action.STAY, "mirror", MIRROR)
    if has_local_storage(pod) and not flags.delete_emptydir_data:
        return Fate(Action.REFUSE, "localStorage", STORAGE_FATAL)
    if controller(pod) is None:
        if not flags.force:
            return Fate(Action.REFUSE, "unmanaged", UNMANAGED_FATAL)
        return Fate(Action.DELETE, "unmanaged", UNMANAGED_DELETED)
    if pod.metadata.deletion_timestamp is not None:
        return Fate(Action.DELETE, "leaving", LEAVING)
    return Fate(Action.EVICT, "localStorage", STORAGE_DELETED) if has_local_storage(pod) else Fate(Action.EVICT)


def is_finished(pod: Pod) -> bool:
    """Whether its containers have ended for good."""
    return pod.status is not None and pod.status.phase in ("Succeeded", "Failed")


def controller(pod: Pod) -> OwnerReference | None:
    """The owner that manages a pod."""
    return next((one for one in pod.metadata.owner_references or () if one.controller), None)


def is_daemon(pod: Pod) -> bool:
    """Whether a DaemonSet manages a pod: a drain would only let it come back."""
    owner = controller(pod)
    return owner is not None and owner.kind == "DaemonSet"


def is_mirror(pod: Pod) -> bool:
    """Whether a pod only mirrors one that the kubelet runs from a file."""
    annotations = pod.metadata.annotations
    return annotations is not None and annotations.mirror is not None


def has_local_storage(pod: Pod) -> bool:
    """Whether a pod loses data when it goes: it has an emptyDir volume."""
    return any(one.empty_dir is not None for one in (pod.spec.volumes if pod.spec else None) or ())
