"""What the replay of a file of recorded cases comes to; the layers fill it, the command line prints it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

__all__ = ["ConformanceReport"]


@dataclass(slots=True)
class ConformanceReport:
    """How many cases there were, how many were equal in everything, and one line a difference."""

    cases: int = 0
    exact: int = 0
    differences: list[str] = field(default_factory=list)

    def count(self, differences: Iterable[str]) -> None:
        """Take in one case; it is exact if there are no differences."""
        found = list(differences)
        self.cases += 1
        self.exact += not found
        self.differences += found
