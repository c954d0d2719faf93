"""Which compute nodes can be emptied together by moving their instances, and where each instance goes.

Nodes, instances and groups as plain data in, moves out: the search is `binwright.emptying` over a fleet. An instance
never goes to a node that is emptied itself, so that moves may be made in any order, also several at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from binwright.emptying import Sizes, emptiable, in_sequence
from binwright.fleet import Fleet
from binwright.openstack.nova.server_groups import ANTI_AFFINITY_FILTER
from binwright.profile import Profile, Rule, most_allocated
from binwright.request import Request
from binwright.terms import Ref, at_most

__all__ = ["Group", "Guest", "Move", "Node", "Plan", "plan"]


@dataclass(frozen=True, slots=True)
class Node:
    """A compute node. capacity: class -> amount, overcommit applied; open: whether it takes instances."""

    name: str
    capacity: Mapping[str, int]
    open: bool = True
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """A server group. most: members on one node, where the policy is anti-affinity."""

    policy: str
    members: frozenset[str]
    most: int = 1


@dataclass(frozen=True, slots=True)
class Guest:
    """An instance on node number `node`; amounts by class. zone: the only one that it may be in."""

    uuid: str
    node: int
    amounts: Mapping[str, int]
    movable: bool = True
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """Guest number `guest` goes from one node to another."""

    guest: int
    origin: int
    destination: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Numbers of the nodes that are emptied, and the moves that do it."""

    emptied: list[int] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)


def plan(nodes: Sequence[Node], guests: Sequence[Guest], groups: Sequence[Group] = ()) -> Plan:
    """The largest set of nodes found that can be emptied together, the fewest and smallest guests first.

    A node is emptied only as a whole: one closed or with a guest that is not movable stays. Guests go to the fullest
    node that takes them (most_allocated), the first of equal ones. A guest of an affinity group stays where another
    member is with it; anti-affinity holds everywhere. Raises InputError for amounts that the engine refuses.
    """
    if not nodes:
        return Plan()
    classes = sorted({name for node in nodes for name in node.capacity})
    fleet = Fleet(
        {name: np.array([node.capacity.get(name, 0) for node in nodes], dtype=np.int64) for name in classes},
        names=[node.name for node in nodes],
        profile=Profile(
            rules=(Rule("fit", kind="fit"), Rule(ANTI_AFFINITY_FILTER, resolvable=True)),
            scores=(most_allocated(dict.fromkeys(classes, 1)),),
        ),
    )
    requests = _Requests(fleet, nodes, groups)
    made = [requests.of(guest) for guest in guests]
    items = [int(fleet.claim(request, [guest.node])[0]) for guest, request in zip(guests, made)]
    closed = [number for number, node in enumerate(nodes) if not node.open]
    if closed:
        fleet.cordon(np.array(closed, dtype=np.int64))
    held = _held(nodes, guests, groups)
    movable: dict[int, dict[int, Request]] = {number: {} for number in range(len(nodes)) if number not in held}
    for guest, item, request in zip(guests, items, made):
        if guest.node in movable:
            movable[guest.node][item] = request
    found = emptiable(fleet, movable)
    return Plan(found.hosts, _moves(fleet, movable, found.hosts, found.sequence, dict(zip(items, range(len(items))))))


class _Requests:
    """One request a kind of guest."""

    def __init__(self, fleet: Fleet, nodes: Sequence[Node], groups: Sequence[Group]) -> None:
        self._fleet = fleet
        self._zones = [node.zone for node in nodes]
        self._counters: dict[str, tuple[int, int]] = {}
        for group in groups:
            if group.policy == "anti-affinity":
                self._counters.update(dict.fromkeys(group.members, (fleet.counter(), group.most)))

    def of(self, guest: Guest) -> Request:
        """What finds a guest another node."""
        counter, most = self._counters.get(guest.uuid, (None, 1))
        return self._fleet.request(
            dict(guest.amounts),
            eligible=None if guest.zone is None else np.array([zone == guest.zone for zone in self._zones]),
            terms=[] if counter is None else [at_most(ANTI_AFFINITY_FILTER, Ref(counter), most)],
            contributes=None if counter is None else {counter: 1},
        )


def _held(nodes: Sequence[Node], guests: Sequence[Guest], groups: Sequence[Group]) -> set[int]:
    """The nodes that cannot be emptied whatever room there is elsewhere."""
    held = {number for number, node in enumerate(nodes) if not node.open}
    held |= {guest.node for guest in guests if not guest.movable}
    node_of = {guest.uuid: guest.node for guest in guests}
    for group in groups:
        if group.policy == "affinity":
            counts = Counter(node_of[uuid] for uuid in group.members & node_of.keys())
            held |= {node for node, count in counts.items() if count > 1 or len(counts) > 1}
    return held


def _moves(
    fleet: Fleet,
    movable: Mapping[int, Mapping[int, Request]],
    hosts: Sequence[int],
    sequence: str,
    guests: dict[int, int],
) -> list[Move]:
    """The moves as the search has found them."""
    if not hosts:
        return []
    fleet.cordon(np.array(hosts, dtype=np.int64))
    leaving = in_sequence((list(movable[host].items()) for host in hosts), sequence, Sizes(fleet), {})
    origins = {item: host for host in hosts for item in movable[host]}
    if not leaving:
        return []
    fleet.release([item for item, _ in leaving])
    result = fleet.place_many([request for _, request in leaving], np.arange(len(leaving)))
    return [Move(guests[item], origins[item], host) for (item, _), host in zip(leaving, result.hosts.tolist())]
