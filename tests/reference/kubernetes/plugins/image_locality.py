"""ImageLocality (spec 4): how much of the pod's images the node already has."""

import math

from tests.reference.kubernetes.arithmetic import MAX_NODE_SCORE
from tests.reference.kubernetes.plugins.base import Plugin

MIBIBYTE = 1 << 20
LOW = 23 * MIBIBYTE
HIGH_PER_CONTAINER = 1000 * MIBIBYTE


def normalized_image_name(name):
    """Append ``:latest`` if the last ``:`` is not after the last ``/``."""
    return name if name.rfind(":") > name.rfind("/") else f"{name}:latest"


class ImageLocality(Plugin):
    name = "ImageLocality"

    def score(self, cycle, node):
        nodes = cycle.cluster.nodes
        containers = cycle.pod.all_containers
        total = 0
        for container in containers:
            name = normalized_image_name(container.get("image") or "")
            if name not in node.image_sizes:
                continue
            listing = [other for other in nodes if name in other.image_sizes]
            size = listing[0].image_sizes[name]  # cluster wide: as the first node that listed it
            total += math.trunc(float(size) * (float(len(listing)) / float(len(nodes))))
        high = HIGH_PER_CONTAINER * len(containers)
        total = min(max(total, LOW), high)
        return MAX_NODE_SCORE * (total - LOW) // (high - LOW)
