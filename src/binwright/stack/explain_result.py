"""What `explain` found out, and its JSON form, kind `ExplainResult`. Decides nothing and formats nothing for people."""

from dataclasses import dataclass
from typing import Any

from binwright.explained import Explained, HostAnswer, HostScore
from binwright.stack.envelope import (
    API_VERSION,
    identity,
    not_evaluated_entries,
    reason_entries,
    rejection_entries,
    shortfall_entries,
    verdict_word,
)


@dataclass(slots=True)
class ExplainResult:
    """One object explained; `elapsed_seconds` is wall time for everything after the files were read."""

    explained: Explained
    layer: str
    elapsed_seconds: float = 0.0

    @property
    def feasible(self) -> int:
        """Hosts that take the object."""
        return sum(answer.feasible for answer in self.explained.hosts)

    def to_dict(self) -> dict[str, Any]:
        """The envelope of kind ExplainResult: plain dicts, lists, strings and exact numbers; schema in `schemas`."""
        explained = self.explained
        outcome = explained.outcome
        return {
            "apiVersion": API_VERSION,
            "kind": "ExplainResult",
            "summary": {
                "hosts": len(explained.hosts),
                "feasible": self.feasible,
                "elapsedSeconds": round(self.elapsed_seconds, 6),
            },
            "object": identity(outcome, outcome.kind)
            | {
                "layer": self.layer,
                "state": explained.state,
                "on": explained.on,
                "expandedFrom": outcome.expanded_from,
                "asked": [{"resource": resource, "amount": value} for resource, value in explained.asked.items()],
            },
            "supposes": explained.supposes,
            "verdict": verdict_word(outcome.verdict),
            "host": outcome.host,
            "score": outcome.score,
            "message": outcome.message,
            "reasons": reason_entries(outcome.reasons),
            "smallestChange": outcome.smallest_change,
            "hosts": [host_entry(answer) for answer in explained.hosts],
            "best": [score_entry(score) for score in explained.best],
            "log": explained.log,
            "trail": [{"name": step.name, "start": step.start, "end": step.end} for step in explained.trail],
            "notes": explained.notes,
            "notEvaluated": not_evaluated_entries(explained.not_evaluated),
        }


def host_entry(answer: HostAnswer) -> dict[str, Any]:
    return {
        "host": answer.host,
        "feasible": answer.feasible,
        "score": answer.score,
        "rejectedBy": rejection_entries(answer.rejected_by),
        "resolvable": answer.resolvable,
        "shortfalls": shortfall_entries(answer.shortfalls),
        "smallestChange": answer.smallest_change,
    }


def score_entry(score: HostScore) -> dict[str, Any]:
    return {
        "host": score.host,
        "rank": score.rank,
        "total": score.total,
        "parts": [
            {"name": part.name, "raw": part.raw, "normalised": part.normalised, "weight": part.weight}
            for part in score.parts
        ],
    }
