"""Named, seeded work for the indexes of the core: equal requests under each kind of term, classes in turn, requests
that are all different, what-if.

Like binwright.bench.workloads, which see. What a run decided is checked against the plain scan: its first decisions,
and the next ones after it.
"""

import random
from array import array
from collections.abc import Callable

from binwright._core import place
from binwright._core.columns import Columns
from binwright._core.request import RequestClass, Statics
from binwright._core.state import State
from binwright.bench.fleets import (
    DEMANDS,
    ELIGIBLE,
    PERIOD,
    Hosts,
    Wanted,
    default_profile,
    filled,
    hosts_of,
    least_allocated,
    register,
    repeated,
    requests_of,
    state_of,
    term,
)
from binwright.bench.workloads import PLACED, Answers, Unit, columns

RESOURCES = 4
GROWN = 8  # hosts are so many times as large as elsewhere, so that a million requests fit on 5,000
ZONES = 3
CHECKED = 2_000_000  # hosts that the scan looks at to check a run
MOST = 1_000_000  # decisions of a run
DIFFERENT = 40  # demands of classes in turn
LABEL_SETS = SELECTORS = 50  # of requests that are all different
BOUNDED = 500_000_000  # hosts for which a run of those has bounds computed


class Indexed:
    """`decisions` requests of `classes` classes in turn under one kind of term; every run makes its indexes anew,
    unless it is `warm`.
    """

    def __init__(self, hosts: Hosts, terms: str, classes: int, decisions: int, warm: bool = False) -> None:
        decisions = min(decisions, MOST)
        self.decisions, self.warm = decisions, warm
        self.state = fleet_under(hosts, terms)
        wanted = requests_of(hosts, min(classes, DIFFERENT), statics=terms == "raw")
        self.numbers = [asked(self.state, terms, wanted[i % DIFFERENT]) for i in range(classes)]
        self.queue = array("q", [self.numbers[i % classes] for i in range(decisions)])
        self.answers = Answers(decisions)
        self.token = self.state.checkpoint()

    def run(self) -> None:
        if not self.warm:
            self.state.indexes.clear()
        self.place(self.state, self.answers, 0)

    def place(self, state: State, answers: Answers, first: int) -> None:
        """The requests of the queue from `first` on, round and round, as many as the answers hold."""
        if len(self.numbers) == 1:
            place.place_same(state, self.numbers[0], *answers.columns())
            return
        count = len(answers.hosts)
        queue = array("q", [self.queue[(first + i) % self.decisions] for i in range(count)]) if first else self.queue
        place.place_queue(state, queue[:count], *answers.columns())

    def reset(self) -> None:
        self.state.rollback(self.token)
        self.token = self.state.checkpoint()

    def check(self) -> None:
        """All were placed, by indexes, and again alike; the first and the next ones where the scan places them."""
        decided = list(self.answers.hosts), list(self.answers.scores)
        assert set(self.answers.verdicts) == {PLACED}
        indexes = self.state.indexes
        assert indexes.answered + indexes.filter.answered >= self.decisions - 2 * min(len(self.numbers), 20)
        few = max(1, min(self.decisions, CHECKED // self.state.fleet.hosts, 64))
        self.compare(self.state, Answers(few), Answers(few), self.decisions)
        self.reset()
        before = self.state.fork()
        self.run()
        assert (list(self.answers.hosts), list(self.answers.scores)) == decided
        scanned = Answers(few)
        before.indexes.off = True
        self.place(before, scanned, 0)
        assert scanned.hosts == self.answers.hosts[:few]
        assert scanned.scores == self.answers.scores[:few]

    def compare(self, state: State, ours: Answers, theirs: Answers, first: int) -> None:
        twin = state.fork()
        twin.indexes.off = True
        self.place(twin, theirs, first)
        self.place(state, ours, first)
        assert (ours.hosts, ours.scores) == (theirs.hosts, theirs.scores)


class Different(Indexed):
    """Requests none of which is like another: the default profile, LABEL_SETS counters to one of which each adds, and
    one of SELECTORS sets of hosts; those of every fifth selector have preferences among them.
    """

    def __init__(self, hosts: Hosts, requests: int) -> None:
        self.decisions, self.warm = requests, True
        large = grown(hosts)
        self.state = state_of(large, default_profile(RESOURCES))
        for _ in range(LABEL_SETS):
            self.state.counters.new_counter(0, -1)
        statics = [statics_of(hosts.count, self.state.fleet.stride, i) for i in range(SELECTORS)]
        self.numbers = []
        for i in range(requests):
            demand = array(
                "q", [(1 + (i + r) % 3) * amount + amount * i // 1024 for r, amount in enumerate(DEMANDS[:RESOURCES])]
            )
            mask, raw = statics[i % SELECTORS]  # one copy for the requests of a selector: nobody writes to them
            made = RequestClass(demand, demand, demand, 0)
            number = self.state.add_class(made, Statics(mask, {}, dict(raw)), [])
            self.state.counters.contribute(number, i // SELECTORS % LABEL_SETS, 1, 1, [])
            self.numbers.append(number)
        random.Random(5).shuffle(self.numbers)
        self.queue = array("q", self.numbers)
        self.answers = Answers(requests)
        self.token = self.state.checkpoint()


class IndexedWhatIf(Indexed):
    """Checkpoint, place, roll back, with the index warm from the time before."""

    def __init__(self, hosts: Hosts, terms: str, decisions: int) -> None:
        super().__init__(hosts, terms, 1, decisions, warm=True)
        self.place(self.state, Answers(2), 0)

    def run(self) -> None:
        token = self.state.checkpoint()
        super().run()
        self.state.rollback(token)

    def check(self) -> None:
        """The fleet is as it was, and the same again ends the same."""
        before, hosts = columns(self.state, "used"), list(self.answers.hosts)
        self.run()
        assert columns(self.state, "used") == before
        assert hosts == list(self.answers.hosts)
        ours, theirs = Answers(8), Answers(8)
        self.compare(self.state, ours, theirs, 0)
        assert list(ours.hosts) == hosts[:8]
        self.reset()


class DrainProbe:
    """One host is closed and emptied of 30 items of 30 classes: where would they go? Then all is taken back."""

    decisions = 30

    def __init__(self, hosts: Hosts, items: int) -> None:
        self.state = fleet_under(hosts, "plain")
        wanted = requests_of(hosts, self.decisions, statics=False)
        numbers = array("q", [asked(self.state, "plain", each) for each in wanted])
        self.queue, self.answers = numbers, Answers(self.decisions)
        spread = Answers(max(items - self.decisions, 1))
        place.place_queue(
            self.state, array("q", [numbers[i % self.decisions] for i in range(len(spread.hosts))]), *spread.columns()
        )
        self.moving = array("q", bytes(8 * self.decisions))
        place.claim(self.state, numbers, array("q", bytes(8 * self.decisions)), self.moving)
        self.run()

    def run(self) -> None:
        token = self.state.checkpoint()
        self.state.fleet.set_flags(0, 1)
        place.release(self.state, self.moving)
        place.place_queue(self.state, self.queue, *self.answers.columns())
        self.state.rollback(token)

    def reset(self) -> None:
        pass

    def check(self) -> None:
        """All 30 find another host, those that the scan finds; afterwards the fleet is as it was."""
        decided, before = (list(self.answers.hosts), list(self.answers.scores)), columns(self.state, "used")
        assert set(self.answers.verdicts) == {PLACED}
        assert 0 not in self.answers.hosts
        assert self.state.indexes.answered + self.state.indexes.filter.answered >= self.decisions
        self.state.indexes.off = True
        self.run()
        self.state.indexes.off = False
        assert (list(self.answers.hosts), list(self.answers.scores)) == decided
        assert columns(self.state, "used") == before


def grown(hosts: Hosts) -> Hosts:
    """The hosts, GROWN times as large."""
    return Hosts(
        *([array("q", [GROWN * amount for amount in c]) for c in kept] for kept in (hosts.capacity, hosts.used))
    )


def statics_of(hosts: int, stride: int, selector: int) -> tuple[Columns, dict[int, Columns]]:
    """Which hosts a selector rejects, from 5 to 95 of a hundred, and the raw scores of those with preferences."""
    dice = random.Random(f"selector {selector}")
    drawn = min(hosts, PERIOD)
    share = (5, 25, 50, 75, 95)[selector // 10 % 5]
    mask = array("I", dice.choices((0, 1 << ELIGIBLE), (100 - share, share), k=drawn))
    raw = {}
    if selector % 5 == 0:
        raw = {slot: array("q", dice.choices((0, 1, 2, 7), k=drawn)) for slot in (0, 1)}
    columns = {slot: filled(repeated(column, hosts), stride) for slot, column in raw.items()}
    return filled(repeated(mask, hosts), stride), columns


def fleet_under(hosts: Hosts, terms: str) -> State:
    """The hosts, GROWN times as large, in ZONES zones, one counter; scores as `terms` needs them."""
    large = grown(hosts)
    specs = least_allocated(RESOURCES)
    if terms != "plain":
        specs = [*default_profile(RESOURCES), term("spread", (), 2), term("count", (), 2, "minmax")]
    state = state_of(large, specs)
    key = state.domains.add_key("zone")
    domains = [state.domains.domain(key, f"zone {i}") for i in range(ZONES)]
    state.domains.fill(key, 0, array("i", [domains[i % ZONES] for i in range(hosts.count)]))
    state.counters.new_counter(0, -1)
    return state


def ref(key: int, **more: int) -> dict[str, int]:
    return {"counter": 0, "key": key, "members": -1, "weight": 1, "max_skew": 5, "per_host": 0, **more}


def hard(op: str, key: int, **more: int) -> dict[str, object]:
    """A hard term over the one counter, as binwright.bench.fleets' rules have it in place of the first."""
    rest = {"argument": 0, "missing": 0, "skip_when_empty": 0, "resolvable": 1, "missing_resolvable": 0, "self": 1}
    rest |= {"limit": 5, "least_domains": 1, "held": -1, "resource": -1}
    return {"op": op, "rule": 0, **rest, **more, "refs": [ref(key)]}


HOST, ZONE = -1, 0
TERMS: dict[str, tuple[list, list]] = {
    "plain": ([], []),
    "raw": ([], []),
    "skew": ([hard("skew", ZONE)], []),
    "spread": ([], [{"slot": 0, "require_all": 1, "refs": [ref(ZONE, max_skew=3), ref(HOST, per_host=1)]}]),
    "apart": ([hard("forbid", HOST)], []),
    "together": ([hard("require", ZONE)], []),
    "near": ([], [{"slot": 1, "require_all": 1, "refs": [ref(HOST, weight=10)]}]),
}


def asked(state: State, terms: str, wanted: Wanted) -> int:
    """A request class under these terms, whose items count; its number."""
    number = register(state, wanted)
    state.domain_terms.extend(number, *TERMS[terms])
    state.counters.contribute(number, 0, 1, 1, [])
    return number


def equal(terms: str, most: int) -> Callable[[Hosts], Unit]:
    return lambda hosts: Indexed(hosts, terms, 1, most if terms != "apart" else min(most, hosts.count // 2))


def different(hosts: Hosts) -> Unit:
    return Different(hosts, min(5_000, BOUNDED // hosts.count))


def drain(hosts: Hosts) -> Unit:
    return DrainProbe(hosts, min(30_000, 30 * hosts.count))


# name -> (what it is, how to make it)
INDEXED: dict[str, tuple[str, Callable[[Hosts], Unit]]] = {
    "index_equal": ("a million equal requests, resources only, index build included", equal("plain", 1_000_000)),
    "index_raw": ("100,000 equal, default profile, raw scores normalised", equal("raw", 100_000)),
    "index_skew": ("100,000 equal, hard zone spread", equal("skew", 100_000)),
    "index_spread": ("100,000 equal, soft zone and host spread", equal("spread", 100_000)),
    "index_apart": ("equal, one a host (anti-affinity)", equal("apart", 100_000)),
    "index_together": ("100,000 equal, zone affinity", equal("together", 100_000)),
    "index_near": ("100,000 equal, preferred host affinity", equal("near", 100_000)),
    "index_what_if": (
        "checkpoint, 100 placed, rollback; resources only",
        lambda hosts: IndexedWhatIf(hosts, "plain", 100),
    ),
    "index_what_if_spread": ("the same, soft spread", lambda hosts: IndexedWhatIf(hosts, "spread", 100)),
    "index_drain": ("drain probe: a host closed, its 30 items of 30 classes placed elsewhere, rollback", drain),
    "index_turns_20": ("20 classes in turn", lambda hosts: Indexed(hosts, "plain", 20, 20_000, warm=True)),
    "index_turns_200": ("200 classes in turn", lambda hosts: Indexed(hosts, "plain", 200, 4_000, warm=True)),
    "index_turns_2000": ("2,000 classes in turn", lambda hosts: Indexed(hosts, "plain", 2_000, 4_000, warm=True)),
    "index_different": (
        "5,000 different requests (500 at 1,000,000 hosts), 50 label sets, 50 selectors, default profile",
        different,
    ),
}


def make(name: str, hosts: int) -> Unit:
    """The workload `name` over `hosts` hosts with four resources."""
    return INDEXED[name][1](hosts_of(hosts, RESOURCES))
