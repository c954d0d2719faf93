"""What is accepted of a connection around its requests: how long headers may be, how long they may take to come, and
how long an answer may take to be read.
"""

from __future__ import annotations

import logging
import socket
from typing import TYPE_CHECKING

from binwright.errors import MissingExtraError
from binwright.serve.logs import log

try:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
except ModuleNotFoundError as missing:
    raise MissingExtraError.for_module(missing.name or "uvicorn", extra="serve") from missing

if TYPE_CHECKING:
    from asyncio import TimerHandle, Transport

__all__ = ["GuardedProtocol"]

HEADER_SECONDS = 10.0
HEADER_BYTES = 64 * 1024
READ_SECONDS = 20.0
"""For an answer to leave, however large: a client that does not read it would hold it, and a connection, for ever."""


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which lets a client take as long and say as much as it likes before its headers end, and
    never read what it is answered.
    """

    _deadline: TimerHandle | None = None
    _unsent: TimerHandle | None = None
    _unread = 0

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        transport.set_write_buffer_limits(1)  # what cannot leave is told by `pause_writing`; 0 pauses TLS for ever
        connection = transport.get_extra_info("socket")
        if connection is not None:  # an answer is two writes: the second must not wait for the first one's receipt
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._wait()

    def data_received(self, data: bytes) -> None:
        self._unread += len(data)
        if self._deadline is None and (self.cycle is None or self.cycle.response_complete):
            self._wait()
        super().data_received(data)
        if self._deadline is not None and self._unread > HEADER_BYTES and not self.transport.is_closing():
            self.send_400_response("The headers are too long.")

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self._all_sent()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._all_sent()
        self._unsent = self.loop.call_later(READ_SECONDS, self._not_read)

    def resume_writing(self) -> None:
        self._all_sent()
        super().resume_writing()

    def _wait(self) -> None:
        self._unread = 0
        self._deadline = self.loop.call_later(HEADER_SECONDS, self._too_slow)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _all_sent(self) -> None:
        if self._unsent is not None:
            self._unsent.cancel()
            self._unsent = None

    def _not_read(self) -> None:
        self._unsent = None
        log(logging.WARNING, "answer not read", seconds=READ_SECONDS)
        self.transport.abort()

    def _too_slow(self) -> None:
        self._deadline = None
        self.transport.abort()
