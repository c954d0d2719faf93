"""PodGroups: pods that run together or not at all, as the Coscheduling plugin of scheduler-plugins has it.

Which pods belong together, in which order groups take their turn, what ends a group before any node is asked, and the
plugin's words. Places nothing: `place` tries a group's pods under a checkpoint and takes all back if they are too few.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from binwright.kubernetes import messages
from binwright.kubernetes.compile import Cluster
from binwright.kubernetes.configuration import COSCHEDULING
from binwright.kubernetes.objects import Pod
from binwright.kubernetes.pending import Queue, turn
from binwright.kubernetes.pod_groups import PodGroup
from binwright.kubernetes.related import Related
from binwright.kubernetes.requests import CPU, PODS, Requests, amount
from binwright.outcome import ReasonText
from binwright.units import nanos
from binwright.verdict import Verdict

__all__ = ["NAME", "Gang", "Gangs", "group_of", "refused_before", "resource_gap"]

NAME = COSCHEDULING
_LABEL = "scheduling.x-k8s.io/pod-group"


def group_of(pod: Pod) -> str | None:
    """NAMESPACE/NAME of the group that a pod is in."""
    name = (pod.metadata.labels or {}).get(_LABEL)
    return f"{pod.metadata.namespace or 'default'}/{name}" if name else None


@dataclass(frozen=True)
class Gang:
    """One group whose turn it is. `members`: its pending pods in queue order; `assigned`: how many others have a node.
    `group` None: it does not exist.
    """

    name: str
    group: PodGroup | None
    members: tuple[Pod, ...]
    assigned: int
    siblings: int
    gated: int

    @property
    def least(self) -> int:
        """How many pods of the group must have a node for any to run."""
        return (self.group.spec.min_member or 0) if self.group is not None else 0

    def enough(self, placed: int) -> bool:
        """Whether the group runs when so many of its members found a node."""
        return self.group is not None and self.assigned + placed >= self.least

    def too_few(self, pod: Pod) -> str | None:
        """Why PreFilter refuses this pod for the number of its siblings."""
        if self.siblings < self.least:
            return (
                f"pre-filter pod {pod.metadata.name} cannot find enough sibling pods, current pods number: "
                f"{self.siblings}, minMember of group: {self.least}"
            )
        if self.siblings - self.gated < self.least:
            return f"pre-filter pod {pod.metadata.name} cannot proceed due to gated pods in the same PodGroup"
        return None

    def rejected(self, failed: Pod | None) -> dict[str, Any]:
        """What becomes of a pod that found a node, and has to leave it, because `failed` found none (None: because
        there are no more pods of the group).
        """
        if self.group is None:
            return _refused_on_its_node("PodGroup not found")
        if failed is None:
            return _refused_on_its_node(f"rejected due to timeout after waiting at plugin {NAME}")
        told = _refused_on_its_node("optimistic rejection in PostFilter")
        return told | {"message": f"{told['message']} {self.post_filter(failed)}"}

    def post_filter(self, failed: Pod) -> str:
        """What PostFilter says of the whole group."""
        name = failed.metadata.name
        return f"PodGroup {self.name} gets rejected due to Pod {name} is unschedulable even after PostFilter"


def _refused_on_its_node(text: str) -> dict[str, Any]:
    """A refusal by Permit: only the node that was found counts."""
    return {
        "verdict": Verdict.UNSCHEDULABLE,
        "message": messages.fit_error(1, {text: 1}),
        "reasons": [ReasonText(NAME, 1, text)],
    }


def refused_before(text: str, nodes: int) -> dict[str, Any]:
    """A refusal by PreFilter, before any node is asked."""
    return {
        "verdict": Verdict.UNRESOLVABLE,
        "message": messages.fit_error(nodes, {}, [text]),
        "reasons": [ReasonText(NAME, nodes, text)],
    }


class Gangs:
    """The groups of one cluster's queue. Where there is no PodGroup at all, no pod is in one."""

    def __init__(self, related: Related, queue: Queue, runs: bool) -> None:
        """runs: whether the plugin is in the profile."""
        self._groups = {
            f"{one.metadata.namespace or 'default'}/{one.metadata.name}": one for one in related.all("PodGroup")
        }
        self.known = runs and related.stated("PodGroup")
        self._members: dict[str, list[Pod]] = {}
        self._assigned: Counter[str | None] = Counter()
        self._siblings: Counter[str | None] = Counter()
        self._gated: Counter[str | None] = Counter()
        self._done: set[str] = set()
        if self.known:
            queue.pending.sort(key=self.turn)
            for pod in queue.pending:
                name = group_of(pod)
                if name is not None:
                    self._members.setdefault(name, []).append(pod)
            self._assigned.update(map(group_of, queue.bound))
            self._gated.update(map(group_of, queue.gated))
            every = (queue.pending, queue.bound, queue.finished, queue.deleted, queue.gated, queue.foreign)
            self._siblings.update(group_of(pod) for pods in every for pod in pods)

    def turn(self, pod: Pod) -> tuple[int, bool, str, str, str]:
        """Sort key of the plugin's queue: as without it, but a pod of a group is as old as the group."""
        group = self._groups.get(group_of(pod) or "") if self.known else None
        key = turn(pod)
        if group is None:
            return key
        created = group.metadata.creation_timestamp
        return (key[0], created is None, created or "", *key[3:])

    def concerns(self, pod: Pod) -> bool:
        """Whether a pod is placed together with others."""
        return bool(self._members) and group_of(pod) in self._members

    def take(self, pod: Pod) -> Gang | None:
        """The group of a pod whose turn it is, with all its pending pods; None when it had its turn."""
        name = group_of(pod)
        if name is None or name in self._done:
            return None
        self._done.add(name)
        return Gang(
            name,
            self._groups.get(name),
            tuple(self._members[name]),
            self._assigned[name],
            self._siblings[name],
            self._gated[name],
        )

    @property
    def notes(self) -> list[str]:
        """That there are groups, if there are."""
        pods = sum(map(len, self._members.values()))
        if not pods:
            return []
        return [f"{pods} pending pods of {len(self._members)} PodGroups are placed all or nothing, as {NAME} does it"]


def resource_gap(gang: Gang, cluster: Cluster) -> str | None:
    """What PreFilter misses of the group's minResources, and of room for minMember pods, over all nodes together.

    Nodes count in order with what other pods leave of them, until a resource is reached. Raises InputError naming the
    group for a malformed quantity.
    """
    asked = gang.group.spec.min_resources if gang.group is not None else None
    if asked is None:
        return None
    where = f"PodGroup {gang.name}: spec.minResources"
    wanted = {name: amount(name, nanos(text, f"{where}.{name}"), where) for name, text in asked.items()}
    wanted[PODS] = gang.least
    row = {name: number for number, name in enumerate(cluster.fleet.resources)}
    left = cluster.fleet.capacity - cluster.fleet.used
    own = _held_by(gang, cluster)
    missing = {}
    for name, value in sorted(wanted.items()):
        reached = np.cumsum(left[row[name]] + own.get(name, 0)) if name in row else np.zeros(1, np.int64)
        if value > 0 and not (reached >= value).any():
            gap = value - int(reached[-1]) if len(reached) else value
            missing[name] = f"{gap}m" if name == CPU else str(gap)
    if not missing:
        return None
    return f"resource gap: map[{' '.join(f'{name}:{gap}' for name, gap in missing.items())}]"


def _held_by(gang: Gang, cluster: Cluster) -> dict[str, np.ndarray]:
    """What pods of the group hold already, (nodes,) by resource."""
    found: dict[str, np.ndarray] = {}
    amounts = Requests()
    for pod in cluster.held.values():
        host = cluster.nodes.index.get((pod.spec and pod.spec.node_name) or "")
        if host is None or group_of(pod) != gang.name:
            continue
        for name, value in {PODS: 1, **amounts.of(pod).used}.items():
            found.setdefault(name, np.zeros(len(cluster.nodes), np.int64))[host] += value
    return found
