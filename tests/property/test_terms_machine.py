"""Counters, terms, promises, budgets and evictions beside the reference, in every order, on every kernel copy."""

import random

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from binwright._core import kernels
from tests.property import draw, draw_terms, registry
from tests.property import rows as draw_rows
from tests.property.sides import both_fleets, engine_request, engine_term
from tests.property.test_machine import SEEDS, FleetMachine, World
from tests.reference import eviction, fleet_rows
from tests.reference.rows import Group, Rules

SIZES = (0, 1, 2, 3, 3, 4, 4, 5, 6, 7, 9, 12, 255, 257)


class TermsWorld(World):
    """A world whose requests count and are counted."""

    def __init__(self, house, engine, slow):
        super().__init__(house, engine, slow)
        self.said = {}  # what a request said of terms, by class
        self.sets = {}  # the engine's number of each of the reference's member sets: pools make some of their own

    def forked(self):
        other = super().forked()
        other.said, other.sets = dict(self.said), dict(self.sets)
        return other

    def make_request(self, rng):
        arguments = draw_terms.request_arguments(rng, self.house, self.slow)
        form = rng.randint(0, 5)
        asks = self.some_groups(rng)
        engines = {**arguments, **(draw_rows.engine_groups(*asks.values()) if asks else {})}
        made = engine_request(self.engine, **engines, form=form, sets=self.sets)
        assert engine_request(self.engine, **engines, form=form, sets=self.sets) is made
        said = {name: arguments.pop(name) for name in ("terms", "contributes", "priority")} | asks
        known = [theirs for ours, theirs in self.requests if ours is made]
        if known:  # one class for equal requests: then they must be equal
            assert self.slow.state.classes[known[0]] == self.slow.compiled(**arguments)
            assert self.said[known[0]] == said
            return
        theirs = self.slow.request(**arguments, **said)
        self.said[theirs] = said
        self.requests.append((made, theirs))

    def some_groups(self, rng):
        """What a request asks of rows, in the reference's words; nothing for most."""
        if not self.slow.state.rows or not self.live() or rng.random() < 0.4:
            return {}
        if rng.random() < 0.6:  # what rows often serve
            take = rng.choice(("amount", "amount", "share", "whole"))
            return {"groups": [Group((("gpu", 1),), take)] * rng.randint(1, 2), "group_rules": Rules()}
        groups, rules, _ = draw_rows.a_question(rng, len(self.slow.state.roots))
        gone = [group.within is not None and group.within not in self.live() for group in groups]
        groups = [draw_terms.replace(group, within=None) if lost else group for group, lost in zip(groups, gone)]
        return {"groups": groups, "group_rules": rules}

    def check_rows(self):
        """Stocks, links, labels by what decisions say, and what every item holds."""
        state = self.slow.state
        for name in draw_rows.RESOURCES:
            table = [column.tolist() for column in self.engine.rows.table(name)]
            assert list(zip(*table, strict=True)) == [
                (number, -1 if row.host is None else row.host, row.stocks[name].capacity, row.stocks[name].used)
                for number, row in enumerate(state.rows)
                if row is not None and name in row.stocks
            ]
        for ours, theirs in self.items:
            assert [tuple(device) for device in self.engine.devices(ours)] == state.claims[theirs]
        for host in self.live()[:20]:
            assert self.engine.rows.links(host).tolist() == sorted(state.roots[host].links)

    def check(self):
        super().check()
        state = self.slow.state
        if state.rows:
            self.check_rows()
        table = eviction.counting.tables(self.slow)
        live = self.live()
        for counter, values in enumerate(table):
            for host in live[:3] + live[-1:]:
                assert self.engine.count(counter, host) == values[host]
            assert self.engine._state.counters.total(counter) == sum(values)
        _, kept, _ = self.engine._state.counters.save()
        for (_, _, _, cells), values in zip(kept, table, strict=True):
            column = [0] * len(values) if cells is None else np.frombuffer(cells, np.int64)[: len(values)].tolist()
            assert column == values
        assert [self.engine.allowance(i) for i in range(len(self.slow.budgets))] == [
            self.slow.allowance(i) for i in range(len(self.slow.budgets))
        ]
        held, pools = state.held, self.engine.pools
        assert [pools.holder(row) for row in range(len(pools))] == [held.holder.get(row) for row in range(len(pools))]
        for claim in range(len(self.slow.pools.claims)):
            assert pools.claim(claim) == (held.of(claim), held.pinned.get(claim))
        assert self.engine._state.overlays.live == len(state.promises)
        assert self.engine.window_start == state.cursor

    def evict(self, ours, theirs, hosts):
        """The engine's evictions beside the reference's; nothing moves."""
        held, moment = registry.snapshot(self.engine), self.engine._state.moment()
        got = self.engine.evict(ours, np.array(hosts, np.int64))
        want = eviction.evict(self.slow, theirs, hosts)
        assert self.engine._state.moment() == moment
        registry.assert_equal(held, registry.snapshot(self.engine))
        to_engine = {theirs: ours for ours, theirs in self.items}

        def as_engine(found):
            return (found.host, tuple(to_engine[item] for item in found.victims), found.violations, found.rank)

        def plain(found):
            return (found.host, found.victims, found.violations, found.rank)

        candidates = [each for each in want if isinstance(each, eviction.Candidate)]
        assert [plain(each) for each in got.candidates] == [as_engine(each) for each in candidates]
        best = eviction.best(want)
        assert [plain(each) for each in got.ties] == [as_engine(each) for each in best]
        chosen = min(best, key=lambda each: each.host, default=None)
        assert (got.best and plain(got.best)) == (chosen and as_engine(chosen))
        numbers = {name: number for number, name in enumerate(self.house.resources)}
        refused = [each for each in want if isinstance(each, eviction.NoCandidate)]
        assert [(each.host, each.why, each.first, each.short, each.argument) for each in got.others] == [
            (each.host, each.why, each.first, sum(1 << numbers[name] for name in each.short), each.argument)
            for each in refused
        ]
        self.decisions += len(hosts)


class TermsMachine(FleetMachine):
    """Everything that FleetMachine does, and what counts."""

    world_kind = TermsWorld

    @initialize(hosts=st.sampled_from(SIZES), seed=SEEDS)
    def start(self, hosts, seed):
        rng = random.Random(seed)
        house = draw_terms.house(rng)
        arguments = draw.fleet_arguments(rng, house, hosts)
        engine, slow = both_fleets(**arguments, rules=house.rules, scores=house.scores, scored_only=house.scored_only)
        self.worlds = [TermsWorld(house, engine, slow)]
        for _ in range(rng.randint(2, 5)):
            self.counter(rng.getrandbits(32))
        for _ in range(rng.randint(0, 2)):
            self.members(rng.getrandbits(32))
            self.budget(rng.getrandbits(32))
        if rng.random() < 0.7:
            self.pool_rows(rng.getrandbits(32))
            for _ in range(rng.randint(1, 4)):
                self.pool_claim(rng.getrandbits(32))
        for _ in range(rng.choice((0, 0, 1, 2))):
            self.rows(rng.getrandbits(32))
        for _ in range(rng.randint(1, 4)):
            self.request(rng.getrandbits(32))

    def changes(self):
        mine = [
            self.counter, self.members, self.extend, self.promise, self.withdraw, self.budget, self.set_allowance,
            self.mark, self.evict, self.window, self.pool_rows, self.pool_claim, self.free_claim,
            self.rows, self.row, self.link,
        ]  # fmt: skip
        return [*super().changes(), *mine]

    @rule(seed=SEEDS)
    def counter(self, seed):
        rng = random.Random(seed)
        w = self.world(rng)
        if len(w.slow.definitions.counters) < 12:
            arguments = draw_terms.counter(rng, w.slow)
            assert w.engine.counter(**arguments) == w.slow.counter(**arguments)

    @rule(seed=SEEDS)
    def members(self, seed):
        rng = random.Random(seed)
        w = self.world(rng)
        if len(w.slow.definitions.members) < 6:
            hosts = [host for host in range(len(w.engine)) if rng.random() < 0.6]
            w.sets[w.slow.members(hosts)] = w.engine.members(np.array(hosts, np.int64))

    @rule(seed=SEEDS)
    def extend(self, seed):
        rng = random.Random(seed)
        w = self.world(rng)
        ((ours, theirs),) = w.some_requests(rng, 1)
        known = w.slow.terms[theirs]
        if len(known.hard) > 6:
            return
        terms = [draw_terms.hard_term(rng, w.house, w.slow)] if rng.random() < 0.5 else []
        for term in draw_terms.soft_terms(rng, w.house, w.slow):
            agreed = known.soft.get(term.score, term)
            if len(agreed.refs) < 8 and rng.random() < 0.5:
                terms.append(draw_terms.replace(term, require_all=agreed.require_all))
        adds = draw_terms.contributes(rng, w.slow, flags=False) if rng.random() < 0.5 else {}
        if len(w.slow.definitions.contributes[theirs]) > 20:
            adds = {}
        w.engine.extend(ours, [engine_term(term, w.sets) for term in terms], adds)
        w.slow.extend(theirs, terms, adds)

    @rule(seed=SEEDS)
    def promise(self, seed):
        rng = random.Random(seed)
        w = self.world(rng)
        if w.live() and len(w.slow.state.promises) < 6:
            ((ours, theirs),) = w.some_requests(rng, 1)
            host, priority = rng.choice(w.live()), rng.choice((None, *draw_terms.LEVELS))
            if w.slow.groups[theirs][0]:
                w.refused(w.engine.promise, ours, host, priority)
                return
            assert w.engine.promise(ours, host, priority) == w.slow.promise(theirs, host, priority)

    @rule(seed=SEEDS)
    def withdraw(self, seed):
        rng = random.Random(seed)
        w = self.world(rng)
        if w.slow.state.promises:
            number = rng.choice(sorted(w.slow.state.promises))
            w.engine.withdraw(number)
            w.slow.withdraw(number)
            w.refused(w.engine.withdraw, number)

    @rule(seed=SEEDS)
    def budget(self, seed):
        rng = random.Random(seed)
        w = self.world(rng)
        if len(w.slow.budgets) < 4:
            allowance = rng.randint(-1, 3)
            assert w.engine.budget(allowance) == w.slow.budget(allowance)

    @rule(seed=SEEDS)
    def set_allowance(self, seed):
        rng = random.Random(seed)
        w = self.world(rng)
        if w.slow.budgets:
            budget, allowance = rng.randrange(len(w.slow.budgets)), rng.randint(-1, 3)
            w.engine.set_allowance(budget, allowance)
            w.slow.set_allowance(budget, allowance)

    @rule(seed=SEEDS)
    def pool_rows(self, seed):
        rng = random.Random(seed)
        w = self.world(rng)
        if len(w.slow.pools.rows) < 10:
            rows = [draw_terms.pool_row(rng, w.slow) for _ in range(rng.randint(0, 4))]
            seen = [None if row["seen"] is None else np.array(row["seen"], np.int64) for row in rows]
            ours = w.engine.pools.add(np.array([row["size"] for row in rows], np.int64), seen)
            assert ours.tolist() == [w.slow.pool_row(**row) for row in rows]

    @rule(seed=SEEDS)
    def pool_claim(self, seed):
        rng = random.Random(seed)
        w = self.world(rng)
        if len(w.slow.pools.claims) < 8:
            arguments = draw_terms.pool_claim(rng, w.slow)
            hosts = {name: arguments[name] for name in ("provision", "room") if arguments[name] is not None}
            masks = {name: np.isin(np.arange(len(w.engine)), given) for name, given in hosts.items()}
            rows, held = np.array(arguments["rows"], np.int64), np.array(arguments["held"], np.int64)
            start = {"held": held, "pinned": arguments["pinned"]}
            known = w.slow.pools
            offered = {row for one in known.claims for row in one.rows if known.rows[row].size >= one.size}
            if offered.union(*(one.held for one in known.claims)).intersection(arguments["held"]):
                w.refused(lambda: w.engine.pools.add_claim(1, rows, **start))
                return
            assert w.engine.pools.add_claim(arguments["size"], rows, **masks, **start) == w.slow.pool_claim(**arguments)

    @rule(seed=SEEDS)
    def rows(self, seed):
        rng = random.Random(seed)
        w = self.world(rng)
        if sum(row is not None for row in w.slow.state.rows) < 10 and len(w.engine) < 20:
            draw_rows.add_rows(rng, w.engine, fleet_rows.forest(w.slow), rng.randint(2, 5), w.live())

    @rule(seed=SEEDS)
    def row(self, seed):
        """A row is resized, relabelled or removed."""
        rng = random.Random(seed)
        w = self.world(rng)
        state, forest = w.slow.state, fleet_rows.forest(w.slow)
        rows = [number for number, row in enumerate(state.rows) if row is not None]
        if not rows:
            return
        number = rng.choice(rows)
        if rng.random() < 0.4:
            draw_rows.relabel(rng, w.engine, forest, rng.choice([number, *(~host for host in w.live()[:3])]))
        elif rng.random() < 0.5:
            for name in sorted(state.rows[number].stocks)[:1]:
                state.rows[number].stocks[name].capacity = rng.randint(0, 4)
                w.engine.rows.resize(number, {name: state.rows[number].stocks[name].capacity})
        elif any(row is not None and row.parent == number for row in state.rows) or any(
            row == number for claims in state.claims.values() for _, row, _, _ in claims
        ):
            w.refused(w.engine.rows.remove, number)
        else:
            w.engine.rows.remove(number)
            state.rows[number] = None
            for root in state.roots:
                root.links.discard(number)

    @rule(seed=SEEDS)
    def link(self, seed):
        rng = random.Random(seed)
        w = self.world(rng)
        if w.live() and w.slow.state.rows:
            draw_rows.link(rng, w.engine, fleet_rows.forest(w.slow), w.live())

    @rule(seed=SEEDS)
    def free_claim(self, seed):
        rng = random.Random(seed)
        w = self.world(rng)
        if w.slow.pools.claims:
            claim = rng.randrange(len(w.slow.pools.claims))
            w.engine.pools.free(claim)
            w.slow.state.held.free(claim)
            w.refused(w.engine.pools.free, len(w.slow.pools.claims))

    @rule(seed=SEEDS)
    def mark(self, seed):
        rng = random.Random(seed)
        w = self.world(rng)
        if w.items:
            chosen = rng.sample(w.items, rng.randint(1, min(len(w.items), 6)))
            ids = np.array([ours for ours, _ in chosen])
            count = rng.randint(0, 2) if w.slow.budgets else 0
            budgets = [rng.randrange(len(w.slow.budgets)) for _ in range(count)]
            priority, order = rng.choice(draw_terms.LEVELS), rng.choice((-(2**63) + 1, -5, 0, 0, 1, 2, 2**63 - 1))
            w.engine.mark(ids, priority=priority, order=order, budgets=[budgets] * len(ids))
            w.slow.mark([theirs for _, theirs in chosen], priority, order, budgets)
            w.refused(lambda: w.engine.mark([int(ids[0]), -1], priority=5))

    @rule(seed=SEEDS)
    def evict(self, seed):
        rng = random.Random(seed)
        w = self.world(rng)
        ((ours, theirs),) = w.some_requests(rng, 1)
        hosts = w.live()
        if len(hosts) > 12:
            hosts = sorted({host for _, host in w.slow.state.items.values()} | set(rng.sample(hosts, 3)))
        if rng.random() < 0.3:
            rng.shuffle(hosts)
        w.evict(ours, theirs, hosts)

    @rule(seed=SEEDS)
    def window(self, seed):
        rng = random.Random(seed)
        w = self.world(rng)
        if w.slow.window_order is not None and rng.random() < 0.7:
            w.engine.window(None)
            w.slow.window(None)
        elif w.live():
            order = rng.sample(w.live(), rng.randint(1, len(w.live())) if rng.random() < 0.5 else len(w.live()))
            stop, start = rng.randint(1, 3), rng.randrange(len(order))
            w.engine.window(stop, np.array(order), start)
            w.slow.window(stop, order, start)

    @rule(seed=SEEDS)
    def crowded(self, seed):
        """Many items of any class on one host, marked, then a request that wants in."""
        rng = random.Random(seed)
        w = self.world(rng)
        if not w.live() or len(w.items) > 60:
            return
        host = rng.choice(w.live())
        for request in w.some_requests(rng, rng.randint(2, 6)):
            w.claimed([request], [0], [host])
        if w.items:
            self.mark(rng.getrandbits(32))
        asking = [pair for pair in w.requests if w.slow.groups[pair[1]][0]]
        for ours, theirs in [*w.some_requests(rng, 1), *asking[:2]]:
            w.evict(ours, theirs, [host])


def machine_for(name):
    machine = type(f"TermsMachine_{name}", (TermsMachine,), {"copy": name})
    case = machine.TestCase
    case.settings = settings(settings.default)
    return case


for copy_name in kernels.available():
    globals()[f"TestTerms_{copy_name}"] = machine_for(copy_name)
