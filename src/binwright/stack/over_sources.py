"""What the results of all verbs that ask source by source share: hosts, notes and what was not evaluated, added up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

from binwright.outcome import NotEvaluated
from binwright.stack.envelope import merged_not_evaluated

__all__ = ["OverSources"]


class Told(Protocol):
    """One source's part."""

    source: str
    hosts: int
    not_evaluated: list[NotEvaluated]
    notes: list[str]


One = TypeVar("One", bound=Told)


class OverSources(Generic[One]):
    """Everything over `sources`, in their order. remarks: notes of the stack itself."""

    sources: list[One]
    remarks: Sequence[str] = ()

    @property
    def hosts(self) -> int:
        """Hosts of all sources."""
        return sum(one.hosts for one in self.sources)

    @property
    def not_evaluated(self) -> list[NotEvaluated]:
        """Rules that stand in the input and were not evaluated, one entry a rule, most objects first.

        With several sources an example begins with its source's name.
        """
        return merged_not_evaluated((one.source, one.not_evaluated) for one in self.sources)

    @property
    def notes(self) -> list[str]:
        """Remarks of the layers, each with its source, and of the stack."""
        return [*(f"{one.source}: {note}" for one in self.sources for note in one.notes), *self.remarks]
