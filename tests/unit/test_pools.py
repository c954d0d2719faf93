"""Pools through the public API: the smallest row that fits, pinning, what outlives items, undo, copies, bad input."""

import pickle

import numpy as np
import pytest

from binwright import Fleet, HostSet, InputError, Profile, Rule, StateError, Verdict
from binwright.terms import pool

PROFILE = Profile(rules=(Rule("fit", kind="fit"), Rule("store")))
NO_ROW, NO_ROOM = 7, 8


def a_fleet(hosts=3):
    return Fleet({"cpu": np.full(hosts, 4)}, profile=PROFILE)


def wanting(fleet, *claims, name=None, eligible=None):
    terms = [pool("store", claims, argument=NO_ROW, missing=NO_ROOM)]
    return fleet.request({"cpu": 1}, terms=terms, name=name, eligible=eligible)


def test_the_smallest_row_that_is_large_enough():
    fleet = a_fleet(1)
    rows = fleet.pools.add([5, 3, 3, 2])
    assert rows.tolist() == [0, 1, 2, 3]
    assert rows.dtype == np.int64
    claim = fleet.pools.add_claim(3, rows)
    fleet.place(wanting(fleet, claim))
    assert fleet.pools.claim(claim) == (1, None)
    assert fleet.pools.holder(1) == claim
    assert fleet.pools.holder(0) is None


def test_the_smallest_claim_chooses_first_and_none_chooses_twice():
    fleet = a_fleet(1)
    rows = fleet.pools.add([1, 2])
    large, small = fleet.pools.add_claim(1, rows), fleet.pools.add_claim(0, rows)
    assert fleet.place(wanting(fleet, large, small)).placed == 1
    assert [fleet.pools.claim(claim).held for claim in (large, small)] == [1, 0]


def test_a_claim_given_twice_needs_two_rows():
    fleet = a_fleet(1)
    claim = fleet.pools.add_claim(1, fleet.pools.add([1]))
    assert fleet.explain(wanting(fleet, claim, claim)).verdict == Verdict.UNRESOLVABLE
    both = fleet.pools.add_claim(1, fleet.pools.add([1, 1]))
    fleet.place(wanting(fleet, both, both))
    assert [fleet.pools.holder(row) for row in range(3)] == [None, both, both]
    assert fleet.pools.claim(both).held == 1


def test_only_hosts_that_see_a_row_can_have_it():
    fleet = a_fleet(5)
    seen = [[1], HostSet(5, [1, 2]), np.array([0, 0, 0, 1, 0], bool), None, np.empty(0, np.int64)]
    rows = fleet.pools.add([1, 1, 1, 2, 1], seen)
    for row, hosts in ((0, {1}), (1, {1, 2}), (2, {3}), (3, {0, 1, 2, 3, 4}), (4, set())):
        claim = fleet.pools.add_claim(1, [rows[row]])
        look = fleet.explain(wanting(fleet, claim))
        assert set(np.flatnonzero(look.verdicts_by_host() == 255).tolist()) == hosts
        if row != 3:
            assert {reason.argument for reason in look.reasons} == {NO_ROW}


def test_what_is_held_must_be_seen_and_nothing_else_is_taken():
    fleet = a_fleet(2)
    rows = fleet.pools.add([1, 1], [[0], None])
    claim = fleet.pools.add_claim(1, rows, held=0)
    assert fleet.pools.holder(0) == claim
    result = fleet.place(wanting(fleet, claim), count=2)
    assert result.hosts.tolist() == [0, 0]
    assert fleet.explain(wanting(fleet, claim)).verdicts_by_host().tolist()[1] != 255


def test_a_claim_given_twice_takes_what_it_holds_first():
    fleet = a_fleet(2)
    rows = fleet.pools.add([1, 1, 1], [[0], None, None])
    claim = fleet.pools.add_claim(1, rows[2:], held=rows[:2])
    assert fleet.explain(wanting(fleet, claim, claim)).reasons_at(1) == (("store", NO_ROW),)  # does not see row 0
    assert fleet.place(wanting(fleet, claim, claim)).hosts.tolist() == [0]
    assert [fleet.pools.holder(row) for row in range(3)] == [claim, claim, None]
    fleet.place(wanting(fleet, claim, claim, claim))
    assert [fleet.pools.holder(row) for row in range(3)] == [claim, claim, claim]


def test_a_row_is_made_where_it_may_be_and_has_room():
    fleet = a_fleet(4)
    claim = fleet.pools.add_claim(1, provision=[0, 1, 2], room=[1, 2, 3])
    request = wanting(fleet, claim)
    look = fleet.explain(request)
    assert [look.reasons_at(host) for host in range(4)] == [(("store", NO_ROOM),), (), (), (("store", NO_ROW),)]
    assert fleet.place(request).hosts.tolist() == [1]
    assert fleet.pools.claim(claim) == (None, 1)
    look = fleet.explain(request)  # from now on it is pinned there
    assert look.verdicts_by_host().tolist()[1] == 255
    assert look.feasible == 1
    assert look.reasons_at(0) == look.reasons_at(2) == (("store", NO_ROW),)


def test_pinned_claims_speak_first_and_elsewhere_is_nowhere():
    fleet = a_fleet(2)
    nobody = np.empty(0, np.int64)
    pinned = fleet.pools.add_claim(9, provision=[0, 1], room=nobody, pinned=1)
    other = fleet.pools.add_claim(1)
    look = fleet.explain(wanting(fleet, other, pinned))
    assert [look.reasons_at(host) for host in range(2)] == [(("store", NO_ROW),), (("store", NO_ROOM),)]
    gone = fleet.pools.add_claim(9, provision=[0, 1], pinned=-1)
    assert fleet.pools.claim(gone) == (None, -1)
    assert fleet.explain(wanting(fleet, gone)).reasons_at(1) == (("store", NO_ROW),)


def test_claims_outlive_their_items_until_they_are_freed():
    fleet = a_fleet(1)
    row, made = fleet.pools.add_claim(1, fleet.pools.add([1])), fleet.pools.add_claim(1, provision=[0])
    result = fleet.place(wanting(fleet, row, made))
    fleet.release(result.items)
    assert fleet.pools.claim(row) == (0, None)
    assert fleet.pools.claim(made) == (None, 0)
    fleet.pools.free(row)
    fleet.pools.free(made)
    assert fleet.pools.claim(row) == fleet.pools.claim(made) == (None, None)
    assert fleet.pools.holder(0) is None


def test_claiming_asks_nothing_but_takes_what_there_is():
    fleet = a_fleet(2)
    found, missed = fleet.pools.add_claim(1, fleet.pools.add([1], [[1]])), fleet.pools.add_claim(1)
    fleet.claim(wanting(fleet, found, missed), [1])
    assert fleet.pools.claim(found) == (0, None)
    assert fleet.pools.claim(missed) == (None, 1)
    with pytest.raises(InputError):  # the first of the two is taken back with the second
        fleet.claim(wanting(fleet, fleet.pools.add_claim(1)), [0, 9])
    assert fleet.pools.claim(2) == (None, None)


def test_undo_forks_pickles_and_past_decisions():
    fleet = a_fleet(2)
    claims = [fleet.pools.add_claim(1, fleet.pools.add([1], [[host]])) for host in range(2)]
    free = fleet.pools.add_claim(1, [0, 1])
    token = fleet.checkpoint()
    result = fleet.place_many([wanting(fleet, free), wanting(fleet, claims[1])])
    assert [fleet.pools.claim(claim).held for claim in (*claims, free)] == [None, 1, 0]
    other, again = fleet.fork(), pickle.loads(pickle.dumps(fleet))
    assert result.explain(0).feasible == 2
    fleet.rollback(token)
    assert [fleet.pools.claim(claim) for claim in (*claims, free)] == [(None, None)] * 3
    for copy in (other, again):
        assert [copy.pools.claim(claim).held for claim in (*claims, free)] == [None, 1, 0]
        copy.pools.free(free)
        assert copy.pools.holder(0) is None


def test_what_a_claim_held_from_the_start_is_no_change():
    fleet = a_fleet(2)
    rows = fleet.pools.add([1, 1])
    token = fleet.checkpoint()
    holding, pinned = fleet.pools.add_claim(1, held=rows[1]), fleet.pools.add_claim(1, provision=[0], pinned=0)
    fleet.pools.free(holding)
    fleet.pools.free(pinned)
    fleet.rollback(token)
    assert fleet.pools.claim(holding) == (1, None)
    assert fleet.pools.claim(pinned) == (None, 0)


def test_a_row_outlives_a_rollback_but_not_for_another_host():
    """A definition made in a what-if stays; the host that took over the slot of one that is gone does not see it."""
    fleet = a_fleet(1)
    token = fleet.checkpoint()
    fleet.add_hosts({"cpu": [4]})
    rows = fleet.pools.add([1, 1, 1], [[1], [0, 1], None])
    claim = fleet.pools.add_claim(1, provision=[1])
    pinned = fleet.pools.add_claim(1, provision=[0, 1], pinned=1)
    fleet.rollback(token)
    fleet.add_hosts({"cpu": [4]})
    assert fleet.pools.claim(pinned) == (None, -1)
    for row, sees in zip(rows.tolist(), (False, False, True), strict=True):
        look = fleet.explain(wanting(fleet, fleet.pools.add_claim(1, [row])))
        assert (look.verdicts_by_host()[1] == 255) == sees
    assert fleet.explain(wanting(fleet, claim)).feasible == 0
    assert fleet.explain(wanting(fleet, fleet.pools.add_claim(1, provision=[1]))).feasible == 1


def test_evicting_never_frees_a_row():
    fleet = a_fleet(1)
    rows = fleet.pools.add([1])
    first, second = (fleet.pools.add_claim(1, rows) for _ in range(2))
    fleet.place(wanting(fleet, first))
    found = fleet.evict(fleet.request({"cpu": 1}, terms=[pool("store", [second])], priority=1))
    assert [one.why for one in found.others] == ["still refused"]
    assert fleet.pools.holder(0) == first


def test_repr_and_length():
    fleet = a_fleet()
    fleet.pools.add([1, 2])
    fleet.pools.add_claim(1)
    assert (len(fleet.pools), repr(fleet.pools)) == (2, "Pools(2 rows, 1 claims)")


BAD = {
    "a negative size": (lambda f: f.pools.add([1, -1]), "pools.add: sizes, row 1: -1 is negative"),
    "a float size": (lambda f: f.pools.add([1.5]), "pools.add: sizes: needs integers, has float64"),
    "as many hosts": (lambda f: f.pools.add([1], []), "pools.add: seen has 0 entries for 1 rows"),
    "a host outside": (lambda f: f.pools.add([1], [[3]]), "pools.add: seen by row 0: no host 3 in a fleet of 3"),
    "a claim's size": (lambda f: f.pools.add_claim(2**60), f"pools.add_claim: size: {2**60} is more than 2**56"),
    "an unknown row": (lambda f: f.pools.add_claim(1, [2]), "pools.add_claim: rows, entry 0: 2 is outside 0..1"),
    "a mask": (
        lambda f: f.pools.add_claim(1, room=np.ones(2, bool)),
        "pools.add_claim: room: a mask of shape (2,) for a fleet of 3 hosts",
    ),
    "hold which": (lambda f: f.pools.add_claim(1, held=2), "pools.add_claim: held: no pool row 2"),
    "pin where": (lambda f: f.pools.add_claim(1, pinned=3), "pools.add_claim: pinned: no host 3 in a fleet of 3"),
    "pin to a removed host": (
        lambda f: f.pools.add_claim(1, pinned=2),
        "pools.add_claim: pinned: host 2 has been removed",
    ),
    "free": (lambda f: f.pools.free(-1), "pools.free: no claim -1"),
    "holder": (lambda f: f.pools.holder(True), "pools.holder: row: True is not an integer"),
    "claim": (lambda f: f.pools.claim(9), "pools.claim: no claim 9"),
    "a request's claim": (lambda f: wanting(f, 1, name="r"), "request 'r': no claim 1 in the pools"),
    "a request's rule": (
        lambda f: f.request({}, terms=[pool("fit", [0])]),
        "request: the profile has no static rule 'fit'",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case):
    call, message = BAD[case]
    fleet = a_fleet(3)
    fleet.pools.add([1, 1])
    fleet.pools.add_claim(1, [0])
    if "removed" in case:
        fleet.remove_hosts(2)
    before = fleet._state.pools.save()
    with pytest.raises(InputError) as error:
        call(fleet)
    assert str(error.value) == message
    assert fleet._state.pools.save() == before


@pytest.mark.parametrize("rows", [[0], []])
def test_a_row_that_is_another_claims(rows):
    fleet = a_fleet()
    fleet.pools.add([1])
    fleet.pools.add_claim(1, rows, held=[] if rows else 0)
    with pytest.raises(StateError, match=r"^pools.add_claim: held: row 0 is, or could have been, another claim's$"):
        fleet.pools.add_claim(1, held=0)


def test_no_rows_at_all():
    fleet = a_fleet()
    with pytest.raises(InputError, match=r"^pools.add_claim: rows names rows, but there are none$"):
        fleet.pools.add_claim(1, [0])
