"""The fleet: hosts in columns, requests, placements and their undo. Names, converts, validates, calls the core once.

Knows hosts, resources, labels and rules by name; nothing of the layers above.
"""

import weakref
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np
import numpy.typing as npt

from binwright import arguments, arrays
from binwright._core import place as core_place
from binwright._core import ranking as core_ranking
from binwright._core.crew import MOST_THREADS
from binwright._core.request import RequestClass
from binwright._core.state import OutOfOrder, State, rebuild_state
from binwright.arrays import Int64Array
from binwright.counting import Contributions, CounterMethods
from binwright.errors import InputError, StateError
from binwright.eviction import EvictionMethods
from binwright.explain import Explanation
from binwright.external import External, Wrapped
from binwright.groups import Group, GroupRules
from binwright.hosting import ABSENT, HostMethods, host_columns
from binwright.labels import Labels
from binwright.pools import Pools
from binwright.profile import Profile
from binwright.request import LIMITS, Request, raw_value, request_class, rule_position, score_slot, static_parts
from binwright.result import PlaceResult
from binwright.rows import RowMethods, Rows
from binwright.terms import HardTerm, SoftTerm
from binwright.turns import one_writer

MAX_RESOURCES = 64
MAX_COUNT = 2**31 - 1  # items are numbered in 32 bits
RECORDING: ContextVar[Any] = ContextVar("binwright.recording", default=None)  # the DecisionLog in force


class Fleet(HostMethods, CounterMethods, EvictionMethods, RowMethods):
    """Hosts with capacities, and everything that is placed on them.

    capacity: {resource: 1-D int64 array (hosts,)}, amounts 0..2**56 in the resource's own unit; or anything with
    `__arrow_c_stream__` whose integer columns are resources and whose string column "name" names the hosts.
    used: the same shape, what is taken already. names: unique strings. profile: rules and scores; without one,
    least-allocated over all filtered resources. scored_only: resources that scores read and no rule filters.
    labels: {key: sequence of str or None (hosts,)}. smallest, largest, step: {resource: int array (hosts,)}, limits
    of one claim. Raises InputError, naming resource and host, for anything else; floats are refused.

    Host indexes are stable: a removed host leaves a hole, added ones go to the end. One thread at a time; the GIL is
    released while a batch runs, and a second thread that enters is refused with StateError: give each its own fork.
    Safe across os.fork; pickles without its history.
    """

    def __init__(
        self,
        capacity: Mapping[str, Any] | Any,
        used: Mapping[str, Any] | Any | None = None,
        names: Sequence[str] | None = None,
        profile: Profile | None = None,
        *,
        scored_only: Iterable[str] = (),
        labels: Mapping[str, Sequence[str | None]] | None = None,
        smallest: Mapping[str, Any] | None = None,
        largest: Mapping[str, Any] | None = None,
        step: Mapping[str, Any] | None = None,
    ) -> None:
        capacity, used, names = host_columns("fleet", capacity, used, names)
        self.resources: tuple[str, ...] = tuple(capacity)
        self._number = {name: i for i, name in enumerate(self.resources)}
        if len(self.resources) > MAX_RESOURCES:
            raise InputError(f"fleet: {len(self.resources)} resources, at most {MAX_RESOURCES}")
        self.scored_only = frozenset(arguments.names("fleet: scored_only", scored_only, "resources"))
        self._check_resources("fleet: scored_only", self.scored_only)
        filtered = [name for name in self.resources if name not in self.scored_only]
        self.profile = Profile.default(filtered) if profile is None else profile
        if not isinstance(self.profile, Profile):
            raise InputError(f"fleet: profile {profile!r} is not a binwright.Profile")
        self._state = State(len(self.resources), *self.profile.compiled(self.resources))
        self._labels = Labels(self._state.domains)
        fresh = self.profile.host_columns
        self._columns = {name: self._state.floats.new_column(value) for name, value in fresh.items()}
        self.rows = Rows(self._state, self.resources, self._hosts)
        self.pools = Pools(self._state, self._hosts)
        self._names: list[str | None] = []
        self._index: dict[str, int] = {}
        self._requests: dict[tuple[object, ...], Request] = {}
        self._made: list[Request] = []
        self._labelled: dict[int, Mapping[str, frozenset[str]]] = {}  # class -> label selector
        self._explicit: set[int] = set()  # classes whose eligible hosts were listed
        self._append("fleet", capacity, used, names, labels)
        self._set_limits({"smallest": smallest, "largest": largest, "step": step})
        log = RECORDING.get()
        if log is not None and type(self) is Fleet:
            named = {"scored_only": self.scored_only, "labels": labels}
            named |= {"smallest": smallest, "largest": largest, "step": step}
            log.made(self, (capacity, used, names, profile), named)

    # ---- views -----------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return self._state.fleet.hosts

    def __repr__(self) -> str:
        return f"Fleet({len(self)} hosts, {', '.join(self.resources)}; {self._state.items.alive} items)"

    def _repr_html_(self) -> str:
        from html import escape  # its table of entities is worth a tenth of the whole import

        rows = "".join(
            f"<tr><th>{escape(name)}</th><td>{int(self.used[i].sum())}</td><td>{int(self.capacity[i].sum())}</td></tr>"
            for i, name in enumerate(self.resources)
        )
        head = "<tr><th>resource</th><th>used</th><th>capacity</th></tr>"
        return f"<table><caption>{escape(repr(self))}</caption>{head}{rows}</table>"

    @property
    def capacity(self) -> Int64Array:
        """int64 (resources, hosts): a read-only view, no copy. Adding hosts leaves earlier views as they were."""
        return self._view("capacity")

    @property
    def used(self) -> Int64Array:
        """int64 (resources, hosts), a read-only view like `capacity`."""
        return self._view("used")

    def _view(self, name: str) -> Int64Array:
        fleet = self._state.fleet
        cells = np.frombuffer(getattr(fleet, name), np.int64)
        return cells.reshape(len(self.resources), fleet.stride)[:, : fleet.hosts]

    def _flags(self) -> npt.NDArray[np.uint8]:
        return np.frombuffer(self._state.fleet.flags, np.uint8)[: len(self)]

    @property
    def names(self) -> list[str | None]:
        """Name of each host slot; None for hosts without a name and for removed ones."""
        gone = self._flags() & ABSENT
        return [None if absent else name for name, absent in zip(self._names, gone.tolist(), strict=False)]

    def host(self, name: str) -> int:
        """Index of the host called `name`. Raises InputError for an unknown name."""
        index = self._index.get(arguments.name("fleet: host", name))
        if index is None or not self._is_called(index, name):
            present = self.names
            self._index = {known: i for i, known in enumerate(present) if known is not None}
            index = self._index.get(name)
        if index is None:
            raise InputError(f"fleet: no host {name!r}")
        return index

    def _is_called(self, host: int, name: str) -> bool:
        return host < len(self) and self._names[host] == name and not self._flags()[host] & ABSENT

    def label(self, host: int, key: str) -> str | None:
        """Value of one label of a host, None where it has none."""
        return self._labels.value(self._one_host("label", host), arguments.name("label: key", key))

    @property
    def threads(self) -> int:
        """How many threads one decision may use, 1 unless set; at most 64. Forks take it over, pickles do not.

        It changes no answer, only the time of requests that are decided without an index, where some 25,000 hosts or
        more have to be looked at (docs/index.md, "Two threads"). The helpers are one crew for all fleets of the
        process: they are started when they are first wanted, look for more work for some 100 us before they sleep,
        and end with the interpreter; a fleet that decides while another has them uses its own thread alone. So does
        every fleet on Windows. Set it to no more than the processors that are free. Raises InputError for anything
        but 1..64.
        """
        return self._state.scan.threads

    @threads.setter
    @one_writer
    def threads(self, count: int) -> None:
        wanted = arrays.index("threads", count)
        if not 1 <= wanted <= MOST_THREADS:
            raise InputError(f"threads: {wanted} is outside 1..{MOST_THREADS}")
        self._state.scan.threads = wanted

    # ---- requests --------------------------------------------------------------------------------------------

    @one_writer
    def request(
        self,
        demand: Mapping[str, int],
        *,
        commit: Mapping[str, int] | None = None,
        score: Mapping[str, int] | None = None,
        eligible: Any = None,
        rejects: Mapping[str, Any] | None = None,
        raw: Mapping[str, Any] | None = None,
        skip: Iterable[str] = (),
        terms: Iterable[HardTerm | SoftTerm] = (),
        contributes: Contributions | None = None,
        priority: int = 0,
        external: Sequence[External] = (),
        groups: Sequence[Group] = (),
        group_rules: GroupRules | None = None,
        kind: Hashable = None,
        name: str | None = None,
    ) -> Request:
        """Compile a request once; an equal one made before comes back as the same object.

        demand: what a host must have free, amounts by resource; 0 is not filtered. commit: what a placed one adds to
        every resource. score: what the scores see. Both default to `demand`. eligible: bool array (hosts,), HostSet,
        array of host indexes, or {label: values} (all keys must match; follows `relabel`). rejects: {static rule:
        bool array, or int array with -1 = passes, k >= 0 = rejects with the caller's argument k}. raw: {static
        score: int array (hosts,) in 0..2**40}. skip: scores not run for this request. terms: conditions and
        attractions over counters (binwright.terms). contributes: {counter: what one item adds, or (that, what it
        counts for when `evict` takes it out on trial)}. priority: promises of lower priority do not count for it, and
        it may evict items of lower priority. external: filters and scores of the caller's own (binwright.External).
        groups: what is asked of the rows of one host beside `demand`, with group_rules over all of them
        (binwright.rows). kind: requests of different kinds are never one, as `extend` may tell them apart later.
        Raises InputError.
        """
        where = "request" if name is None else f"request {name!r}"
        row_groups = self.rows.compiled(where, groups, group_rules)
        amounts = demand, commit, score
        made = request_class(
            where, self.profile, self.resources, self.scored_only, *amounts, skip, priority, row_groups
        )
        parts = static_parts(where, self.profile, len(self), eligible, rejects, raw)
        digest = parts.digest()
        parts.reject(self._unclaimable(made), LIMITS)
        if parts.labels is not None:
            parts.reject(~self._labels.match(parts.labels, len(self)), self.profile.positions["eligible"])
        hard, soft = self._compiled_terms(where, terms)
        adds = self._checked_contributions(where, contributes)
        extra = repr((hard, soft)), tuple(adds), row_groups and row_groups.spec
        own_terms = arguments.collection(f"{where}: external", external, "terms")
        listed = len(self) if parts.explicit_hosts else None  # a list of hosts speaks of those that there were
        rest = made.skips, priority, digest, listed, extra, kind, tuple(map(id, own_terms))
        if not isinstance(kind, Hashable):
            raise InputError(f"{where}: kind {kind!r} has no hash")
        key = (*(tuple(amounts) for amounts in made.amounts()), *rest)
        known = self._requests.get(key)
        if known is not None:
            return known
        own = [self._wrapped(where, term) for term in own_terms]
        number = self._call(self._state.add_class, made, parts.columns(self._state.fleet.stride), own)
        self._state.domain_terms.extend(number, hard, soft)
        for counter, amount, trial in adds:
            self._state.counters.contribute(number, counter, amount, trial, [])
        wanted = dict(zip(self.resources, made.amounts()[0], strict=True))
        request = Request(number, name, {r: amount for r, amount in wanted.items() if amount}, made)
        self._requests[key] = request
        self._made.append(request)
        if parts.labels is not None:
            self._labelled[number] = parts.labels
        if parts.explicit_hosts:
            self._explicit.add(number)
        return request

    @one_writer
    def repair(
        self,
        request: Request,
        host: int,
        *,
        rejects: Mapping[str, int] | None = None,
        raw: Mapping[str, int] | None = None,
    ) -> None:
        """Replace a request's static verdicts and raw scores on one host: -1 = passes, k >= 0 = rejects with k."""
        number = self._class_of("repair", request)
        host = self._one_host("repair", host)
        answers = {
            rule_position("repair", self.profile, rule): arrays.index(f"repair: host {host}, rule {rule!r}", argument)
            for rule, argument in arguments.mapping("repair: rejects", rejects, "rule to argument").items()
        }
        scores = {
            score_slot("repair", self.profile, score): raw_value(
                f"repair: host {host}, score {score!r}", self.profile, value
            )
            for score, value in arguments.mapping("repair: raw", raw, "score to value").items()
        }
        if any(not -1 <= argument <= arrays.INT32_MAX for argument in answers.values()):
            raise InputError(f"repair: host {host}: an argument is outside -1..{arrays.INT32_MAX}")
        self._requests = {key: known for key, known in self._requests.items() if known is not request}
        classes = self._state.classes
        for position, argument in answers.items():
            mask, bit = classes.mask_of(number, host), 1 << position
            classes.set_mask(number, host, mask & ~bit if argument < 0 else mask | bit)
            classes.set_argument(number, host, position, argument)
        for slot, value in scores.items():
            classes.set_raw(number, host, slot, value)

    # ---- placing ---------------------------------------------------------------------------------------------

    def place(self, request: Request, count: int = 1) -> PlaceResult:
        """Place `count` items of one request, one after another, each on the best host at its turn."""
        try:
            number: int = request.index
            usual = self._made[number] is request and type(count) is int and 0 <= count <= MAX_COUNT
        except (AttributeError, TypeError, IndexError):
            usual = False
        if not usual:
            number, count = self._class_of("place", request), _checked_count(count)
        try:
            return core_place.place(self._state, number, count, PlaceResult, self)
        except OutOfOrder as error:
            raise StateError(str(error)) from None

    def place_many(self, requests: Sequence[Request], which: Any = None) -> PlaceResult:
        """Place items in queue order: `which` holds positions in `requests` (default: each request once)."""
        numbers = self._numbers("place_many", requests, which)
        found: PlaceResult = self._call(core_place.place_each, self._state, numbers, PlaceResult, self)
        return found

    @one_writer
    def place_gang(self, requests: Sequence[Request], which: Any = None, *, least: int | None = None) -> PlaceResult:
        """Place items in queue order, all of them or none: if fewer than `least` (default: all) find a host, the
        fleet is as it was and every entry of the result is without a host. The refused members keep their verdict,
        the others are unschedulable.
        """
        numbers = self._numbers("place_gang", requests, which)
        wanted = len(numbers) if least is None else arrays.index("place_gang: least", least)
        if not 0 <= wanted <= len(numbers):
            raise InputError(f"place_gang: least {wanted} is outside 0..{len(numbers)}")
        token = self.checkpoint()
        try:
            result: PlaceResult = self._call(core_place.place_each, self._state, numbers, PlaceResult, self)
        except BaseException:
            self.rollback(token)
            raise
        if result.placed >= wanted:
            self.keep(token)
        else:
            self.rollback(token)
            result.take_back()
        return result

    @one_writer
    def window(self, stop: int | None, order: Any = None, start: int = 0) -> None:
        """Let decisions look at a part of the fleet: hosts in `order` (default: by index), from position `start` on
        and wrapping, until `stop` feasible ones are found; the next one ends the look, uncounted, and the following
        decision begins there. Hosts added later are not asked until the window is set anew. None: look at all hosts
        again. Rule: kube-scheduler's sampling.
        """
        if stop is None:
            self._state.window.set(np.empty(0, np.int32), 0, 0)
            return
        hosts = self._hosts("window: order", self._present() if order is None else order)
        if len(np.unique(hosts)) != len(hosts):
            raise InputError("window: order names a host twice")
        count, cursor = arrays.index("window: stop", stop), arrays.index("window: start", start)
        if not 1 <= count <= arrays.INT32_MAX or not 0 <= cursor < max(len(hosts), 1):
            raise InputError(f"window: stop {count} must be at least 1, start {cursor} in 0..{len(hosts) - 1}")
        self._state.window.set(hosts.astype(np.int32), count, cursor)

    @property
    def window_start(self) -> int:
        """Position in the window's order where the next decision begins."""
        return self._state.window.cursor

    def explain(self, request: Request, *, live: bool = False) -> Explanation:
        """What `place` would decide now, and why, without placing.

        live: look at this fleet itself, not at a copy; that costs less, and holds until the fleet changes.
        """
        number = self._class_of("explain", request)
        return Explanation(self if arguments.yes_or_no("explain: live", live) else self._copy(), number)

    def ranked(self, request: Request, most: int | None = None) -> tuple[Int64Array, npt.NDArray[Any]]:
        """The feasible hosts of a request in order, at most `most`: highest total first, lowest index first.

        Returns (hosts, totals): int64 and int64, float64 in a float64 profile. The first is the one that `place` would
        take now; nothing is placed.
        """
        number = self._class_of("ranked", request)
        if most is not None:
            most = arrays.index("ranked: most", most)
            if most < 0:
                raise InputError(f"ranked: most {most} is negative")
        hosts = np.empty(len(self) if most is None else min(most, len(self)), np.int64)
        totals = np.empty_like(hosts)
        count = self._call(core_ranking.ranked, self._state, number, hosts, totals)
        return hosts[:count], totals[:count].view(np.float64) if self.profile.float_scores else totals[:count]

    def claim(self, request: Request, hosts: Any) -> Int64Array:
        """Commit one item of `request` on each given host without asking any rule. Returns item ids, int64.

        Groups get the first rows that serve them; a host that has none is an InputError, and nothing has changed.
        """
        number, chosen = self._class_of("claim", request), self._hosts("claim", hosts)
        return self._claim("claim", np.full(len(chosen), number, np.int64), chosen)

    def claim_many(self, requests: Sequence[Request], which: Any, hosts: Any) -> Int64Array:
        """Commit item i of class `requests[which[i]]` on `hosts[i]` without asking any rule. Returns item ids."""
        return self._claim("claim_many", self._numbers("claim_many", requests, which), hosts)

    def _claim(self, where: str, numbers: Int64Array, hosts: Any) -> Int64Array:
        chosen = self._hosts(where, hosts)
        if len(chosen) != len(numbers):
            raise InputError(f"{where}: {len(numbers)} items for {len(chosen)} hosts")
        items = np.empty(len(numbers), np.int64)
        failed = self._call(core_place.claim, self._state, numbers, chosen, items)
        if failed < -1:
            failed = -2 - failed
            raise InputError(f"{where}: item {failed}: host {chosen[failed]} has no rows for its groups")
        if failed >= 0:
            raise InputError(f"{where}: item {failed}: what is used on host {chosen[failed]} would pass 2**61")
        return items

    def release(self, items: Any) -> None:
        """Give back what items hold; ids as `place` and `claim` return them, none twice.

        Raises InputError for an id that is not a live item; then nothing has changed.
        """
        ids = arrays.one_or_more("release", items)
        failed = self._call(core_place.release, self._state, ids)
        if failed >= 0:
            raise InputError(f"release: {int(ids[failed])} is not an item of this fleet (released before?)")

    def items_on(self, host: int) -> Int64Array:
        """Ids of the items on one host, in placing order, int64."""
        return np.array(self._state.items.on_host(self._one_host("items_on", host)), np.int64)

    def item(self, item: int) -> tuple[Request, int]:
        """(request, host) of a live item."""
        number = arrays.index("item", item)
        self._call(self._state.check_readable)
        record = self._state.items.record(number) if -(2**63) <= number < 2**63 else None
        if record is None:
            raise InputError(f"item: {item} is not an item of this fleet (released before?)")
        number, host = record
        return self._made[number], host

    # ---- undo ------------------------------------------------------------------------------------------------

    def checkpoint(self) -> tuple[int, int, int]:
        """Remember this state; returns the token for `rollback`. Costs nothing until then."""
        return (*self._call(self._state.checkpoint), len(self._made))

    @one_writer
    def rollback(self, token: tuple[int, int, int]) -> None:
        """Take back everything since the newest checkpoint, whose token this must be (last in, first out).

        Requests made since stay usable. Raises StateError for any other token.
        """
        depth, number, made = _checked_token("rollback", token)
        self._call(self._state.rollback, (depth, number))
        del self._names[len(self) :]
        for number in range(made, len(self._made)):  # made under labels that are gone again
            if number in self._labelled:
                outside = ~self._labels.match(self._labelled[number], len(self))
                self._state.classes.set_rule(number, 0, outside.astype(np.uint8), self.profile.positions["eligible"])
        self._state.settle()

    def keep(self, token: tuple[int, int, int]) -> None:
        """Close the newest checkpoint, whose token this must be, and keep what was done since."""
        depth, number, _ = _checked_token("keep", token)
        self._call(self._state.keep, (depth, number))

    def fork(self) -> "Fleet":
        """An independent copy without history; requests made before the fork serve both."""
        return self._copy()

    def _copy(self) -> "Fleet":
        other = object.__new__(Fleet)
        other._take_over(self.__getstate__(), self._call(self._state.fork))
        return other

    copy = fork
    __copy__ = fork

    def __deepcopy__(self, memo: dict[int, Any]) -> "Fleet":
        return self.fork()

    def __getstate__(self) -> dict[str, Any]:
        return {
            "resources": self.resources,
            "scored_only": self.scored_only,
            "profile": self.profile,
            "names": list(self._names),
            # external terms are known by identity, which means nothing in a fork that has its own
            "requests": {key: made for key, made in self._requests.items() if not key[-1]},
            "made": list(self._made),
            "labelled": dict(self._labelled),
            "explicit": set(self._explicit),
        }

    def __reduce__(self) -> tuple[Any, ...]:
        self._call(self._state.check_idle)
        return _rebuild, (self.__getstate__(), self._state.__reduce__()[1])

    def _take_over(self, kept: dict[str, Any], state: State) -> None:
        self.resources, self.scored_only, self.profile = kept["resources"], kept["scored_only"], kept["profile"]
        self._number = {name: i for i, name in enumerate(self.resources)}
        self._state = state
        self._labels = Labels(state.domains)
        self._columns = {name: number for number, name in enumerate(self.profile.host_columns)}
        self.rows = Rows(state, self.resources, self._hosts)
        self.pools = Pools(state, self._hosts)
        self._names, self._requests, self._made = kept["names"], kept["requests"], kept["made"]
        self._labelled, self._explicit = kept["labelled"], kept["explicit"]
        self._index = {}
        for terms in state.externals.of_class:
            for wrapped, _, _ in terms:
                wrapped.fleet = weakref.ref(self)

    # ---- checks ----------------------------------------------------------------------------------------------

    def _call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return function(*arguments)
        except OutOfOrder as error:
            raise StateError(str(error)) from None

    def _check_resources(self, where: str, names: Iterable[str]) -> None:
        for name in names:
            if name not in self._number:
                raise InputError(f"{where}: unknown resource {name!r} (the fleet has {', '.join(self.resources)})")

    def _hosts(self, where: str, hosts: Any) -> Int64Array:
        """Indexes of hosts that are there: inside the fleet and not removed. No other thread may be inside a batch."""
        self._call(self._state.check_readable)
        chosen = arrays.host_indexes(where, hosts, len(self))
        gone = (self._flags()[chosen] & ABSENT) != 0
        if gone.any():
            raise InputError(f"{where}: host {int(chosen[gone.argmax()])} has been removed")
        return chosen

    def _one_host(self, where: str, host: Any) -> int:
        chosen = self._hosts(where, host)
        if len(chosen) != 1:
            raise InputError(f"{where}: needs one host, has {len(chosen)}")
        return int(chosen[0])

    def _class_of(self, where: str, request: Request) -> int:
        made = self._made
        if not isinstance(request, Request) or request.index >= len(made) or made[request.index] is not request:
            raise InputError(f"{where}: {request!r} was not made by this fleet, or by the one it was forked from")
        return request.index

    def _numbers(self, where: str, requests: Sequence[Request], which: Any) -> Int64Array:
        listed = arguments.collection(f"{where}: requests", requests, "requests")
        classes = np.array([self._class_of(where, request) for request in listed], np.int64)
        if which is None:
            return classes
        positions = arrays.bounded(f"{where}: which", which, 0, max(len(classes) - 1, 0), of="item")
        if len(positions) and not len(classes):
            raise InputError(f"{where}: which names requests, but there are none")
        return classes[positions]

    def _wrapped(self, where: str, term: External) -> tuple[Wrapped, int, int]:
        """(the term as the core calls it, position of its rule or -1, slot of its score or -1)."""
        if not isinstance(term, External):
            raise InputError(f"{where}: external {term!r} is not a binwright.External")
        rule = -1 if term.rule is None else rule_position(where, self.profile, term.rule)
        slot = -1 if term.score is None else score_slot(where, self.profile, term.score)
        return term._on(weakref.ref(self)), rule, slot

    def _unclaimable(self, made: RequestClass) -> arrays.BoolArray:
        """Hosts whose smallest, largest or step forbids the demand."""
        cells = np.zeros(len(self), np.uint8)
        for resource, amount in enumerate(made.amounts()[0]):
            if amount:
                self._state.fleet.unclaimable(resource, amount, cells)
        return cells.astype(bool)


def _checked_count(count: Any) -> int:
    number = arrays.index("place: count", count)
    if not 0 <= number <= MAX_COUNT:
        raise InputError(f"place: count {number} is outside 0..{MAX_COUNT}")
    return number


def _checked_token(where: str, token: Any) -> tuple[int, int, int]:
    match token:
        case (int() as depth, int() as number, int() as made) if depth > 0:
            return depth, number, made
    raise StateError(f"{where}: {token!r} is not a token of checkpoint")


def _rebuild(kept: dict[str, Any], saved: tuple[Any, ...]) -> Fleet:
    """A fleet from its pickle. Raises InputError for one of another version, or whose contents no fleet could have."""
    try:
        state = rebuild_state(*saved)
    except ValueError as error:
        raise InputError(str(error)) from None
    fleet = object.__new__(Fleet)
    fleet._take_over(kept, state)
    return fleet
