"""The extender as a service: what each request does to the live cluster, and what is kept and counted of it.

Everything happens in one thread, one request at a time; what waits (a body, the API server) waits outside of it. Glue:
the verdicts are those of `kubernetes.extender`, the doors those of `requests`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

import msgspec

from binwright.errors import BinwrightError, InputError
from binwright.formats import documents
from binwright.formats.files import Blob
from binwright.kubernetes.extender import wire
from binwright.kubernetes.extender.verbs import Answer, Extender
from binwright.kubernetes.extender.wire import Binding
from binwright.kubernetes.live import LiveCluster
from binwright.kubernetes.reader import read_blobs
from binwright.kubernetes.watch_events import read_change, split_events
from binwright.serve.journal import Decision, Journal
from binwright.serve.logs import log
from binwright.serve.metrics import Gauge, Metrics

__all__ = ["ExtenderService"]

TICK_SECONDS = 1.0
_READ_AT_ONCE = 200
_MOST_DOCUMENTS = 100_000
"""Of a state that comes as a stream of JSON values."""
Binder = Callable[[Binding], None]
"""Tells the API server of a binding. Raises BinwrightError with the server's words."""


class ExtenderService:
    """One live cluster behind its verbs. `source`: where the state comes from; `ready`: whether it is there; `follows`:
    it comes from an API server, not from clients.
    """

    def __init__(
        self, live: LiveCluster, *, single: bool = False, source: str = "events", binder: Binder | None = None
    ) -> None:
        self.live = live
        self.source = source
        self.ready: Callable[[], bool] = lambda: live.nodes > 0
        self.started = time.time()
        self.journal = Journal()
        self.metrics = Metrics(self.journal, _gauges(live))
        self._extender = Extender(live, single=single)
        self._binder = binder
        self._bindings: dict[str, asyncio.Task[str | None]] = {}  # by pod: the server has not answered yet
        self.follows = binder is not None
        self._verbs: dict[str, Callable[[bytes], Answer]] = {
            "filter": self._extender.filter,
            "prioritize": self._extender.prioritize,
            "preempt": self._extender.preempt,
        }

    async def ask(self, verb: str, body: bytes) -> bytes:
        """One of the verbs. Raises InputError for a call that is no such thing."""
        if verb == "bind":
            return await self._bind(body)
        begin = time.perf_counter()
        answer = self._verbs[verb](body)
        self._told(answer, begin)
        return answer.body

    async def _bind(self, body: bytes) -> bytes:
        """A pod that another call is binding to the same node at this moment: both get that call's answer."""
        begin = time.perf_counter()
        binding = wire.read_binding(body)
        self.live.expire()  # an assumption that is over says nothing of where the pod is
        there = self.live.where(binding.key, binding.uid)
        answer = self._extender.bind(binding)
        if self._binder is not None and answer.error is None:
            if there is None:
                self._bindings[binding.key] = asyncio.ensure_future(self._tell(self._binder, binding))
            told = self._bindings.get(binding.key)
            problem = await asyncio.shield(told) if told is not None else None
            if problem is not None:
                answer.body, answer.error, answer.passed = wire.write_bound(problem), problem, 0
        self._told(answer, begin)
        return answer.body

    async def _tell(self, binder: Binder, binding: Binding) -> str | None:
        """Tell the API server of a binding that is assumed; the words of its refusal, after which it no longer is."""
        try:
            await asyncio.to_thread(binder, binding)
        except BinwrightError as problem:
            self.live.forget(binding.key, binding.uid)
            return str(problem)
        finally:
            if self._bindings.get(binding.key) is asyncio.current_task():
                del self._bindings[binding.key]
        return None

    def put_state(self, body: bytes) -> dict[str, Any]:
        """All objects of the cluster, as `kubectl get ... -o json` prints them. Raises InputError."""
        self._check_source()
        if body.lstrip()[:1] not in (b"{", b"["):
            raise InputError("state: not JSON")
        documents.load(Blob("state", body), msgspec.Raw, most=_MOST_DOCUMENTS)
        self.live.replace(read_blobs([Blob("state", body)], stored=True))
        log(logging.INFO, "state replaced", nodes=self.live.nodes, pods=self.live.pods)
        return {"nodes": self.live.nodes, "pods": self.live.pods}

    async def post_events(self, body: bytes) -> dict[str, Any]:
        """Watch events, one or many. Raises InputError naming the event; then none of them has happened. Others are
        answered while many events are read; they happen all at once.
        """
        self._check_source()
        changes = []
        for number, event in enumerate(split_events(body)):
            change = read_change(event, f"event {number}")
            if change is not None:
                changes.append(change)
            if number % _READ_AT_ONCE == _READ_AT_ONCE - 1:
                await asyncio.sleep(0)
        self.live.apply(changes)
        return {"events": len(changes), "nodes": self.live.nodes, "pods": self.live.pods}

    def _check_source(self) -> None:
        if self.follows:
            raise InputError(f"state: comes from {self.source}, so it is not taken from clients")

    async def tick(self) -> None:
        """End assumptions whose time is over, for as long as the service runs."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            try:
                over = self.live.expire()
            except InputError as problem:
                log(logging.ERROR, "state", error=str(problem))
                continue
            if over:
                log(logging.WARNING, "assumed pods expired", pods=len(over), example=over[0])

    def _told(self, answer: Answer, begin: float) -> None:
        reasons = [(plugin, text, hosts) for (plugin, text), hosts in answer.reasons.most_common()]
        decision = Decision(
            time.time(),
            answer.verb,
            answer.pod,
            answer.asked,
            answer.passed,
            answer.host,
            answer.error,
            reasons,
            time.perf_counter() - begin,
        )
        self.journal.write(decision)
        self.metrics.decided("extender", decision)
        level = logging.DEBUG if decision.error is None else logging.WARNING
        log(level, "decision", **{key: value for key, value in decision.to_dict().items() if key != "time"})


def _gauges(live: LiveCluster) -> list[Gauge]:
    return [
        ("binwright_pending_items", "Pods that wait for a node.", lambda: live.pending),
        ("binwright_assumed_items", "Pods that are bound, which no event has shown yet.", lambda: live.assumed),
        ("binwright_items", "Pods known.", lambda: live.pods),
        ("binwright_hosts", "Nodes known.", lambda: live.nodes),
        ("binwright_fleet_builds", "How often the cluster was compiled anew.", lambda: live.builds),
    ]
