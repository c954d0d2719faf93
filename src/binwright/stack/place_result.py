"""What `place` found out over all sources together, and its JSON form, kind `PlaceResult`.

Adds up and filters what the layers said; decides nothing and formats nothing for people.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from binwright.outcome import Outcome, ResourceUse, SourceOutcome
from binwright.stack.envelope import (
    API_VERSION,
    identity,
    not_evaluated_entries,
    reason_entries,
    verdict_word,
)
from binwright.stack.over_sources import OverSources


@dataclass(slots=True)
class PlaceResult(OverSources[SourceOutcome]):
    """The outcomes of the sources in the order given; `elapsed_seconds` is wall time for reading and placing."""

    sources: list[SourceOutcome]
    elapsed_seconds: float = 0.0
    seed: int | None = field(default=None)

    @property
    def placed(self) -> list[Outcome]:
        """What got a host, source by source, each in its queue order."""
        return [outcome for source in self.sources for outcome in source.placed]

    @property
    def unplaced(self) -> list[Outcome]:
        """What got none, source by source, each in its queue order."""
        return [outcome for source in self.sources for outcome in source.unplaced]

    @property
    def resources(self) -> list[ResourceUse]:
        """Totals per resource name over all sources, in order of first appearance."""
        return merge_resources(use for source in self.sources for use in source.resources)

    @property
    def skipped_kinds(self) -> dict[str, int]:
        """Objects per kind that the layers read over, names ascending."""
        counts: dict[str, int] = {}
        for source in self.sources:
            for kind, count in source.skipped_kinds.items():
                counts[kind] = counts.get(kind, 0) + count
        return dict(sorted(counts.items()))

    def only(self, keep: Callable[[Outcome], bool]) -> "PlaceResult":
        """A copy that lists the outcomes which `keep` accepts; hosts and resources still count everything."""
        return replace(
            self,
            sources=[
                replace(
                    source,
                    placed=[outcome for outcome in source.placed if keep(outcome)],
                    unplaced=[outcome for outcome in source.unplaced if keep(outcome)],
                )
                for source in self.sources
            ],
        )

    def to_dict(self) -> dict[str, Any]:
        """The envelope of kind PlaceResult: plain dicts, lists, strings and exact numbers; schema in `schemas`."""
        placed, unplaced = self.placed, self.unplaced
        return {
            "apiVersion": API_VERSION,
            "kind": "PlaceResult",
            "summary": {
                "hosts": self.hosts,
                "requested": len(placed) + len(unplaced),
                "placed": len(placed),
                "unplaced": len(unplaced),
                "elapsedSeconds": round(self.elapsed_seconds, 6),
            },
            "sources": [
                {
                    "name": source.source,
                    "layer": source.layer,
                    "hosts": source.hosts,
                    "placed": len(source.placed),
                    "unplaced": len(source.unplaced),
                    "resources": [resource_entry(use) for use in source.resources],
                }
                for source in self.sources
            ],
            "placed": [placed_entry(outcome) for outcome in placed],
            "unplaced": [unplaced_entry(outcome) for outcome in unplaced],
            "resources": [resource_entry(use) for use in self.resources],
            "skippedKinds": self.skipped_kinds,
            "seed": self.seed,
            "notes": self.notes,
            "notEvaluated": not_evaluated_entries(self.not_evaluated),
        }


def merge_resources(uses: Iterable[ResourceUse]) -> list[ResourceUse]:
    """Sums by name, in order of first appearance."""
    totals: dict[str, ResourceUse] = {}
    for use in uses:
        total = totals.setdefault(use.name, ResourceUse(use.name, 0, 0, 0))
        total.capacity += use.capacity
        total.used_before += use.used_before
        total.used_after += use.used_after
    return list(totals.values())


def identity_entry(outcome: Outcome) -> dict[str, Any]:
    """The object's names, and the workload that it is made for where it does not stand in the input."""
    made_for = {} if outcome.expanded_from is None else {"expandedFrom": outcome.expanded_from}
    return identity(outcome, outcome.kind) | made_for


def placed_entry(outcome: Outcome) -> dict[str, Any]:
    return identity_entry(outcome) | {
        "host": outcome.host,
        "score": outcome.score,
        "devices": outcome.devices,
        "victims": outcome.victims,
    }


def unplaced_entry(outcome: Outcome) -> dict[str, Any]:
    return identity_entry(outcome) | {
        "verdict": verdict_word(outcome.verdict),
        "message": outcome.message,
        "reasons": reason_entries(outcome.reasons),
        "smallestChange": outcome.smallest_change,
    }


def resource_entry(use: ResourceUse) -> dict[str, Any]:
    return {
        "name": use.name,
        "capacity": use.capacity,
        "usedBefore": use.used_before,
        "usedAfter": use.used_after,
    }
