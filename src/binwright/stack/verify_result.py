"""What `verify` found out, and its JSON form, kind `VerifyResult`. Decides nothing and formats nothing for people."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from binwright.stack.envelope import (
    API_VERSION,
    identity,
    not_evaluated_entries,
    rejection_entries,
    shortfall_entries,
)
from binwright.stack.over_sources import OverSources
from binwright.verified import ALLOCATION, INFEASIBLE, ORPHAN, PAST, Finding, SourceVerified


@dataclass(slots=True)
class VerifyResult(OverSources[SourceVerified]):
    """The findings of the sources in the order given; `elapsed_seconds` is wall time after the files were read."""

    sources: list[SourceVerified]
    remarks: list[str] = field(default_factory=list)
    elapsed_seconds: float = 0.0

    @property
    def checked(self) -> int:
        """Objects that were replayed."""
        return sum(source.checked for source in self.sources)

    @property
    def findings(self) -> list[Finding]:
        """Everything that was found, source by source."""
        return [finding for source in self.sources for finding in source.findings]

    @property
    def infeasible(self) -> list[Finding]:
        """Placements that the rules refuse; not those whose host was only closed since."""
        return [finding for finding in self.findings if finding.kind in (INFEASIBLE, PAST)]

    @property
    def misbooked(self) -> list[Finding]:
        """Books that do not say what lies on the hosts."""
        return [finding for finding in self.findings if finding.kind in (ALLOCATION, ORPHAN)]

    @property
    def feasible_share(self) -> float | None:
        """Part of the replayed placements that the rules allow, 0 to 1; None when nothing was replayed."""
        return 1 - len(self.infeasible) / self.checked if self.checked else None

    def only(self, keep: Callable[[Finding], bool]) -> "VerifyResult":
        """A copy with the findings that `keep` accepts; what was checked stays."""
        return replace(self, sources=[replace(one, findings=list(filter(keep, one.findings))) for one in self.sources])

    def to_dict(self) -> dict[str, Any]:
        """The envelope of kind VerifyResult: plain dicts, lists, strings and exact numbers; schema in `schemas`."""
        findings = self.findings
        share = self.feasible_share
        return {
            "apiVersion": API_VERSION,
            "kind": "VerifyResult",
            "summary": {
                "hosts": self.hosts,
                "checked": self.checked,
                "infeasible": len(self.infeasible),
                "hostChanged": len(findings) - len(self.infeasible),
                "feasibleShare": None if share is None else round(share, 6),
                "elapsedSeconds": round(self.elapsed_seconds, 6),
            },
            "sources": [
                {
                    "name": source.source,
                    "layer": source.layer,
                    "hosts": source.hosts,
                    "checked": source.checked,
                    "findings": len(source.findings),
                }
                for source in self.sources
            ],
            "findings": [finding_entry(finding) for finding in findings],
            "skipped": [
                {"source": source.source, "why": one.why, "objects": one.objects, "example": one.example}
                for source in self.sources
                for one in source.skipped
            ],
            "notes": self.notes,
            "notEvaluated": not_evaluated_entries(self.not_evaluated),
        }


def finding_entry(finding: Finding) -> dict[str, Any]:
    return identity(finding, finding.object_kind) | {
        "finding": finding.kind,
        "host": finding.host,
        "rejectedBy": rejection_entries(finding.rejected_by),
        "shortfalls": shortfall_entries(finding.shortfalls),
    }
