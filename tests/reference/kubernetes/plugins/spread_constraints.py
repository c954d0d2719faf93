"""Which topology spread constraints a pod has, and what they count (spec 4, PodTopologySpread, first half)."""

from dataclasses import dataclass

from tests.reference.kubernetes.selectors import (
    Requirement,
    Selector,
    first_untolerated,
    map_requirements,
    parse_label_selector,
    required_node_match,
    selects,
)

HOSTNAME = "kubernetes.io/hostname"
HARD = "DoNotSchedule"
SOFT = "ScheduleAnyway"

SYSTEM_DEFAULTS = (
    {"topologyKey": HOSTNAME, "maxSkew": 3, "whenUnsatisfiable": SOFT},
    {"topologyKey": "topology.kubernetes.io/zone", "maxSkew": 5, "whenUnsatisfiable": SOFT},
)


@dataclass(frozen=True)
class Constraint:
    """One constraint with its selector complete."""

    topology_key: str
    max_skew: int
    when_unsatisfiable: str
    selector: Selector
    min_domains: int
    honor_affinity: bool
    honor_taints: bool

    def eligible(self, pod, node):
        """*Eligible*(node, constraint): what the two node inclusion policies say."""
        if self.honor_affinity and not required_node_match(pod.spec, node.name, node.labels):
            return False
        if not self.honor_taints:
            return True
        return first_untolerated(node.taints, pod.tolerations, ("NoSchedule", "NoExecute")) is None

    def count(self, pod, node):
        """count(node): matching pods of the namespace that are not terminating; an empty selector counts 0."""
        if not self.selector:
            return 0
        return sum(
            other.namespace == pod.namespace and not other.terminating and selects(self.selector, other.labels)
            for other in node.pods
        )


def has_all_keys(node, constraints):
    """Whether the node carries every topology key."""
    return all(constraint.topology_key in node.labels for constraint in constraints)


def _constraint(raw, selector):
    return Constraint(
        topology_key=raw["topologyKey"],
        max_skew=raw["maxSkew"],
        when_unsatisfiable=raw["whenUnsatisfiable"],
        selector=selector,
        min_domains=raw["minDomains"] if raw.get("minDomains") is not None else 1,
        honor_affinity=(raw.get("nodeAffinityPolicy") or "Honor") == "Honor",
        honor_taints=(raw.get("nodeTaintsPolicy") or "Ignore") == "Honor",
    )


def own_constraints(pod):
    """The pod's own list, matchLabelKeys added to the selectors (not to a null one)."""
    constraints = []
    for raw in pod.spec.get("topologySpreadConstraints") or ():
        selector = parse_label_selector(raw.get("labelSelector"))
        if selector is not None:
            keys = [key for key in raw.get("matchLabelKeys") or () if key in pod.labels]
            selector += tuple(Requirement(key, "In", (pod.labels[key],)) for key in keys)
        constraints.append(_constraint(raw, selector))
    return constraints


_OWNER_KINDS = {  # controller's (apiVersion, kind) -> kind of object
    ("v1", "ReplicationController"): "replicationControllers",
    ("apps/v1", "ReplicaSet"): "replicaSets",
    ("apps/v1", "StatefulSet"): "statefulSets",
}


def owner_selector(pod, cluster):
    """The *owner selector*: matching Services and the controller, as requirements; () if there are none."""
    merged = {}
    for service in cluster.objects_in("services", pod.namespace):
        pairs = service["spec"].get("selector")
        if pairs is not None and selects(map_requirements(pairs), pod.labels):
            merged.update(pairs)
    added = ()
    controller = pod.controller or {}
    kind = _OWNER_KINDS.get((controller.get("apiVersion"), controller.get("kind")))
    owner = cluster.find(kind, controller["name"], pod.namespace) if kind else None
    if owner is not None and kind == "replicationControllers":
        merged.update(owner["spec"].get("selector") or {})
    elif owner is not None:
        added = parse_label_selector(owner["spec"].get("selector")) or ()
    return map_requirements(merged) + added


def default_constraints(defaults, pod, cluster):
    """The default constraints, all with the owner selector; none if that has no requirements."""
    selector = owner_selector(pod, cluster)
    return [_constraint(raw, selector) for raw in defaults] if selector else []
