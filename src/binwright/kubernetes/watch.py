"""List and watch of one kind, as informers do it: a list, then events from its version on, for as long as it is wanted.

410 Gone, be it a status or an event, means a new list; a broken or ended connection means to go on from the last
version, which bookmarks move along. Knows the protocol, not the cluster: what it brings it hands on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from binwright.errors import InputError
from binwright.kubernetes.live import Change
from binwright.kubernetes.reader import read_object
from binwright.kubernetes.watch_events import BOOKMARK, ERROR, Event, read_change

__all__ = ["Absent", "Brought", "Listed", "Response", "Restarted", "Watch"]

PAGE = 500
WATCH_SECONDS = 290
"""How long the server is asked to keep a watch open."""
READ_SECONDS = 330.0
_GONE = 410
_NOT_OFFERED = (403, 404)
_LONGEST_LINE = 64 * 2**20


class Response(Protocol):
    """What a client gives back unread: urllib3's response."""

    status: int

    def stream(self, amt: int, decode_content: bool | None = None) -> Iterator[bytes]: ...

    def release_conn(self) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Listed:
    """All objects of a kind; begun: when they were asked for, seconds of the monotonic clock."""

    kind: str
    objects: list[Any]
    begun: float


@dataclass(frozen=True, slots=True)
class Absent:
    """A kind that the server does not offer to this client; rules that read it are not evaluated."""

    kind: str
    status: int


@dataclass(frozen=True, slots=True)
class Restarted:
    """A watch begins anew. why: "gone", "ended" or "broken"; `what` in words."""

    kind: str
    why: str
    what: str = ""


Brought = Listed | Absent | Restarted | Change | InputError
"""An InputError stands for one object that cannot be read."""


class _ListMeta(msgspec.Struct, rename="camel"):
    resource_version: str = ""
    next_page: str = msgspec.field(name="continue", default="")


class _Page(msgspec.Struct):
    metadata: _ListMeta = msgspec.field(default_factory=_ListMeta)
    items: list[msgspec.Raw] | None = None


class _Versioned(msgspec.Struct, rename="camel"):
    resource_version: str = ""
    code: int = 0
    message: str = ""


class _Seen(msgspec.Struct):
    """Of an object its version; of a Status its code and message."""

    metadata: _Versioned = msgspec.field(default_factory=_Versioned)
    code: int = 0
    message: str = ""


class _Gone(Exception):
    """The version is too old to go on from."""


class _Failed(Exception):
    """The server answers with an error."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"status {status}: {text}")
        self.status = status


@dataclass
class Watch:
    """One kind. ask: sends a list call with these parameters and returns the unread response; deliver: takes what
    comes, in order; stop: set when it is to end; pauses: seconds to wait after the first, second ... failure in a row.
    """

    kind: str
    ask: Callable[..., Response]
    deliver: Callable[[Brought], None]
    stop: threading.Event
    pauses: tuple[float, ...] = (0.5, 1.0, 2.0, 5.0)
    retry_absent: float = 60.0
    _version: str = ""
    _failures: int = field(default=0, repr=False)
    _fruitless: int = field(default=0, repr=False)  # watches in a row that brought nothing

    def run(self) -> None:
        """Until `stop`."""
        while not self.stop.is_set():
            try:
                if not self._version:
                    self._list()
                self._follow()
                self.deliver(Restarted(self.kind, "ended"))
                self._breathe()
            except _Gone:
                self._version = ""
                self.deliver(Restarted(self.kind, "gone"))
                self._breathe()
            except _Failed as failure:
                if not self._version and failure.status in _NOT_OFFERED:
                    self.deliver(Absent(self.kind, failure.status))
                    self.stop.wait(self.retry_absent)
                else:
                    self._pause(str(failure))
            except Exception as problem:  # whatever a connection can break with
                self._pause(f"{type(problem).__name__}: {problem}")

    def _pause(self, what: str) -> None:
        if self.stop.is_set():
            return
        self.deliver(Restarted(self.kind, "broken", what))
        self.stop.wait(self.pauses[min(self._failures, len(self.pauses) - 1)])
        self._failures += 1

    def _breathe(self) -> None:
        """After a watch that brought nothing it goes on at once; after another such one the server is given a pause."""
        if self._fruitless:
            self.stop.wait(self.pauses[min(self._fruitless, len(self.pauses)) - 1])
        self._fruitless += 1

    def _list(self) -> None:
        objects: list[Any] = []
        begun = time.monotonic()
        version, next_page = "", ""
        while True:
            asked: dict[str, Any] = {"limit": PAGE}
            if next_page:
                asked["_continue"] = next_page
            response = self.ask(**asked)
            try:
                data = b"".join(response.stream(2**16))
                _check(response.status, data)
            finally:
                response.release_conn()
            page = msgspec.json.decode(data, type=_Page)
            for item in page.items or ():
                try:
                    read = read_object(f"list of {self.kind}", item, self.kind)
                except InputError as problem:
                    self.deliver(problem)
                    continue
                if read is not None and read[0] == self.kind:
                    objects.append(read[1])
            version, next_page = page.metadata.resource_version or version, page.metadata.next_page
            if not next_page:
                break
        self.deliver(Listed(self.kind, objects, begun))
        self._version = version or "0"
        self._failures = 0

    def _follow(self) -> None:
        """The events of one connection."""
        response = self.ask(
            watch=True,
            resource_version=self._version,
            allow_watch_bookmarks=True,
            timeout_seconds=WATCH_SECONDS,
            _request_timeout=(10.0, READ_SECONDS),
        )
        try:
            if response.status != 200:
                _check(response.status, b"".join(response.stream(2**16)))
            for line in _lines(response):
                if self.stop.is_set():
                    return
                self._take(line)
        finally:
            response.close()
            response.release_conn()

    def _take(self, line: bytes) -> None:
        event = msgspec.json.decode(line, type=Event)
        seen = msgspec.json.decode(event.object, type=_Seen)
        if event.type == ERROR:
            _check(seen.code or 500, event.object, seen.message)
        if event.type != BOOKMARK:
            try:
                change = read_change(event, f"watch of {self.kind}", self.kind)
            except InputError as problem:
                self.deliver(problem)
            else:
                if change is not None and change.kind == self.kind:
                    self.deliver(change)
        self._version = seen.metadata.resource_version or self._version
        self._failures = self._fruitless = 0


def _check(status: int, data: bytes | msgspec.Raw, message: str = "") -> None:
    """Raises what a status other than 200 means."""
    if status == 200:
        return
    if status == _GONE:
        raise _Gone
    try:
        message = message or msgspec.json.decode(data, type=_Seen).message
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        message = bytes(data)[:200].decode(errors="replace")
    raise _Failed(status, message)


def _lines(response: Response) -> Iterator[bytes]:
    left = b""
    for part in response.stream(2**16):
        *whole, left = (left + part).split(b"\n")
        if len(left) > _LONGEST_LINE:
            raise ValueError(f"an event of more than {_LONGEST_LINE} bytes")
        yield from (line for line in whole if line.strip())
    if left.strip():
        yield left
