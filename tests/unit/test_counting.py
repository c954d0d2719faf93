"""Counters and terms by example: what each kind of term does, what rollback, forks and the next hosts see of them."""

import pickle

import numpy as np
import pytest

from binwright import Fleet, InputError, Profile, Rule, count_score, spread_score
from binwright.terms import Ref, SoftTerm, at_most, distinct, forbid, require, skew

ZONES = ["a", "a", "b", "b", None]


def made_fleet(hosts=5, zones=ZONES, **more):
    profile = Profile(
        rules=(Rule("near"), Rule("even"), Rule("fit", "fit")),
        scores=(count_score("liking"), spread_score("spreading")),
    )
    return Fleet({"slots": np.full(hosts, 9)}, profile=profile, labels={"zone": zones}, **more)


def feasible(fleet, request):
    return np.flatnonzero(fleet.explain(request).verdicts_by_host() == 255).tolist()


def test_forbid_in_both_directions():
    """Anti-affinity: what is placed forbids, and what is asked is forbidden, by zone; no zone, no objection."""
    fleet = made_fleet()
    web, holder = fleet.counter(), fleet.counter()
    shy = fleet.request({}, terms=[forbid("near", [Ref(web, "zone")], argument=4)], contributes={holder: 1})
    plain = fleet.request({}, terms=[forbid("near", [Ref(holder, "zone")], argument=5)], contributes={web: 1})
    fleet.claim(plain, 0)
    assert feasible(fleet, shy) == [2, 3, 4]
    assert [(r.rule, r.argument, r.hosts, r.resolvable) for r in fleet.explain(shy).reasons] == [("near", 4, 2, True)]
    fleet.claim(shy, 2)
    assert feasible(fleet, plain) == [0, 1, 4]
    assert fleet.explain(plain).reasons_at(3) == (("near", 5),)


def test_require_lets_the_first_of_its_kind_in():
    fleet = made_fleet()
    kin = fleet.counter()
    term = require("near", [Ref(kin, "zone")], matches_itself=True, argument=1, missing=2)
    stranger = fleet.request({}, terms=[require("near", [Ref(kin, "zone")], matches_itself=False)])
    cousin = fleet.request({"slots": 1}, terms=[term], contributes={kin: 1})
    assert feasible(fleet, stranger) == []
    assert feasible(fleet, cousin) == [0, 1, 2, 3]
    fleet.claim(cousin, 3)
    assert feasible(fleet, cousin) == feasible(fleet, stranger) == [2, 3]
    reasons = [(r.argument, r.hosts, r.resolvable) for r in fleet.explain(cousin).reasons]
    assert reasons == [(1, 2, False), (2, 1, False)]


def test_the_first_of_its_kind_asks_its_member_set_alone():
    fleet = made_fleet()
    kin = fleet.counter()
    fleet.claim(fleet.request({}, contributes={kin: 1}), 0)
    rest = fleet.members([1, 2])
    ref = Ref(kin, members=rest)
    assert feasible(fleet, fleet.request({}, terms=[require("near", [ref], matches_itself=True)])) == [0, 1, 2, 3, 4]
    fleet.claim(fleet.request({}, contributes={kin: 1}), 1)
    assert feasible(fleet, fleet.request({}, terms=[require("near", [ref], matches_itself=True)])) == [1]


def test_at_most_and_skew():
    fleet = made_fleet()
    kin = fleet.counter()
    two = fleet.request({}, terms=[at_most("near", Ref(kin, "zone"), 2, missing=7)], contributes={kin: 1})
    even = fleet.request({}, terms=[skew("even", Ref(kin, "zone"), 1, own=1)], contributes={kin: 1})
    wide = fleet.request({}, terms=[skew("even", Ref(kin, "zone"), 1, own=1, least_domains=3)])
    assert feasible(fleet, wide) == [0, 1, 2, 3]
    fleet.claim(even, [0])
    assert (feasible(fleet, even), feasible(fleet, wide), feasible(fleet, two)) == ([2, 3], [2, 3], [0, 1, 2, 3])
    fleet.claim(even, [2])
    assert feasible(fleet, even) == [0, 1, 2, 3]
    assert feasible(fleet, wide) == []  # two zones where three are wanted: the smallest sum is 0
    fleet.claim(two, [1])
    assert feasible(fleet, two) == [2, 3]
    assert fleet.explain(two).reasons_at(4) == (("near", 7),)


def test_distinct_keys_are_limited_by_a_resource():
    fleet = made_fleet()
    held = fleet.counter()
    volumes = [fleet.counter(feeds=held) for _ in range(12)]
    fleet.claim(fleet.request({}, contributes=dict.fromkeys(volumes[:8], 1)), [0, 0])
    assert fleet.count(held, 0) == 8
    assert feasible(fleet, fleet.request({}, terms=[distinct("near", volumes[7:9], held, "slots")])) == [0, 1, 2, 3, 4]
    assert feasible(fleet, fleet.request({}, terms=[distinct("near", volumes[8:10], held, "slots")])) == [1, 2, 3, 4]
    fleet.release(fleet.items_on(0)[0])
    assert fleet.count(held, 0) == 8


def test_a_flag_is_cleared_by_any_holder():
    fleet = made_fleet()
    port = fleet.counter("flag")
    wants = fleet.request({}, terms=[forbid("near", [Ref(port)])], contributes={port: 1})
    first, second = fleet.claim(wants, [1, 1])
    assert feasible(fleet, wants) == [0, 2, 3, 4]
    token = fleet.checkpoint()
    fleet.release(second)
    assert fleet.count(port, 1) == 0
    fleet.release(first)
    fleet.rollback(token)
    assert fleet.count(port, 1) == 1


def test_a_rule_sleeps_while_all_that_it_may_skip_is_empty():
    """Also when a promise alone would wake it; a term that may not be skipped wakes the whole rule."""
    fleet = made_fleet()
    carried = fleet.counter()
    holder = fleet.request({}, contributes={carried: 1}, priority=5)
    term = forbid("near", [Ref(carried)], skip_when_empty=True)
    skips = fleet.request({}, terms=[term])
    asks = fleet.request({}, terms=[term, forbid("near", [Ref(fleet.counter())])])
    fleet.promise(holder, 2)
    assert (feasible(fleet, skips), feasible(fleet, asks)) == ([0, 1, 2, 3, 4], [0, 1, 3, 4])
    fleet.claim(holder, 0)
    assert feasible(fleet, skips) == feasible(fleet, asks) == [1, 3, 4]


def test_several_soft_terms_of_one_score_are_one():
    fleet = made_fleet()
    one, two = fleet.counter(), fleet.counter()
    fleet.claim(fleet.request({}, contributes={one: 1}), [0, 1, 1])
    fleet.claim(fleet.request({}, contributes={two: 1}), [1, 2, 2, 2])
    both = fleet.request({}, terms=[SoftTerm("liking", (Ref(one, weight=3),)), SoftTerm("liking", (Ref(two),))])
    assert fleet.explain(both).scores.raw[0].tolist() == [3, 7, 3, 0, 0]
    later = fleet.request({}, terms=[SoftTerm("liking", (Ref(one, weight=-1),))])
    fleet.extend(later, [SoftTerm("liking", (Ref(two, weight=2),))])
    assert fleet.explain(later).scores.raw[0].tolist() == [-1, 0, 6, 0, 0]
    assert fleet.place(later).hosts.tolist() == [2]


def test_a_spread_over_hosts_needs_no_key():
    fleet = made_fleet()
    kin = fleet.counter()
    fleet.claim(fleet.request({}, contributes={kin: 1}), [0, 0, 1])
    asks = fleet.request({}, terms=[SoftTerm("spreading", (Ref(kin),))])
    assert fleet.explain(asks).ties.tolist() == [2, 3, 4]


def test_extend_counts_what_lies_there_and_survives_rollback():
    fleet = made_fleet()
    plain = fleet.request({"slots": 1})
    fleet.claim(plain, [0, 0, 3])
    token = fleet.checkpoint()
    fleet.claim(plain, [4, 3])
    kin = fleet.counter()
    fleet.extend(plain, [forbid("near", [Ref(kin, "zone")])], {kin: 2})
    assert [fleet.count(kin, host) for host in range(5)] == [4, 0, 0, 4, 2]
    assert feasible(fleet, plain) == [4]
    fleet.rollback(token)
    assert [fleet.count(kin, host) for host in range(5)] == [4, 0, 0, 2, 0]
    assert fleet.request({"slots": 1}) is plain
    copies = fleet.fork(), pickle.loads(pickle.dumps(fleet))
    fleet.release(fleet.items_on(0))
    assert [copy.count(kin, 0) for copy in copies] == [4, 4]
    assert fleet.count(kin, 0) == 0


def test_a_relabelled_host_takes_its_count_along():
    fleet = made_fleet()
    kin = fleet.counter()
    fleet.claim(fleet.request({}, contributes={kin: 1}), 0)
    shy = fleet.request({}, terms=[forbid("near", [Ref(kin, "zone")])])
    assert feasible(fleet, shy) == [2, 3, 4]
    fleet.relabel(0, {"zone": "b"})
    assert feasible(fleet, shy) == [1, 4]
    fleet.relabel(0, {"zone": None})
    assert feasible(fleet, shy) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("later", [1, 300])
def test_hosts_that_were_rolled_back_leave_nothing_to_the_next_ones(later):
    """Not their labels, not their membership."""
    fleet = made_fleet()
    token = fleet.checkpoint()
    more = {"slots": np.full(later, 9)}
    fleet.add_hosts(more, labels={"zone": ["c"] * later})
    members = fleet.members(np.ones(len(fleet), bool))
    kin = fleet.counter()
    fleet.rollback(token)
    fleet.add_hosts(more)
    assert fleet.label(5, "zone") is None
    fleet.claim(fleet.request({}, contributes={kin: 1}), [0, 5])
    counted = fleet.request({}, terms=[forbid("near", [Ref(kin, members=members)])])
    assert feasible(fleet, counted) == [host for host in range(len(fleet)) if host != 0]


def test_past_decisions_are_explained_with_the_flags_of_their_time():
    fleet = made_fleet()
    port = fleet.counter("flag")
    wants = fleet.request({}, terms=[forbid("near", [Ref(port)])], contributes={port: 1})
    result = fleet.place(wants, count=6)
    assert result.hosts.tolist() == [0, 1, 2, 3, 4, -1]
    assert [result.explain(i).feasible for i in range(6)] == [5, 4, 3, 2, 1, 0]


TERMS = {
    "unknown counter": (lambda f: forbid("near", [Ref(9)]), "request: no counter 9"),
    "negative counter": (lambda f: forbid("near", [Ref(-1)]), "request: no counter -1"),
    "counter that is a float": (lambda f: forbid("near", [Ref(0.0)]), "request: counter: 0.0 is not an integer"),
    "counter that is a truth": (lambda f: forbid("near", [Ref(True)]), "request: counter: True is not an integer"),
    "unknown member set": (lambda f: forbid("near", [Ref(0, members=1)]), "request: no member set 1"),
    "negative member set": (lambda f: forbid("near", [Ref(0, members=-3)]), "request: no member set -3"),
    "key that is no text": (lambda f: forbid("near", [Ref(0, 7)]), "request: label key 7 is not a string"),
    "unknown rule": (lambda f: forbid("far", [Ref(0)]), "request: the profile has no static rule 'far'"),
    "the fit rule": (lambda f: forbid("fit", [Ref(0)]), "request: the profile has no static rule 'fit'"),
    "argument below 0": (
        lambda f: forbid("near", [Ref(0)], argument=-1),
        "request: forbid argument -1 is outside 0..2147483647",
    ),
    "limit past int32": (
        lambda f: at_most("near", Ref(0), 2**31),
        "request: at_most limit 2147483648 is outside 0..2147483647",
    ),
    "limit that is a float": (lambda f: skew("even", Ref(0), 1.5, own=1), "request: skew limit: 1.5 is not an integer"),
    "not a sum": (lambda f: forbid("near", [0]), "request: 0 is not a binwright.terms.Ref"),
    "unknown resource": (lambda f: distinct("near", [0], 0, "gpu"), "request: unknown resource 'gpu'"),
    "unknown held counter": (lambda f: distinct("near", [0], 5, "slots"), "request: no counter 5"),
    "no term": (lambda f: 3, "request: 3 is not a term (binwright.terms)"),
    "unknown score": (lambda f: SoftTerm("love", ()), "request: the profile has no score 'love' that reads counters"),
    "weight past int32": (
        lambda f: SoftTerm("liking", (Ref(0, weight=2**31),)),
        "request: weight 2147483648 is outside -2147483647..2147483647",
    ),
    "max_skew of 0": (
        lambda f: SoftTerm("spreading", (Ref(0, max_skew=0),)),
        "request: max_skew 0 is outside 1..2147483647",
    ),
    "too many constraints": (
        lambda f: SoftTerm("spreading", (Ref(0),) * 17),
        "request: 17 spread constraints, at most 16",
    ),
}


def seen(fleet):
    """What a caller can see, and how far the journal is."""
    counts = [[fleet.count(counter, host) for host in range(len(fleet))] for counter in range(2)]
    return counts, fleet.used.tolist(), fleet._state.moment(), fleet.explain(fleet.request({"slots": 9})).feasible


def checked_fleet():
    fleet = made_fleet()
    additive, flag = fleet.counter(), fleet.counter("flag")
    fleet.members([0, 1])
    fleet.claim(fleet.request({"slots": 2}, contributes={additive: 1, flag: 1}), [0, 1])
    return fleet


@pytest.mark.parametrize("case", TERMS)
def test_a_malformed_term_is_one_line_and_changes_nothing(case):
    make, line = TERMS[case]
    fleet = checked_fleet()
    before = seen(fleet)
    with pytest.raises(InputError) as refusal:
        fleet.request({}, terms=[make(fleet)])
    assert str(refusal.value) == line
    with pytest.raises(InputError) as refusal:
        fleet.extend(fleet.request({"slots": 2}), [make(fleet)])
    assert str(refusal.value) == line.replace("request:", "extend:")
    assert seen(fleet) == before


CALLS = {
    "counter of no kind": (lambda f: f.counter("set"), "counter: kind 'set' is not 'additive' or 'flag'"),
    "feeds nothing": (lambda f: f.counter(feeds=7), "counter: feeds: no counter 7"),
    "feeds a flag": (lambda f: f.counter(feeds=1), "counter: feeds 1: a flag neither feeds a counter nor is fed"),
    "a flag feeds": (
        lambda f: f.counter("flag", feeds=0),
        "counter: feeds 0: a flag neither feeds a counter nor is fed",
    ),
    "count of nothing": (lambda f: f.count(2, 0), "count: no counter 2"),
    "count of a list": (lambda f: f.count([0], 0), "count: counter: [0] is not an integer"),
    "count nowhere": (lambda f: f.count(0, 5), "count: no host 5 in a fleet of 5"),
    "count on two hosts": (lambda f: f.count(0, [0, 1]), "count: needs one host, has 2"),
    "members outside": (lambda f: f.members([5]), "members: no host 5 in a fleet of 5"),
    "members of another length": (
        lambda f: f.members(np.ones(4, bool)),
        "members: a mask of shape (4,) for a fleet of 5 hosts",
    ),
    "contributes to nothing": (lambda f: f.request({}, contributes={9: 1}), "request: no counter 9"),
    "contributes a negative": (
        lambda f: f.request({}, contributes={0: -1}),
        "request: counter 0: -1 is outside 0..65536",
    ),
    "contributes too much": (
        lambda f: f.request({}, contributes={0: (1, 65537)}),
        "request: counter 0: 65537 is outside 0..65536",
    ),
    "contributes half": (lambda f: f.request({}, contributes={0: 0.5}), "request: counter 0: 0.5 is not an integer"),
    "contributes three": (
        lambda f: f.request({}, contributes={0: (1, 1, 1)}),
        "request: counter 0: (1, 1, 1) is neither an amount nor two",
    ),
    "contributes twice to a flag": (
        lambda f: f.request({}, contributes={1: 2}),
        "request: counter 1: 2 is outside 1..1",
    ),
    "contributes a list": (
        lambda f: f.request({}, contributes=[0]),
        "request: contributes [0] is not a mapping from counter to amount",
    ),
    "a term that is not in a list": (
        lambda f: f.request({}, terms=5),
        "request: terms: 5 is not a collection of terms (binwright.terms)",
    ),
    "extends with a flag": (
        lambda f: f.extend(f.request({"slots": 2}), contributes={0: 1, 1: 1}),
        "extend: counter 1 is a flag, which a request contributes to from its making",
    ),
    "extends what is none": (
        lambda f: f.extend(3),
        "extend: 3 was not made by this fleet, or by the one it was forked from",
    ),
    "require_all both ways": (
        lambda f: f.request({}, terms=[SoftTerm("spreading", ()), SoftTerm("spreading", (), require_all=False)]),
        "request: score 'spreading' has require_all both ways",
    ),
    "seventeen constraints in two terms": (
        lambda f: f.request({}, terms=[SoftTerm("spreading", (Ref(0),) * 9), SoftTerm("spreading", (Ref(0),) * 8)]),
        "request: 17 spread constraints, at most 16",
    ),
}


@pytest.mark.parametrize("case", CALLS)
def test_a_malformed_call_is_one_line_and_changes_nothing(case):
    action, line = CALLS[case]
    fleet = checked_fleet()
    before = seen(fleet)
    with pytest.raises(InputError) as refusal:
        action(fleet)
    assert str(refusal.value) == line
    assert seen(fleet) == before
