"""Two equal fleets, one that decides by index or by bounds and one that always scans, through one random life.

Decides nothing about right or wrong rules; tests/property/sides.py compares the engine with the reference.
"""

import random
from types import SimpleNamespace

import numpy as np

import binwright
from binwright import BinwrightError
from binwright.profile import Profile
from tests.property import draw, draw_terms
from tests.property.sides import columns, engine_request, engine_rule, engine_score, engine_term
from tests.reference.pools import Claim, PoolRow, Pools


class Pair:
    """The two fleets of one life, with the requests, items and checkpoints made on them."""

    def __init__(self, rng: random.Random, hosts: int, house=None, threads=1):
        self.rng = rng
        self.threads = threads
        self.by_bounds = rng.random() < 0.4  # alone: no class has an index, and most have no terms over counters
        self.house = house or self.drawn_house()
        given = draw.fleet_arguments(rng, self.house, hosts)
        if self.by_bounds:
            times = rng.choice((1, 10, 97, 1013))
            given["capacity"] = {
                name: [min(times * amount, 2**56) for amount in c] for name, c in given["capacity"].items()
            }
        made = {name: columns(given[name]) for name in ("capacity", "used") if name in given}
        profile = Profile(
            rules=tuple(map(engine_rule, self.house.rules)), scores=tuple(map(engine_score, self.house.scores))
        )
        options = {"profile": profile, "labels": given["labels"], "scored_only": self.house.scored_only}
        self.fleets = self.set_ways([binwright.Fleet(**made, **options) for _ in range(2)])
        self.definitions = SimpleNamespace(counters=[], members=[])
        self.pools = Pools()
        self.requests: list = []
        self.items: list[int] = []
        self.checkpoints: list = []
        self.decisions = 0
        self.answered = self.bounded = 0  # by an index, by bounds, of fleets that are gone
        for _ in range(rng.randint(0, 5) if not self.by_bounds or rng.random() < 0.3 else 0):
            self.counter()
        for _ in range(rng.randint(0, 2)):
            self.members()
        if rng.random() < 0.3:
            self.pool()
        for _ in range(rng.randint(1, 6)):
            self.request()

    @property
    def state(self):  # as draw_terms asks the reference
        return SimpleNamespace(alive=range(len(self.fleets[0])))

    def live_hosts(self):  # the same
        return list(range(len(self.fleets[0])))

    def pool(self):
        """Rows and claims that some requests will name."""
        for _ in range(self.rng.randint(1, 5)):
            row = draw_terms.pool_row(self.rng, self)
            seen = [None if row["seen"] is None else np.array(row["seen"], np.int64)]
            self.both(lambda fleet, row=row, seen=seen: fleet.pools.add([row["size"]], seen).tolist())
            self.pools.rows.append(PoolRow(row["size"], None))
        for _ in range(self.rng.randint(1, 3)):
            claim = draw_terms.pool_claim(self.rng, self) | {"held": (), "pinned": None}
            sets = {name: np.array(claim[name], np.int64) for name in ("provision", "room") if claim[name] is not None}
            self.both(lambda fleet, claim=claim, sets=sets: fleet.pools.add_claim(**{**claim, **sets}))
            self.pools.claims.append(Claim(claim["size"], claim["rows"], set(), None))

    def drawn_house(self):
        """A third without scores that read counters, so that most classes have an index; all that bounds decide for."""
        house = draw_terms.house(self.rng)
        if self.by_bounds or self.rng.random() < 0.4:
            house = draw.House(
                house.resources, house.unit, house.rules, [s for s in house.scores if s.kind not in ("count", "spread")]
            )
        return house

    def set_ways(self, fleets: list) -> list:
        """How each of the two decides."""
        fleets[0]._state.indexes.none = self.by_bounds
        fleets[0]._state.indexes.filter.off = not self.by_bounds and self.rng.random() < 0.5
        fleets[0]._state.indexes.filter.many_blocks = self.rng.choice((1, 64 if self.threads == 1 else 1))
        fleets[0].threads = self.threads
        bounds = fleets[0]._state.indexes.filter
        bounds.shared_blocks = bounds.piece_blocks = 1
        fleets[1]._state.indexes.off = True
        return fleets

    # ---- both at once

    def both(self, call):
        """What a call on each fleet returns; both the same, or both refuse alike."""
        said = []
        for fleet in self.fleets:
            try:
                said.append(("returned", call(fleet)))
            except BinwrightError as error:
                said.append(("refused", str(error)))
        (how, one), (also, other) = said
        assert how == also
        if isinstance(one, np.ndarray):
            assert np.array_equal(one, other)
        elif one.__class__.__module__ == "builtins":
            assert one == other
        return one if how == "returned" else None

    def live(self) -> list[int]:
        return np.flatnonzero(self.fleets[0]._flags() & 2 == 0).tolist()

    def some_hosts(self, most: int) -> list[int]:
        live = self.live()
        return self.rng.sample(live, min(len(live), self.rng.randint(1, most)))

    def placed(self, call) -> None:
        """A batch on both: every answer is the same, and the indexed one is what a scan of that moment says."""
        ours, theirs = (call(fleet) for fleet in self.fleets)
        for name in ("hosts", "scores", "verdicts", "items"):
            one, other = getattr(ours, name), getattr(theirs, name)
            assert np.array_equal(one, other), (name, one.tolist(), other.tolist())
        self.decisions += len(ours)
        self.items += ours.items[ours.hosts >= 0].tolist()
        if len(ours) and self.rng.random() < 0.05:
            i = self.rng.randrange(len(ours))
            ties = ours.ties(i)
            assert ties.tolist() == theirs.ties(i).tolist()
            if ours.hosts[i] >= 0:
                assert ties[0] == ours.hosts[i]
            else:
                assert ours.explain(i).reasons == theirs.explain(i).reasons

    # ---- definitions

    def counter(self):
        if len(self.definitions.counters) < 8:
            given = draw_terms.counter(self.rng, self)
            self.both(lambda fleet: fleet.counter(**given))
            self.definitions.counters.append(SimpleNamespace(kind=given.get("kind", "additive")))

    def members(self):
        if len(self.definitions.members) < 4:
            hosts = np.array([host for host in self.live() if self.rng.random() < 0.6], np.int64)
            self.both(lambda fleet: fleet.members(hosts))
            self.definitions.members.append(hosts)

    def request(self):
        if len(self.requests) >= 24:
            return
        if self.definitions.counters:
            given = draw_terms.request_arguments(self.rng, self.house, self)
        else:
            given = draw.request_arguments(self.rng, self.house, len(self.fleets[0]))
        self.requests.append([engine_request(fleet, **given) for fleet in self.fleets])

    def extend(self):
        if not self.definitions.counters:
            return
        pair = self.rng.choice(self.requests)
        terms = [engine_term(draw_terms.hard_term(self.rng, self.house, self))] if self.rng.random() < 0.5 else []
        adds = draw_terms.contributes(self.rng, self, flags=False) if self.rng.random() < 0.3 else {}
        for fleet, request in zip(self.fleets, pair, strict=True):
            fleet.extend(request, terms, adds)

    # ---- hosts

    def add_hosts(self):
        if len(self.fleets[0]) > 400:
            return
        count = self.rng.randint(1, 3)
        made, labels = draw.host_columns(self.rng, self.house, count), draw.label_columns(self.rng, count)
        self.both(lambda fleet: fleet.add_hosts(columns(made), labels=labels))

    def remove_host(self):
        hosts = np.array(self.some_hosts(2), np.int64)
        self.both(lambda fleet: fleet.remove_hosts(hosts))

    def resize(self):
        host = self.rng.choice(self.live())
        names = self.rng.sample(self.house.resources, self.rng.randint(1, len(self.house.resources)))
        capacity = {name: draw.amount(self.rng, self.house, 10) for name in names}
        self.both(lambda fleet: fleet.resize(host, capacity))

    def cordon(self):
        hosts, way = np.array(self.some_hosts(3), np.int64), self.rng.choice(("cordon", "uncordon"))
        self.both(lambda fleet: getattr(fleet, way)(hosts))

    def relabel(self):
        host = self.rng.choice(self.live())
        labels = {key: self.rng.choice((*draw.KEYS[key], None)) for key in self.rng.sample(sorted(draw.KEYS), 1)}
        self.both(lambda fleet: fleet.relabel(host, labels))

    def repair(self):
        pair = self.rng.choice(self.requests)
        rejects = {name: self.rng.randint(-1, 3) for name in self.house.static_rules if self.rng.random() < 0.6}
        raw = {name: self.rng.choice((0, 1, 7, 2**20)) for name in self.house.static_scores if self.rng.random() < 0.6}
        host = self.rng.choice(self.live())
        for fleet, request in zip(self.fleets, pair, strict=True):
            fleet.repair(request, host, rejects=rejects or None, raw=raw or None)

    # ---- items

    def place(self):
        pair, count = self.rng.choice(self.requests), self.rng.choice((1, 1, 2, 5, 20))
        self.placed(lambda fleet: fleet.place(pair[fleet is self.fleets[1]], count=count))

    def place_many(self):
        count = self.rng.choice((1, 3, 10, 60, 150))
        which = np.array([self.rng.randrange(len(self.requests)) for _ in range(count)])
        self.placed(lambda fleet: fleet.place_many([pair[fleet is self.fleets[1]] for pair in self.requests], which))

    def claim(self):
        pair, hosts = self.rng.choice(self.requests), np.array(self.some_hosts(4), np.int64)
        made = self.both(lambda fleet: fleet.claim(pair[fleet is self.fleets[1]], hosts))
        self.items += [] if made is None else made.tolist()

    def release(self, most=40):
        going = self.rng.sample(self.items, min(len(self.items), self.rng.randint(1, most)))
        if going:
            self.both(lambda fleet: fleet.release(np.array(going)))
            gone = set(going)
            self.items = [item for item in self.items if item not in gone]

    def promise(self):
        pair = self.rng.choice(self.requests)
        host = self.rng.choice(self.live())
        number = self.both(lambda fleet: fleet.promise(pair[fleet is self.fleets[1]], host))
        for _ in range(3):
            self.step()
        self.both(lambda fleet: fleet.withdraw(number))

    def window(self):
        order = np.array(self.live(), np.int64)
        if len(order):
            self.both(lambda fleet: fleet.window(2, order))
            self.place()
            self.both(lambda fleet: fleet.window(None))

    def evict(self):
        pair, hosts = self.rng.choice(self.requests), np.array(self.some_hosts(3), np.int64)
        found = [fleet.evict(request, hosts) for fleet, request in zip(self.fleets, pair, strict=True)]
        assert [each.victims for each in found[0].candidates] == [each.victims for each in found[1].candidates]

    # ---- undo

    def checkpoint(self):
        if len(self.checkpoints) < 4:
            tokens = [fleet.checkpoint() for fleet in self.fleets]
            self.checkpoints.append((tokens, list(self.items)))

    def rollback(self):
        if self.checkpoints:
            tokens, self.items = self.checkpoints.pop()
            for fleet, token in zip(self.fleets, tokens, strict=True):
                fleet.rollback(token)

    def keep(self):
        if self.checkpoints:
            tokens, _ = self.checkpoints.pop()
            for fleet, token in zip(self.fleets, tokens, strict=True):
                fleet.keep(token)

    def what_if(self):
        depth = len(self.checkpoints)
        if depth < 4:
            self.checkpoint()
            for _ in range(self.rng.randint(1, 4)):
                self.step()
            while len(self.checkpoints) > depth:
                self.rollback()

    def fork(self):
        if not self.checkpoints:
            self.answered += self.fleets[0]._state.indexes.answered
            self.bounded += self.fleets[0]._state.indexes.filter.answered
            self.fleets = self.set_ways([fleet.fork() for fleet in self.fleets])

    def squeeze(self):
        """Little memory for indexes and static columns, or enough again."""
        indexes = self.fleets[0]._state.indexes
        indexes.most_bytes = self.rng.choice((1, 5_000, 20_000, 1 << 28))
        indexes.filter.statics.most_bytes = self.rng.choice((1, 2_000, 1 << 26))

    # ---- a life

    def step(self):
        """One random call."""
        often = [self.place, self.place_many, self.place_many, self.release, self.release]
        seldom = [
            self.counter, self.members, self.request, self.extend, self.add_hosts, self.remove_host, self.resize,
            self.cordon, self.relabel, self.repair, self.claim, self.promise, self.window, self.evict, self.checkpoint,
            self.rollback, self.keep, self.what_if, self.fork, self.squeeze,
        ]  # fmt: skip
        if not self.live():
            self.add_hosts()
        if len(self.items) > 400:
            self.release(400)
        self.rng.choice(often if self.rng.random() < 0.6 else seldom)()

    def check(self):
        """The two fleets are one."""
        ours, theirs = self.fleets
        assert np.array_equal(ours.used, theirs.used)
        assert np.array_equal(ours.capacity, theirs.capacity)
        for counter in range(len(self.definitions.counters)):
            assert ours._state.counters.total(counter) == theirs._state.counters.total(counter)

    def by_index(self) -> int:
        """Decisions that an index took."""
        return self.answered + self.fleets[0]._state.indexes.answered

    def by_filter(self) -> int:
        """Decisions that bounds took."""
        return self.bounded + self.fleets[0]._state.indexes.filter.answered
