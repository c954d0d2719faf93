"""What NodeResourcesFit and NodeResourcesBalancedAllocation share: a resource's capacity and use after placing."""

from tests.reference.kubernetes.names import is_scalar

DEFAULT_RESOURCES = [{"name": "cpu", "weight": 1}, {"name": "memory", "weight": 1}]


def weighted_resources(resources):
    """[(name, weight)]; cpu:1, memory:1 if none are given, an absent weight or 0 counts as 1 (spec 8.11)."""
    return [(entry["name"], entry.get("weight") or 1) for entry in resources or DEFAULT_RESOURCES]


def capacity_and_demand(node, name, want, used):
    """(cap, req) of spec 4, NodeResourcesFit Score; cap 0 means the resource is left out.

    ``want`` is the pod's wish, ``used`` what the node has given away.  A scalar that is not wanted, or that the node
    does not list, is (0, 0).
    """
    if is_scalar(name) and want == 0:
        return 0, 0
    capacity = node.allocatable.get(name, 0)
    if is_scalar(name) and name not in node.allocatable:
        return 0, 0
    return capacity, used + want
