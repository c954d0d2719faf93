"""What `capacity` found out, and its JSON form, kind `CapacityResult`. Decides nothing, formats nothing for people."""

from dataclasses import dataclass, field
from typing import Any

from binwright.headroom import Headroom, HostRoom, MatrixRow, SourceHeadroom
from binwright.stack.envelope import API_VERSION, not_evaluated_entries, reason_entries
from binwright.stack.over_sources import OverSources


@dataclass(slots=True)
class HeadroomResult(OverSources[SourceHeadroom]):
    """The answers of the sources in the order given; `elapsed_seconds` is wall time after the files were read."""

    sources: list[SourceHeadroom]
    remarks: list[str] = field(default_factory=list)
    elapsed_seconds: float = 0.0

    @property
    def answers(self) -> list[Headroom]:
        """The answers, source by source: a shape each, then the mix."""
        return [answer for source in self.sources for answer in source.answers]

    def to_dict(self) -> dict[str, Any]:
        """The envelope of kind CapacityResult: plain dicts, lists, strings and exact numbers; schema in `schemas`."""
        return {
            "apiVersion": API_VERSION,
            "kind": "CapacityResult",
            "summary": {
                "hosts": self.hosts,
                "answers": len(self.answers),
                "elapsedSeconds": round(self.elapsed_seconds, 6),
            },
            "sources": [
                {"name": source.source, "layer": source.layer, "hosts": source.hosts, "supposes": source.supposes}
                for source in self.sources
            ],
            "capacity": [answer_entry(answer) for answer in self.answers],
            "matrix": [matrix_entry(source.source, row) for source in self.sources for row in source.matrix],
            "notes": self.notes,
            "notEvaluated": not_evaluated_entries(self.not_evaluated),
        }


def answer_entry(answer: Headroom) -> dict[str, Any]:
    return {
        "source": answer.source,
        "count": answer.count,
        "rounds": answer.rounds,
        "shapes": [
            {
                "name": shape.name,
                "each": shape.each,
                "count": shape.count,
                "asked": [{"resource": resource, "amount": amount} for resource, amount in shape.asked.items()],
            }
            for shape in answer.shapes
        ],
        "refused": answer.refused,
        "message": answer.message,
        "reasons": reason_entries(answer.reasons),
        "smallestChange": answer.smallest_change,
        "runsOut": answer.runs_out,
        "hosts": [host_entry(room) for room in answer.hosts],
    }


def matrix_entry(source: str, row: MatrixRow) -> dict[str, Any]:
    return {
        "source": source,
        "shape": row.shape,
        "zone": row.zone,
        "trait": row.trait or None,
        "hosts": row.hosts,
        "count": row.count,
    }


def host_entry(room: HostRoom) -> dict[str, Any]:
    return {"host": room.host, "counts": room.counts, "rule": room.rule, "text": room.text, "short": room.short}
