"""`candidates`: Placement's question asked of the one cloud among the sources; its answer and its JSON form."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from binwright.errors import InputError
from binwright.openstack.candidates import Candidates, candidates_source
from binwright.stack.envelope import API_VERSION, not_evaluated_entries
from binwright.stack.sources import Source


@dataclass(slots=True)
class CandidatesResult:
    """The answer of one cloud; `elapsed_seconds` is wall time after the files were read."""

    answer: Candidates
    elapsed_seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """The envelope of kind CandidatesResult. What the API itself answers stands in it as the API writes it:
        `allocation_requests` and `provider_summaries`, or `errors`.
        """
        answer = self.answer
        return {
            "apiVersion": API_VERSION,
            "kind": "CandidatesResult",
            "summary": {
                "source": answer.source,
                "status": answer.status,
                "microversion": answer.microversion,
                "candidates": len(answer.found),
                "more": answer.more,
                "searchSeconds": round(answer.elapsed, 6),
                "elapsedSeconds": round(self.elapsed_seconds, 6),
            },
            **answer.body,
            "notes": answer.notes,
            "notEvaluated": not_evaluated_entries(answer.not_evaluated),
        }


def ask_candidates(
    sources: Sequence[Source], query: str, *, microversion: str, order: str, first: int
) -> CandidatesResult:
    """Ask the one cloud among the sources. Raises InputError unless there is exactly one, and for a bad object."""
    start = time.perf_counter()
    clouds = [source for source in sources if source.layer == "openstack"]
    if len(clouds) != 1:
        named = ", ".join(source.name for source in clouds) or "none"
        raise InputError(f"candidates asks one cloud, the input has {len(clouds)} ({named})")
    (cloud,) = clouds
    answer = candidates_source(cloud.name, cloud.blobs, query, microversion=microversion, order=order, first=first)
    return CandidatesResult(answer, elapsed_seconds=time.perf_counter() - start)
