"""The last decisions of a service, and which objects found no place lately: for its page and its metrics.

Bounded; knows names and texts only.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Decision", "Journal"]

_LAST = 200
_MOST_REFUSED = 10_000
_MOST_REASONS = 6


@dataclass(frozen=True, slots=True)
class Decision:
    """One answer: `passed` of `asked` hosts; `reasons` (rule, text, hosts), most hosts first."""

    at: float
    verb: str
    name: str
    asked: int
    passed: int
    host: str | None
    error: str | None
    reasons: Sequence[tuple[str, str, int]]
    seconds: float

    @property
    def result(self) -> str:
        """As kube-scheduler calls it."""
        if self.error is not None:
            return "error"
        return "scheduled" if self.passed else "unschedulable"

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "time": round(self.at, 3),
            "verb": self.verb,
            "name": self.name,
            "result": self.result,
            "asked": self.asked,
            "passed": self.passed,
            "host": self.host,
            "error": self.error,
            "reasons": [
                {"rule": rule, "text": text, "hosts": hosts} for rule, text, hosts in self.reasons[:_MOST_REASONS]
            ],
            "microseconds": round(self.seconds * 1e6),
        }


class Journal:
    """What was decided. `refused`: name -> the rule that kept it from most hosts when it was asked about last."""

    def __init__(self) -> None:
        self.last: deque[Decision] = deque(maxlen=_LAST)
        self.refusals: deque[Decision] = deque(maxlen=_LAST)
        self.refused: dict[str, str] = {}

    def write(self, decision: Decision) -> None:
        """Keep one decision."""
        self.last.append(decision)
        if decision.result != "scheduled":
            self.refusals.append(decision)
        if decision.verb in ("filter", "schedule", "bind"):
            self.refused.pop(decision.name, None)
            if decision.verb != "bind" and decision.result == "unschedulable":
                self.refused[decision.name] = decision.reasons[0][0] if decision.reasons else "none"
                if len(self.refused) > _MOST_REFUSED:
                    del self.refused[next(iter(self.refused))]

    def by_rule(self) -> Counter[str]:
        """Rule -> objects that it kept out when they were asked about last."""
        return Counter(self.refused.values())
