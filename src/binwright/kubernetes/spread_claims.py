"""What workloads claim about their spread: which pods may not share a domain, or must lie evenly over domains.

Read from what the scheduler must keep (DoNotSchedule constraints, required anti-affinity to one's own kind); wishes
claim nothing. Knows labels, not what lies below the nodes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from binwright.kubernetes import label_selectors
from binwright.kubernetes.drain_filters import controller
from binwright.kubernetes.label_selectors import Selector
from binwright.kubernetes.nodes import NodeTable
from binwright.kubernetes.objects import Pod
from binwright.kubernetes.pending import sort_out
from binwright.kubernetes.plugins.pod_topology_spread import counted_nodes
from binwright.kubernetes.plugins.spread_constraints import HARD, Constraint, SpreadArgs, constraints_of
from binwright.kubernetes.reader import Objects

__all__ = ["Claim", "Workload", "spread_claims", "workloads"]


@dataclass(frozen=True, slots=True)
class Workload:
    """A controller with its bound pods, in input order. A pod without one is a workload by itself."""

    kind: str
    namespace: str
    name: str
    pods: tuple[Pod, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """`rule` "spread": over the domains of `key`, the numbers of `members` differ by at most `max_skew`; counted are
    domains with one of `nodes` (names). "antiAffinity": no pod of the workload shares a domain with another member.
    """

    workload: Workload
    rule: str
    key: str
    max_skew: int
    members: tuple[Pod, ...]
    nodes: tuple[str, ...]


def workloads(objects: Objects) -> list[Workload]:
    """Controllers in order of their first bound pod. A ReplicaSet of a Deployment counts as the Deployment."""
    groups: dict[tuple[str, str, str], list[Pod]] = {}
    for pod in sort_out(objects.pods).bound:
        groups.setdefault(_owner(pod, objects), []).append(pod)
    return [Workload(kind, namespace, name, tuple(pods)) for (kind, namespace, name), pods in groups.items()]


def _owner(pod: Pod, objects: Objects) -> tuple[str, str, str]:
    meta = pod.metadata
    namespace = meta.namespace or "default"
    owner = controller(pod)
    if owner is None:
        return "Pod", namespace, meta.name or ""
    if owner.kind == "ReplicaSet":
        stored = objects.related.find("ReplicaSet", owner.name, namespace)
        owners = stored.metadata.owner_references if stored is not None else None
        above = next((one for one in owners or () if one.controller), None)
        if above is not None:
            return above.kind, namespace, above.name
        template = (meta.labels or {}).get("pod-template-hash")
        if template and owner.name.endswith(f"-{template}"):
            return "Deployment", namespace, owner.name.removesuffix(f"-{template}")
    return owner.kind, namespace, owner.name


def spread_claims(objects: Objects, listed: Iterable[Workload]) -> list[Claim]:
    """The claims of these workloads, read from the first pod of each, as all come from one template.

    Raises InputError for a selector with an unknown operator.
    """
    reader = _Reader(objects)
    return [claim for one in listed if one.kind != "DaemonSet" for claim in reader.claims(one)]


class _Reader:
    def __init__(self, objects: Objects) -> None:
        self.objects = objects
        self.nodes = NodeTable(objects.nodes)
        self.names_of: dict[bytes, tuple[str, ...]] = {}  # nodes, by a mask over all
        self.by_namespace: dict[str, list[Pod]] = {}
        for pod in sort_out(objects.pods).bound:
            if pod.metadata.deletion_timestamp is None:
                self.by_namespace.setdefault(pod.metadata.namespace or "default", []).append(pod)

    def claims(self, workload: Workload) -> list[Claim]:
        pod = workload.pods[0]
        labels = pod.metadata.labels or {}
        found = []
        for one in constraints_of(pod, SpreadArgs((), False), self.objects.related)[0]:
            if one.when == HARD and label_selectors.matches(one.selector, labels):
                nodes = self.counted(pod, one)
                members = self.selected(workload.namespace, one.selector)
                found.append(Claim(workload, "spread", one.key, one.max_skew, members, nodes))
        affinity = pod.spec.affinity.pod_anti_affinity if pod.spec and pod.spec.affinity else None
        for term in (affinity and affinity.required_during_scheduling_ignored_during_execution) or ():
            selector = label_selectors.parse(term.label_selector, f"Pod {pod.key}: podAntiAffinity")
            here = not term.namespace_selector and workload.namespace in (term.namespaces or (workload.namespace,))
            if here and label_selectors.matches(selector, labels):
                members = self.selected(workload.namespace, selector)
                nodes = tuple(self.nodes.names)
                found.append(Claim(workload, "antiAffinity", term.topology_key, 1, members, nodes))
        return found

    def selected(self, namespace: str, selector: Selector) -> tuple[Pod, ...]:
        return tuple(
            pod
            for pod in self.by_namespace.get(namespace, ())
            if label_selectors.matches(selector, pod.metadata.labels or {})
        )

    def counted(self, pod: Pod, one: Constraint) -> tuple[str, ...]:
        """Names of the nodes whose domains count."""
        ours = one.key.startswith("binwright.io/")
        with_key = ~self.nodes.nobody() if ours else self.nodes.label(one.key).codes >= 0
        counted = counted_nodes(one, pod, self.nodes, with_key)
        mask = counted.tobytes()
        if mask not in self.names_of:
            pairs = zip(self.nodes.names, counted.tolist(), strict=True)
            self.names_of[mask] = tuple(name for name, here in pairs if here)
        return self.names_of[mask]
