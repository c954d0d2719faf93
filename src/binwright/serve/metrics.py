"""Prometheus metrics of a service, in kube-scheduler's names (interfaces 10). No label has an object's name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from binwright.errors import MissingExtraError
from binwright.serve.journal import Decision, Journal

try:
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
    from prometheus_client.core import GaugeMetricFamily, Metric
    from prometheus_client.registry import Collector
except ModuleNotFoundError as missing:
    raise MissingExtraError.for_module("prometheus_client", extra="serve") from missing

__all__ = ["CONTENT_TYPE", "Gauge", "Metrics"]

CONTENT_TYPE = CONTENT_TYPE_LATEST
_BUCKETS = tuple(step * 10.0**power for power in range(-5, 1) for step in (1, 2.5, 5))

Gauge = tuple[str, str, Callable[[], float]]
"""(name, what it is, its value now)."""


class Metrics:
    """The metrics of one service."""

    def __init__(self, journal: Journal, gauges: Iterable[Gauge]) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Now(journal, tuple(gauges)))
        self._attempts = Counter(
            "binwright_schedule_attempts", "Decisions by result.", ["result"], registry=self._registry
        )
        for result in ("scheduled", "unschedulable", "error"):
            self._attempts.labels(result)
        self._duration = Histogram(
            "binwright_scheduling_attempt_duration_seconds",
            "How long a decision took, without the network.",
            ["result"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._verbs = Histogram(
            "binwright_plugin_execution_duration_seconds",
            "How long an answer took, by verb.",
            ["plugin", "extension_point"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._requests = Counter(
            "binwright_http_requests", "Requests by path and status.", ["path", "code"], registry=self._registry
        )
        self._restarts = Counter(
            "binwright_watch_restarts", "Watches begun anew, by kind and why.", ["kind", "why"], registry=self._registry
        )

    def decided(self, plugin: str, decision: Decision) -> None:
        """An answer was given. A decision proper is a filter's, or one of a scheduler that asks once."""
        self._verbs.labels(plugin, decision.verb).observe(decision.seconds)
        if decision.verb in ("filter", "schedule"):
            self._attempts.labels(decision.result).inc()
            self._duration.labels(decision.result).observe(decision.seconds)

    def requested(self, path: str, code: int) -> None:
        """A request was answered. path: one of the service's own, or "other"."""
        self._requests.labels(path, str(code)).inc()

    def restarted(self, kind: str, why: str) -> None:
        """A watch was begun anew."""
        self._restarts.labels(kind, why).inc()

    def text(self) -> bytes:
        """All of them, as Prometheus reads them."""
        return generate_latest(self._registry)


class _Now(Collector):
    """What is read off when somebody looks."""

    def __init__(self, journal: Journal, gauges: tuple[Gauge, ...]) -> None:
        self._journal = journal
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        for name, about, value in self._gauges:
            yield GaugeMetricFamily(name, about, value=value())
        refused = GaugeMetricFamily(
            "binwright_unschedulable_items", "Objects that found no place when last asked about.", labels=["reason"]
        )
        for rule, count in sorted(self._journal.by_rule().items()):
            refused.add_metric([rule], count)
        yield refused
