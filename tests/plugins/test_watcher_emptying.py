"""Which nodes can be emptied: plain data, without Watcher, against every possible plan of small clusters."""

import random
from itertools import combinations

import pytest

pytest.importorskip("watcher", reason="python-watcher is not installed: pip install python-watcher==17.0.0")
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]
import warnings  # noqa: E402

warnings.simplefilter("ignore")  # what the service imports is its own

from binwright.openstack.watcher_plugin.emptying import Group, Guest, Node, plan  # noqa: E402

CLASSES = ("VCPU", "MEMORY_MB")


def cluster(rng, nodes, guests):
    """Nodes with room, guests that lie where they fit or not, a few closed, kept and pinned."""
    made = [
        Node(f"n{number}", {"VCPU": rng.randint(6, 12), "MEMORY_MB": rng.randint(6, 12)}, rng.random() < 0.9,
             rng.choice(("a", "b")))
        for number in range(nodes)
    ]  # fmt: skip
    lie = [
        Guest(f"g{number}", rng.randrange(nodes), {name: rng.randint(1, 4) for name in CLASSES}, rng.random() < 0.9,
              rng.choice((None, None, "a", "b")))
        for number in range(guests)
    ]  # fmt: skip
    lie = [one if one.zone in (None, made[one.node].zone) else Guest(one.uuid, one.node, one.amounts) for one in lie]
    members = frozenset(rng.sample([one.uuid for one in lie], min(3, guests)))
    groups = [Group(rng.choice(("anti-affinity", "affinity", "soft-affinity")), members, rng.choice((1, 1, 2)))]
    return made, lie, groups


def free_after(nodes, guests, where):
    free = [dict(one.capacity) for one in nodes]
    for guest, node in zip(guests, where):
        for name, amount in guest.amounts.items():
            free[node][name] -= amount
    return free


def check(nodes, guests, groups, found):
    """What a plan promises."""
    where = [one.node for one in guests]
    moved = set()
    for move in found.moves:
        guest = guests[move.guest]
        assert guest.movable
        assert move.origin == guest.node
        assert move.origin in found.emptied
        assert move.destination not in found.emptied
        assert nodes[move.destination].open
        assert guest.zone in (None, nodes[move.destination].zone)
        assert move.guest not in moved
        moved.add(move.guest)
        where[move.guest] = move.destination
    assert not set(where) & set(found.emptied)
    assert all(nodes[number].open for number in found.emptied)
    before = free_after(nodes, guests, [one.node for one in guests])
    after = free_after(nodes, guests, where)
    for node in {one.destination for one in found.moves}:
        assert all(amount >= 0 for amount in after[node].values()), (before[node], after[node])
    number_of = {one.uuid: number for number, one in enumerate(guests)}
    for group in groups:
        members = [number_of[uuid] for uuid in group.members if uuid in number_of]
        if group.policy == "affinity" and len(members) > 1:
            assert not moved & set(members)
        if group.policy == "anti-affinity":
            for node in {where[one] for one in members if one in moved}:
                assert sum(where[one] == node for one in members) <= group.most


def possible(nodes, guests, groups, emptied):
    """Whether some assignment empties just these nodes, by trying all of them."""
    leaving = [number for number, one in enumerate(guests) if one.node in emptied]
    if any(not guests[number].movable for number in leaving) or any(not nodes[one].open for one in emptied):
        return False
    uuids = {guests[number].uuid for number in leaving}
    lying = {one.uuid for one in guests}
    if any(one.policy == "affinity" and one.members & uuids and len(one.members & lying) > 1 for one in groups):
        return False
    where = [one.node for one in guests]
    free = free_after(nodes, [one for one in guests if one.node not in emptied],
                      [one.node for one in guests if one.node not in emptied])  # fmt: skip

    def place(rest):
        if not rest:
            return True
        guest = guests[rest[0]]
        for node in range(len(nodes)):
            if node in emptied or not nodes[node].open or guest.zone not in (None, nodes[node].zone):
                continue
            if any(free[node][name] < amount for name, amount in guest.amounts.items()):
                continue
            mates = [one for one in groups if one.policy == "anti-affinity" and guest.uuid in one.members]
            if any(
                sum(where[other] == node for other, one in enumerate(guests) if one.uuid in group.members) >= group.most
                for group in mates
            ):
                continue
            where[rest[0]] = node
            for name, amount in guest.amounts.items():
                free[node][name] -= amount
            if place(rest[1:]):
                return True
            where[rest[0]] = guest.node
            for name, amount in guest.amounts.items():
                free[node][name] += amount
        return False

    for number in leaving:
        where[number] = -1
    return place(leaving)


def test_against_every_plan():
    """Each plan keeps its promises; nearly all empty as many nodes as any plan can, none more."""
    best = equal = emptied = 0
    for seed in range(120):
        rng = random.Random(f"emptying {seed}")
        nodes, guests, groups = cluster(rng, rng.randint(2, 5), rng.randint(1, 8))
        found = plan(nodes, guests, groups)
        check(nodes, guests, groups, found)
        most = max(
            size
            for size in range(len(nodes) + 1)
            if any(possible(nodes, guests, groups, some) for some in combinations(range(len(nodes)), size))
        )
        assert len(found.emptied) <= most, f"seed {seed}"
        equal += len(found.emptied) == most
        emptied += len(found.emptied)
        best += most
    assert emptied > 100
    assert equal >= 114, f"{equal} of 120 as good as any plan, {emptied} nodes of {best}"


def test_larger_clusters_keep_the_promises():
    for seed in range(10):
        rng = random.Random(f"larger {seed}")
        nodes, guests, groups = cluster(rng, 30, 60)
        found = plan(nodes, guests, groups)
        check(nodes, guests, groups, found)
        assert plan(nodes, guests, groups) == found


def test_groups_zones_and_those_that_stay():
    room = {"VCPU": 8, "MEMORY_MB": 8}
    small = {"VCPU": 1, "MEMORY_MB": 1}
    nodes = [Node("a", room, zone="x"), Node("b", room, zone="x"), Node("c", room, zone="y")]

    def emptied(*guests, groups=(), nodes=nodes):
        return len(plan(nodes, [Guest(f"g{at}", at, small, *more) for at, *more in guests], groups).emptied)

    assert emptied((0,), (1,), (2,)) == 2
    assert emptied((0, False), (1,), (2,)) == 2
    assert emptied((0, False), (1, False), (2,)) == 1
    assert emptied((0, True, "x"), (1, True, "x"), (2, True, "y")) == 1
    assert emptied((0,), (1,), (2,), groups=[Group("anti-affinity", frozenset({"g0", "g1"}))]) == 1
    assert emptied((0,), (1,), (2,), groups=[Group("anti-affinity", frozenset({"g0", "g1"}), 2)]) == 2
    assert emptied((0,), (1,), (2,), groups=[Group("anti-affinity", frozenset({"g0", "g1", "g2"}))]) == 0
    assert emptied((0,), (1,), (2,), groups=[Group("affinity", frozenset({"g0"}))]) == 2
    closed = [nodes[0], Node("b", room, False), nodes[2]]
    assert emptied((0,), (1,), (2,), nodes=closed) == 1
    assert plan([], []).emptied == plan(nodes[:1], [Guest("g", 0, small)]).emptied == []
