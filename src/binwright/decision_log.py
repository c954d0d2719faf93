"""The decision log: every call that changes a fleet or decides something, with what it gave, a JSON line each.

`DecisionLog` records, `binwright.replay` reads. A recorded fleet is a `Fleet` whose changing methods write a line after
they have returned. Knows which methods change a fleet; values are `log_values`'.
"""

import functools
import inspect
import json
import os
import threading
from collections.abc import Callable
from contextvars import Token as ContextToken
from typing import Any, BinaryIO, Self

from binwright.errors import BinwrightError, InputError
from binwright.eviction import Evictions
from binwright.fleet import RECORDING, Fleet
from binwright.hosting import host_columns
from binwright.log_values import Kind, Token, encode, settled
from binwright.pools import Pools
from binwright.request import Request
from binwright.result import PlaceResult
from binwright.rows import Rows

VERSION = 1
HEADER = {"log": "binwright decisions", "version": VERSION}
DECIDING = ("place", "place_many", "place_gang", "evict")
CHANGING = (
    *DECIDING, "add_hosts", "add_rows", "budget", "checkpoint", "claim", "claim_many", "cordon", "counter", "extend",
    "fork", "keep", "mark", "members", "promise", "relabel", "release", "remove_hosts", "repair", "request", "resize",
    "rollback", "set_allowance", "set_column", "uncordon", "window", "withdraw",
)  # fmt: skip
CHANGING_ROWS = ("add", "clear", "link", "relabel", "remove", "resize", "unlink")
CHANGING_POOLS = ("add", "add_claim", "free")


class DecisionLog:
    """`with DecisionLog(path):` every `Fleet` made inside, by you or by a layer, is recorded there, its forks too, for
    as long as the block lasts; `binwright replay` decides all of it again and compares.

    target: a path, of a file that must not exist, or a binary file. A line goes to the operating system when its call
    returns, so that a killed process leaves all but the last one. Raises InputError for a file that exists, and, in
    the fleet's methods, for a value that a line cannot hold: an external term is code. A fleet that was pickled is not
    recorded where it is unpickled.
    """

    def __init__(self, target: str | os.PathLike[str] | BinaryIO) -> None:
        if isinstance(target, str | os.PathLike):
            try:
                self._file: BinaryIO = open(target, "xb", buffering=0)  # noqa: SIM115 - closed by __exit__
            except FileExistsError:
                raise InputError(f"decision log: {os.fspath(target)} exists already") from None
            self._owned = True
        else:
            self._file, self._owned = target, False
        self.lock = threading.RLock()  # held from a new fleet's number to its line: numbers rise from line to line
        self._fleets = self._calls = 0
        self._context: ContextToken[Any] | None = None
        self._open = True
        self.write(HEADER)

    def __enter__(self) -> Self:
        self._context = RECORDING.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        if self._context is not None:
            RECORDING.reset(self._context)
        try:
            with self.lock:
                if self._open:
                    self._put({"end": self._calls})
                self._open = False
        finally:
            if self._owned:
                self._file.close()

    def write(self, line: dict[str, Any]) -> None:
        """Append a line, unless the log is closed."""
        with self.lock:
            if self._open:
                self._calls += "call" in line
                self._put(line)

    def adopt(self, fleet: Fleet, parent: "Scribe | None" = None) -> "Scribe":
        """Record a fleet from now on, a new one or a fork; the next number is its own. The caller holds the lock."""
        scribe = Scribe(self, self._fleets)
        self._fleets += 1
        if parent is not None:
            scribe.kinds = dict(parent.kinds)
        fleet.__class__ = RecordedFleet
        fleet.__dict__["_scribe"] = scribe
        fleet.rows.__class__ = RecordedRows
        fleet.rows.__dict__["_scribe"] = scribe
        fleet.pools.__class__ = RecordedPools
        fleet.pools.__dict__["_scribe"] = scribe
        return scribe

    def made(self, fleet: Fleet, given: tuple[Any, ...], named: dict[str, Any]) -> None:
        """A new fleet, and what `Fleet(...)` was given, is recorded from now on."""
        columns = [encode(value) for value in given]
        rest = {name: encode(value) for name, value in named.items() if value is not None}
        with self.lock:
            self.write({"fleet": self.adopt(fleet).number, "call": "Fleet", "with": columns, "named": rest})

    @property
    def is_open(self) -> bool:
        """Whether lines are still written: until the block ends, or a line could not be written whole."""
        return self._open

    def _put(self, line: dict[str, Any]) -> None:
        rest = json.dumps(line, separators=(",", ":"), allow_nan=False).encode() + b"\n"
        try:
            while rest:  # an unbuffered file may take a part, as when the disk is nearly full
                taken = self._file.write(rest)
                if not taken:
                    raise BlockingIOError("decision log: the file took nothing")
                rest = rest[taken:]
        except BaseException:
            self._open = False  # what came next would be glued to half a line
            raise


class Scribe:
    """What the log knows of one fleet: its number, its tokens and kinds, and whether a recorded call is under way."""

    def __init__(self, log: DecisionLog, number: int) -> None:
        self.log = log
        self.number = number
        self.kinds: dict[Any, int] = {}
        self.tokens: list[Any] = []
        self._token_numbers: dict[Any, int] = {}
        self._inside = False
        self._lost = False

    def run(
        self, call: str, method: Callable[..., Any], fleet: Any, given: tuple[Any, ...], named: dict[str, Any]
    ) -> Any:
        """Call a method and write what it was given and what it gave; calls that it makes itself are not written. A
        refused call has changed nothing and leaves no line; one that breaks off otherwise ends this fleet's record.
        """
        if self._inside or not self.records:
            return method(fleet, *given, **named)
        given = tuple(settled(value) for value in given)
        named = {name: settled(value) for name, value in named.items()}
        line = self._line(call, given, named)
        self._inside = True
        try:
            gave = method(fleet, *given, **named)
        except BinwrightError:
            raise
        except BaseException as error:
            if isinstance(error, TypeError) and not _fits(method, fleet, given, named):
                raise  # it never began
            self._lost = True
            self.log.write({**line, "interrupted": type(error).__name__})
            raise
        finally:
            self._inside = False
        with self.log.lock:
            told = self._told(call, gave)
            self.log.write(line if told is None else {**line, "gave": told})
        return gave

    @property
    def records(self) -> bool:
        """Whether the next call of the fleet will be written."""
        return self.log.is_open and not self._lost

    def _line(self, call: str, given: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
        if call == "request":
            if tuple(named.get("external", ())):
                raise InputError("decision log: an external term is code, which a log cannot hold")
            if named.get("kind") is not None:
                named = {**named, "kind": self._kind(named["kind"])}
        if call in ("rollback", "keep"):
            given = tuple(self._token(value) for value in given)
            named = {name: self._token(value) for name, value in named.items()}
        line: dict[str, Any] = {"fleet": self.number, "call": call}
        if given:
            line["with"] = [encode(value) for value in given]
        if named:
            line["named"] = {name: encode(value) for name, value in named.items()}
        return line

    def _kind(self, kind: Any) -> Any:
        if isinstance(kind, Kind):
            return kind  # a replayed one
        try:
            return Kind(self.kinds.setdefault(kind, len(self.kinds)))
        except TypeError:
            return kind  # has no hash: the request refuses it

    def _token(self, value: Any) -> Any:
        match value:
            case (int(), int(), int()):
                number = self._token_numbers.get(tuple(value))
                return value if number is None else Token(number)
        return value

    def _told(self, call: str, gave: Any) -> Any:
        match gave:
            case PlaceResult():
                return {name: encode(getattr(gave, name)) for name in ("hosts", "scores", "verdicts", "items")}
            case Evictions():
                found = [[one.host, list(one.victims), one.violations] for one in gave.candidates]
                return {"candidates": found, "others": [[one.host, one.why] for one in gave.others]}
            case Fleet():
                return {"$fleet": self.log.adopt(gave, self).number}
            case Request():
                return gave.index
        if call == "checkpoint":
            self._token_numbers[gave] = len(self.tokens)
            self.tokens.append(gave)
            return len(self.tokens) - 1
        return None if gave is None else encode(gave)


def _fits(method: Callable[..., Any], fleet: Any, given: tuple[Any, ...], named: dict[str, Any]) -> bool:
    """Whether a method has parameters of these names, and so many."""
    try:
        inspect.signature(method).bind(fleet, *given, **named)
    except TypeError:
        return False
    return True


def _recording(owner: type, name: str, call: str) -> Callable[..., Any]:
    method = getattr(owner, name)

    @functools.wraps(method)
    def recorded(self: Any, *given: Any, **named: Any) -> Any:
        return self._scribe.run(call, method, self, given, named)

    return recorded


class RecordedFleet(Fleet):
    """A fleet whose changes and decisions a `DecisionLog` holds: what `Fleet(...)` becomes inside its block."""

    _scribe: Scribe

    def add_hosts(self, capacity: Any, used: Any = None, names: Any = None, labels: Any = None) -> Any:
        """As `Fleet.add_hosts`; a table is written as the columns that it holds."""
        columns = host_columns("add_hosts", capacity, used, settled(names))
        return self._scribe.run("add_hosts", Fleet.add_hosts, self, (*columns, labels), {})


class RecordedRows(Rows):
    """The rows of a recorded fleet."""


class RecordedPools(Pools):
    """The pools of a recorded fleet."""


for _name in CHANGING:
    if _name != "add_hosts":
        setattr(RecordedFleet, _name, _recording(Fleet, _name, _name))
for _name in ("copy", "__copy__"):
    setattr(RecordedFleet, _name, RecordedFleet.fork)
for _name in CHANGING_ROWS:
    setattr(RecordedRows, _name, _recording(Rows, _name, f"rows.{_name}"))
for _name in CHANGING_POOLS:
    setattr(RecordedPools, _name, _recording(Pools, _name, f"pools.{_name}"))
