"""One table of malformed calls on a fleet that holds something: one exact line each, and the fleet stays as it was."""

import pickle

import numpy as np
import pytest

from binwright import Fleet
from binwright.errors import BinwrightError, InputError, StateError
from binwright.profile import Profile, Rule, least_allocated, requested_to_capacity_ratio, static_score

HOSTS = 4
PAST = 2**56 + 1


def made_fleet() -> Fleet:
    """Four hosts with names and labels, a request that is placed twice, one host cordoned."""
    profile = Profile(
        rules=(Rule("taint"), Rule("fit", "fit")),
        scores=(least_allocated({"cpu": 1, "memory": 1}), static_score("near", normalise="max")),
    )
    fleet = Fleet(
        {"cpu": np.array([4, 8, 8, 16]), "memory": np.array([10, 20, 30, 40])},
        names=["a", "b", "c", "d"],
        profile=profile,
        labels={"zone": ["x", "x", "y", None]},
    )
    fleet.place(fleet.request({"cpu": 2, "memory": 5}), count=2)
    fleet.cordon(1)
    return fleet


def state(fleet: Fleet) -> tuple:
    """Everything that a caller can see of a fleet."""
    hosts = range(len(fleet))
    return (
        len(fleet),
        fleet.resources,
        fleet.names,
        fleet.capacity.tolist(),
        fleet.used.tolist(),
        [fleet.items_on(host).tolist() for host in hosts],
        [fleet.label(host, "zone") for host in hosts],
        [[(r.rule, r.hosts) for r in fleet.explain(fleet.request({"cpu": size})).reasons] for size in (1, 5, 17)],
        pickle.loads(pickle.dumps(fleet)).used.tolist(),
    )


def hosts(**changed) -> dict:
    """Two more hosts for add_hosts."""
    return {"capacity": {"cpu": [1, 1], "memory": [1, 1]}, "names": ["e", "f"]} | changed


def demand(fleet):
    return fleet.request({"cpu": 1})


# name: (what is done, the line)
CASES = {
    "add: negative": (
        lambda f: f.add_hosts(**hosts(capacity={"cpu": [1, -1], "memory": [1, 1]})),
        "add_hosts: capacity of 'cpu', host 1 ('f'): -1 is negative",
    ),
    "add: past what the core takes": (
        lambda f: f.add_hosts(**hosts(capacity={"cpu": [PAST, 1], "memory": [1, 1]})),
        "add_hosts: capacity of 'cpu', host 0 ('e'): 72057594037927937 is outside 0..72057594037927936",
    ),
    "add: past int64": (
        lambda f: f.add_hosts(**hosts(capacity={"cpu": [2**63, 1], "memory": [1, 1]})),
        "add_hosts: capacity of 'cpu': needs integers, has float64",
    ),
    "add: unsigned past int64": (
        lambda f: f.add_hosts(**hosts(capacity={"cpu": np.array([2**63, 1], np.uint64), "memory": [1, 1]})),
        "add_hosts: capacity of 'cpu': 9223372036854775808 is past int64",
    ),
    "add: past any machine integer": (
        lambda f: f.add_hosts(**hosts(capacity={"cpu": [2**70, 1], "memory": [1, 1]})),
        "add_hosts: capacity of 'cpu': 1180591620717411303424 is past int64",
    ),
    "add: float": (
        lambda f: f.add_hosts(**hosts(capacity={"cpu": [1.0, 1.0], "memory": [1, 1]})),
        "add_hosts: capacity of 'cpu': needs integers, has float64",
    ),
    "add: NaN": (
        lambda f: f.add_hosts(**hosts(capacity={"cpu": [float("nan"), 1], "memory": [1, 1]})),
        "add_hosts: capacity of 'cpu': needs integers, has float64",
    ),
    "add: truth values": (
        lambda f: f.add_hosts(**hosts(capacity={"cpu": [True, False], "memory": [1, 1]})),
        "add_hosts: capacity of 'cpu': needs integers, has bool",
    ),
    "add: text": (
        lambda f: f.add_hosts(**hosts(capacity={"cpu": ["1", "2"], "memory": [1, 1]})),
        "add_hosts: capacity of 'cpu': needs integers, has <U1",
    ),
    "add: None": (
        lambda f: f.add_hosts(**hosts(capacity={"cpu": [None, 1], "memory": [1, 1]})),
        "add_hosts: capacity of 'cpu': needs integers, has object",
    ),
    "add: ragged": (
        lambda f: f.add_hosts(**hosts(capacity={"cpu": [[1], [1, 2]], "memory": [1, 1]})),
        "add_hosts: capacity of 'cpu': not an array of integers",
    ),
    "add: two dimensions": (
        lambda f: f.add_hosts(**hosts(capacity={"cpu": [[1, 1]], "memory": [1, 1]})),
        "add_hosts: capacity of 'cpu': needs one dimension, has 2",
    ),
    "add: no dimension": (
        lambda f: f.add_hosts(**hosts(capacity={"cpu": 1, "memory": [1, 1]})),
        "add_hosts: capacity of 'cpu': needs one dimension, has 0",
    ),
    "add: lengths": (
        lambda f: f.add_hosts(**hosts(capacity={"cpu": [1], "memory": [1, 1]})),
        "add_hosts: capacity: columns differ in length: 'cpu' has 1, 'memory' has 2",
    ),
    "add: missing resource": (
        lambda f: f.add_hosts(**hosts(capacity={"cpu": [1, 1]})),
        "add_hosts: capacity of 'memory' is missing",
    ),
    "add: unknown resource": (
        lambda f: f.add_hosts(**hosts(capacity={"cpu": [1, 1], "memory": [1, 1], "gpu": [1, 1]})),
        "add_hosts: capacity: unknown resource 'gpu' (the fleet has cpu, memory)",
    ),
    "add: unknown resource in used": (
        lambda f: f.add_hosts(**hosts(used={"gpu": [1, 1]})),
        "add_hosts: used: unknown resource 'gpu' (the fleet has cpu, memory)",
    ),
    "add: negative use": (
        lambda f: f.add_hosts(**hosts(used={"cpu": [0, -1]})),
        "add_hosts: used of 'cpu', host 1 ('f'): -1 is negative",
    ),
    "add: use of another length": (
        lambda f: f.add_hosts(**hosts(used={"cpu": [0]})),
        "add_hosts: used: columns differ in length: 'cpu' has 1, 'memory' has 2",
    ),
    "add: duplicate host": (
        lambda f: f.add_hosts(**hosts(names=["e", "e"])),
        "add_hosts: names: duplicate host name 'e'",
    ),
    "add: host that is there": (lambda f: f.add_hosts(**hosts(names=["e", "a"])), "add_hosts: duplicate host name 'a'"),
    "add: names of another length": (
        lambda f: f.add_hosts(**hosts(names=["e"])),
        "add_hosts: names: 1 names for 2 hosts",
    ),
    "add: name that is no text": (
        lambda f: f.add_hosts(**hosts(names=["e", 7])),
        "add_hosts: names: name of host 1 is 7, not a string",
    ),
    "add: labels of another length": (
        lambda f: f.add_hosts(**hosts(labels={"zone": ["x"]})),
        "add_hosts: label 'zone' needs 2 values, one a host",
    ),
    "add: label that is no text": (
        lambda f: f.add_hosts(**hosts(labels={"zone": ["x", 3]})),
        "add_hosts: label 'zone' of host 1 is 3, neither a string nor None",
    ),
    "remove: no such host": (lambda f: f.remove_hosts([0, 4]), "remove_hosts: no host 4 in a fleet of 4"),
    "remove: negative host": (lambda f: f.remove_hosts(-1), "remove_hosts: no host -1 in a fleet of 4"),
    "remove: host with items": (
        lambda f: f.remove_hosts([0, 3]),
        "remove_hosts: host 3 ('d') holds items; release them first",
    ),
    "resize: unknown resource": (
        lambda f: f.resize(0, {"cpu": 9, "gpu": 1}),
        "resize: unknown resource 'gpu' (the fleet has cpu, memory)",
    ),
    "resize: negative": (lambda f: f.resize(0, {"cpu": 9, "memory": -1}), "resize: host 0, 'memory': -1 is negative"),
    "resize: float": (
        lambda f: f.resize(0, {"cpu": 9, "memory": 1.5}),
        "resize: host 0, 'memory': 1.5 is not an integer",
    ),
    "resize: past what the core takes": (
        lambda f: f.resize(0, {"cpu": 9, "memory": PAST}),
        "resize: host 0, 'memory': 72057594037927937 is more than 2**56",
    ),
    "resize: no such host": (lambda f: f.resize(99, {"cpu": 1}), "resize: no host 99 in a fleet of 4"),
    "cordon: no such host": (lambda f: f.cordon([0, 17]), "cordon: no host 17 in a fleet of 4"),
    "cordon: float": (lambda f: f.cordon([0.0]), "cordon: needs integers, has float64"),
    "uncordon: text": (lambda f: f.uncordon("a"), "uncordon: needs integers, has <U1"),
    "relabel: no text": (
        lambda f: f.relabel(0, {"zone": "y", "rack": 3}),
        "relabel: host 0: label 'rack' of host 0 is 3, neither a string nor None",
    ),
    "relabel: no such host": (lambda f: f.relabel(4, {"zone": "y"}), "relabel: no host 4 in a fleet of 4"),
    "host: unknown name": (lambda f: f.host("z"), "fleet: no host 'z'"),
    "request: unknown resource": (
        lambda f: f.request({"gpu": 1}),
        "request: demand: unknown resource 'gpu' (the fleet has cpu, memory)",
    ),
    "request: negative": (lambda f: f.request({"cpu": -1}, name="web"), "request 'web': demand: 'cpu': -1 is negative"),
    "request: past what the core takes": (
        lambda f: f.request({"cpu": PAST}),
        "request: demand: 'cpu': 72057594037927937 is more than 2**56",
    ),
    "request: float": (lambda f: f.request({"cpu": 0.5}), "request: demand: 'cpu': 0.5 is not an integer"),
    "request: truth value": (lambda f: f.request({"cpu": True}), "request: demand: 'cpu': True is not an integer"),
    "request: text": (lambda f: f.request({"cpu": "500m"}), "request: demand: 'cpu': '500m' is not an integer"),
    "request: unknown rule": (
        lambda f: f.request({"cpu": 1}, rejects={"colour": np.zeros(HOSTS, bool)}),
        "request: the profile has no static rule 'colour'",
    ),
    "request: the fit rule as a static one": (
        lambda f: f.request({"cpu": 1}, rejects={"fit": np.zeros(HOSTS, bool)}),
        "request: the profile has no static rule 'fit'",
    ),
    "request: rejects of another length": (
        lambda f: f.request({"cpu": 1}, rejects={"taint": np.zeros(3, bool)}),
        "request: rejects 'taint': shape (3,) for a fleet of 4 hosts",
    ),
    "request: argument below -1": (
        lambda f: f.request({"cpu": 1}, rejects={"taint": np.full(HOSTS, -2)}),
        "request: rejects 'taint', host 0: -2 is outside -1..2147483647",
    ),
    "request: unknown score": (
        lambda f: f.request({"cpu": 1}, raw={"far": np.zeros(HOSTS, int)}),
        "request: the profile has no static score 'far'",
    ),
    "request: negative raw score": (
        lambda f: f.request({"cpu": 1}, raw={"near": np.full(HOSTS, -1)}),
        "request: raw 'near', host 0: -1 is negative",
    ),
    "request: raw score of floats": (
        lambda f: f.request({"cpu": 1}, raw={"near": np.zeros(HOSTS)}),
        "request: raw 'near': needs integers, has float64",
    ),
    "request: unknown score to skip": (
        lambda f: f.request({"cpu": 1}, skip=["far"]),
        "request: skip names no score of the profile: far",
    ),
    "request: mask of another length": (
        lambda f: f.request({"cpu": 1}, eligible=np.ones(5, bool)),
        "request: eligible: a mask of shape (5,) for a fleet of 4 hosts",
    ),
    "request: eligible host that is not there": (
        lambda f: f.request({"cpu": 1}, eligible=[0, 9]),
        "request: eligible: no host 9 in a fleet of 4",
    ),
    "request: eligible floats": (
        lambda f: f.request({"cpu": 1}, eligible=[0.0]),
        "request: eligible: needs integers, has float64",
    ),
    "request: label values that are a text": (
        lambda f: f.request({"cpu": 1}, eligible={"zone": "x"}),
        "request: eligible: label 'zone' needs a list of strings, has 'x'",
    ),
    "place: not a request": (
        lambda f: f.place({"cpu": 1}),
        "place: {'cpu': 1} was not made by this fleet, or by the one it was forked from",
    ),
    "place: another fleet's request": (
        lambda f: f.place(demand(made_fleet())),
        "place: Request(index=1, name=None, demand={'cpu': 1}) was not made by this fleet, "
        "or by the one it was forked from",
    ),
    "place: negative count": (lambda f: f.place(demand(f), count=-1), "place: count -1 is outside 0..2147483647"),
    "place: half a count": (lambda f: f.place(demand(f), count=0.5), "place: count: 0.5 is not an integer"),
    "place_many: position beyond": (
        lambda f: f.place_many([demand(f)], [0, 1]),
        "place_many: which, item 1: 1 is outside 0..0",
    ),
    "place_many: negative position": (
        lambda f: f.place_many([demand(f)], [-1]),
        "place_many: which, item 0: -1 is negative",
    ),
    "place_many: floats": (
        lambda f: f.place_many([demand(f)], [0.0]),
        "place_many: which: needs integers, has float64",
    ),
    "place_many: not requests": (
        lambda f: f.place_many([3], [0]),
        "place_many: 3 was not made by this fleet, or by the one it was forked from",
    ),
    "claim: no such host": (lambda f: f.claim(demand(f), [0, 4]), "claim: no host 4 in a fleet of 4"),
    "claim: would overflow": (
        lambda f: f.claim(f.request({"cpu": 2**56}), [0] * 40),
        "claim: item 32: what is used on host 0 would pass 2**61",
    ),
    "claim_many: lengths": (lambda f: f.claim_many([demand(f)], [0, 0], [1]), "claim_many: 2 items for 1 hosts"),
    "release: not an item": (
        lambda f: f.release([0, 77]),
        "release: 77 is not an item of this fleet (released before?)",
    ),
    "release: twice in one call": (
        lambda f: f.release([0, 0]),
        "release: 0 is not an item of this fleet (released before?)",
    ),
    "release: float": (lambda f: f.release([0.0]), "release: needs integers, has float64"),
    "item: not an item": (lambda f: f.item(77), "item: 77 is not an item of this fleet (released before?)"),
    "items_on: no such host": (lambda f: f.items_on(4), "items_on: no host 4 in a fleet of 4"),
    "repair: unknown rule": (
        lambda f: f.repair(demand(f), 0, rejects={"colour": 1}),
        "repair: the profile has no static rule 'colour'",
    ),
    "repair: argument below -1": (
        lambda f: f.repair(demand(f), 0, rejects={"taint": -2}),
        "repair: host 0: an argument is outside -1..2147483647",
    ),
    "repair: negative raw score": (
        lambda f: f.repair(demand(f), 0, rejects={"taint": 1}, raw={"near": -1}),
        "repair: host 0, score 'near': -1 is outside 0..2**40",
    ),
    "rollback: no token": (lambda f: f.rollback(None), "rollback: None is not a token of checkpoint"),
    "rollback: a made-up token": (lambda f: f.rollback((0, 0, 0)), "rollback: (0, 0, 0) is not a token of checkpoint"),
    "rollback: no such token": (
        lambda f: f.rollback((7, 7, 7)),
        "rollback: this is not the newest open checkpoint of this fleet (last in, first out)",
    ),
    "request: commit of an unknown resource": (
        lambda f: f.request({"cpu": 1}, commit={"gpu": 1}),
        "request: commit: unknown resource 'gpu' (the fleet has cpu, memory)",
    ),
    "request: score of a negative amount": (
        lambda f: f.request({"cpu": 1}, score={"cpu": -1}),
        "request: score: 'cpu': -1 is negative",
    ),
    "request: NaN": (lambda f: f.request({"cpu": float("nan")}), "request: demand: 'cpu': nan is not an integer"),
    "request: no mapping": (lambda f: f.request(5), "request: demand: 5 is not a mapping from resource to amount"),
    "place_many: two dimensions": (
        lambda f: f.place_many([demand(f)], np.zeros((2, 2), int)),
        "place_many: which: needs one dimension, has 2",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_malformed_call_is_one_line_and_changes_nothing(case):
    action, line = CASES[case]
    fleet = made_fleet()
    before = state(fleet)
    with pytest.raises(BinwrightError) as refusal:
        action(fleet)
    assert str(refusal.value) == line
    assert state(fleet) == before


def test_a_token_out_of_turn_is_refused_and_changes_nothing():
    fleet = made_fleet()
    older, newer = fleet.checkpoint(), fleet.checkpoint()
    before = state(fleet)
    with pytest.raises(StateError):
        fleet.rollback(older)
    assert state(fleet) == before
    fleet.rollback(newer)
    fleet.rollback(older)
    with pytest.raises(StateError):
        fleet.rollback(older)


def test_a_token_of_another_fleet_is_refused_and_changes_nothing():
    """Also where both fleets look alike: as many checkpoints, requests and changes."""
    fleets = [made_fleet(), made_fleet()]
    fleets.append(fleets[0].fork())
    tokens = [fleet.checkpoint() for fleet in fleets]
    for fleet in fleets:
        fleet.place(demand(fleet))
    before = [state(fleet) for fleet in fleets]
    for fleet, token in zip(fleets, tokens[1:] + tokens[:1], strict=True):
        for call in (fleet.rollback, fleet.keep):
            with pytest.raises(StateError, match="is not the newest open checkpoint of this fleet"):
                call(token)
    assert [state(fleet) for fleet in fleets] == before
    for fleet, token in zip(fleets, tokens, strict=True):
        fleet.rollback(token)
        with pytest.raises(StateError):
            fleet.rollback(token)


def test_a_refused_call_leaves_no_journal_entry():
    fleet = made_fleet()
    token = fleet.checkpoint()
    for action, _ in CASES.values():
        with pytest.raises(BinwrightError):
            action(fleet)
    before = state(fleet)
    fleet.rollback(token)
    assert state(fleet) == before


# What never becomes a fleet: (constructor, the line)
UNMADE = {
    "capacity that is a number": (
        lambda: Fleet(7),
        "fleet: capacity is int, neither a mapping of arrays nor an Arrow table",
    ),
    "negative": (
        lambda: Fleet({"cpu": [1, -4]}, names=["a", "b"]),
        "fleet: capacity of 'cpu', host 1 ('b'): -4 is negative",
    ),
    "duplicate host": (lambda: Fleet({"cpu": [1, 4]}, names=["a", "a"]), "fleet: names: duplicate host name 'a'"),
    "use without capacity": (
        lambda: Fleet({"cpu": [1]}, used={"memory": [1]}),
        "fleet: used: unknown resource 'memory' (the fleet has cpu)",
    ),
    "unknown scored resource": (
        lambda: Fleet({"cpu": [1]}, scored_only=["gpu"]),
        "fleet: scored_only: unknown resource 'gpu' (the fleet has cpu)",
    ),
    "unknown limited resource": (
        lambda: Fleet({"cpu": [1]}, step={"gpu": [1]}),
        "fleet: step: unknown resource 'gpu' (the fleet has cpu)",
    ),
    "a step of zero": (
        lambda: Fleet({"cpu": [1]}, step={"cpu": [0]}),
        "fleet: step of 'cpu', host 0: 0 is outside 1..72057594037927936",
    ),
    "limits of another length": (
        lambda: Fleet({"cpu": [1]}, largest={"cpu": [1, 2]}),
        "fleet: largest of 'cpu': 2 values for 1 hosts",
    ),
    "sixty-five resources": (lambda: Fleet({f"r{i}": [1] for i in range(65)}), "fleet: 65 resources, at most 64"),
    "a profile over an unknown resource": (
        lambda: Fleet({"cpu": [1]}, profile=Profile(scores=(least_allocated({"gpu": 1}),))),
        "score 'least_allocated': unknown resource 'gpu'",
    ),
    "a profile without fit": (
        lambda: Profile(rules=(Rule("a"),)),
        "profile: needs exactly one rule of kind 'fit', at most one of kinds 'cordon' and 'rows'",
    ),
    "a rule twice": (
        lambda: Profile(rules=(Rule("a"), Rule("a"), Rule("fit", "fit"))),
        "profile: rule names must differ and be at most 31: cordon, eligible, a, a, fit, rows",
    ),
    "a rule of no kind": (
        lambda: Profile(rules=(Rule("a", "soft"), Rule("fit", "fit"))),
        "rule 'a': kind 'soft' is not 'static', 'fit', 'cordon' or 'rows'",
    ),
    "a score weight of zero": (
        lambda: least_allocated({"cpu": 0}),
        "score 'least_allocated': weight of resource 'cpu': 0 is not an integer in 1..1048576",
    ),
    "a score weight of half": (
        lambda: least_allocated({"cpu": 1}, weight=0.5),
        "score 'least_allocated': weight: 0.5 is not an integer in 0..1048576",
    ),
    "a score of nothing": (lambda: least_allocated({}), "score 'least_allocated': names no resource"),
    "a shape that falls back": (
        lambda: requested_to_capacity_ratio({"cpu": 1}, [(50, 1), (50, 2)]),
        "score 'requested_to_capacity_ratio': shape utilisation 50 does not rise",
    ),
    "a shape outside": (
        lambda: requested_to_capacity_ratio({"cpu": 1}, [(0, 11)]),
        "score 'requested_to_capacity_ratio': shape point (0, 11) is outside utilisation 0..100, score 0..10",
    ),
    "raw scores whose totals could pass int64": (
        lambda: Profile(scores=tuple(static_score(f"s{i}", weight=2**20) for i in range(5))),
        "profile: static scores that are not normalised weigh 5242880, at most 4194304",
    ),
    "an unknown normaliser": (
        lambda: static_score("s", normalise="softmax"),
        "score 's': normalise 'softmax' is not None, 'max', 'reverse' or 'minmax'",
    ),
}


@pytest.mark.parametrize("case", UNMADE)
def test_a_malformed_fleet_or_profile_is_one_line(case):
    make, line = UNMADE[case]
    with pytest.raises(InputError) as refusal:
        make()
    assert str(refusal.value) == line
