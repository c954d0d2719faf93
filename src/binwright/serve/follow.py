"""Keeps a live cluster in step with an API server: one thread a kind reads, the service's own thread applies.

Glue between `kubernetes.watch` and `kubernetes.live`; bad objects are named in the log and left out, never the rest.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any

from binwright.errors import BinwrightError, InputError
from binwright.kubernetes.api_server import ApiServer
from binwright.kubernetes.live import KINDS, Change, LiveCluster
from binwright.kubernetes.watch import Absent, Brought, Listed, Restarted
from binwright.serve.logs import log

__all__ = ["Follower"]

_MOST_AT_ONCE = 1000


class Follower:
    """One cluster followed. `restarted` is told the kind and why whenever a watch begins anew."""

    def __init__(
        self, live: LiveCluster, server: ApiServer, restarted: Callable[[str, str], None], **settings: Any
    ) -> None:
        """settings: of `Watch`."""
        self._live = live
        self._server = server
        self._restarted = restarted
        self._settings = settings
        self._known: set[str] = set()  # kinds that were listed, or are not offered

    @property
    def ready(self) -> bool:
        """Whether every kind was listed, or is known not to be offered."""
        return self._known >= set(KINDS) and self._live.nodes > 0

    async def run(self) -> None:
        """Follow until cancelled."""
        stop, loop = threading.Event(), asyncio.get_running_loop()
        queue: asyncio.Queue[Brought] = asyncio.Queue()

        def deliver(brought: Brought) -> None:
            if not stop.is_set():
                loop.call_soon_threadsafe(queue.put_nowait, brought)

        for watch in self._server.watches(deliver, stop, **self._settings):
            threading.Thread(target=watch.run, name=f"watch {watch.kind}", daemon=True).start()
        try:
            while True:
                some = [await queue.get()]
                while not queue.empty() and len(some) < _MOST_AT_ONCE:
                    some.append(queue.get_nowait())
                self._take(some)
                await asyncio.sleep(0)
        finally:
            stop.set()

    def _take(self, some: list[Brought]) -> None:
        changes: list[Change] = []
        for one in some:
            if isinstance(one, Change):
                changes.append(one)
                continue
            self._apply(changes)
            changes = []
            if isinstance(one, Listed):
                self._apply(self._live.list_changes(one.kind, one.objects, one.begun))
                self._known.add(one.kind)
                log(logging.INFO, "listed", kind=one.kind, objects=len(one.objects))
            elif isinstance(one, Absent):
                if one.kind not in self._known:
                    log(logging.WARNING, "kind not offered", kind=one.kind, status=one.status)
                self._known.add(one.kind)
            elif isinstance(one, Restarted):
                self._restarted(one.kind, one.why)
                level = logging.WARNING if one.why == "broken" else logging.DEBUG
                log(level, "watch restarted", kind=one.kind, why=one.why, error=one.what)
            else:
                log(logging.ERROR, "object left out", error=str(one))
        self._apply(changes)

    def _apply(self, changes: list[Change]) -> None:
        """All of them; where one is bad, all others."""
        if not changes:
            return
        try:
            self._live.apply(changes, settle=False)
        except InputError:
            for change in changes:
                try:
                    self._live.apply([change], settle=False)
                except BinwrightError as problem:
                    log(logging.ERROR, "object left out", error=str(problem))
