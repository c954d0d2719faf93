"""What embedders in C and Cython reach: the table of functions, and the door to a fleet for all but the hot calls.

Checks and converts what the table's functions got; the fleet's own methods do the work. Imported by bw_import() alone;
docs/embedding.md is for readers.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from binwright import __version__
from binwright._core import capi
from binwright._core.natives import Native, outside, split
from binwright._core.state import OutOfOrder, State
from binwright.arrays import Int64Array
from binwright.decision_log import RecordedFleet
from binwright.errors import BinwrightError, InputError, StateError
from binwright.external import External, Wrapped
from binwright.fleet import Fleet
from binwright.profile import Profile, Rule, Score, balanced_allocation, least_allocated, most_allocated, static_score
from binwright.request import Request
from binwright.terms import Ref, at_most

NORMALISERS = (None, "max", "reverse", "minmax")
Limit = tuple[str | None, str | None, int, int, int]


# ---- statuses of the table --------------------------------------------------------------------------------------


def status_of(error: BaseException) -> int:
    """The bw_status that says what an exception says."""
    kinds: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], int], ...] = (
        (InputError, capi.INPUT),
        ((StateError, OutOfOrder), capi.STATE),
        (MemoryError, capi.MEMORY),
        (KeyboardInterrupt, capi.INTERRUPTED),
    )
    return next((status for kind, status in kinds if isinstance(error, kind)), capi.FAILED)


def error(status: int, text: str) -> BaseException:
    """The exception that says what a bw_status and its text say; the Cython interface raises it."""
    kinds: dict[int, type[BaseException]] = {
        capi.INPUT: InputError,
        capi.STATE: StateError,
        capi.BUSY: StateError,
        capi.MEMORY: MemoryError,
        capi.INTERRUPTED: KeyboardInterrupt,
    }
    return kinds.get(status, BinwrightError)(text)


# ---- external terms in C ----------------------------------------------------------------------------------------


class NativeTerm(External):
    """An external term whose functions are C (a `bw_term`); for `Fleet.request(external=...)` like any other."""

    def __init__(self, native: Native) -> None:
        self._native = native
        self.name = native.name.decode("utf-8", "replace")
        self.rule = None if native.rule is None else native.rule.decode()
        self.score = None if native.score is None else native.score.decode()

    def _on(self, fleet: Callable[[], Fleet | None]) -> Wrapped:
        return _NativeOnFleet(self, fleet)

    def fork(self) -> "NativeTerm":
        forked = self._native.fork()
        return self if forked is self._native else NativeTerm(forked)

    def __reduce__(self) -> Any:
        raise InputError(f"external {self.name}: a term in C cannot be pickled")


class _NativeOnFleet(Wrapped):
    """A term in C on one fleet: no array of it passes through NumPy."""

    term: NativeTerm

    @property
    def version(self) -> object:
        return self.term._native.version

    def evaluate(self, number: int, hosts: int) -> tuple[Any, Any, Any]:
        fleet, native, where = self._fleet(), self.term._native, f"external {self.term.name}"
        rejected = reasons = scores = None
        if native.rule is not None:
            reasons, rejected = np.full(hosts, -1, np.int32), np.empty(hosts, np.uint8)
            self._check("rejected", native.rejected(fleet._state, number, reasons))
            wrong = split(reasons, rejected)
            if wrong >= 0:
                raise InputError(f"{where}: rejected, host {wrong}: {int(reasons[wrong])} is no reason")
        if native.score is not None:
            if fleet.profile.float_scores:
                raise InputError(f"{where}: scores of C are integers, the profile computes in float64")
            scores = np.zeros(hosts, np.int64)
            self._check("scores", native.scores(fleet._state, number, scores))
            wrong = outside(scores)
            if wrong >= 0:
                raise InputError(f"{where}: scores, host {wrong}: {int(scores[wrong])} is outside 0..2**40")
        return rejected, reasons, scores

    def commit(self, number: int, host: int, sign: int) -> None:
        self._check("placed", self.term._native.placed(number, host, sign))

    def _check(self, what: str, code: int) -> None:
        if code:
            raise BinwrightError(f"external {self.term.name}: {what} returned {code}")


# ---- the door: what the table's functions ask for ---------------------------------------------------------------


def amounts(column: bytes | None) -> Int64Array:
    """int64 from the bytes of a C array."""
    return np.frombuffer(column or b"", np.int64)


def new_fleet(resources: Sequence[str], rules: Sequence[str], scores: Sequence[tuple[int, int, int, str]]) -> Fleet:
    """A fleet without hosts. scores: (bw_score_kind, bw_normaliser, weight, name)."""
    columns = {name: np.empty(0, np.int64) for name in resources}
    if len(columns) < len(resources):
        raise InputError(f"fleet: duplicate resource among {', '.join(resources)}")
    if not rules and not scores:
        return Fleet(columns)
    own = tuple(Rule(name) for name in rules)
    terms = tuple(_score(resources, *score) for score in scores)
    return Fleet(columns, profile=Profile(rules=(*own, Rule("fit", "fit")), scores=terms))


def _score(resources: Sequence[str], kind: int, normalise: int, weight: int, name: str) -> Score:
    shares = dict.fromkeys(resources, 1)
    if not 0 <= normalise < len(NORMALISERS):
        raise InputError(f"score {name!r}: no bw_normaliser {normalise}")
    match kind:
        case 0:
            return least_allocated(shares, weight=weight, name=name)
        case 1:
            return most_allocated(shares, weight=weight, name=name)
        case 2:
            return balanced_allocation(resources, weight=weight, name=name)
        case 3:
            return static_score(name, normalise=NORMALISERS[normalise], weight=weight)
    raise InputError(f"score {name!r}: no bw_score_kind {kind}")


def state_of(fleet: Any) -> State:
    """The core's side of a fleet."""
    if not isinstance(fleet, Fleet):
        raise InputError(f"fleet_of: {type(fleet).__name__} is not a binwright.Fleet")
    if isinstance(fleet, RecordedFleet) and fleet._scribe.records:
        raise InputError("fleet: is recorded by a decision log, which would not see what C and Cython do")
    return fleet._state


def is_told(fleet: Fleet) -> bool:
    """Has any class of this fleet external terms?"""
    return any(fleet._state.externals.of_class)


def add_hosts(fleet: Fleet, capacity: Sequence[bytes], used: Sequence[bytes] | None) -> int:
    """Append hosts, columns per resource; the index of the first."""
    columns = dict(zip(fleet.resources, map(amounts, capacity), strict=True))
    taken = None if used is None else dict(zip(fleet.resources, map(amounts, used), strict=True))
    first = len(fleet)
    fleet.add_hosts(columns, taken)
    return first


def resize(fleet: Fleet, host: int, capacity: bytes) -> None:
    fleet.resize(host, dict(zip(fleet.resources, amounts(capacity).tolist(), strict=True)))


def new_class(
    fleet: Fleet,
    demand: bytes,
    commit: bytes | None,
    score: bytes | None,
    eligible: bytes | None,
    priority: int,
    contributes: Sequence[tuple[int, int]],
    limits: Sequence[Limit],
    externals: Sequence[External],
) -> int:
    """Number of the class; limits: (rule, key, most, counter, own)."""

    def named(column: bytes | None) -> dict[str, int] | None:
        return None if column is None else dict(zip(fleet.resources, amounts(column).tolist(), strict=True))

    if len(dict(contributes)) < len(contributes):
        raise InputError("request: contributes names a counter twice")
    request = fleet.request(
        named(demand) or {},
        commit=named(commit),
        score=named(score),
        eligible=None if eligible is None else np.frombuffer(eligible, np.uint8) != 0,
        priority=priority,
        contributes=dict(contributes),
        terms=[
            at_most(rule or "eligible", Ref(counter, key), most, own=own) for rule, key, most, counter, own in limits
        ],
        external=externals,
    )
    return request.index


def explain(fleet: Fleet, number: int) -> str:
    """What `place` would decide now, in a line."""
    request: Request = fleet._made[number]
    return repr(fleet.explain(request))


DOOR = (
    InputError,
    NativeTerm,
    add_hosts,
    explain,
    is_told,
    new_class,
    new_fleet,
    resize,
    state_of,
    status_of,
)

table = capi.connect({each.__name__: each for each in DOOR}, __version__)
