"""NodeResourcesBalancedAllocation (spec 4): how even the node's resources are used after placing."""

import math

from tests.reference.kubernetes.plugins.base import Plugin
from tests.reference.kubernetes.plugins.resource_share import capacity_and_demand, weighted_resources


def deviation(fractions):
    """|f0-f1|/2 of two, the population standard deviation of more, else 0; binary64 in resource order."""
    if len(fractions) == 2:
        return abs((fractions[0] - fractions[1]) / 2)
    if len(fractions) < 2:
        return 0.0
    total = 0.0
    for fraction in fractions:
        total += fraction
    mean = total / float(len(fractions))
    squares = 0.0
    for fraction in fractions:
        squares += (fraction - mean) * (fraction - mean)
    return math.sqrt(squares / float(len(fractions)))


class NodeResourcesBalancedAllocation(Plugin):
    name = "NodeResourcesBalancedAllocation"

    def __init__(self, arguments, quirks):
        super().__init__(arguments, quirks)
        self.resources = [name for name, _ in weighted_resources(arguments.get("resources"))]  # weights are ignored

    def pre_score(self, cycle, feasible):
        return any(cycle.pod.requested.get(name, 0) for name in self.resources)

    def score(self, cycle, node):
        fractions = []
        for name in self.resources:
            wanted = cycle.pod.requested.get(name, 0)
            capacity, demand = capacity_and_demand(node, name, wanted, node.requested(name))
            if capacity != 0:
                fractions.append(min(float(demand) / float(capacity), 1.0))
        return math.trunc((1.0 - deviation(fractions)) * 100.0)
