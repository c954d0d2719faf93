"""External terms, gangs and transactions beside plain placing: the same arrays from outside or from within decide the
same, hooks hear of every item that stays, and what is taken back leaves nothing behind.
"""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from binwright import External, Fleet, Profile, Rule, Transaction, least_allocated, static_score

HOSTS = 6
PROFILE = Profile(
    rules=(Rule("outside"), Rule("fit", "fit")),
    scores=(least_allocated({"x": 1}), static_score("extra", normalise="max", weight=2)),
)


class Outside(External):
    """Arrays as an embedder's term; counts the items it was told of."""

    rule, score = "outside", "extra"

    def __init__(self, rejected, scores, version=None):
        self.arrays = rejected, scores
        self.version = version
        self.items = [0] * HOSTS

    def rejected(self, fleet, request):
        return np.array(self.arrays[0])

    def scores(self, fleet, request):
        return np.array(self.arrays[1])

    def placed(self, request, host, sign):
        self.items[host] += sign

    def fork(self):
        copy = Outside(*self.arrays, self.version)
        copy.items = list(self.items)
        return copy


def fleet_of(capacity):
    return Fleet({"x": np.array(capacity)}, profile=PROFILE)


def broken(outside, asked, within, plain):
    """A transaction that ends in an error."""
    with Transaction([outside, within]):
        outside.place(asked, 2)
        within.place(plain, 1)
        raise KeyError


columns = st.lists(st.integers(0, 9), min_size=HOSTS, max_size=HOSTS)
rejections = st.lists(st.integers(-1, 2), min_size=HOSTS, max_size=HOSTS)
steps = st.lists(st.sampled_from(["place", "release", "undo", "gang", "broken", "fork", "pickle"]), max_size=15)


@given(columns, rejections, columns, st.sampled_from([None, 1]), steps)
def test_the_same_from_outside_and_from_within(capacity, rejected, scores, version, drawn):
    term = Outside(rejected, scores, version)
    outside, within = fleet_of(capacity), fleet_of(capacity)
    asked = outside.request({"x": 2}, external=[term])
    plain = within.request({"x": 2}, rejects={"outside": rejected}, raw={"extra": scores})

    def same():
        mine, theirs = outside.explain(asked), within.explain(plain)
        assert mine.ties.tolist() == theirs.ties.tolist()
        assert mine.reasons == theirs.reasons
        assert mine.score == theirs.score
        assert outside.used.tolist() == within.used.tolist()
        assert term.items == [used // 2 for used in outside.used[0].tolist()]

    for step in drawn:
        if step == "place":
            assert outside.place(asked).hosts.tolist() == within.place(plain).hosts.tolist()
        elif step == "release":
            held = [item for host in range(HOSTS) for item in outside.items_on(host).tolist()]
            if held:
                outside.release(held[0])
                within.release(next(item for host in range(HOSTS) for item in within.items_on(host).tolist()))
        elif step == "undo":
            token = outside.checkpoint()
            outside.place(asked, 4)
            outside.rollback(token)
        elif step == "gang":
            room = within.fork().place(plain, 3).placed
            gang = outside.place_gang([asked], [0, 0, 0])
            assert gang.placed == (3 if room == 3 else 0)
            if room == 3:
                within.place(plain, 3)
            else:
                assert (gang.items == -1).all()
                assert gang.explain(2).feasible == 0
        elif step == "broken":
            with pytest.raises(KeyError):
                broken(outside, asked, within, plain)
        else:
            other = outside.fork() if step == "fork" else pickle.loads(pickle.dumps(outside))
            copy = asked if step == "fork" else other.request({"x": 2}, external=[])
            if step == "fork":
                assert other.place(copy, 2).hosts.tolist() == within.fork().place(plain, 2).hosts.tolist()
            assert term.items == [used // 2 for used in outside.used[0].tolist()]
        same()


@given(columns, st.integers(0, 5), st.integers(0, 5), st.booleans())
def test_a_transaction_is_all_or_nothing(capacity, first, second, undo):
    fleets = [fleet_of(capacity), fleet_of(capacity[::-1])]
    requests = [fleet.request({"x": 1}) for fleet in fleets]
    before = [fleet.used.tolist() for fleet in fleets]
    plain = [fleet.fork() for fleet in fleets]
    with Transaction(fleets) as open_one:
        for fleet, request, count in zip(fleets, requests, (first, second), strict=True):
            fleet.place(request, count)
        if undo:
            open_one.rollback()
    for copy, request, count in zip(plain, requests, (first, second), strict=True):
        copy.place(request, count)
    after = before if undo else [copy.used.tolist() for copy in plain]
    assert [fleet.used.tolist() for fleet in fleets] == after
