"""The cluster that pods are scheduled into: nodes, pods, other objects, nominations; and what a decision changes.

The public face of the reference: add nodes and bound pods, then schedule pods one by one.
"""

from collections import defaultdict
from copy import deepcopy
from typing import Any

from tests.reference.kubernetes.config import parse_configuration
from tests.reference.kubernetes.plugins import PLUGINS
from tests.reference.kubernetes.pods import Pod
from tests.reference.kubernetes.quirks import Quirks
from tests.reference.kubernetes.scheduler import Decision, schedule
from tests.reference.kubernetes.snapshot import Node

Json = dict[str, Any]


class Cluster:
    """One cluster under one scheduler profile.

    ``configuration`` is a KubeSchedulerConfiguration (None: the default profile).  ``percentage`` is
    percentageOfNodesToScore (0: adaptive); None takes the configuration's, and if that is silent judges every node in
    input order.  ``objects`` are the other objects by kind as the vectors name them (``services``, ...); they are
    copied, as binding changes volumes and claims.
    """

    def __init__(
        self,
        configuration: Json | None = None,
        *,
        quirks: Quirks = Quirks(),  # noqa: B008 - frozen
        percentage: int | None = None,
        objects: dict[str, list[Json]] | None = None,
    ) -> None:
        self.quirks = quirks
        self.profile = parse_configuration(configuration)
        self.percentage = percentage if percentage is not None else self.profile.percentage_of_nodes_to_score
        self.plugins = {
            name: plugin(self.profile.arguments.get(name) or {}, quirks) for name, plugin in PLUGINS.items()
        }
        self.nodes: list[Node] = []
        self.nominated: dict[str, Pod] = {}  # pods whose nomination others respect, by namespace/name
        self.scan_start = 0
        self.objects: defaultdict[str, list[Json]] = defaultdict(list)
        for kind, items in (objects or {}).items():
            self.objects[kind] = deepcopy(items)
        for manifest in self.objects.pop("nodes", ()):
            self.add_node(manifest)

    # --- look-ups ----------------------------------------------------------------------------------------------

    def node(self, name: str) -> Node | None:
        """The node of this name."""
        return next((node for node in self.nodes if node.name == name), None)

    def index_of(self, node: Node) -> int:
        """Position in input order."""
        return self.nodes.index(node)

    def find(self, kind: str, name: str, namespace: str | None = None) -> Json | None:
        """The object of this kind and name; ``namespace`` for namespaced kinds."""
        for item in self.objects[kind]:
            metadata = item["metadata"]
            if metadata["name"] == name and namespace in (None, metadata.get("namespace", "default")):
                return item
        return None

    def objects_in(self, kind: str, namespace: str) -> list[Json]:
        """The objects of this kind in a namespace."""
        return [item for item in self.objects[kind] if item["metadata"].get("namespace", "default") == namespace]

    def namespace_labels(self, name: str) -> dict[str, str]:
        """The labels held for a namespace, none if it is unknown."""
        return ((self.find("namespaces", name) or {}).get("metadata") or {}).get("labels") or {}

    def nominated_on(self, node_name: str, pod: Pod) -> list[Pod]:
        """Other pods nominated to the node with at least this pod's priority (spec 5)."""
        return [
            other
            for other in self.nominated.values()
            if other.nominated_node == node_name and other.key != pod.key and other.priority >= pod.priority
        ]

    # --- changes from outside ----------------------------------------------------------------------------------

    def add_node(self, manifest: Json) -> Node:
        """A new node, last in order; a known name is updated in its place and keeps its pods (spec 8.13)."""
        node = Node(manifest)
        known = self.node(node.name)
        if known is None:
            self.nodes.append(node)
        else:
            node.pods, node.used_ports = known.pods, known.used_ports
            self.nodes[self.index_of(known)] = node
        return node

    def remove_node(self, name: str) -> None:
        """The node and the pods on it go."""
        self.nodes = [node for node in self.nodes if node.name != name]

    def add_object(self, kind: str, manifest: Json) -> None:
        """An object of another kind, ``kind`` as in the vectors' ``objects``."""
        self.objects[kind].append(deepcopy(manifest))

    def add_bound_pod(self, manifest: Json) -> Pod:
        """A pod with spec.nodeName; KeyError if there is no such node."""
        pod = Pod(manifest)
        node = self.node(pod.spec["nodeName"])
        if node is None:
            raise KeyError(f"pod {pod.key}: no node {pod.spec['nodeName']}")
        node.add_pod(pod)
        return pod

    def remove_pod(self, key: str) -> None:
        """A bound pod (``namespace/name``) goes; its nomination, if it had one, too."""
        self.nominated.pop(key, None)
        for node in self.nodes:
            for pod in node.pods:
                if pod.key == key:
                    node.remove_pod(pod)

    def nominate(self, pod: Pod | Json) -> None:
        """A waiting pod with status.nominatedNodeName starts to count for others (spec 5, 8.2)."""
        pod = pod if isinstance(pod, Pod) else Pod(pod)
        self.nominated[pod.key] = pod

    # --- scheduling --------------------------------------------------------------------------------------------

    def decide(self, pod: Pod | Json) -> Decision:
        """One scheduling cycle without its consequences (the scan start of the sampling moves on)."""
        return schedule(self, pod if isinstance(pod, Pod) else Pod(pod))

    def commit(self, decision: Decision, start_time: str | None = None) -> None:
        """What follows from a decision: Reserve and binding, or victims deleted and the nomination set (1.7, 5.5)."""
        pod, post_filter = decision.pod, decision.post_filter
        if decision.node is not None:
            for plugin in self.plugins.values():
                plugin.reserve(decision.cycle, decision.node)
            decision.node.add_pod(pod.bound_to(decision.node.name, start_time))
            self.nominated.pop(pod.key, None)
        elif post_filter is not None and post_filter.chosen is not None:
            for victim in post_filter.chosen.victims:
                post_filter.chosen.node.remove_pod(victim)
            for other in post_filter.cleared:
                del self.nominated[other.key]
            pod.nominated_node = post_filter.chosen.node.name
            self.nominate(pod)
        elif post_filter is not None and post_filter.eligible and not post_filter.error:
            self.withdraw_nomination(pod)  # the attempt found no candidate (spec 8.2)

    def withdraw_nomination(self, pod: Pod) -> None:
        """The pod is no longer nominated."""
        pod.nominated_node = ""
        self.nominated.pop(pod.key, None)

    def schedule_one(self, pod: Pod | Json, start_time: str | None = None) -> Json:
        """Decide and commit; returns the result in the vectors' schema.

        Outcome "preempting": the victims are gone and the pod is nominated; schedule the same Pod object again.
        """
        decision = self.decide(pod)
        self.commit(decision, start_time)
        return decision.result
