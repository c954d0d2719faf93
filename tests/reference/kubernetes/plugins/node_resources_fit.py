"""NodeResourcesFit (spec 4): the request must fit; the score is least, most or shaped allocation."""

from itertools import pairwise

from tests.reference.kubernetes.arithmetic import MAX_NODE_SCORE, divide_truncating, round_half_away
from tests.reference.kubernetes.names import CPU, MEMORY, PLAIN_RESOURCES, PODS, is_extended
from tests.reference.kubernetes.plugins.base import Plugin
from tests.reference.kubernetes.plugins.resource_share import capacity_and_demand, weighted_resources

SHAPE_SCALE = MAX_NODE_SCORE // 10  # a shape's scores are 0..10


def least_allocated(capacity, demand):
    """req > cap: 0, else (cap - req) * 100 / cap."""
    return 0 if demand > capacity else (capacity - demand) * MAX_NODE_SCORE // capacity


def most_allocated(capacity, demand):
    """min(req, cap) * 100 / cap."""
    return min(demand, capacity) * MAX_NODE_SCORE // capacity


def broken_line(shape, utilization):
    """The broken line through the points [(utilization, score)]; divisions truncate, also on falling lines."""
    if utilization < shape[0][0]:
        return shape[0][1]
    for (x0, y0), (x1, y1) in pairwise(shape):
        if utilization <= x1:
            return y0 + divide_truncating((y1 - y0) * (utilization - x0), x1 - x0)
    return shape[-1][1]


def weighted_mean(scores):
    """sum(v*w) / sum(w) of [(v, w)], 0 without weights."""
    weights = sum(weight for _, weight in scores)
    return sum(value * weight for value, weight in scores) // weights if weights else 0


class NodeResourcesFit(Plugin):
    name = "NodeResourcesFit"

    def __init__(self, arguments, quirks):
        super().__init__(arguments, quirks)
        strategy = arguments.get("scoringStrategy") or {}
        self.strategy = strategy.get("type") or "LeastAllocated"
        self.resources = weighted_resources(strategy.get("resources"))
        shape = (strategy.get("requestedToCapacityRatio") or {}).get("shape") or []
        self.shape = [(point.get("utilization", 0), point.get("score", 0) * SHAPE_SCALE) for point in shape]
        self.ignored = set(arguments.get("ignoredResources") or ())
        self.ignored_groups = set(arguments.get("ignoredResourceGroups") or ())
        if self.strategy not in ("LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"):
            raise ValueError(f"scoringStrategy.type {self.strategy!r} is not known")
        if self.strategy == "RequestedToCapacityRatio" and not self.shape:
            raise ValueError("scoringStrategy.requestedToCapacityRatio.shape is empty")

    # --- Filter ------------------------------------------------------------------------------------------------

    def pre_filter(self, cycle):
        return None

    def is_ignored(self, name):
        return is_extended(name) and (name in self.ignored or name.split("/")[0] in self.ignored_groups)

    def filter(self, cycle, node):
        """All checks are reported: pods, cpu, memory, ephemeral-storage, then the other names sorted."""
        request = cycle.pod.filter_request
        reasons, hopeless = [], False
        if len(node.pods) + 1 > node.allocatable.get(PODS, 0):
            reasons.append("Too many pods")
        scalars = sorted(name for name in request if name not in PLAIN_RESOURCES)
        # "stop here" of the spec when nothing is wanted needs no line: then nothing below is wanted either
        for name in (*PLAIN_RESOURCES, *scalars):
            wanted = request.get(name, 0)
            if wanted == 0 or self.is_ignored(name):
                continue
            allocatable = node.allocatable.get(name, 0)
            if wanted > allocatable - node.requested(name):
                reasons.append(f"Insufficient {name}")
                hopeless = hopeless or wanted > allocatable
        if not reasons:
            return None
        return self.unresolvable(*reasons) if hopeless else self.resolvable(*reasons)

    # --- Score -------------------------------------------------------------------------------------------------

    def wanted(self, pod, name):
        """The pod's wish for scoring.

        Without the quirk the pod-level values and their defaults are used, as in the node's accounting.
        """
        if self.quirks.fitScorePodLevel:
            return pod.score_request.get(name, 0)
        return pod.non_zero[name] if name in (CPU, MEMORY) else pod.filter_request.get(name, 0)

    def shares(self, cycle, node):
        """[(cap, req, weight)] of the resources that are not left out."""
        shares = []
        for name, weight in self.resources:
            used = node.non_zero(name) if name in (CPU, MEMORY) else node.requested(name)
            capacity, demand = capacity_and_demand(node, name, self.wanted(cycle.pod, name), used)
            if capacity != 0:
                shares.append((capacity, demand, weight))
        return shares

    def score(self, cycle, node):
        shares = self.shares(cycle, node)
        if self.strategy == "LeastAllocated":
            return weighted_mean([(least_allocated(cap, req), weight) for cap, req, weight in shares])
        if self.strategy == "MostAllocated":
            return weighted_mean([(most_allocated(cap, req), weight) for cap, req, weight in shares])
        return self.shaped_score(shares)

    def shaped_score(self, shares):
        """RequestedToCapacityRatio: resources with v <= 0 are left out together with their weight."""
        scores = []
        for capacity, demand, weight in shares:
            utilization = 100 if demand > capacity else demand * 100 // capacity
            value = broken_line(self.shape, utilization)
            if value > 0:
                scores.append((value, weight))
        if not scores:
            return 0
        total = sum(value * weight for value, weight in scores)
        return round_half_away(float(total) / float(sum(weight for _, weight in scores)))
