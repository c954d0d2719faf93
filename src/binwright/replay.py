"""Replay of a decision log: every call is made again, recorded again, and its line compared byte by byte.

Reads what `binwright.decision_log` wrote and nothing else. A log is data: whatever it says, only methods of fleets run.
"""

import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from binwright._core import kernels
from binwright.decision_log import CHANGING, CHANGING_POOLS, CHANGING_ROWS, DECIDING, HEADER, DecisionLog, RecordedFleet
from binwright.errors import BinwrightError, InputError
from binwright.fleet import RECORDING, Fleet
from binwright.log_values import decode

__all__ = ["Difference", "Replay", "replay"]

HEAD = re.compile(rb'\{"fleet":(\d{1,9}),')
END = re.compile(rb'\{"end":(\d{1,18})\}\n')
CALLS = {
    **{name: (None, name) for name in CHANGING},
    **{f"rows.{name}": ("rows", name) for name in CHANGING_ROWS},
    **{f"pools.{name}": ("pools", name) for name in CHANGING_POOLS},
}


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a replay left the log: its line (from 1), the call, and what is different, log first."""

    line: int
    call: str
    message: str


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay found. calls, decisions: that were made again, and came out equal but for `difference`, where it
    stopped. cut: why the log has no end, or None. notes: what it says itself was not recorded. kernels: the copy of
    the kernels that decided.
    """

    calls: int
    decisions: int
    fleets: int
    difference: Difference | None
    cut: str | None
    notes: tuple[str, ...]
    kernels: str

    @property
    def identical(self) -> bool:
        """Whether every whole record came out byte by byte as it stands in the log."""
        return self.difference is None


class Again:
    """A file for the log of the replay: keeps the last line."""

    def __init__(self) -> None:
        self.line = b""

    def write(self, line: bytes) -> int:
        """Take a line."""
        self.line = line
        return len(line)


def replay(path: str | os.PathLike[str], progress: Callable[[int, int], None] | None = None) -> Replay:
    """Make every call of a log again and compare what it gives, to the first difference.

    A log without its end is replayed to its last whole record. progress: called with (bytes done, bytes in all).
    Raises InputError naming the line for a file that is no decision log of this version.
    """
    with open(path, "rb") as file:
        last, cut = _survey(os.fspath(path), file)
        file.seek(0)
        return _Replayer(os.fspath(path), last, cut).run(file, progress)


def _whole_lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(file, 1):
        if line.endswith(b"\n"):
            yield number, line


def _survey(name: str, file: BinaryIO) -> tuple[dict[int, int], str | None]:
    """(last line that names each fleet, why the log has no end). Raises InputError for lines behind the end."""
    last: dict[int, int] = {}
    line, number, end = b"", 0, None
    if file.readline() != json.dumps(HEADER, separators=(",", ":")).encode() + b"\n":
        raise InputError(f"{name}: line 1: not a decision log of version {HEADER['version']}")
    file.seek(0)
    for number, line in _whole_lines(file):
        if end is not None:
            raise InputError(f"{name}: line {number}: the log ended before it")
        found = HEAD.match(line)
        if found:
            last[int(found[1])] = number
        end = END.fullmatch(line)
    if end is not None:
        return last, None
    return last, f"the log has no end; replayed to its last whole record, line {number}"


class _Replayer:
    def __init__(self, name: str, last: dict[int, int], cut: str | None) -> None:
        self.name, self.last, self.cut = name, last, cut
        self.again = Again()
        self.log = DecisionLog(self.again)  # type: ignore[arg-type]
        self.fleets: dict[int, Fleet] = {}
        self.calls = self.decisions = self.made = 0
        self.notes: list[str] = []

    def run(self, file: BinaryIO, progress: Callable[[int, int], None] | None) -> Replay:
        difference = None
        records = 0
        done, size = 0, os.fstat(file.fileno()).st_size
        for number, line in _whole_lines(file):
            done += len(line)
            end = END.fullmatch(line)
            if end is not None and int(end[1]) != records:  # what is left may well be identical, and is not the log
                raise InputError(
                    f"{self.name}: line {number}: the log ended with {int(end[1])} calls, and has {records}"
                )
            if number == 1 or end is not None:
                continue
            records += 1
            difference = self.record(number, line)
            if difference:
                break
            if progress is not None:
                progress(done, size)
        return Replay(self.calls, self.decisions, self.made, difference, self.cut, tuple(self.notes), kernels.current())

    def record(self, number: int, line: bytes) -> Difference | None:
        """Make one call again."""
        try:
            said = json.loads(line)
            which, call = said["fleet"], said["call"]
            known = call == "Fleet" or (which in self.fleets and call in CALLS)
        except (ValueError, LookupError, TypeError, RecursionError):
            raise InputError(f"{self.name}: line {number}: not a record") from None
        if not known:
            raise InputError(f"{self.name}: line {number}: no call {call!r} of fleet {which!r}")
        if "interrupted" in said:
            self.notes.append(
                f"fleet {which} is not recorded after line {number}: {call} ended in {said['interrupted']}"
            )
            return None
        try:
            given, named = self.arguments(said)
        except (InputError, TypeError, LookupError, RecursionError) as error:
            raise InputError(f"{self.name}: line {number}: {error}") from None
        try:
            self.make(which, call, given, named)
        except (BinwrightError, TypeError) as error:
            return Difference(number, call, f"was made, is refused now: {error}")
        self.calls += 1
        if self.again.line != line:
            return Difference(number, call, _difference(said, json.loads(self.again.line)))
        if self.last[which] == number:
            del self.fleets[which]
        return None

    def arguments(self, said: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """What a record's call was given. So many items as it asks for, so many hosts must it hold: else it could ask
        for more than there is memory for.
        """
        fleet: Any = self.fleets.get(said["fleet"])
        known = ([], []) if fleet is None else (fleet._made, fleet._scribe.tokens)
        given = decode(said.get("with", []), *known)
        named = decode(said.get("named", {}), *known)
        if said["call"] == "place":
            count = named.get("count", given[1] if len(given) > 1 else 1)
            hosts = decode(said["gave"]["hosts"], [], [])
            if type(count) is not int or count != len(hosts):
                raise InputError(f"place: {len(hosts)} hosts for {count} items")
        return given, named

    def make(self, which: int, call: str, given: list[Any], named: dict[str, Any]) -> None:
        """Call the method that a record names."""
        if call == "Fleet":
            in_force = RECORDING.set(self.log)
            try:
                gave: Any = Fleet(*given, **named)
            finally:
                RECORDING.reset(in_force)
        else:
            part, method = CALLS[call]
            fleet = self.fleets[which]
            gave = getattr(fleet if part is None else getattr(fleet, part), method)(*given, **named)
        if isinstance(gave, RecordedFleet):
            self.made += 1
            if gave._scribe.number in self.last:  # a fork that is never asked is let go of
                self.fleets[gave._scribe.number] = gave
        if call in DECIDING:
            self.decisions += len(gave) if hasattr(gave, "hosts") else 1


def _difference(log: dict[str, Any], now: dict[str, Any]) -> str:
    """What a record says, and what the same call says now."""
    before, after = log.get("gave"), now.get("gave")
    if isinstance(before, dict) and isinstance(after, dict) and before.keys() == after.keys():
        for name in before:
            if before[name] != after[name]:
                return _first(name, before[name], after[name])
    return f"{_short(before)} in the log, {_short(after)} now"


def _first(name: str, before: Any, after: Any) -> str:
    try:
        old, new = decode(before, [], []).tolist(), decode(after, [], []).tolist()
        i = next(i for i, (one, other) in enumerate(zip(old, new, strict=True)) if one != other)
    except (InputError, ValueError, TypeError, AttributeError, StopIteration):
        return f"{name} is {_short(before)} in the log, {_short(after)} now"
    return f"{name}[{i}] is {old[i]} in the log, {new[i]} now"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "..."
