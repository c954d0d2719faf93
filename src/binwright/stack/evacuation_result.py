"""What `drain` and `consolidate` found out, and their JSON forms, kinds `DrainResult` and `ConsolidateResult`.

Adds up what the layers said; decides nothing and formats nothing for people.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from binwright.moves import BudgetUse, Consolidated, Evacuated, Held, Move
from binwright.stack.envelope import (
    API_VERSION,
    identity,
    not_evaluated_entries,
    reason_entries,
    verdict_word,
)
from binwright.stack.node_bound import COVERS, Bound
from binwright.stack.over_sources import OverSources

__all__ = ["ConsolidateResult", "DrainResult", "Evacuations"]


class Evacuations(OverSources[Evacuated]):
    """What both results share."""

    elapsed_seconds: float

    @property
    def moves(self) -> list[Move]:
        """What leaves its host, in executable order of each source."""
        return [move for source in self.sources for move in source.moves]

    @property
    def unplaced(self) -> list[Move]:
        """Those of the moves that end nowhere, or on a host that is to be emptied."""
        return [move for move in self.moves if not move.placed]

    def held(self, action: str) -> list[Held]:
        """What is not moved, by action."""
        return [one for source in self.sources for one in source.held if one.action == action]

    @property
    def rounds(self) -> int:
        """The most rounds of any source."""
        return max((source.rounds for source in self.sources), default=0)

    def shared_entries(self) -> dict[str, Any]:
        """The part of the envelope that both kinds have."""
        return {
            "moves": [move_entry(move) for move in self.moves if move.placed],
            "unplaced": [unplaced_entry(move) for move in self.unplaced],
            "refused": [held_entry(one) for one in self.held("refuse")],
            "deleted": [held_entry(one) for one in self.held("delete")],
            "staying": [held_entry(one) for one in self.held("stay")],
            "budgets": [budget_entry(source.source, one) for source in self.sources for one in source.budgets],
            "skippedKinds": skipped(self.sources),
            "notes": self.notes,
            "notEvaluated": not_evaluated_entries(self.not_evaluated),
        }


@dataclass(slots=True)
class DrainResult(Evacuations):
    """The drains of the sources in the order in which their nodes were named."""

    sources: list[Evacuated]
    remarks: list[str] = field(default_factory=list)
    elapsed_seconds: float = 0.0

    @property
    def empties(self) -> bool:
        """Whether every pod that should leave its node may, and its replacement finds another."""
        return not self.unplaced and not self.held("refuse")

    def nodes(self) -> Iterator[tuple[str, str, int, int]]:
        """(source, node, pods that leave it for another, pods that keep it from being emptied)."""
        for source in self.sources:
            for node in source.emptied:
                leaving = [move for move in source.moves if move.origin == node]
                kept = [one for one in source.held if one.host == node and one.action == "refuse"]
                lost = [move for move in leaving if not move.placed]
                yield source.source, node, len(leaving) - len(lost), len(kept) + len(lost)

    def to_dict(self) -> dict[str, Any]:
        """The envelope of kind DrainResult: plain dicts, lists, strings and exact numbers; schema in `schemas`."""
        nodes = list(self.nodes())
        return {
            "apiVersion": API_VERSION,
            "kind": "DrainResult",
            "summary": {
                "hosts": self.hosts,
                "nodes": len(nodes),
                "moves": len(self.moves) - len(self.unplaced),
                "unplaced": len(self.unplaced),
                "refused": len(self.held("refuse")),
                "rounds": self.rounds,
                "elapsedSeconds": round(self.elapsed_seconds, 6),
            },
            "nodes": [
                {"source": source, "name": name, "emptied": not kept, "moves": moves, "kept": kept}
                for source, name, moves, kept in nodes
            ],
            **self.shared_entries(),
        }


@dataclass(slots=True)
class ConsolidateResult(Evacuations):
    """The plan of each source, and the bound beside it."""

    plans: list[tuple[Consolidated, Bound]]
    remarks: list[str] = field(default_factory=list)
    elapsed_seconds: float = 0.0
    sources: list[Evacuated] = field(init=False)

    def __post_init__(self) -> None:
        self.sources = [plan.evacuated for plan, _ in self.plans]

    @property
    def emptied(self) -> int:
        """Nodes that can be emptied together, in all sources."""
        return sum(len(source.emptied) for source in self.sources)

    @property
    def bound(self) -> int:
        """At least so many nodes are needed."""
        return sum(bound.hosts for _, bound in self.plans)

    @property
    def price(self) -> dict[str, int | float] | None:
        """What all nodes cost, those that remain, and what these cost at least; None where nodes were counted."""
        return total_price([plan_price(plan, bound) for plan, bound in self.plans])

    def to_dict(self) -> dict[str, Any]:
        """The envelope of kind ConsolidateResult, as `DrainResult.to_dict`."""
        remaining = self.hosts - self.emptied
        return {
            "apiVersion": API_VERSION,
            "kind": "ConsolidateResult",
            "summary": {
                "hosts": self.hosts,
                "emptied": self.emptied,
                "remaining": remaining,
                "bound": self.bound,
                "gap": remaining - self.bound,
                "price": self.price,
                "moves": len(self.moves),
                "rounds": self.rounds,
                "elapsedSeconds": round(self.elapsed_seconds, 6),
            },
            "sources": [plan_entry(plan, bound) for plan, bound in self.plans],
            **self.shared_entries(),
        }


def plan_entry(plan: Consolidated, bound: Bound) -> dict[str, Any]:
    """One source's nodes and numbers."""
    evacuated = plan.evacuated
    remaining = evacuated.hosts - len(evacuated.emptied)
    return {
        "name": evacuated.source,
        "layer": evacuated.layer,
        "hosts": evacuated.hosts,
        "emptied": evacuated.emptied,
        "idle": plan.idle,
        "remaining": remaining,
        "fixed": bound.fixed,
        "bound": bound.hosts,
        "gap": remaining - bound.hosts,
        "price": total_price([plan_price(plan, bound)]),
        "proof": bound.proof,
        "covers": COVERS,
        "rounds": evacuated.rounds,
    }


def plan_price(plan: Consolidated, bound: Bound) -> tuple[Fraction, Fraction, Fraction] | None:
    """(all nodes, those that remain, bound) of one source."""
    if plan.prices is None or bound.price is None:
        return None
    return (*plan.prices, bound.price)


def total_price(prices: list[tuple[Fraction, Fraction, Fraction] | None]) -> dict[str, int | float] | None:
    """Sums over sources; None unless all are priced."""
    priced = [price for price in prices if price is not None]
    if not priced or len(priced) < len(prices):
        return None
    before, after, bound = (sum(column, Fraction()) for column in zip(*priced))
    return {"before": number(before), "after": number(after), "bound": number(bound)}


def number(exact: Fraction) -> int | float:
    """An integer where it is one."""
    return int(exact) if exact.denominator == 1 else float(exact)


def move_entry(move: Move) -> dict[str, Any]:
    """A pod that leaves its node, and where its replacement goes."""
    outcome = move.outcome
    return identity(outcome, outcome.kind) | {
        "owner": move.owner,
        "from": move.origin,
        "host": outcome.host,
        "score": outcome.score,
        "ties": move.ties,
        "round": move.round,
        "budget": move.budget,
    }


def unplaced_entry(move: Move) -> dict[str, Any]:
    """A pod that leaves its node, and why its replacement has none; `host` is a node to be emptied, too."""
    outcome = move.outcome
    return identity(outcome, outcome.kind) | {
        "owner": move.owner,
        "from": move.origin,
        "host": outcome.host,
        "round": move.round,
        "budget": move.budget,
        "verdict": verdict_word(outcome.verdict),
        "message": outcome.message,
        "reasons": reason_entries(outcome.reasons),
        "smallestChange": outcome.smallest_change,
    }


def held_entry(one: Held) -> dict[str, Any]:
    """An object that is not moved."""
    return identity(one, one.kind) | {
        "host": one.host,
        "reason": one.reason,
        "message": one.text,
        "budget": one.budget,
        "disruptionsAllowed": one.allowed,
    }


def budget_entry(source: str, one: BudgetUse) -> dict[str, Any]:
    """A budget that counts some of the moves."""
    return {
        "source": source,
        "name": one.name,
        "disruptionsAllowed": one.allowed,
        "moves": one.moves,
        "rounds": one.rounds,
    }


def skipped(sources: Iterable[Evacuated]) -> dict[str, int]:
    """Objects per kind that the layers read over, names ascending."""
    counts: dict[str, int] = {}
    for source in sources:
        for kind, number in source.skipped_kinds.items():
            counts[kind] = counts.get(kind, 0) + number
    return dict(sorted(counts.items()))
