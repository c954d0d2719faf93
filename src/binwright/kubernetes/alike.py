"""Pods of one template: of those that a controller makes alike, the first stands for all others.

Reading what a pod asks for, selects and tolerates costs more than seeing that it says what another one said. Compared
is everything that a class is made of; the node, the name, the age and what goes on in the pod are not.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter

from binwright.kubernetes.objects import Pod, PodSpec, Volume

__all__ = ["Alike"]

_SPEC = attrgetter(*(name for name in PodSpec.__struct_fields__ if name not in ("node_name", "volumes")))
_SOURCES = attrgetter(*(name for name in Volume.__struct_fields__ if name not in ("name", "empty_dir")))


class Alike:
    """The pods met so far, by their controllers. Those given at first are kept, and looked up at once."""

    def __init__(self, pods: Iterable[Pod] = ()) -> None:
        self._known: dict[tuple[str | None, str], tuple[Pod, object]] = {}
        self._first: dict[int, tuple[Pod, Pod]] = {}  # by id; that is a pod's own as long as the pod is kept here
        for pod in pods:
            self._first[id(pod)] = pod, self._found(pod)

    def first(self, pod: Pod) -> Pod:
        """The first pod met of the same controller that says the same; the pod itself where there is none."""
        kept = self._first.get(id(pod))
        return kept[1] if kept is not None else self._found(pod)

    def firsts(self) -> list[Pod]:
        """Of the pods given at first those that stand for all of them, in order."""
        return list({id(first): first for _, first in self._first.values()}.values())

    def _found(self, pod: Pod) -> Pod:
        meta = pod.metadata
        owners = meta.owner_references
        if not owners or len(owners) > 1:
            return pod
        key = meta.namespace, owners[0].name
        known = self._known.get(key)
        if known is not None and (known[0] is pod or known[1] == _said(pod)):
            return known[0]
        if known is None:
            said = _said(pod)
            if said is not None:
                self._known[key] = pod, said
        return pod


def _said(pod: Pod) -> object:
    """Everything but the controller's name that a class can depend on; None for a pod that is like no other."""
    meta, spec, status = pod.metadata, pod.spec, pod.status
    if spec is None:
        return None
    volumes: tuple[object, ...] = ()
    if spec.volumes:
        if any(one.ephemeral is not None for one in spec.volumes):
            return None  # its claims have the pod's own name
        volumes = tuple(map(_SOURCES, spec.volumes))
    amounts: object = None
    if status is not None:
        amounts = status.container_statuses, status.init_container_statuses
        if any(one.type == "PodResizePending" for one in status.conditions or ()):
            return None
    return _SPEC(spec), meta.labels, meta.owner_references, meta.deletion_timestamp is None, volumes, amounts
