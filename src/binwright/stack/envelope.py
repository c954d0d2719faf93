"""What the JSON of several commands has in common: the version, names, reasons, rules that were not evaluated."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from binwright.explained import RuleText, Shortfall
from binwright.outcome import NotEvaluated, ReasonText
from binwright.stack.names import HasName
from binwright.verdict import Verdict

API_VERSION = "binwright.io/v1alpha1"


def identity(thing: HasName, kind: str) -> dict[str, Any]:
    """The entry of a named object, to which its own facts are added."""
    return {
        "source": thing.source,
        "kind": kind,
        "namespace": thing.namespace,
        "name": thing.name,
        "uid": thing.uid,
    }


def verdict_word(verdict: Verdict) -> str:
    """The verdict as JSON and tables say it: placed, unschedulable, unresolvable or error."""
    return verdict.name.lower()


def reason_entries(reasons: Iterable[ReasonText]) -> list[dict[str, Any]]:
    """Counted reasons."""
    return [{"rule": reason.rule, "hosts": reason.hosts, "text": reason.text} for reason in reasons]


def rejection_entries(rejected_by: Iterable[RuleText]) -> list[dict[str, Any]]:
    """The rules that one host rejects by."""
    return [{"rule": one.rule, "text": one.text} for one in rejected_by]


def shortfall_entries(shortfalls: Iterable[Shortfall]) -> list[dict[str, Any]]:
    """What one host lacks."""
    return [
        {"resource": one.resource, "asked": one.asked, "free": one.free, "missing": one.missing} for one in shortfalls
    ]


def not_evaluated_entries(entries: Iterable[NotEvaluated]) -> list[dict[str, Any]]:
    """Rules that were not evaluated, as `merged_not_evaluated` or a layer has them."""
    return [{"rule": entry.rule, "objects": entry.objects, "example": entry.example} for entry in entries]


def merged_not_evaluated(sources: Iterable[tuple[str, Iterable[NotEvaluated]]]) -> list[NotEvaluated]:
    """Over (source name, its entries): one entry a rule with the sum of objects and the first example, most objects
    first, then by rule. With several sources an example begins with its source's name.
    """
    sources = list(sources)
    merged: dict[str, NotEvaluated] = {}
    for source, entries in sources:
        for entry in entries:
            example = entry.example if len(sources) == 1 else f"{source}: {entry.example}"
            total = merged.setdefault(entry.rule, replace(entry, objects=0, example=example))
            total.objects += entry.objects
    return sorted(merged.values(), key=lambda entry: (-entry.objects, entry.rule))
