"""Rows and groups through the public calls: what each says it does, and one clear line for what it refuses."""

import pickle

import numpy as np
import pytest

from binwright import (
    BinwrightError,
    Cell,
    CellDemand,
    Change,
    Device,
    Fleet,
    Group,
    GroupRules,
    InputError,
    Profile,
    Reason,
    Rule,
    StateError,
    Verdict,
)

WHOLE = Group({"gpu": 1000}, take="whole")


def share(amount: int) -> Group:
    return Group({"gpu": amount}, take="share")


def gpu_fleet(*gpus: int, profile: Profile | None = None) -> Fleet:
    """Hosts with that many GPUs of a thousand thousandths."""
    fleet = Fleet({"cpu": np.full(len(gpus), 100)}, profile=profile)
    fleet.add_rows({"gpu": np.full(sum(gpus), 1000)}, np.repeat(np.arange(len(gpus)), gpus))
    return fleet


def rows_of(result, i: int = 0) -> list[tuple[int, int]]:
    return [(device.row, device.amount) for device in result.devices(i)]


def test_whole_rows_and_shares():
    fleet = gpu_fleet(4)
    small, big = fleet.request({"cpu": 1}, groups=[share(300)]), fleet.request({"cpu": 1}, groups=[share(600)])
    two = fleet.request({"cpu": 1}, groups=[WHOLE, WHOLE])
    assert rows_of(fleet.place(small)) == [(0, 300)]
    assert rows_of(fleet.place(big)) == [(0, 600)]  # least free, 700 of row 0
    assert rows_of(fleet.place(small)) == [(1, 300)]  # row 0 has 100 left
    assert rows_of(fleet.place(two)) == [(2, 1000), (3, 1000)]  # of rows 0 and 1 something is used
    refused = fleet.place(two)
    assert refused.devices(0) == ()
    assert refused.verdicts[0] == Verdict.UNSCHEDULABLE
    assert refused.explain(0).reasons == (Reason("rows", None, 1, True),)
    assert refused.explain(0).smallest_change is None


def test_more_rows_than_the_host_has_cannot_be_helped():
    fleet = gpu_fleet(2, 3)
    result = fleet.place(fleet.request({"cpu": 1}, groups=[WHOLE] * 3), count=2)
    assert result.hosts.tolist() == [1, -1]
    look = result.explain(1)
    assert look.reasons == (Reason("rows", None, 2, True),)
    assert look.refusals.resolvable.tolist() == [False, True]
    assert fleet.explain(fleet.request({"cpu": 1}, groups=[WHOLE] * 4)).verdict is Verdict.UNRESOLVABLE


def test_only_hosts_with_rows_are_feasible_and_scored():
    fleet = gpu_fleet(0, 1, 1)
    fleet.claim(fleet.request({"cpu": 50}), 1)
    look = fleet.explain(fleet.request({"cpu": 1}, groups=[share(10)]))
    assert (look.host, look.feasible, look.ties.tolist()) == (2, 2, [2])
    assert look.verdicts_by_host().tolist() == [fleet.profile.kind_position("rows"), 255, 255]
    assert look.reasons_at(0) == (("rows", None),)


def test_the_rows_rule_stands_where_the_profile_says():
    rules = (Rule("devices", "rows"), Rule("fit", "fit"))
    fleet = gpu_fleet(0, profile=Profile(rules=rules))
    look = fleet.explain(fleet.request({"cpu": 1000}, groups=[share(10)]))
    assert look.reasons == (Reason("devices", None, 1, False),)
    assert look.reasons_at(0) == (("devices", None), ("fit", "cpu"))


def test_a_request_takes_of_its_host_beside_its_groups():
    fleet = Fleet({"cpu": np.array([10])})
    request = fleet.request({"cpu": 4}, groups=[Group({"cpu": 6})])
    assert fleet.place(request).devices(0) == (Device(0, -1, "cpu", 6),)
    assert fleet.used.tolist() == [[10]]
    fleet = Fleet({"cpu": np.array([10])})
    look = fleet.explain(fleet.request({"cpu": 5}, groups=[Group({"cpu": 6})]))
    assert look.reasons == (Reason("rows", None, 1, False),)


def test_spread_groups_meet_their_clauses_together():
    fleet = Fleet({"cpu": np.array([10])})
    fleet.add_rows({"a": np.array([1, -1]), "b": np.array([-1, 1])}, [0, 0], labels=[["fast"], ["near"]])
    together = Group({"a": 1, "b": 1}, spread=True, required=["fast", ["near", "far"]])
    assert fleet.place(fleet.request({}, groups=[together])).devices(0) == (
        Device(0, 0, "a", 1), Device(0, 1, "b", 1),
    )  # fmt: skip
    alone = Group({"a": 1}, required=["fast", "near"])
    assert not fleet.explain(fleet.request({}, groups=[alone])).feasible


def test_a_subtree_holds_its_groups_and_a_group_may_ask_for_nothing():
    fleet = Fleet({"cpu": np.array([10])})
    cells = fleet.add_rows({}, [0, 0], labels=[["cell"], ["cell"]])
    fleet.add_rows({"gpu": np.ones(3, int), "port": np.array([1, -1, 1])}, [0] * 3, parents=cells[[0, 1, 1]])
    groups = [Group({}, required=["cell"]), *(Group({"gpu": 1}, isolated=True) for _ in range(2)), Group({"port": 1})]
    request = fleet.request({}, groups=groups, group_rules=GroupRules(subtrees=[(0, 1, 2, 3)]))
    result = fleet.place(request)
    assert result.devices(0) == (
        Device(0, 1, None, 0), Device(1, 3, "gpu", 1), Device(2, 4, "gpu", 1), Device(3, 4, "port", 1),
    )  # fmt: skip
    with pytest.raises(StateError, match="remove_rows: row 1 is in use"):
        fleet.rows.remove(1)
    fleet.release(result.items)
    with pytest.raises(StateError, match="remove_rows: row 1 has rows below it"):
        fleet.rows.remove(1)
    fleet.rows.remove([4, 3, 1])
    assert fleet.rows.of(0).tolist() == [0, 2]
    assert not fleet.place(request).placed


def test_pools_serve_the_hosts_that_are_linked_to_them():
    fleet = Fleet({"cpu": np.array([10, 10])})
    (pool,) = fleet.add_rows({"disk": np.array([5])})
    request = fleet.request({"cpu": 1}, groups=[Group({"disk": 3})])
    assert not fleet.place(request).placed
    fleet.rows.link(pool, 1)
    assert fleet.rows.links(1).tolist() == [pool]
    result = fleet.place(request, count=2)
    assert result.hosts.tolist() == [1, -1]
    assert [column.tolist() for column in fleet.rows.table("disk")] == [[0], [-1], [5], [3]]
    own_rows_only = fleet.request({"cpu": 1}, groups=[Group({"disk": 1}, linked=False)])
    assert not fleet.explain(own_rows_only).feasible
    fleet.rows.unlink(pool, 1)
    assert fleet.devices(int(result.items[0])) == (Device(0, pool, "disk", 3),)


def test_a_linked_host_is_a_row_and_stays_while_it_serves():
    fleet = Fleet({"cpu": np.array([10, 10]), "disk": np.array([0, 9])})
    fleet.rows.link(~1, 0)
    result = fleet.place(fleet.request({"cpu": 10}, groups=[Group({"disk": 4})], eligible=[0]))
    assert (result.hosts.tolist(), rows_of(result)) == ([0], [(~1, 4)])
    with pytest.raises(StateError, match="remove_hosts: host 1 or a row of it serves items of other hosts"):
        fleet.remove_hosts(1)
    fleet.release(result.items)
    fleet.remove_hosts(1)
    assert fleet.rows.links(0).tolist() == []


def test_memberships_of_the_host_may_count_for_its_rows():
    fleet = Fleet({"cpu": np.array([10, 10])})
    fleet.add_rows({"gpu": np.array([2, 2])}, [0, 1])
    fleet.rows.relabel(~1, members=["zone"])
    alone = fleet.request({}, groups=[Group({"gpu": 1}, member_of=["zone"])])
    by_host = fleet.request({}, groups=[Group({"gpu": 1}, member_of=["zone"], root_answers=True)])
    not_there = fleet.request({}, groups=[Group({"gpu": 1}, not_member_of=["zone"], root_answers=True)])
    assert fleet.explain(alone).feasible == 0
    assert fleet.explain(by_host).host == 1
    assert fleet.explain(not_there).host == 0
    rooted = GroupRules(root_required=["big"])
    wanted = fleet.request({}, groups=[Group({"gpu": 1})], group_rules=rooted)
    assert fleet.explain(wanted).feasible == 0
    fleet.rows.relabel(~0, labels=["big"])
    assert fleet.explain(wanted).host == 0


def test_greedy_groups_take_nothing_back():
    fleet = Fleet({"cpu": np.array([10])})
    fleet.add_rows({"device": np.array([1, 1])}, [0, 0], labels=[["fast"], []])
    groups = [Group({"device": 1}), Group({"device": 1}, required=["fast"])]
    assert fleet.explain(fleet.request({}, groups=groups)).feasible == 1
    greedy = fleet.request({}, groups=groups, group_rules=GroupRules(greedy=True))
    assert fleet.explain(greedy).feasible == 0
    assert fleet.explain(fleet.request({}, groups=groups[::-1], group_rules=GroupRules(greedy=True))).feasible == 1


def hard_question(steps: int) -> tuple[Fleet, object]:
    """Eleven unequal groups on five rows of 20, none: 9 x 9 and two of 10 leave no place for a last 1."""
    fleet = Fleet({"cpu": np.array([10])})
    fleet.add_rows({"gpu": np.full(5, 20)}, [0] * 5)
    amounts = [9, 9, 9, 9, 9, 9, 9, 9, 9, 10, 10]
    return fleet, fleet.request({}, groups=[Group({"gpu": n}) for n in amounts], group_rules=GroupRules(steps=steps))


def test_a_limit_that_is_reached_is_not_none():
    fleet, request = hard_question(steps=50)
    look = fleet.explain(request)
    assert look.verdict is Verdict.UNSCHEDULABLE
    assert look.reasons == (Reason("rows", "limit reached", 1, True),)
    assert look.reasons_at(0) == (("rows", "limit reached"),)
    with pytest.raises(InputError, match="host 0 has no rows for its groups"):
        fleet.claim(request, 0)
    fleet, request = hard_question(steps=10**7)
    assert fleet.explain(request).reasons == (Reason("rows", None, 1, False),)


def test_limits_of_one_claim_and_of_a_request():
    fleet = Fleet({"cpu": np.array([10])})
    fleet.add_rows({"vf": np.array([8])}, [0], smallest={"vf": [2]}, largest={"vf": [4]}, step={"vf": [2]})

    def feasible(*amounts: int) -> int:
        return fleet.explain(fleet.request({}, groups=[Group({"vf": n}) for n in amounts])).feasible

    assert [feasible(n) for n in (1, 2, 3, 4, 6)] == [0, 1, 0, 1, 0]
    assert (feasible(2, 2), feasible(4, 2)) == (1, 0)  # 6 is free, but more than one request may have


def test_a_capacity_may_shrink_below_what_is_used():
    fleet = gpu_fleet(1)
    result = fleet.place(fleet.request({}, groups=[share(400)]))
    fleet.rows.resize(0, {"gpu": 100})
    assert [column.tolist() for column in fleet.rows.table("gpu")] == [[0], [0], [100], [400]]
    assert not fleet.explain(fleet.request({}, groups=[share(1)])).feasible
    fleet.release(result.items)
    assert fleet.explain(fleet.request({}, groups=[share(100)])).feasible


def test_evicting_gives_back_rows_on_trial():
    fleet = gpu_fleet(2)
    low = fleet.place(fleet.request({"cpu": 1}, groups=[WHOLE]), count=2)
    other = fleet.place(fleet.request({"cpu": 1}))
    saved = fleet._state.forest.save()
    high = fleet.request({"cpu": 1}, groups=[WHOLE], priority=10)
    found = fleet.evict(high)
    assert [candidate.victims for candidate in found.candidates] == [(int(low.items[1]),)]
    assert fleet._state.forest.save() == saved
    assert other.placed == 1
    with pytest.raises(InputError, match="has groups; rows cannot be promised"):
        fleet.promise(high, 0)


def test_equal_groups_are_one_request():
    fleet = gpu_fleet(2)
    one = fleet.request({"cpu": 1}, groups=[Group({"gpu": 5}, required=["a", {"b", "c"}])])
    assert fleet.request({"cpu": 1}, groups=[Group({"gpu": 5}, required=["a", {"c", "b"}])]) is one
    assert fleet.request({"cpu": 1}, groups=[Group({"gpu": 5}, required=["a"])]) is not one
    assert fleet.request({"cpu": 1}) is not one


def test_explaining_the_past_sees_the_rows_of_then():
    fleet = gpu_fleet(2, 1)
    result = fleet.place(fleet.request({"cpu": 1}, groups=[WHOLE]), count=4)
    assert result.hosts.tolist() == [0, 1, 0, -1]
    assert [result.explain(i).feasible for i in range(4)] == [2, 2, 1, 0]
    fleet.release(result.items[:3])
    assert [result.explain(i).feasible for i in range(4)] == [2, 2, 1, 0]


def test_cpus_are_taken_by_sibling_sets():
    fleet = Fleet({"vcpu": np.array([9])})
    cell = Cell(dedicated=range(6), siblings=[(0, 3), (1, 4), (2, 5)], pinned=[3], pages=[(4, 100, 0, 10)])
    fleet.add_rows({"memory": [400]}, [0], cells=[cell])

    def pinned(**wish):
        token = fleet.checkpoint()
        group = Group({}, isolated=True, cell=CellDemand(8, "memory", pins=True, **wish))
        result = fleet.place(fleet.request({}, groups=[group]))
        found = fleet.pinned(int(result.items[0]))[0][1:] if result.placed else None
        fleet.rollback(token)
        return found

    assert pinned(cpus=2) == ((1, 4), (), ())
    assert pinned(cpus=5) == ((0, 1, 4, 2, 5), (), ())
    assert pinned(cpus=3, threads="require") == ((1, 4, 2), (), ())
    assert pinned(cpus=3, spare=1) == ((1, 4, 2), (0,), ())
    assert pinned(cpus=1, threads="isolate") is None  # floating CPUs beside the dedicated ones
    assert pinned(cpus=6) is None
    assert fleet.rows.cell(0).pinned == (3,)


def test_a_cell_without_siblings_pins_nothing():
    fleet = Fleet({"vcpu": np.array([9])})
    fleet.add_rows({"memory": [4]}, [0], cells=[Cell(range(4))])
    group = Group({}, isolated=True, cell=CellDemand(4, "memory", pins=True, cpus=1))
    assert not fleet.explain(fleet.request({}, groups=[group])).feasible


BAD_ROWS = {
    "negative": (({"gpu": [1, -2]}, [0, 0]), {}, "add_rows: capacity of 'gpu', row 1: -2 is outside -1..{most}"),
    "no host": (({"gpu": [1]}, [7]), {}, "add_rows: no host 7 in a fleet of 2"),
    "lengths": (({"gpu": [1, 1]}, [0]), {}, "add_rows: 1 hosts and 2 parents for 2 rows"),
    "parent of another host": (
        ({"gpu": [1]}, [1]), {"parents": [0]}, "add_rows: parent 0 of row 2 belongs to another host",
    ),
    "parent to come": (({"gpu": [1]}, [0]), {"parents": [2]}, "add_rows: parent 2 of row 2 is not an earlier row"),
    "labels": (
        ({"gpu": [1]}, [0]), {"labels": ["fast"]}, "add_rows: labels: row 0: 'fast' is not a collection of strings",
    ),
    "used of nothing": (
        ({"gpu": [1]}, [0]), {"used": {"x": [1]}}, "add_rows: used of 'x', of which no capacity is given",
    ),
    "step": (({"gpu": [1]}, [0]), {"step": {"gpu": [0]}}, "add_rows: step of 'gpu', row 0: 0 is outside 1..{most}"),
    "cell": (
        ({"gpu": [1]}, [0]), {"cells": [Cell([1], pinned=[2])]},
        "add_rows: cell of row 0: pinned has CPUs that are not dedicated",
    ),
    "siblings": (
        ({"gpu": [1]}, [0]), {"cells": [Cell([1], siblings=[[1], [1, 2]])]},
        "add_rows: cell of row 0: siblings 1 has a CPU of an earlier set",
    ),
    "pages": (
        ({"gpu": [1]}, [0]), {"cells": [Cell([1], pages=[(4, 1, 0, 0), (4, 2, 0, 0)])]},
        "add_rows: cell of row 0: page size 4 is 0 or there twice",
    ),
    "far CPU": (
        ({"gpu": [1]}, [0]), {"cells": [Cell([1024])]},
        "add_rows: cell of row 0: dedicated: CPU 1024 is outside 0..1023",
    ),
}  # fmt: skip

BAD_GROUPS = {
    "nothing": ([Group({"gpu": 0})], None, "request: group 0: 'gpu': 0 is not an amount of a row; leave it out"),
    "a float": ([Group({"gpu": 0.5})], None, "request: group 0: 'gpu': 0.5 is not an integer"),
    "take": (
        [Group({"gpu": 1}, take="half")], None, "request: group 0: take 'half' is not 'amount', 'share' or 'whole'",
    ),
    "one string": (
        [Group({"gpu": 1}, required="fast")], None,
        "request: group 0: required: 'fast' is one string, not a list of clauses",
    ),
    "spread and isolated": (
        [Group({"gpu": 1}, spread=True, isolated=True)], None,
        "request: group 0: a spread group cannot be isolated or take whole rows",
    ),
    "empty share": ([Group({}, take="share")], None, "request: group 0: demand is empty"),
    "too many": ([Group({"gpu": 1})] * 257, None, "request: 257 groups that need 257 rows, at most 256"),
    "rules alone": ([], GroupRules(greedy=True), "request: group_rules without groups"),
    "subtree": (
        [Group({"gpu": 1})], GroupRules(subtrees=[(0, 1)]),
        "request: subtrees names a group that is not there: [0, 1]",
    ),
    "greedy subtree": (
        [Group({"gpu": 1})], GroupRules(subtrees=[(0,)], greedy=True),
        "request: greedy groups cannot have rules over several rows (subtrees, spread clauses)",
    ),
    "steps": ([Group({"gpu": 1})], GroupRules(steps=0), "request: steps 0 is outside 1..2**56"),
    "cell not isolated": (
        [Group({}, cell=CellDemand())], None,
        "request: group 0: a group with a cell is isolated, not spread, and takes no whole rows",
    ),
    "memory of what": (
        [Group({}, isolated=True, cell=CellDemand(5))], None,
        "request: group 0: cell: memory without the resource it is of",
    ),
    "CPUs without pins": (
        [Group({}, isolated=True, cell=CellDemand(cpus=2))], None,
        "request: group 0: cell: 2 CPUs and 0 spare ones of a cell, with pins=False",
    ),
    "no group": (["gpu"], None, "request: group 0: 'gpu' is not a Group"),
    "order": (
        [Group({"gpu": 1})], GroupRules(order=[("name", "gpu", True)]), "request: order: no key 'name' of 'gpu'",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("given", "more", "line"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_bad_rows_are_one_line_and_change_nothing(given, more, line):
    fleet = gpu_fleet(1, 1)
    saved = fleet._state.forest.save()[2:]
    with pytest.raises(InputError) as error:
        fleet.add_rows(given[0], given[1], **more)
    assert str(error.value) == line.format(most=2**56)
    assert fleet._state.forest.save()[2:] == saved


@pytest.mark.parametrize(("groups", "rules", "line"), BAD_GROUPS.values(), ids=BAD_GROUPS)
def test_bad_groups_are_one_line(groups, rules, line):
    fleet = gpu_fleet(1)
    with pytest.raises(InputError) as error:
        fleet.request({"cpu": 1}, groups=groups, group_rules=rules)
    assert str(error.value) == line


def test_other_refusals_are_one_line():
    fleet = gpu_fleet(1, 1)
    item = int(fleet.place(fleet.request({"cpu": 1}, groups=[WHOLE])).items[0])
    two = fleet.request({}, groups=[WHOLE, WHOLE])
    for call, line in {
        lambda: fleet.rows.remove(9): "remove_rows: no row 9",
        lambda: fleet.rows.remove([1, 1]): "remove_rows: a row is named twice",
        lambda: fleet.rows.resize(0, {"vf": 1}): "resize_row: row 0 has no 'vf'",
        lambda: fleet.rows.resize(0, {"gpu": -1}): "resize_row: row 0, 'gpu': -1 is negative",
        lambda: fleet.rows.link(0, 0): "link: row 0 is of host 0 itself",
        lambda: fleet.rows.relabel(0, "fast"): "relabel_row: row 0: 'fast' is not a collection of strings",
        lambda: fleet.devices(item + 1): f"item: {item + 1} is not an item of this fleet (released before?)",
        lambda: fleet.claim(two, 1): "claim: item 0: host 1 has no rows for its groups",
    }.items():
        with pytest.raises(BinwrightError) as error:
            call()
        assert str(error.value) == line


def test_the_smallest_change_leaves_rows_out():
    fleet = gpu_fleet(1)
    fleet.claim(fleet.request({"cpu": 95}), 0)
    look = fleet.explain(fleet.request({"cpu": 10}, groups=[WHOLE]))
    assert look.smallest_change == Change("request", 0, resource="cpu", have=5, need=10)
    assert fleet.explain(fleet.request({"cpu": 10}, groups=[WHOLE] * 2)).smallest_change is None


def test_a_request_within_a_host_that_a_rollback_took_away_is_pickled():
    fleet = Fleet({"cpu": np.array([4])})
    fleet.add_rows({"slot": [2]}, [0])
    token = fleet.checkpoint()
    fleet.add_hosts({"cpu": np.array([4])})
    fleet.add_rows({"slot": [2]}, [1])
    there = fleet.request({}, groups=[Group({"slot": 1}, within=1)])
    assert fleet.place(there).hosts.tolist() == [1]
    fleet.rollback(token)
    fleet, there = pickle.loads(pickle.dumps((fleet, there)))
    assert fleet.place(there).placed == 0
    fleet.add_hosts({"cpu": np.array([4])})
    fleet.add_rows({"slot": [2]}, [1])
    assert fleet.place(there).hosts.tolist() == [1]
