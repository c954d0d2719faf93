"""Malformed calls of the Python API: each gets one clear line that names what is wrong, and changes nothing."""

import numpy as np
import pytest

from binwright import BinwrightError, Fleet, Profile, Rule
from binwright.profile import balanced_allocation, least_allocated, requested_to_capacity_ratio, static_score

ONES = np.ones(4, dtype=np.int64)
NAMES = ["a", "b", "c", "d"]


def small_fleet():
    profile = Profile(
        rules=(Rule("cordon", "cordon"), Rule("eligible"), Rule("closed"), Rule("fit", "fit")),
        scores=(least_allocated({"cpu": 1, "memory": 2}), static_score("liked", normalise="max")),
    )
    capacity = {"cpu": ONES * 8, "memory": ONES * 16}
    fleet = Fleet(capacity, names=NAMES, profile=profile, labels={"zone": ["x", "x", "y", None]})
    request = fleet.request({"cpu": 2, "memory": 1}, name="web")
    fleet.place(request, count=3)
    return fleet, request


def state_of(fleet):
    hosts = range(len(fleet))
    return (
        fleet.capacity.tolist(),
        fleet.used.tolist(),
        list(fleet.names),
        [fleet.items_on(host).tolist() for host in hosts],
        fleet.explain(fleet.request({"cpu": 100})).verdicts_by_host().tolist(),
    )


BIG = 2**56 + 1

BAD_FLEETS = {
    "floats": lambda: Fleet({"cpu": np.array([1.0, 2.0])}),
    "NaN": lambda: Fleet({"cpu": np.array([float("nan")])}),
    "strings": lambda: Fleet({"cpu": np.array(["8"])}),
    "bools": lambda: Fleet({"cpu": np.array([True])}),
    "two dimensions": lambda: Fleet({"cpu": np.ones((2, 2), dtype=np.int64)}),
    "a scalar": lambda: Fleet({"cpu": 8}),
    "negative": lambda: Fleet({"cpu": np.array([4, -1])}),
    "past 2**56": lambda: Fleet({"cpu": np.array([4, BIG])}),
    "past int64": lambda: Fleet({"cpu": np.array([2**63], dtype=np.uint64)}),
    "lengths differ": lambda: Fleet({"cpu": ONES, "memory": ONES[:3]}),
    "names too few": lambda: Fleet({"cpu": ONES}, names=["a"]),
    "names twice": lambda: Fleet({"cpu": ONES}, names=["a", "b", "b", "c"]),
    "used unknown": lambda: Fleet({"cpu": ONES}, used={"disk": ONES}),
    "used negative": lambda: Fleet({"cpu": ONES}, used={"cpu": -ONES}),
    "used too short": lambda: Fleet({"cpu": ONES}, used={"cpu": ONES[:2]}),
    "labels too short": lambda: Fleet({"cpu": ONES}, labels={"zone": ["x"]}),
    "scored only unknown": lambda: Fleet({"cpu": ONES}, scored_only=("disk",)),
    "step zero": lambda: Fleet({"cpu": ONES}, step={"cpu": ONES * 0}),
    "limit unknown": lambda: Fleet({"cpu": ONES}, largest={"disk": ONES}),
    "profile of another": lambda: Fleet({"cpu": ONES}, profile=Profile(scores=(least_allocated({"disk": 1}),))),
    "two fits": lambda: Profile(rules=(Rule("fit", "fit"), Rule("fits", "fit"))),
    "no fit": lambda: Profile(rules=(Rule("closed"),)),
    "rules twice": lambda: Profile(rules=(Rule("x"), Rule("x"), Rule("fit", "fit"))),
    "unknown kind": lambda: Profile(rules=(Rule("x", "soft"), Rule("fit", "fit"))),
    "scores twice": lambda: Profile(scores=(static_score("x"), static_score("x"))),
    "weight negative": lambda: least_allocated({"cpu": -1}),
    "weight a float": lambda: least_allocated({"cpu": 1.5}),
    "score of nothing": lambda: balanced_allocation(()),
    "shape empty": lambda: requested_to_capacity_ratio({"cpu": 1}, shape=[]),
    "shape falls back": lambda: requested_to_capacity_ratio({"cpu": 1}, shape=[(50, 1), (50, 2)]),
    "shape too high": lambda: requested_to_capacity_ratio({"cpu": 1}, shape=[(0, 0), (100, 11)]),
    "normalise unknown": lambda: static_score("x", normalise="mean"),
}

BAD_CALLS = {
    "request unknown resource": lambda f, r: f.request({"disk": 1}),
    "request negative": lambda f, r: f.request({"cpu": -1}),
    "request float": lambda f, r: f.request({"cpu": 1.5}),
    "request NaN": lambda f, r: f.request({"cpu": float("nan")}),
    "request text": lambda f, r: f.request({"cpu": "500m"}),
    "request past 2**56": lambda f, r: f.request({"cpu": BIG}),
    "request past int64": lambda f, r: f.request({"cpu": 2**70}),
    "request is no mapping": lambda f, r: f.request(5),
    "commit unknown resource": lambda f, r: f.request({"cpu": 1}, commit={"disk": 1}),
    "score negative": lambda f, r: f.request({"cpu": 1}, score={"cpu": -1}),
    "eligible too short": lambda f, r: f.request({"cpu": 1}, eligible=np.array([True])),
    "eligible outside": lambda f, r: f.request({"cpu": 1}, eligible=np.array([0, 4])),
    "eligible negative": lambda f, r: f.request({"cpu": 1}, eligible=np.array([-1])),
    "rejects unknown rule": lambda f, r: f.request({"cpu": 1}, rejects={"nope": ONES > 0}),
    "rejects too short": lambda f, r: f.request({"cpu": 1}, rejects={"closed": ONES[:2] > 0}),
    "rejects floats": lambda f, r: f.request({"cpu": 1}, rejects={"closed": ONES * 0.5}),
    "rejects below -1": lambda f, r: f.request({"cpu": 1}, rejects={"closed": (ONES * -2).astype(np.int32)}),
    "raw unknown score": lambda f, r: f.request({"cpu": 1}, raw={"nope": ONES}),
    "raw negative": lambda f, r: f.request({"cpu": 1}, raw={"liked": -ONES}),
    "raw too short": lambda f, r: f.request({"cpu": 1}, raw={"liked": ONES[:1]}),
    "place a number": lambda f, r: f.place(0),
    "place None": lambda f, r: f.place(None),
    "place of another fleet": lambda f, r: f.place(Fleet({"cpu": ONES}).request({"cpu": 1})),
    "place count negative": lambda f, r: f.place(r, count=-1),
    "place count float": lambda f, r: f.place(r, count=1.5),
    "place_many position outside": lambda f, r: f.place_many([r], np.array([0, 1])),
    "place_many position negative": lambda f, r: f.place_many([r], np.array([-1])),
    "place_many floats": lambda f, r: f.place_many([r], np.array([0.0])),
    "place_many matrix": lambda f, r: f.place_many([r], np.zeros((2, 2), dtype=np.int64)),
    "claim outside": lambda f, r: f.claim(r, np.array([0, 4])),
    "claim negative": lambda f, r: f.claim(r, -1),
    "claim float": lambda f, r: f.claim(r, np.array([0.0])),
    "claim_many lengths": lambda f, r: f.claim_many([r], np.array([0, 0]), np.array([1])),
    "release unknown": lambda f, r: f.release(10**6),
    "release negative": lambda f, r: f.release(-1),
    "release twice": lambda f, r: f.release([int(f.items_on(0)[0])] * 2),
    "release float": lambda f, r: f.release(np.array([0.5])),
    "rollback nothing": lambda f, r: f.rollback(None),
    "add without a resource": lambda f, r: f.add_hosts({"cpu": ONES}),
    "add unknown resource": lambda f, r: f.add_hosts({"cpu": ONES, "memory": ONES, "disk": ONES}),
    "add negative": lambda f, r: f.add_hosts({"cpu": ONES, "memory": -ONES}),
    "add a name twice": lambda f, r: f.add_hosts({"cpu": ONES[:1], "memory": ONES[:1]}, names=["a"]),
    "add lengths differ": lambda f, r: f.add_hosts({"cpu": ONES, "memory": ONES[:2]}),
    "remove outside": lambda f, r: f.remove_hosts([7]),
    "remove one with items": lambda f, r: f.remove_hosts([3, 0]),
    "resize outside": lambda f, r: f.resize(9, {"cpu": 1}),
    "resize unknown resource": lambda f, r: f.resize(0, {"cpu": 1, "disk": 1}),
    "resize negative": lambda f, r: f.resize(0, {"cpu": 1, "memory": -1}),
    "cordon outside": lambda f, r: f.cordon([0, 11]),
    "relabel outside": lambda f, r: f.relabel(4, {"zone": "x"}),
    "relabel with a number": lambda f, r: f.relabel(0, {"zone": 3}),
    "repair outside": lambda f, r: f.repair(r, 4, rejects={"closed": 0}),
    "repair unknown rule": lambda f, r: f.repair(r, 0, rejects={"nope": 0}),
    "repair below -1": lambda f, r: f.repair(r, 0, rejects={"closed": -5}),
    "repair negative raw": lambda f, r: f.repair(r, 0, raw={"liked": -1}),
    "host unknown": lambda f, r: f.host("nobody"),
    "item unknown": lambda f, r: f.item(10**6),
    "items on nothing": lambda f, r: f.items_on(4),
}


def assert_one_line(error):
    text = str(error.value)
    assert text
    assert "\n" not in text
    assert len(text) < 300


@pytest.mark.parametrize("make", BAD_FLEETS.values(), ids=BAD_FLEETS.keys())
def test_bad_fleets_are_refused(make):
    with pytest.raises(BinwrightError) as error:
        make()
    assert_one_line(error)


@pytest.mark.parametrize("call", BAD_CALLS.values(), ids=BAD_CALLS.keys())
def test_bad_calls_change_nothing(call):
    fleet, request = small_fleet()
    before = state_of(fleet)
    with pytest.raises(BinwrightError) as error:
        call(fleet, request)
    assert_one_line(error)
    assert state_of(fleet) == before


def test_the_line_names_object_and_field():
    fleet, _ = small_fleet()
    with pytest.raises(BinwrightError, match=r"host 1\b.*memory"):
        fleet.resize(1, {"memory": -1})
    with pytest.raises(BinwrightError, match="disk"):
        fleet.request({"disk": 1})
    with pytest.raises(BinwrightError, match=r"cpu.*c\b|c\b.*cpu"):
        Fleet({"cpu": np.array([1, 2, -3, 4])}, names=NAMES)


def test_rollback_is_last_in_first_out():
    fleet, _ = small_fleet()
    first, second = fleet.checkpoint(), fleet.checkpoint()
    with pytest.raises(BinwrightError):
        fleet.rollback(first)
    fleet.rollback(second)
    with pytest.raises(BinwrightError):
        fleet.rollback(second)
    with pytest.raises(BinwrightError):
        small_fleet()[0].rollback(first)
    fleet.rollback(first)
    with pytest.raises(BinwrightError):
        fleet.rollback(first)


def test_views_are_read_only():
    fleet, _ = small_fleet()
    for view in (fleet.capacity, fleet.used):
        assert view.dtype == np.int64
        with pytest.raises(ValueError, match="read-only"):
            view[0, 0] = 1
