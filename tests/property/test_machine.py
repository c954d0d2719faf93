"""Random interleavings of every call that changes a fleet, on every copy of the kernels, engine beside reference."""

import copy
import pickle
import random

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from binwright import BinwrightError
from binwright._core import kernels
from tests.property import draw, registry
from tests.property.sides import (
    assert_same_explanation,
    assert_same_results,
    assert_same_state,
    both_fleets,
    engine_request,
)
from tests.reference import fleet_rows

SEEDS = st.integers(0, 2**32 - 1)


class World:
    """One fleet on both sides, with the requests and items made on it."""

    def __init__(self, house, engine, slow):
        self.house, self.engine, self.slow = house, engine, slow
        self.requests = []  # (engine's, reference's)
        self.items = []  # (engine's, reference's)
        self.checkpoints = []  # (engine's token, reference's token, items then, what every idea held then)
        self.decisions = 0  # how many were compared

    def live(self):
        return self.slow.live_hosts()

    def make_request(self, rng):
        arguments = draw.request_arguments(rng, self.house, len(self.slow.state.alive))
        form = rng.randint(0, 5)
        made = engine_request(self.engine, **arguments, form=form)
        assert engine_request(self.engine, **arguments, form=form) is made
        known = [theirs for ours, theirs in self.requests if ours is made]
        if known:  # one class for equal requests: then they must be equal
            assert self.slow.state.classes[known[0]] == self.slow.compiled(**arguments)
            return
        self.requests.append((made, self.slow.request(**arguments)))
        assert [ours.index for ours, _ in self.requests].count(made.index) == 1

    def some_requests(self, rng, count):
        if not self.requests:
            self.make_request(rng)
        return [rng.choice(self.requests) for _ in range(count)]

    def remember(self, ours, theirs):
        ours, theirs = np.asarray(ours), list(theirs)
        assert ours.dtype == np.int64
        self.items += zip(ours.tolist(), theirs, strict=True)
        assert len({item for item, _ in self.items}) == len(self.items)

    def forked(self):
        """The same world on forks of both fleets; indexed, where this one decides by bounds."""
        other = type(self)(self.house, self.engine.fork(), self.slow.fork())
        other.engine._state.indexes.none = not self.engine._state.indexes.none
        other.requests, other.items = list(self.requests), list(self.items)
        return other

    def checkpoint(self):
        ours, theirs = self.engine.checkpoint(), self.slow.checkpoint()
        made = registry.made(self.engine._state)
        self.checkpoints.append((ours, theirs, list(self.items), made, registry.snapshot(self.engine, made)))

    def rollback(self):
        ours, theirs, self.items, made, held = self.checkpoints.pop()
        self.engine.rollback(ours)
        self.slow.rollback(theirs)
        registry.assert_equal(held, registry.snapshot(self.engine, made))
        self.refused(self.engine.rollback, ours)

    def keep(self):
        ours, theirs, *_ = self.checkpoints.pop()
        self.engine.keep(ours)
        self.slow.keep(theirs)
        self.refused(self.engine.keep, ours)

    def compare(self, ours, theirs):
        """The decision that either side would take now."""
        assert_same_explanation(self.engine.explain(ours), self.slow.explain(theirs))
        self.decisions += 1

    def placed(self, result, decisions):
        assert_same_results(result, decisions)
        self.decisions += len(decisions)
        self.remember(result.items[result.hosts >= 0], [d.item for d in decisions if d.item is not None])

    def claimed(self, requests, which, hosts):
        """Items on given hosts, all of them or, where one finds no rows, none."""
        kept = copy.deepcopy(self.slow.state)
        call = self.engine.claim_many, [ours for ours, _ in requests], np.array(which), np.array(hosts)
        try:
            theirs = [self.slow.commit(requests[i][1], host) for i, host in zip(which, hosts, strict=True)]
        except fleet_rows.NoRows:
            self.slow.state = kept
            self.refused(*call)
            return
        if len(requests) == 1:
            call = self.engine.claim, requests[0][0], np.array(hosts)
        self.remember(call[0](*call[1:]), theirs)

    def refused(self, call, *arguments):
        """The call raises one clear line and changes nothing."""
        with pytest.raises(BinwrightError) as error:
            call(*arguments)
        assert "\n" not in str(error.value)
        assert str(error.value)
        self.check()

    def check(self):
        assert_same_state(self.engine, self.slow, self.items)


class FleetMachine(RuleBasedStateMachine):
    """Subclassed once per kernel copy."""

    copy = ""
    world_kind = World

    def __init__(self):
        super().__init__()
        self.before = kernels.current()
        kernels.use(self.copy)
        self.worlds = []

    def teardown(self):
        kernels.use(self.before)

    @initialize(house=draw.houses(), hosts=st.sampled_from(draw.SIZES), seed=SEEDS)
    def start(self, house, hosts, seed):
        arguments = draw.fleet_arguments(random.Random(seed), house, hosts)
        engine, slow = both_fleets(**arguments, rules=house.rules, scores=house.scores, scored_only=house.scored_only)
        self.worlds = [self.world_kind(house, engine, slow)]

    def world(self, rng):
        return rng.choice(self.worlds)

    # ---- hosts

    @rule(seed=SEEDS, count=st.integers(1, 3))
    def add_hosts(self, seed, count):
        rng = random.Random(seed)
        w = self.world(rng)
        columns, labels = draw.host_columns(rng, w.house, count), draw.label_columns(rng, count)
        arrays = {name: np.array(column) for name, column in columns.items()}
        added = w.engine.add_hosts(arrays, labels=labels)
        assert added.tolist() == w.slow.add_hosts(columns, labels=labels)

    @rule(seed=SEEDS)
    def remove_host(self, seed):
        rng = random.Random(seed)
        w = self.world(rng)
        full = [host for host in w.live() if w.slow.items_on(host) or fleet_rows.serves_others(w.slow, host)]
        empty = [host for host in w.live() if host not in full]
        if full and rng.random() < 0.3:
            w.refused(w.engine.remove_hosts, [rng.choice(full)])
        elif empty:
            hosts = rng.sample(empty, min(len(empty), rng.randint(1, 2)))
            w.engine.remove_hosts(np.array(hosts))
            w.slow.remove_hosts(hosts)
            w.refused(w.engine.remove_hosts, hosts)

    @rule(seed=SEEDS)
    def resize(self, seed):
        rng = random.Random(seed)
        w = self.world(rng)
        if w.live():
            host = rng.choice(w.live())
            names = rng.sample(w.house.resources, rng.randint(1, len(w.house.resources)))
            capacity = {name: draw.amount(rng, w.house, 10) for name in names}
            w.engine.resize(host, capacity)
            w.slow.resize(host, capacity)
            w.refused(w.engine.resize, host, {names[0]: -1})

    @rule(seed=SEEDS, value=st.booleans())
    def cordon(self, seed, value):
        rng = random.Random(seed)
        w = self.world(rng)
        if w.live():
            hosts = rng.sample(w.live(), rng.randint(1, min(len(w.live()), 3)))
            (w.engine.cordon if value else w.engine.uncordon)(np.array(hosts))
            w.slow.cordon(hosts, value)

    @rule(seed=SEEDS)
    def relabel(self, seed):
        rng = random.Random(seed)
        w = self.world(rng)
        if w.live():
            host = rng.choice(w.live())
            labels = {
                key: rng.choice((*draw.KEYS[key], None)) for key in rng.sample(sorted(draw.KEYS), rng.randint(1, 2))
            }
            w.engine.relabel(host, labels)
            w.slow.relabel(host, labels)

    # ---- requests

    @rule(seed=SEEDS)
    def request(self, seed):
        rng = random.Random(seed)
        self.world(rng).make_request(rng)

    @rule(seed=SEEDS)
    def repair(self, seed):
        rng = random.Random(seed)
        w = self.world(rng)
        ((ours, theirs),) = w.some_requests(rng, 1)
        if w.live() and (w.house.static_rules or w.house.static_scores):
            host = rng.choice(w.live())
            rejects = {name: rng.randint(-1, 3) for name in w.house.static_rules if rng.random() < 0.6}
            raw = {name: rng.randint(0, 9) for name in w.house.static_scores if rng.random() < 0.6}
            w.engine.repair(ours, host, rejects=rejects or None, raw=raw or None)
            w.slow.repair(theirs, host, rejects, raw)

    @rule(seed=SEEDS)
    def explain(self, seed):
        rng = random.Random(seed)
        w = self.world(rng)
        ((ours, theirs),) = w.some_requests(rng, 1)
        w.compare(ours, theirs)
        w.check()

    # ---- items

    @rule(seed=SEEDS, count=st.integers(0, 5))
    def place(self, seed, count):
        rng = random.Random(seed)
        w = self.world(rng)
        ((ours, theirs),) = w.some_requests(rng, 1)
        w.placed(w.engine.place(ours, count=count), w.slow.place(theirs, count))

    @rule(seed=SEEDS, count=st.integers(0, 8))
    def place_many(self, seed, count):
        rng = random.Random(seed)
        w = self.world(rng)
        requests = w.some_requests(rng, rng.randint(1, 4))
        which = [rng.randrange(len(requests)) for _ in range(count)]
        kind = rng.choice((np.int64, np.int32, np.uint8))
        result = w.engine.place_many([ours for ours, _ in requests], np.array(which, dtype=kind))
        w.placed(result, w.slow.place_many([theirs for _, theirs in requests], which))

    @rule(seed=SEEDS, count=st.integers(1, 4))
    def claim(self, seed, count):
        rng = random.Random(seed)
        w = self.world(rng)
        if not w.live():
            return
        ((ours, theirs),) = w.some_requests(rng, 1)
        hosts = [rng.choice(w.live()) for _ in range(count)]
        w.claimed([(ours, theirs)], [0] * count, hosts)
        gone = [host for host, alive in enumerate(w.slow.state.alive) if not alive]
        w.refused(w.engine.claim, ours, np.array([hosts[0], rng.choice([*gone, len(w.engine), -1])]))

    @rule(seed=SEEDS)
    def claim_many(self, seed):
        rng = random.Random(seed)
        w = self.world(rng)
        if not w.live():
            return
        requests = w.some_requests(rng, 3)
        which = [rng.randrange(3) for _ in range(4)]
        hosts = [rng.choice(w.live()) for _ in which]
        w.claimed(requests, which, hosts)

    @rule(seed=SEEDS, count=st.integers(1, 4))
    def release(self, seed, count):
        rng = random.Random(seed)
        w = self.world(rng)
        if w.items:
            going = rng.sample(w.items, min(count, len(w.items)))
            w.engine.release(np.array([ours for ours, _ in going]))
            w.slow.release([theirs for _, theirs in going])
            w.items = [pair for pair in w.items if pair not in going]
            w.refused(w.engine.release, [going[0][0]])
            if w.items:
                w.refused(w.engine.release, [w.items[0][0], w.items[0][0]])

    # ---- undo

    @rule(seed=SEEDS)
    def checkpoint(self, seed):
        w = self.world(random.Random(seed))
        w.checkpoint()

    @rule(seed=SEEDS)
    def rollback(self, seed):
        w = self.world(random.Random(seed))
        if w.checkpoints:
            if len(w.checkpoints) > 1:
                w.refused(w.engine.rollback, w.checkpoints[0][0])
            w.rollback()

    @rule(seed=SEEDS)
    def keep(self, seed):
        w = self.world(random.Random(seed))
        if w.checkpoints:
            w.keep()

    @rule(seed=SEEDS)
    def excursion(self, seed):
        """Out and back: some changes between a checkpoint and its rollback, then the same requests again."""
        rng = random.Random(seed)
        everything, self.worlds = self.worlds, [self.world(rng)]
        self.checkpoint(seed)
        for _ in range(rng.randint(1, 8)):
            self.change(rng)
        self.rollback(seed)
        (w,) = self.worlds
        w.check()
        if rng.random() < 0.5:
            self.add_hosts(rng.getrandbits(32), 2)
        for ours, theirs in w.requests[-4:]:
            w.compare(ours, theirs)
        self.worlds = everything

    def changes(self):
        """What `change` chooses from."""
        return [
            self.cordon, self.remove_host, self.resize, self.relabel, self.request, self.repair, self.claim,
            self.claim_many, self.release, self.place, self.place_many, self.add_hosts, self.excursion,
        ]  # fmt: skip

    def change(self, rng):
        """One random change of a world."""
        change = rng.choice(self.changes())
        extra = {self.cordon: {"value": True}}.get(change, {})
        if change in (self.claim, self.release, self.place, self.place_many, self.add_hosts):
            extra = {"count": rng.randint(1, 3)}
        change(rng.getrandbits(32), **extra)

    @precondition(lambda self: 0 < len(self.worlds) < 3)
    @rule(seed=SEEDS)
    def fork(self, seed):
        w = self.world(random.Random(seed))
        other = w.forked()
        self.worlds.append(other)
        if w.checkpoints:
            other.refused(other.engine.rollback, w.checkpoints[-1][0])

    @precondition(lambda self: self.worlds and not all(w.checkpoints for w in self.worlds))
    @rule(seed=SEEDS)
    def pickle_round_trip(self, seed):
        w = random.Random(seed).choice([w for w in self.worlds if not w.checkpoints])
        requests = [ours for ours, _ in w.requests]
        w.engine, requests = pickle.loads(pickle.dumps((w.engine, requests)))
        w.requests = [(ours, theirs) for ours, (_, theirs) in zip(requests, w.requests, strict=True)]

    @invariant()
    def same(self):
        for w in self.worlds:
            w.check()


def machine_for(name):
    machine = type(f"FleetMachine_{name}", (FleetMachine,), {"copy": name})
    case = machine.TestCase
    case.settings = settings(settings.default)
    return case


for copy_name in kernels.available():
    globals()[f"TestFleet_{copy_name}"] = machine_for(copy_name)
