"""`kubectl drain` of some nodes, carried out on paper: who goes, where the replacements land, who cannot go and why.

The nodes are drained together, in the order given; on each the pods go in the scheduler's own order (priority, then
age), because that is the order in which it would take up replacements made at once. A pod that kubectl refuses to
delete stays; the others are moved all the same, so that the answer covers them too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from binwright.errors import InputError
from binwright.explained import Named
from binwright.formats.files import Blob
from binwright.kubernetes.configuration import Profiles
from binwright.kubernetes.disruption import Answer, Judgement
from binwright.kubernetes.drain_filters import Action, DrainFlags, fate
from binwright.kubernetes.evacuation import Evacuation
from binwright.kubernetes.objects import Pod
from binwright.kubernetes.pending import turn
from binwright.kubernetes.place import Options
from binwright.kubernetes.reader import Objects, read_blobs
from binwright.moves import Evacuated, Held

__all__ = ["Drainable", "drain", "held", "held_by_budget", "open_source", "pods_by_node"]


@dataclass(frozen=True)
class Drainable:
    """A cluster that was read."""

    source: str
    objects: Objects
    profile: Profiles

    def hosts(self) -> list[Named]:
        """Its nodes, in input order."""
        metas = (node.metadata for node in self.objects.nodes)
        return [Named(self.source, "Node", None, meta.name or "", meta.uid, meta.labels or {}) for meta in metas]

    def drain(self, nodes: Sequence[str], **flags: bool) -> Evacuated:
        """Drain these nodes; `flags` are those of `DrainFlags`."""
        return drain(self.source, self.objects, nodes, DrainFlags(**flags), self.profile)


def open_source(name: str, blobs: Iterable[Blob], options: Options) -> Drainable:
    """Read the cluster that the files of one source describe. Raises InputError naming file, object and field."""
    objects = read_blobs(blobs)
    objects.related.complete = options.complete
    return Drainable(name, objects, options.profiles)


def drain(
    source: str,
    objects: Objects,
    nodes: Sequence[str],
    flags: DrainFlags,
    profile: Profiles = None,
) -> Evacuated:
    """Drain nodes of one cluster. Raises InputError for an unknown node, one given twice, and for all nodes at once."""
    known = {node.metadata.name for node in objects.nodes}
    for number, name in enumerate(nodes):
        if name not in known:
            raise InputError(f"{source}: no Node {name} in the input")
        if name in nodes[:number]:
            raise InputError(f"{source}: Node {name} is given twice")
    if len(nodes) == len(known):
        raise InputError(f"{source}: all {len(known)} nodes would be drained; at least one has to stay for the pods")
    try:
        return _drain(source, objects, nodes, flags, profile)
    except InputError as problem:
        raise InputError(f"{source}: {problem}") from None


def _drain(source: str, objects: Objects, nodes: Sequence[str], flags: DrainFlags, profile: Profiles) -> Evacuated:
    evacuation = Evacuation(source, objects, nodes, profile)
    found = Evacuated(source, "kubernetes", len(objects.nodes), list(nodes), skipped_kinds=objects.skipped_kinds)
    leaving: list[Pod] = []
    by_node = pods_by_node(objects.pods)
    for name in nodes:
        for pod in sorted(by_node.get(name, ()), key=turn):
            what = fate(pod, flags)
            if what.action is not Action.EVICT:
                found.held.append(held(source, pod, what.action.value, what.reason, what.text))
                if what.action is Action.DELETE:
                    evacuation.remove(pod)
                continue
            judged = evacuation.api.judge(pod)
            if judged.answer is Answer.NEVER:
                found.held.append(held_by_budget(source, pod, judged))
            else:
                leaving.append(pod)
    for pod in evacuation.carry_out(leaving, only_with_a_place=False):
        found.held.append(held_by_budget(source, pod, evacuation.api.judge(pod)))
    found.moves, found.rounds, found.budgets = evacuation.moves, evacuation.rounds, evacuation.budget_uses()
    found.not_evaluated, found.notes = evacuation.not_evaluated(), evacuation.notes()
    return found


def pods_by_node(pods: Sequence[Pod]) -> dict[str, list[Pod]]:
    """The pods that `kubectl drain` lists for each node: all that name it, finished ones too."""
    found: dict[str, list[Pod]] = {}
    for pod in pods:
        name = pod.spec.node_name if pod.spec else None
        if name:
            found.setdefault(name, []).append(pod)
    return found


def held(source: str, pod: Pod, action: str, reason: str, text: str) -> Held:
    """A pod that is not moved."""
    meta = pod.metadata
    node = (pod.spec and pod.spec.node_name) or ""
    identity = (source, "Pod", meta.namespace or "default", meta.name or "", meta.uid, node)
    return Held(*identity, action, reason, text, labels=meta.labels or {})


def held_by_budget(source: str, pod: Pod, judged: Judgement) -> Held:
    """A pod that its disruption budget does not let go."""
    found = held(source, pod, Action.REFUSE.value, "budget", judged.text)
    if judged.budget is not None:
        found.budget, found.allowed = judged.budget.key, judged.budget.allowed
    return found
