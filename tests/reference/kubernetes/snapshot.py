"""Nodes with the pods on them, and their accounting (spec 3, last part; spec 1, snapshot order).

Sums are made anew from the pods whenever asked: slow and obvious.  Knows nothing of plugins.
"""

from functools import cached_property
from typing import Any

from tests.reference.kubernetes.names import CPU, MEMORY, PODS, is_counted
from tests.reference.kubernetes.pods import HostPort, Pod
from tests.reference.kubernetes.quantities import parse_resource_list, to_integer

Json = dict[str, Any]


class Node:
    """One node and the pods bound to or assumed on it, in the order they came."""

    def __init__(self, manifest: Json) -> None:
        self.manifest = manifest
        metadata = manifest["metadata"]
        self.name: str = metadata["name"]
        self.labels: dict[str, str] = metadata.get("labels") or {}
        self.spec: Json = manifest.get("spec") or {}
        self.taints: list[Json] = self.spec.get("taints") or []
        self.pods: list[Pod] = []
        self.used_ports: set[HostPort] = set()

    def __repr__(self) -> str:
        return f"Node({self.name}, {len(self.pods)} pods)"

    def copy(self) -> "Node":
        """A node on which a dry run may add and remove pods."""
        other = Node(self.manifest)
        other.__dict__.update(self.__dict__)
        other.pods = list(self.pods)
        other.used_ports = set(self.used_ports)
        return other

    def add_pod(self, pod: Pod) -> None:
        """Host ports are a set: a second holder adds nothing (spec 3)."""
        self.pods.append(pod)
        self.used_ports.update(pod.host_ports)

    def remove_pod(self, pod: Pod) -> None:
        """Removing a pod removes its port entries even if another pod holds the same ones (spec 3, 8.5)."""
        self.pods = [other for other in self.pods if other.key != pod.key]
        self.used_ports.difference_update(pod.host_ports)

    @cached_property
    def allocatable(self) -> dict[str, int]:
        """status.allocatable as integers, same conversion as requests; "pods" included (spec 2)."""
        quantities = parse_resource_list((self.manifest.get("status") or {}).get("allocatable"))
        return {name: to_integer(name, q) for name, q in quantities.items() if name == PODS or is_counted(name)}

    def requested(self, name: str) -> int:
        """Sum of ``Requested`` over the pods, one resource."""
        return sum(pod.requested.get(name, 0) for pod in self.pods)

    def non_zero(self, name: str) -> int:
        """Sum of ``NonZero`` over the pods; cpu and memory only."""
        assert name in (CPU, MEMORY)
        return sum(pod.non_zero[name] for pod in self.pods)

    @cached_property
    def image_sizes(self) -> dict[str, int]:
        """Size by image name as this node lists it."""
        sizes: dict[str, int] = {}
        for image in (self.manifest.get("status") or {}).get("images") or ():
            for name in image.get("names") or ():
                sizes[name] = image.get("sizeBytes") or 0
        return sizes


_REGION_KEYS = ("failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region")
_ZONE_KEYS = ("failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone")


def zone_key(node: Node) -> tuple[str, str]:
    """(region, zone), the beta labels winning; nodes without labels are one group (spec 1, *Snapshot order*)."""

    def first(keys: tuple[str, str]) -> str:
        return next((node.labels[key] for key in keys if key in node.labels), "")

    return first(_REGION_KEYS), first(_ZONE_KEYS)


def snapshot_order(nodes: list[Node]) -> list[Node]:
    """Round robin over the zone groups, groups in order of first appearance (spec 1, *Snapshot order*)."""
    groups: dict[tuple[str, str], list[Node]] = {}
    for node in nodes:
        groups.setdefault(zone_key(node), []).append(node)
    longest = max(map(len, groups.values()), default=0)
    return [group[turn] for turn in range(longest) for group in groups.values() if turn < len(group)]
