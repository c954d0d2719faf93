"""Float64 profiles by index and by scan, side by side: the same hosts and the same bits after any calls.

BINWRIGHT_SEED=N repeats a run (each prints its N); a longer run: pytest -m slow tests/property/test_float_index.py
"""

import os
import random

import numpy as np
import pytest

from binwright import Fleet, Profile, Rule
from binwright.float_scores import free_score, near_score, raw_score, used_score
from binwright.profile import least_allocated
from binwright.terms import Ref, SoftTerm, at_most, forbid, require
from tests.reference import float_profile

HOSTS = (1, 2, 3, 63, 64, 65, 130, 300)
RESOURCES = ("x", "y")
CALLS = (
    "place", "place", "place", "ranked", "ranked", "place_some", "claim", "release", "resize", "cordon", "uncordon",
    "multiplier", "ratio", "repair", "checkpoint", "rollback", "fork", "add_hosts", "remove_host",
)  # fmt: skip


class Life:
    """Two equal fleets of one random life; the second always scans."""

    def __init__(self, rng: random.Random):
        self.rng, self.hosts, self.answered = rng, rng.choice(HOSTS), 0
        self.alike = rng.random() < 0.4  # many hosts of one size, many ties
        bounds = [(self.bound(), self.bound()) for _ in range(4)]
        bounds = [(a, b) if None in (a, b) or a <= b else (b, a) for a, b in bounds]
        bounds = [{"low": a, "high": b} for a, b in bounds]
        profile = Profile(
            rules=(Rule("up", kind="cordon"), Rule("bad"), Rule("fit", kind="fit"), Rule("group")),
            scores=(
                free_score("free x", "x", ratio="ratio", weight=self.weight(), multiplier="own", **bounds[0]),
                free_score("free y", "y", weight=self.weight(), **bounds[1]),
                used_score("used", "n", weight=self.weight(), multiplier="second", **bounds[2]),
                raw_score("raw", weight=self.weight(), **bounds[3]),
                near_score("near", weight=self.weight(), low=self.rng.choice((None, 0.0))),
            ),
        )
        columns = {name: self.amounts(self.hosts) for name in RESOURCES}
        columns["n"] = np.zeros(self.hosts, np.int64)
        self.fleets = [Fleet(columns, profile=profile, scored_only=["n"])]
        self.counters = [self.fleets[0].counter() for _ in range(3)]
        if rng.random() < 0.5:
            self.each(lambda fleet: fleet.set_column("ratio", range(self.hosts), 4.0))
        self.items: list[int] = []
        self.tokens: list = []
        self.requests = [self.request() for _ in range(rng.randint(1, 4))]
        self.twin()

    def twin(self):
        self.fleets = [self.fleets[0], self.fleets[0].fork()]
        self.fleets[1]._state.indexes.off = True

    def bound(self):
        return self.rng.choice((None, None, 0.0, 2.5))

    def weight(self):
        return self.rng.choice((0.0, 1.0, -1.0, 1e6, self.rng.uniform(-2, 2)))

    def amounts(self, count: int):
        rng = self.rng
        return np.array([50 if self.alike else rng.randint(0, 60) for _ in range(count)], np.int64)

    def each(self, call):
        for fleet in self.fleets:
            call(fleet)

    def request(self):
        rng = self.rng
        raw = [rng.choice((0.0, 1.0, rng.uniform(-9, 9))) for _ in range(self.hosts)]
        bad = np.array([rng.random() < 0.1 for _ in range(self.hosts)])
        demand = {name: rng.randint(0, 8) for name in RESOURCES}
        commit = {**demand, "n": 1}
        skip = [name for name in ("free y", "used") if rng.random() < 0.2]
        options = {"raw": {"raw": raw}} if rng.random() < 0.6 else {}
        if rng.random() < 0.5:
            options["rejects"] = {"bad": bad}
        terms, own = [], Ref(rng.choice(self.counters), weight=rng.choice((-2, 1)))
        if rng.random() < 0.6:
            hard = (
                at_most("group", own, rng.randint(1, 3)),
                forbid("group", [Ref(one) for one in self.counters[:2]]),
                require("group", [own], matches_itself=rng.random() < 0.7),
            )
            terms.append(rng.choice(hard))
        if rng.random() < 0.5:
            terms.append(SoftTerm("near", (own,)))
        options |= {"terms": terms, "contributes": {own.counter: 1}}
        return self.fleets[0].request(demand, commit=commit, score={}, skip=skip, **options)

    def same(self, call, take):
        first, second = (take(call(fleet)) for fleet in self.fleets)
        for one, other in zip(first, second, strict=True):
            assert one.tobytes() == other.tobytes(), (one, other)
        return first

    def live(self):
        names = np.frombuffer(self.fleets[0]._state.fleet.flags, np.uint8)[: self.hosts]
        return np.flatnonzero(names & 2 == 0).tolist()

    def step(self):
        rng, call = self.rng, self.rng.choice(CALLS)
        request, live = rng.choice(self.requests), self.live()
        host = rng.choice(live) if live else None
        match call:
            case "place" | "place_some":
                count = 1 if call == "place" else rng.randint(2, 9)
                took = self.same(
                    lambda fleet: fleet.place(request, count), lambda r: (r.hosts, r.scores, r.verdicts, r.items)
                )
                self.items += [item for item in took[3].tolist() if item >= 0]
            case "ranked":
                most = rng.choice((None, 1, 3, 16, 17))
                self.same(lambda fleet: fleet.ranked(request, most), tuple)
            case "claim" if host is not None:
                self.items.append(int(self.same(lambda fleet: fleet.claim(request, host), lambda ids: (ids,))[0][0]))
            case "release" if self.items:
                item = self.items.pop(rng.randrange(len(self.items)))
                self.each(lambda fleet: fleet.release(item))
            case "resize" if host is not None:
                size = {rng.choice(RESOURCES): rng.randint(0, 90)}
                self.each(lambda fleet: fleet.resize(host, size))
            case "cordon" | "uncordon" if host is not None:
                self.each(lambda fleet: getattr(fleet, call)(host))
            case "multiplier" | "ratio" if live:
                name = rng.choice(("own", "second")) if call == "multiplier" else "ratio"
                hosts, value = (live, rng.choice((1.0, 3.0))) if rng.random() < 0.3 else (host, rng.uniform(-3, 3))
                self.each(lambda fleet: fleet.set_column(name, hosts, value))
            case "repair" if host is not None:
                changes = {"rejects": {"bad": rng.choice((-1, 0))}}
                self.each(lambda fleet: fleet.repair(request, host, **changes))
            case "checkpoint":
                self.tokens.append(([fleet.checkpoint() for fleet in self.fleets], list(self.items), self.hosts))
            case "rollback" if self.tokens:
                tokens, self.items, self.hosts = self.tokens.pop()
                for fleet, token in zip(self.fleets, tokens, strict=True):
                    fleet.rollback(token)
            case "fork":
                self.answered += self.fleets[0]._state.indexes.answered
                self.tokens = []
                self.fleets[0] = self.fleets[0].fork()
                self.twin()
            case "add_hosts":
                more = {name: self.amounts(2) for name in RESOURCES} | {"n": np.zeros(2, np.int64)}
                self.each(lambda fleet: fleet.add_hosts(more))
                self.hosts += 2
            case "remove_host" if host is not None and not len(self.fleets[0].items_on(host)):
                self.each(lambda fleet: fleet.remove_hosts(host))


def lives(decisions: int) -> None:
    seed = int(os.environ.get("BINWRIGHT_SEED") or random.SystemRandom().randrange(2**32))
    print(f"BINWRIGHT_SEED={seed}")
    rng, steps, answered = random.Random(seed), 0, 0
    while steps < decisions:
        life = Life(rng)
        for _ in range(rng.randint(5, 120)):
            life.step()
            steps += 1
        answered += life.answered + life.fleets[0]._state.indexes.answered
    assert answered > decisions // 20


def test_some_thousand_calls():
    lives(6_000)


@pytest.mark.slow
def test_a_million_calls():
    lives(1_000_000)


def test_hosts_within_a_rounding_of_each_other():
    """Totals that differ by one unit in the last place, or not at all though their parts do, are told apart exactly."""
    rng = np.random.default_rng(5)
    profile = Profile(
        rules=(Rule("fit", kind="fit"),),
        scores=tuple(free_score(name, name, weight=weight) for name, weight in (("x", 1.0), ("y", 1.0), ("z", 3.0))),
    )
    base = rng.integers(2**50, 2**51, 3)
    columns = {name: base[i] + rng.integers(0, 4, 1000) for i, name in enumerate("xyz")}
    for i, name in enumerate("xyz"):  # the span: one far host each
        columns[name][i] = 0
    fleet = Fleet(columns, profile=profile)
    twin = fleet.fork()
    twin._state.indexes.off = True
    request, other = (one.request({"x": 1}) for one in (fleet, twin))
    fleet.place(request)
    twin.place(other)
    for _ in range(30):
        ours, theirs = fleet.place(request, 3), twin.place(other, 3)
        assert ours.hosts.tolist() == theirs.hosts.tolist()
        assert ours.scores.tobytes() == theirs.scores.tobytes()
        assert [a.tobytes() for a in fleet.ranked(request)] == [a.tobytes() for a in twin.ranked(other)]
    assert fleet._state.indexes.answered == 90


def test_ranked_equals_the_reference():
    rng = np.random.default_rng(11)
    capacity = rng.integers(0, 9, 400)
    fleet = Fleet({"x": capacity}, profile=Profile(rules=(Rule("fit", kind="fit"),), scores=(free_score("x", "x"),)))
    request = fleet.request({"x": 3})
    feasible = [host for host in range(400) if capacity[host] >= 3]
    term = {"raw": [float(one) for one in capacity], "low": None, "high": None, "multiplier": [1.0] * 400}
    totals = float_profile.totals([term], feasible)
    expected = sorted(feasible, key=lambda host: (-totals[host], host))
    for most in (None, 2, 16, 17, 400):
        for _ in range(2):  # by scan, then by index
            hosts, scores = fleet.ranked(request, most)
            assert hosts.tolist() == expected[:most]
            assert scores.tolist() == [totals[host] for host in expected[:most]]


def test_ranked_in_whole_numbers():
    capacity = np.array([10, 40, 0, 40, 20])
    profile = Profile(rules=(Rule("fit", kind="fit"),), scores=(least_allocated({"x": 1}),))
    fleet = Fleet({"x": capacity}, profile=profile)
    hosts, scores = fleet.ranked(fleet.request({"x": 2}))
    assert hosts.tolist() == [1, 3, 4, 0]
    assert scores.tolist() == [95, 95, 90, 80]
    assert scores.dtype == np.int64
