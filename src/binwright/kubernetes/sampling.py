"""Which nodes kube-scheduler looks at when it does not look at all of them (kubernetes spec 1, 8.8)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from binwright import Fleet
from binwright.kubernetes.nodes import NodeTable

__all__ = ["Sampling", "number_to_find"]

_REGION = ("failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region")
_ZONE = ("failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone")


def number_to_find(nodes: int, percentage: int) -> int:
    """How many feasible nodes are enough; percentage 0 adapts to the number of nodes, 100 and more means all."""
    if nodes < 100 or percentage >= 100:
        return nodes
    share = percentage or max(5, 50 - nodes // 125)
    return max(nodes * share // 100, 100)


def snapshot_order(nodes: NodeTable) -> list[int]:
    """Nodes round robin over their zones: the first of every zone, the second of every zone, ..."""
    columns = [nodes.label(key).texts() for key in (*_REGION, *_ZONE)]
    zones: dict[tuple[str, str], list[int]] = {}
    for number, (old_region, region, old_zone, zone) in enumerate(zip(*columns)):
        key = (region or "") if old_region is None else old_region, (zone or "") if old_zone is None else old_zone
        zones.setdefault(key, []).append(number)
    longest = max(map(len, zones.values()), default=0)
    return [members[turn] for turn in range(longest) for members in zones.values() if turn < len(members)]


class Sampling:
    """The window of one cluster; `start` is where the next look begins."""

    def __init__(self, nodes: NodeTable, percentage: int) -> None:
        self._nodes = nodes
        self._percentage = percentage
        self._order = snapshot_order(nodes)
        self.start = 0

    def order(self, names: Iterable[str] | None) -> list[int]:
        """The nodes that are looked at, in order; `names` restrict them."""
        if names is None:
            return self._order
        chosen = self._nodes.named(names)
        return [number for number in self._order if chosen[number]]

    def open(self, fleet: Fleet, order: Sequence[int], percentage: int | None = None) -> None:
        """Let the next decision see this window; percentage: that of the pod's own profile, if profiles differ."""
        if order:
            enough = number_to_find(len(order), self._percentage if percentage is None else percentage)
            fleet.window(enough, np.array(order), self.start % len(order))

    def close(self, fleet: Fleet, order: Sequence[int]) -> None:
        """After a decision that looked: the next one begins where this one ended."""
        if order:
            self.start = fleet.window_start
            fleet.window(None)
