"""What a search has found: candidates as rows of numbers, which become objects when they are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

from binwright._core.candidate_list import CandidateList
from binwright.openstack.placement.answer import Candidate
from binwright.openstack.placement.units import Units

__all__ = ["FoundCandidates"]


class FoundCandidates(Sequence[Candidate]):
    """The candidates of one answer, in order; they hold as long as the providers' inventories do.

    rows: None where nothing fits; units: of the query; uuids: of the rows.
    """

    def __init__(self, rows: CandidateList | None, units: Units, uuids: Sequence[str]) -> None:
        self.rows = rows
        self.units = units
        self._uuids = uuids

    def __len__(self) -> int:
        return 0 if self.rows is None else len(self.rows)

    @overload
    def __getitem__(self, number: int) -> Candidate: ...

    @overload
    def __getitem__(self, number: slice) -> list[Candidate]: ...

    def __getitem__(self, number: int | slice) -> Candidate | list[Candidate]:
        if isinstance(number, slice):
            return [self[one] for one in range(*number.indices(len(self)))]
        if self.rows is None or not -len(self) <= number < len(self):
            raise IndexError(f"no candidate {number} among {len(self)}")
        return self.units.candidate([self._uuids[row] for row in self.rows[number % len(self)]])
