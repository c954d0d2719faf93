"""How many nodes a cluster needs, as a problem of packing: the pods that could move, and the nodes without the rest.

It covers requests and the number of pods on every node's own allocatable, no other rule, so its bounds hold whatever
the scheduler does. A node that is overcommitted today counts with what it holds today.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction

import numpy as np

from binwright.kubernetes.compile import Cluster
from binwright.moves import Bin, Needs
from binwright.request import Request

__all__ = ["needs"]


def needs(
    cluster: Cluster,
    movable: Mapping[int, Mapping[int, Request]],
    fixed: Sequence[bool],
    prices: Sequence[Fraction],
    gone: Collection[str],
) -> Needs:
    """movable: node -> item -> the request that would place it elsewhere; of other pods those in `gone` (keys) hold
    nothing any more, the rest go with their node. fixed: which nodes stay in any case. prices: of the nodes, 1 each
    where they are counted. The fleet holds everything.
    """
    fleet = cluster.fleet
    rows = [fleet.resources.index(name) for name in cluster.resources]
    used = fleet.used[rows].copy()
    roomy = np.maximum(fleet.capacity[rows], used)
    items: Counter[tuple[int, ...]] = Counter()
    for host, requests in movable.items():
        for item, request in requests.items():
            held = _held(fleet.item(item)[0], rows)
            used[:, host] -= held
            asked = [request.demand.get(name, 0) for name in cluster.resources]
            items[tuple(min(pair) for pair in zip(asked, held.tolist()))] += 1
    for item, pod in cluster.held.items():
        if pod.key in gone:
            request, host = fleet.item(item)
            used[:, host] -= _held(request, rows)
    alike = Counter(zip(map(tuple, (roomy - used).T.tolist()), fixed, prices))
    return Needs(cluster.resources, list(items.items()), [Bin(*kind, count) for kind, count in alike.items()])


def _held(request: Request, rows: Sequence[int]) -> np.ndarray:
    """What an item of a request holds of the resources in these rows."""
    return np.array(request.compiled.amounts()[1], np.int64)[rows]
