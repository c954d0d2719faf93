"""Pods of one template: of those that a controller makes alike, or that are written alike, the first stands for all.

Reading what a pod asks for, selects and tolerates costs more than seeing that it says what another one said. Compared
is everything that a class is made of; the name of the node, the pod's own name, its age and what goes on in it are not.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter

import msgspec

from binwright.kubernetes.objects import Pod, PodSpec, PodStatus, Volume

__all__ = ["Alike"]

_said = attrgetter(*(name for name in PodSpec.__struct_fields__ if name not in ("node_name", "volumes")))
_sources = attrgetter(*(name for name in Volume.__struct_fields__ if name not in ("name", "empty_dir")))
_amounts = attrgetter("container_statuses", "init_container_statuses")
_encode = msgspec.json.Encoder().encode


class Alike:
    """The pods met so far, by controller or spec. Those given at first are kept, and looked up at once."""

    def __init__(self, pods: Iterable[Pod] = ()) -> None:
        self._known: dict[tuple[str | None, str | bytes, bool], Pod] = {}
        self._kept = list(pods)
        self._first = {id(pod): self._found(pod) for pod in self._kept}  # a pod's id is its own while it is kept here

    def first(self, pod: Pod) -> Pod:
        """The first pod met of the same controller, or else spec, that says the same, and has a node or none as this
        one; the pod itself where there is none.
        """
        return self._first.get(id(pod)) or self._found(pod)

    def keeps(self, pod: Pod) -> bool:
        """Whether a pod was given at first: its id will not be another's."""
        return id(pod) in self._first

    def firsts(self) -> list[Pod]:
        """Of the pods given at first those that stand for all of them, in order."""
        return list({id(first): first for first in self._first.values()}.values())

    def _found(self, pod: Pod) -> Pod:
        meta, spec = pod.metadata, pod.spec
        owners = meta.owner_references
        if spec is None:
            return pod
        maker = owners[0].name if owners and len(owners) == 1 else _written(spec)
        if maker is None:
            return pod
        key = meta.namespace, maker, not spec.node_name
        known = self._known.get(key)
        if known is None:
            if not _is_particular(spec, pod.status):
                self._known[key] = pod
        elif known is pod or _say_the_same(known, pod):
            return known
        return pod


def _written(spec: PodSpec) -> bytes | None:
    """A spec as text, by which pods that nobody controls find each other; None where there is none."""
    try:
        return _encode(_said(spec))
    except (OverflowError, TypeError, UnicodeError):  # what JSON cannot say; the rules have words for it
        return None


def _is_particular(spec: PodSpec, status: PodStatus | None) -> bool:
    """Whether a pod stands for itself only: it waits for a resize, or its claims have its own name."""
    if status is not None and status.conditions:
        for condition in status.conditions:
            if condition.type == "PodResizePending":
                return True
    if spec.volumes:
        for volume in spec.volumes:
            if volume.ephemeral is not None:
                return True
    return False


def _say_the_same(known: Pod, pod: Pod) -> bool:
    """Whether everything that a class can depend on is the same in two pods of one controller."""
    one, other, ours, theirs = known.spec, pod.spec, known.metadata, pod.metadata
    return (
        ours.labels == theirs.labels
        and ours.owner_references == theirs.owner_references
        and (ours.deletion_timestamp is None) == (theirs.deletion_timestamp is None)
        and (known.status and _amounts(known.status)) == (pod.status and _amounts(pod.status))
        and one is not None
        and other is not None
        and (one is other or (_said(one) == _said(other) and _volumes(one) == _volumes(other)))
        and not _is_particular(other, pod.status)
    )


def _volumes(spec: PodSpec) -> list[object]:
    return [_sources(one) for one in spec.volumes or ()]
