from typing import final

from numpy import int32
from numpy.typing import NDArray

from binwright._core.candidates import Question
from binwright._core.rowtable import RowTable

STEPS: int

@final
class CandidateList:
    table: RowTable
    question: Question
    units: int
    count: int
    limit_reached: bool
    def __new__(cls, table: RowTable, question: Question) -> CandidateList: ...
    def __len__(self) -> int: ...
    def __getitem__(self, number: int) -> tuple[int, ...]: ...
    def trees(self, units: bytes) -> list[int]: ...

@final
class Lister:
    def __new__(cls, table: RowTable, question: Question, most: int, steps: int) -> Lister: ...

def listed(
    table: RowTable, question: Question, trees: NDArray[int32], most: int = -1, steps: int = ...
) -> CandidateList: ...
