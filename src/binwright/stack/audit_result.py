"""What an audit found, and its JSON form, kind `AuditResult`."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from binwright.outcome import NotEvaluated
from binwright.stack.envelope import API_VERSION, not_evaluated_entries
from binwright.stack.finding import Finding, Ref, Repair
from binwright.stack.sandwich import Sandwich
from binwright.stack.spread_check import Spread


@dataclass(slots=True)
class AuditResult:
    """findings: worst first. spreads: every claim that was measured, kept or not."""

    sandwich: Sandwich
    findings: list[Finding]
    spreads: list[Spread]
    not_evaluated: list[NotEvaluated] = field(default_factory=list)
    elapsed_seconds: float = 0.0

    @property
    def joins(self) -> list[tuple[str, str, str, int]]:
        """(source, kind, how, number) of the joins that were made, by source."""
        counts = Counter((place.cluster, "Node", place.how) for place in self.sandwich.nodes.values())
        counts.update((place.cloud, "Server", place.how) for place in self.sandwich.servers.values())
        return [(*key, number) for key, number in sorted(counts.items())]

    @property
    def not_sought(self) -> int:
        """Findings that moving things might mend, and for which no repair was looked for."""
        return sum(one.sought is False for one in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """The envelope: plain dicts, lists, strings and exact numbers."""
        sandwich = self.sandwich
        return {
            "apiVersion": API_VERSION,
            "kind": "AuditResult",
            "summary": {
                "clouds": len(sandwich.clouds),
                "clusters": len(sandwich.clusters),
                "hosts": len(sandwich.hosts),
                "servers": len(sandwich.servers),
                "nodes": len(sandwich.nodes),
                "pods": sum(len(objects.pods) for objects in sandwich.clusters.values()),
                "claims": len(self.spreads),
                "findings": len(self.findings),
                "repairsNotSought": self.not_sought,
                "elapsedSeconds": round(self.elapsed_seconds, 6),
            },
            "findings": [finding_entry(one) for one in self.findings],
            "joins": [
                {"source": source, "kind": kind, "how": how, "objects": number}
                for source, kind, how, number in self.joins
            ],
            "notEvaluated": not_evaluated_entries(self.not_evaluated),
        }


def finding_entry(one: Finding) -> dict[str, Any]:
    """One finding as contracts have it."""
    return {
        "id": one.id,
        "kind": one.kind,
        "severity": one.severity,
        "objects": [ref_entry(ref) for ref in one.objects],
        "claimed": one.claimed,
        "actual": one.actual,
        "evidence": one.evidence,
        "repairsSought": one.sought,
        "repairs": [repair_entry(repair) for repair in one.repairs],
    }


def ref_entry(ref: Ref) -> dict[str, Any]:
    """An object's name."""
    return {"source": ref.source, "kind": ref.kind, "namespace": ref.namespace, "name": ref.name}


def repair_entry(repair: Repair) -> dict[str, Any]:
    """One step of a repair."""
    return {
        "action": repair.action,
        "object": ref_entry(repair.object),
        "from": repair.from_host,
        "to": repair.to_host,
        "cost": repair.cost,
        "checked": list(repair.checked),
        "commands": list(repair.commands),
    }
