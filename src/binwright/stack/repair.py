"""The cheapest way out of a finding: pods moved, servers migrated, nodes added, step after step.

Each step is let by the rules of the layers that it touches (see `repair_steps`), and the sandwich as it would be
afterwards is audited again: a step that makes a new finding is not proposed.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial

from binwright.errors import InputError
from binwright.kubernetes.drain_filters import controller
from binwright.kubernetes.objects import Pod
from binwright.kubernetes.outage import ENDS_WITH_NODE
from binwright.kubernetes.requests import Requests
from binwright.stack.finding import Finding, Repair
from binwright.stack.new_nodes import Pool, pools_of
from binwright.stack.overcommit_check import overcommitted
from binwright.stack.physical import MEMORY, MIB, capacities, promised
from binwright.stack.repair_steps import Step, add_node, memory_of, migrate, move_pod
from binwright.stack.sandwich import NodePlace, Sandwich
from binwright.stack.spread_check import LEVEL_OF_KEY

MENDABLE = ("spread", "quorum")
"""What moving things can mend."""
PLACES = ("Node", "Server", "Host", "Rack", "Zone")
"""Kinds of objects that only say where members are."""
ACTIONS = ("pod", "migrate", "node")
"""What --cost can put a number on, and in this order where they cost the same."""
MOST_TRIES = 8  # options of one action that are audited for one step

Findings = Callable[[Sandwich], Iterable[Finding]]
About = tuple[str, frozenset[str]]


class Repairs:
    """Finds repairs for the findings of one sandwich. costs: what a step of an action counts instead of its bytes."""

    def __init__(self, sandwich: Sandwich, check: Findings, costs: Mapping[str, int] | None = None) -> None:
        self.sandwich = sandwich
        self.check = check
        self.costs = dict(costs or {})
        self.blind: list[str] = []  # what could not be asked of a layer, and why
        self._known_pools: dict[str, list[Pool]] = {}
        self._have = capacities(sandwich)
        self._promised = promised(sandwich)
        self._promised_by: dict[str, Mapping[str, dict[str, int]]] = {}
        self._before: dict[str, set[About]] = {}

    def _hazards(self, changed: Sandwich, cluster: str) -> list[Finding]:
        """What is found where only this cluster, and servers that are its nodes, may have changed."""
        found = list(self.check(alone(changed, cluster)))
        if cluster not in self._promised_by:
            self._promised_by[cluster] = promised(self.sandwich, [cluster])
        requested = {key: dict(amounts) for key, amounts in self._promised.items()}
        for sign, told in ((-1, self._promised_by[cluster]), (1, promised(changed, [cluster]))):
            for key, amounts in told.items():
                here = requested.setdefault(key, dict.fromkeys(amounts, 0))
                for name, amount in amounts.items():
                    here[name] += sign * amount
        return found + overcommitted(changed, requested, self._have)

    def _known(self, cluster: str) -> set[About]:
        """The hazards that there are already."""
        if cluster not in self._before:
            self._before[cluster] = {about(one) for one in self._hazards(self.sandwich, cluster)}
        return self._before[cluster]

    def of(self, finding: Finding) -> list[Repair]:
        """Steps, all of them to be done in this order; none when nothing was found that helps."""
        if finding.kind not in MENDABLE:
            return []
        steps: list[Repair] = []
        current, left = self.sandwich, finding
        for _ in range(len(finding.objects)):
            taken = self._step(current, left)
            if taken is None:
                return []
            step, hazards = taken
            steps += step.repairs
            current = step.after
            rest = [one for one in hazards if about(one) == about(finding)]
            if not rest:
                return steps
            left = rest[0]
        return []

    def _step(self, sandwich: Sandwich, finding: Finding) -> tuple[Step, list[Finding]] | None:
        """The cheapest move of one member out of the fullest place to one that holds none, and what is found then."""
        level = level_of(finding)
        crowds: dict[str, list[tuple[Pod, NodePlace]]] = {}
        for pod, place in members(sandwich, finding):
            where = place.at(level)
            if where is not None:
                crowds.setdefault(where, []).append((pod, place))
        if not crowds:
            return None
        fullest = max(sorted(crowds), key=lambda name: len(crowds[name]))
        cluster = finding.objects[0].source
        options: list[tuple[int, int, int, Callable[[], Step | None]]] = []

        def offer(action: str, cost: int, make: Callable[[], Step | None]) -> None:
            options.append((cost, ACTIONS.index(action), len(options), make))

        pools = self._pools(sandwich, cluster)
        node = min(map(self._cost_of_node, pools), default=0)
        for pod, place in crowds[fullest]:
            owner = controller(pod)
            if owner is not None and owner.kind not in ENDS_WITH_NODE:
                cost = self._cost("pod", Requests().of(pod).used.get(MEMORY, 0))
                offer("pod", cost, partial(move_pod, sandwich, cluster, pod, level, crowds, cost))
                if pools:
                    adding = partial(add_node, sandwich, cluster, pod, level, crowds, pools, self._cost_of_node, cost)
                    offer("node", node + cost, adding)
            if place.server is not None:
                cost = self._cost("migrate", memory_of(sandwich, place.server))
                offer("migrate", cost, partial(migrate, sandwich, place.server, level, crowds, cost))
        tries = dict.fromkeys(range(len(ACTIONS)), MOST_TRIES)
        for _, action, _, make in sorted(options, key=lambda one: one[:3]):
            tries[action] -= 1
            if tries[action] < 0:
                continue
            try:
                step = make()
            except InputError as problem:  # the dump lacks what the layer's rules need
                self.blind.append(str(problem))
                continue
            if step is None:
                continue
            hazards = self._hazards(step.after, cluster)
            if {about(one) for one in hazards} <= self._known(cluster):
                return step, hazards
        return None

    def _pools(self, sandwich: Sandwich, cluster: str) -> list[Pool]:
        """Kinds of nodes that a cluster could have more of."""
        if cluster not in self._known_pools:
            self._known_pools[cluster] = pools_of(sandwich, cluster)
        return self._known_pools[cluster]

    def _cost_of_node(self, pool: Pool) -> int:
        return self._cost("node", MIB * pool.flavor.memory_mb)

    def _cost(self, action: str, size: int) -> int:
        return self.costs.get(action, size)


def alone(sandwich: Sandwich, cluster: str) -> Sandwich:
    """The sandwich with this cluster only: what other clusters claim of themselves stays as it is."""
    nodes = {key: place for key, place in sandwich.nodes.items() if key[0] == cluster}
    return replace(sandwich, clusters={cluster: sandwich.clusters[cluster]}, nodes=nodes)


def about(finding: Finding) -> About:
    """What a finding is of, wherever that lies now."""
    passing = PLACES if finding.kind in MENDABLE else ("Host",) if finding.kind == "staleLabel" else ()
    return finding.kind, frozenset(str(ref) for ref in finding.objects if ref.kind not in passing)


def level_of(finding: Finding) -> str:
    """Host, rack or zone: what a spread is claimed over."""
    if finding.kind == "spread":
        return next((level for key, level in LEVEL_OF_KEY.items() if f"claim {key} " in finding.evidence), "host")
    return "host"


def members(sandwich: Sandwich, finding: Finding) -> list[tuple[Pod, NodePlace]]:
    """The pods of a finding with their nodes."""
    cluster = finding.objects[0].source
    wanted = {(ref.namespace, ref.name) for ref in finding.objects if ref.kind == "Pod"}
    found = []
    for pod in sandwich.clusters[cluster].pods:
        place = sandwich.place_of(cluster, pod)
        if place is not None and (pod.metadata.namespace or "default", pod.metadata.name) in wanted:
            found.append((pod, place))
    return found
