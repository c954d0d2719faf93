"""Which new nodes pods want that fit on no node: the cheapest set, or the fewest, as one packing problem.

Counts what a node and a pod are by themselves (requests, pod count, taints, selectors, volumes' places, one pod a node
where its kind keeps apart); what pods do to each other elsewhere is left to the placing that checks the choice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from binwright.kubernetes import label_selectors
from binwright.kubernetes.compile import Cluster
from binwright.kubernetes.configuration import Profiles
from binwright.kubernetes.node_copies import HOSTNAME, amounts_of, with_nodes
from binwright.kubernetes.objects import Pod
from binwright.kubernetes.reader import Objects
from binwright.kubernetes.requests import PODS, Requests
from binwright.packing.problem import Bins, Items
from binwright.packing.solve import pack
from binwright.stack.new_nodes import PHYSICAL, Pool, new_labels

ITERATIONS = 40
"""Of column generation: reproducible, unlike seconds."""


@dataclass(slots=True)
class Choice:
    """How many of each pool, by its place among those asked about. value, bound: of the packing, in prices or nodes."""

    counts: dict[int, int] = field(default_factory=dict)
    value: int | float | None = None
    bound: int | float | None = None
    status: str = "infeasible"


class Chooser:
    """The pods of one cluster that wait, and what pools could take them; asked again as room in the cloud runs out."""

    def __init__(
        self,
        objects: Objects,
        pods: Sequence[Pod],
        pools: Sequence[Pool],
        prices: Sequence[Fraction],
        profiles: Profiles = None,
        spreads: bool = False,
    ) -> None:
        """prices: of one node of each pool. profiles: of the schedulers. spreads: as for `keeps_apart`."""
        self._prices = prices
        samples = [(pool.mould, f"{pool.cluster}-sample-{n}", new_labels(pool, None)) for n, pool in enumerate(pools)]
        nodes = with_nodes(Objects(related=objects.related), samples)
        cluster = Cluster([*objects.nodes, *nodes.nodes], pods, profiles, nodes.related)
        requests = Requests()
        offered = [amounts_of(node) for node in nodes.nodes]
        for pool, here in zip(pools, offered):
            here[PODS] = here.get(PODS, 0) - len(pool.mould.pods)
            for pod in pool.mould.pods:
                for name, amount in requests.of(pod).used.items():
                    here[name] = here.get(name, 0) - amount
        groups: dict[tuple[object, ...], int] = {}
        self._rows: list[int] = []
        demands: list[Mapping[str, int]] = []
        eligible: list[list[bool]] = []
        apart: list[bool] = []
        for pod in pods:
            amounts = requests.of(pod).fit
            passes = cluster.eligible(pod)[len(objects.nodes) :]
            fits = [
                bool(able) and all(here.get(name, 0) >= amount for name, amount in {**amounts, PODS: 1}.items())
                for able, here in zip(passes.tolist(), offered)
            ]
            if not any(fits):
                continue
            alone = keeps_apart(pod, spreads)
            kind = tuple(sorted((pod.metadata.labels or {}).items())) if alone else ()
            key = (tuple(sorted(amounts.items())), tuple(fits), alone, kind)
            if key not in groups:
                groups[key] = len(groups)
                demands.append(amounts)
                eligible.append(fits)
                apart.append(alone)
            self._rows.append(groups[key])
        names = list(dict.fromkeys(name for demand in demands for name, amount in demand.items() if amount))
        self._names = names or ["cpu"]
        self._weights = [[demand.get(name, 0) for name in self._names] for demand in demands]
        self._eligible, self._apart = eligible, apart
        self._capacity = [[max(0, here.get(name, 0)) for name in self._names] for here in offered]
        self._most = [max(0, here[PODS]) for here in offered]

    def choose(self, stock: Sequence[int]) -> Choice:
        """The best set when there are at most so many of each pool, -1 without end: for all pods that fit a node of
        which there are any, or else for as many of the first as can be had.
        """
        able = [number for number, row in enumerate(self._rows) if self._has_stock(row, stock)]
        if not able:
            return Choice()
        whole = self._packed(able, stock)
        if whole is not None:
            return whole
        found, least, most = Choice(), 0, len(able)
        while most - least > 1:
            middle = (least + most) // 2
            some = self._packed(able[:middle], stock)
            if some is None:
                most = middle
            else:
                least, found = middle, some
        return found

    def _has_stock(self, row: int, stock: Sequence[int]) -> bool:
        return any(fits and most for fits, most in zip(self._eligible[row], stock))

    def _packed(self, pods: Sequence[int], stock: Sequence[int]) -> Choice | None:
        counts = np.bincount([self._rows[number] for number in pods], minlength=len(self._weights)).tolist()
        used = [row for row, count in enumerate(counts) if count]
        items = Items(
            [self._weights[row] for row in used],
            [counts[row] for row in used],
            at_most=[([at], 1) for at, row in enumerate(used) if self._apart[row]],
            eligible=np.array([self._eligible[row] for row in used], bool),
        )
        bins = Bins(self._capacity, list(self._prices), list(stock), max_items=self._most)
        result = pack(items, bins, iterations=ITERATIONS)
        if result.cost is None:
            return None
        found = Choice({}, result.value, result.bound, result.status)
        for kind, _, count in result.patterns:
            found.counts[kind] = found.counts.get(kind, 0) + count
        return found


def keeps_apart(pod: Pod, spreads: bool = False) -> bool:
    """Whether two pods like this one never share a node, by required anti-affinity to their own kind. spreads: a hard
    spread over nodes or hosts counts, too.
    """
    spec, labels = pod.spec, pod.metadata.labels or {}
    affinity = spec.affinity.pod_anti_affinity if spec and spec.affinity else None
    terms = (affinity.required_during_scheduling_ignored_during_execution if affinity else None) or ()
    wishes = [(term.topology_key, term.label_selector) for term in terms]
    if spreads and spec is not None:
        hard = (one for one in spec.topology_spread_constraints or () if one.when_unsatisfiable != "ScheduleAnyway")
        wishes += [(one.topology_key, one.label_selector) for one in hard]
    return any(
        key in (HOSTNAME, PHYSICAL["host"])
        and label_selectors.matches(label_selectors.parse(selector, f"Pod {pod.key}"), labels)
        for key, selector in wishes
    )
