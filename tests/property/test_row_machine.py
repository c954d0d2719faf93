"""Random interleavings of everything that changes a row forest: engine beside reference, undo to the last byte."""

import copy
import pickle
import random

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from binwright import BinwrightError, StateError
from tests.property import rows as draw
from tests.reference import rows as reference

SEEDS = st.integers(0, 2**32 - 1)


class World:
    """One forest on both sides, and who holds what."""

    def __init__(self, engine, slow):
        self.engine, self.slow = engine, slow
        self.items = {}  # engine's id -> (host, claims, those of the host's own demand)
        self.alive = set(range(len(slow.hosts)))
        self.questions = []
        self.checkpoints = []

    def saved(self):
        """All that the forest holds but for its definitions."""
        return self.engine._state.forest.save()[2:]

    def hold(self, item, host, groups, demand, rows):
        claims = self.slow.claims(groups, rows)
        own = [(0, ~host, name, amount) for name, amount in demand.items()]
        self.slow.move(claims + own, 1)
        self.items[item] = host, claims, own

    def refused(self, error, call, *arguments):
        before = self.saved(), self.engine.used.tolist()
        with pytest.raises(error) as caught:
            call(*arguments)
        assert "\n" not in str(caught.value)
        assert (self.saved(), self.engine.used.tolist()) == before

    def check(self):
        draw.assert_same_rows(self.engine, self.slow)
        for host in self.alive:
            own = [number for number, row in enumerate(self.slow.rows) if row is not None and row.host == host]
            assert self.engine.rows.of(host).tolist() == own
            assert self.engine.rows.links(host).tolist() == sorted(self.slow.hosts[host].links)
        for item, (_, claims, _) in self.items.items():
            assert [tuple(device) for device in self.engine.devices(item)] == claims


class RowMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.worlds = []

    @initialize(seed=SEEDS, rows=st.integers(1, 8))
    def start(self, seed, rows):
        rng = random.Random(seed)
        self.worlds = [World(*draw.both_forests(rng, rng.randint(1, 3), rows))]

    def world(self, rng):
        return rng.choice(self.worlds)

    def question(self, rng, w):
        if not w.questions or rng.random() < 0.4:
            groups, rules, demand = draw.a_question(rng, len(w.slow.hosts))
            if any(group.within is not None and group.within not in w.alive for group in groups):
                groups = [reference.Group((("gpu", 1),))]
                rules = reference.Rules()
            w.questions.append((draw.engine_request(w.engine, groups, rules, demand), groups, rules, demand))
        return rng.choice(w.questions)

    @rule(seed=SEEDS, count=st.integers(1, 3))
    def place(self, seed, count):
        rng = random.Random(seed)
        w = self.world(rng)
        request, groups, rules, demand = self.question(rng, w)
        before = w.saved()
        result = w.engine.place(request, count=count)
        for i, (item, host) in enumerate(zip(result.items.tolist(), result.hosts.tolist(), strict=True)):
            everywhere = range(len(w.slow.hosts))
            wanted = [w.slow.first(h, groups, rules, demand) if h in w.alive else None for h in everywhere]
            look = result.explain(i)
            position = w.engine.profile.kind_position("rows")
            for h in w.alive:
                assert bool(look.refusals.mask[h] >> position & 1) == (wanted[h] is None)
            if host >= 0:
                w.hold(item, host, groups, demand, wanted[host])
        if (result.hosts < 0).all():
            assert w.saved() == before

    @rule(seed=SEEDS)
    def claim(self, seed):
        rng = random.Random(seed)
        w = self.world(rng)
        if not w.alive:
            return
        request, groups, rules, demand = self.question(rng, w)
        host = rng.choice(sorted(w.alive))
        rows = w.slow.first(host, groups, rules, demand)
        if rows is None:
            w.refused(BinwrightError, w.engine.claim, request, host)
        else:
            (item,) = w.engine.claim(request, host).tolist()
            w.hold(item, host, groups, demand, rows)

    @rule(seed=SEEDS, count=st.integers(1, 3))
    def release(self, seed, count):
        rng = random.Random(seed)
        w = self.world(rng)
        going = rng.sample(sorted(w.items), min(count, len(w.items)))
        w.engine.release(np.array(going, np.int64))
        for item in going:
            _, claims, own = w.items.pop(item)
            w.slow.move(claims + own, -1)
            w.refused(BinwrightError, w.engine.devices, item)

    @rule(seed=SEEDS, count=st.integers(1, 3))
    def add_rows(self, seed, count):
        rng = random.Random(seed)
        w = self.world(rng)
        if len(w.alive) == len(w.slow.hosts):
            draw.add_rows(rng, w.engine, w.slow, count)

    @rule(seed=SEEDS)
    def remove_row(self, seed):
        rng = random.Random(seed)
        w = self.world(rng)
        rows = [number for number, row in enumerate(w.slow.rows) if row is not None]
        if not rows:
            return
        number = rng.choice(rows)
        below = any(row is not None and row.parent == number for row in w.slow.rows)
        held = any(row == number for _, claims, _ in w.items.values() for _, row, _, _ in claims)
        if below or held:
            w.refused(StateError, w.engine.rows.remove, number)
            return
        w.engine.rows.remove(number)
        w.slow.rows[number] = None
        for host in w.slow.hosts:
            host.links.discard(number)
        w.refused(BinwrightError, w.engine.rows.remove, number)

    @rule(seed=SEEDS)
    def resize(self, seed):
        rng = random.Random(seed)
        w = self.world(rng)
        stocks = [
            (number, name) for number, row in enumerate(w.slow.rows) if row is not None for name in sorted(row.stocks)
        ]
        if stocks:
            number, name = rng.choice(stocks)
            amount = rng.randint(0, 4)
            w.engine.rows.resize(number, {name: amount})
            w.slow.rows[number].stocks[name].capacity = amount
            w.refused(BinwrightError, w.engine.rows.resize, number, {name: 1, "nothing": 1})

    @rule(seed=SEEDS)
    def relabel(self, seed):
        rng = random.Random(seed)
        w = self.world(rng)
        rows = [number for number, row in enumerate(w.slow.rows) if row is not None] + [~host for host in w.alive]
        if rows:
            draw.relabel(rng, w.engine, w.slow, rng.choice(sorted(rows)))

    @rule(seed=SEEDS)
    def link(self, seed):
        rng = random.Random(seed)
        w = self.world(rng)
        if len(w.alive) == len(w.slow.hosts):
            draw.link(rng, w.engine, w.slow)

    @rule(seed=SEEDS)
    def remove_host(self, seed):
        rng = random.Random(seed)
        w = self.world(rng)
        if len(w.alive) < 2:
            return
        host = rng.choice(sorted(w.alive))
        rows = {number for number, row in enumerate(w.slow.rows) if row is not None and row.host == host} | {~host}
        held = any(row in rows for _, claims, _ in w.items.values() for _, row, _, _ in claims)
        if held or any(where == host for where, _, _ in w.items.values()):
            w.refused(StateError, w.engine.remove_hosts, host)
            return
        w.engine.remove_hosts(host)
        w.alive.discard(host)
        for number in rows:
            if number >= 0:
                w.slow.rows[number] = None
        for other in w.slow.hosts:
            other.links -= rows
        w.slow.hosts[host] = reference.Host({name: reference.Stock(0) for name in draw.HOST_RESOURCES})

    @rule(seed=SEEDS)
    def add_host(self, seed):
        w = self.world(random.Random(seed))
        if len(w.slow.hosts) < 5:
            w.engine.add_hosts({name: np.array([4]) for name in draw.HOST_RESOURCES})
            w.alive.add(len(w.slow.hosts))
            w.slow.hosts.append(reference.Host({name: reference.Stock(4) for name in draw.HOST_RESOURCES}))

    @rule(seed=SEEDS)
    def checkpoint(self, seed):
        w = self.world(random.Random(seed))
        kept = copy.deepcopy((w.slow, w.items, w.alive)), len(w.questions)
        w.checkpoints.append((w.engine.checkpoint(), w.saved(), kept))

    @rule(seed=SEEDS)
    def rollback(self, seed):
        w = self.world(random.Random(seed))
        if w.checkpoints:
            token, saved, (kept, _) = w.checkpoints.pop()
            w.engine.rollback(token)
            w.slow, w.items, w.alive = kept
            # rows of columns grow with the fleet and stay grown; the rest is as it was, byte for byte
            now = w.saved()
            assert now[1:6] == saved[1:6]
            assert now[6][: len(saved[6])] == saved[6]
            assert now[7:] == saved[7:]
            w.questions = [
                question
                for question in w.questions
                if all(group.within is None or group.within in w.alive for group in question[1])
            ]

    @precondition(lambda self: 0 < len(self.worlds) < 3)
    @rule(seed=SEEDS)
    def fork(self, seed):
        w = self.world(random.Random(seed))
        other = World(w.engine.fork(), copy.deepcopy(w.slow))
        other.items, other.alive, other.questions = dict(w.items), set(w.alive), list(w.questions)
        assert other.saved() == w.saved()
        self.worlds.append(other)

    @precondition(lambda self: self.worlds and not all(w.checkpoints for w in self.worlds))
    @rule(seed=SEEDS)
    def pickle_round_trip(self, seed):
        w = random.Random(seed).choice([w for w in self.worlds if not w.checkpoints])
        saved, requests = w.saved(), [question[0] for question in w.questions]
        w.engine, requests = pickle.loads(pickle.dumps((w.engine, requests)))
        w.questions = [(made, *rest) for made, (_, *rest) in zip(requests, w.questions, strict=True)]
        assert w.saved() == saved

    @invariant()
    def same(self):
        for w in self.worlds:
            w.check()


TestRows = RowMachine.TestCase
