"""`stack compare`: what-if copies of the whole sandwich, measured alike and put side by side, over any executor."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from typing import Any

from binwright.errors import InputError
from binwright.kubernetes.place import place_read
from binwright.openstack.capacity import Oversold, cloud_hosts, oversold
from binwright.openstack.hosts import Hosts
from binwright.outcome import NotEvaluated
from binwright.stack.audit import audit
from binwright.stack.blast import blast
from binwright.stack.envelope import API_VERSION, merged_not_evaluated, not_evaluated_entries
from binwright.stack.finding import SEVERITIES
from binwright.stack.grown_headroom import grown_headroom
from binwright.stack.ledger import ledger
from binwright.stack.physical import CPU, MEMORY, MIB
from binwright.stack.racks import Seat
from binwright.stack.sandwich import Sandwich
from binwright.stack.scenario import AS_IS, Scenario
from binwright.stack.usage import Usage
from binwright.stack.what_happens import World, carried_out
from binwright.sweeping import sweep

CLASSES = {CPU: (("VCPU", "PCPU"), 1000), MEMORY: (("MEMORY_MB",), MIB)}
"""Resource -> what a cloud calls it, and base units in one of its units."""


@dataclass(slots=True)
class Amounts:
    """One resource over all hosts, in millicores or bytes. offered: what the clouds sell, after their ratios, None
    where the dump does not tell; sold: to servers, and to pods on metal; requested: by pods on nodes.
    """

    physical: int = 0
    offered: int | None = None
    sold: int = 0
    requested: int = 0


@dataclass(slots=True)
class Room:
    """How many more of one shape of a pod: on the nodes as they are, and with new nodes."""

    shape: str
    as_is: int
    together: int
    new_nodes: int


@dataclass(slots=True)
class Measured:
    """One scenario's numbers. homeless: pending pods that find no node, of `pending`. worst: the physical host whose
    loss is worst, with what breaks and how many pods then find no node. nodes_without_host: of an added cluster.
    oversold: what servers have beyond what their hosts may give, after their ratios; None where a dump does not tell.
    not_evaluated: of everything that was asked, by rule.
    """

    name: str
    hosts: int
    servers: int
    nodes: int
    pods: int
    pending: int
    homeless: int
    findings: dict[str, int]
    amounts: dict[str, Amounts]
    worst: str | None = None
    worst_breaks: int = 0
    worst_homeless: int = 0
    nodes_without_host: int = 0
    rooms: list[Room] = field(default_factory=list)
    oversold: list[Oversold] | None = None
    not_evaluated: list[NotEvaluated] = field(default_factory=list)

    @property
    def oversold_hosts(self) -> int | None:
        """How many hosts have sold more than their ratios let; None where a dump does not tell."""
        return None if self.oversold is None else len({one.host for one in self.oversold})


@dataclass(slots=True)
class Comparison:
    """The sandwich as it is, then each scenario in the order given."""

    measured: list[Measured]
    elapsed_seconds: float = 0.0

    @property
    def not_evaluated(self) -> list[NotEvaluated]:
        """Rules that were not evaluated in any scenario, with the objects of the one where most use it."""
        return most_of(one.not_evaluated for one in self.measured)

    def to_dict(self) -> dict[str, Any]:
        """The envelope, kind CompareResult: plain dicts, lists, strings and exact numbers."""
        return {
            "apiVersion": API_VERSION,
            "kind": "CompareResult",
            "summary": {"scenarios": len(self.measured) - 1, "elapsedSeconds": round(self.elapsed_seconds, 6)},
            "scenarios": [entry(one) for one in self.measured],
            "notEvaluated": not_evaluated_entries(self.not_evaluated),
        }


def most_of(several: Iterable[Iterable[NotEvaluated]]) -> list[NotEvaluated]:
    """One entry a rule of what was asked several times of the same objects: the one with most objects. Most first."""
    found: dict[str, NotEvaluated] = {}
    for one in chain.from_iterable(several):
        if one.rule not in found or one.objects > found[one.rule].objects:
            found[one.rule] = one
    return sorted(found.values(), key=lambda one: (-one.objects, one.rule))


def entry(one: Measured) -> dict[str, Any]:
    """One scenario."""
    return {
        "name": one.name,
        "hosts": one.hosts,
        "servers": one.servers,
        "nodes": one.nodes,
        "nodesWithoutHost": one.nodes_without_host,
        "pods": one.pods,
        "pending": one.pending,
        "homeless": one.homeless,
        "findings": {"total": sum(one.findings.values()), **one.findings},
        "resources": [
            {
                "name": name,
                "physical": amounts.physical,
                "offered": amounts.offered,
                "sold": amounts.sold,
                "requested": amounts.requested,
            }
            for name, amounts in one.amounts.items()
        ],
        "oversold": None
        if one.oversold is None
        else [
            {
                "host": over.host,
                "provider": over.provider,
                "resource": over.resource,
                "capacity": over.capacity,
                "used": over.used,
            }
            for over in one.oversold
        ],
        "worstLoss": None
        if one.worst is None
        else {"host": one.worst, "breaks": one.worst_breaks, "homeless": one.worst_homeless},
        "headroom": [
            {"shape": room.shape, "asIs": room.as_is, "together": room.together, "newNodes": room.new_nodes}
            for room in one.rooms
        ],
    }


def compare(
    sandwich: Sandwich,
    seats: Sequence[Seat],
    scenarios: Sequence[Scenario],
    shapes: Sequence[str] = (),
    executor: Executor | Callable[[], Executor] | None = None,
    progress: Callable[[int, int], None] | None = None,
    seconds: float = 0.0,
) -> Comparison:
    """Measure the sandwich as it is and after each scenario; the sandwich does not change.

    seats: of racks.yaml, for joining anew. shapes: of pods, for the headroom, as `capacity --pod` takes them.
    executor: as for `binwright.sweep`; results are the same whatever it is. Raises InputError for the first scenario
    that asks for what is not there.
    """
    start = time.perf_counter()
    every = [Scenario(AS_IS), *scenarios]
    world = World(sandwich, tuple(seats))
    measured = sweep(partial(measure, shapes=tuple(shapes)), world, every, executor, progress)
    return Comparison(measured, seconds + time.perf_counter() - start)


def measure(world: World, scenario: Scenario, shapes: Sequence[str]) -> Measured:
    """One scenario carried out and measured; what a worker runs."""
    after = carried_out(world, scenario)
    sandwich = after.sandwich
    audited = audit(sandwich, repair=False)
    told, unseen = audited.findings, [audited.not_evaluated]
    placings: list[tuple[str, list[NotEvaluated]]] = []
    pending = homeless = 0
    for name in sorted(sandwich.clusters):
        objects = sandwich.clusters[name]
        waiting = len(sandwich.queue(name).pending)
        pending += waiting
        if waiting and objects.nodes:
            outcome = place_read(name, objects, sandwich.options)
            homeless += len(outcome.unplaced)
            placings.append((name, outcome.not_evaluated))
        else:
            homeless += waiting
    clouds = clouds_of(sandwich)
    over = [(name, one) for name, hosts in (clouds or {}).items() for one in oversold(hosts)]
    found = Measured(
        scenario.name,
        sum(host.physical() is host for host in sandwich.hosts.values()),
        len(sandwich.servers),
        len(sandwich.nodes),
        sum(len(objects.pods) for objects in sandwich.clusters.values()),
        pending,
        homeless,
        {severity: sum(one.severity == severity for one in told) for severity in SEVERITIES},
        amounts_of(sandwich, clouds),
        nodes_without_host=after.nodes_without_host,
        oversold=None if clouds is None else [replace(one, host=f"{name}/{one.host}") for name, one in over],
    )
    blasted = blast(sandwich, any_level="host") if all(one.nodes for one in sandwich.clusters.values()) else None
    if blasted is not None:
        unseen.append(blasted.not_evaluated)
    if blasted is not None and blasted.blasts:
        worst = blasted.blasts[0]
        found.worst, found.worst_breaks, found.worst_homeless = worst.name, len(worst.breaks), len(worst.homeless)
    flavors = () if after.offers is None else after.offers.names
    if shapes:
        grown = grown_headroom(sandwich, shapes, flavors, catalogue=after.offers)
        found.rooms = [Room(one.shape, one.as_is, one.together, one.new_nodes) for one in grown.shapes]
        unseen.append(merged_not_evaluated(grown.not_evaluated))
    found.not_evaluated = most_of([*unseen, merged_not_evaluated(placings)])
    return found


def amounts_of(sandwich: Sandwich, clouds: Mapping[str, Hosts] | None) -> dict[str, Amounts]:
    """What there is, is offered, sold and requested, by resource."""
    book = ledger(sandwich, Usage())
    offered = offered_by(clouds or {})
    found = {}
    for name in (CPU, MEMORY):
        line = book.total(name)
        found[name] = Amounts(line.physical or 0, offered.get(name), line.sold, line.requested)
    return found


def clouds_of(sandwich: Sandwich) -> dict[str, Hosts] | None:
    """The hosts of every cloud; None where there is no cloud, or one's dump does not tell what its hosts have."""
    try:
        return {name: cloud_hosts(cloud) for name, cloud in sandwich.clouds.items()} or None
    except InputError:
        return None


def offered_by(clouds: Mapping[str, Hosts]) -> dict[str, int]:
    """What all clouds sell of a resource after their ratios; nothing where there is none."""
    found = dict.fromkeys(CLASSES, 0) if clouds else {}
    for hosts in clouds.values():
        for name, (classes, unit) in CLASSES.items():
            found[name] += unit * sum(hosts.totals.get(one, (0, 0))[0] for one in classes)
    return found
