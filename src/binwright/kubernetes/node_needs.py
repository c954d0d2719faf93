"""How many nodes a cluster needs, as a problem of packing: the pods that could move, and the nodes without the rest.

It covers requests and the number of pods on every node's own allocatable, and the rules about what a node is: cordons,
taints, node selectors and affinity, volumes' places. Nothing of what lies on nodes, so its bounds hold whatever the
scheduler does. A node that is overcommitted today counts with what it holds today; a pod that would not be let onto the
node where it is counts as one that may be anywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction

import numpy as np

from binwright.kubernetes.compile import Cluster
from binwright.kubernetes.evacuation import replacement
from binwright.moves import Asked, Bin, Needs
from binwright.request import Request

__all__ = ["needs"]

MOST_POOLS = 16


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
    pools, eligible = _pools(cluster, movable)
    everywhere = frozenset(pools)
    items: Counter[tuple[tuple[int, ...], frozenset[int]]] = Counter()
    for host, requests in movable.items():
        for item, request in requests.items():
            held = _held(fleet.item(item)[0], rows)
            used[:, host] -= held
            asked = [request.demand.get(name, 0) for name in cluster.resources]
            mask, within = eligible[request.index]
            amounts = tuple(min(pair) for pair in zip(asked, held.tolist()))
            items[amounts, within if mask[host] else everywhere] += 1
    for item, pod in cluster.held.items():
        if pod.key in gone:
            request, host = fleet.item(item)
            used[:, host] -= _held(request, rows)
    alike = Counter(zip(map(tuple, (roomy - used).T.tolist()), fixed, prices, pools))
    return Needs(
        cluster.resources,
        [Asked(*kind, count) for kind, count in items.items()],
        [Bin(*kind, count) for kind, count in alike.items()],
    )


def _pools(
    cluster: Cluster, movable: Mapping[int, Mapping[int, Request]]
) -> tuple[list[int], dict[int, tuple[np.ndarray, frozenset[int]]]]:
    """Nodes that the same pods may be on are one pool: the pool of every node, and for each class of pods the nodes
    (bool) and the pools where they may be. Beyond a number of pools the smallest are one.
    """
    pods = {request.index: cluster.held[item] for some in movable.values() for item, request in some.items()}
    masks = {number: cluster.eligible(replacement(pod)) for number, pod in pods.items()}
    if not masks:
        return [0] * len(cluster.nodes), {}
    _, pool_of, sizes = np.unique(np.array(list(masks.values())), axis=1, return_inverse=True, return_counts=True)
    rank = np.empty(len(sizes), np.int64)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    pools = np.minimum(rank[pool_of.reshape(-1)], MOST_POOLS - 1)
    return pools.tolist(), {number: (mask, frozenset(pools[mask].tolist())) for number, mask in masks.items()}


def _held(request: Request, rows: Sequence[int]) -> np.ndarray:
    """What an item of a request holds of the resources in these rows."""
    return np.array(request.compiled.amounts()[1], np.int64)[rows]
