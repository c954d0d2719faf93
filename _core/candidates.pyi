from typing import final

from numpy import int32
from numpy.typing import NDArray

from binwright._core.rowtable import RowTable

STEPS: int

_Group = tuple[tuple[tuple[int, int], ...], int, int, int, bool, bool, bool, bool]

@final
class Question:
    def __new__(cls, groups: tuple[_Group, ...], subtrees: tuple[tuple[int, ...], ...]) -> Question: ...

@final
class Walk:
    def __new__(cls, table: RowTable, question: Question, rows: int) -> Walk: ...

@final
class Candidates:
    limit_reached: bool
    tree: int
    def __new__(
        cls, table: RowTable, question: Question, trees: NDArray[int32], in_turn: bool = False, steps: int = ...
    ) -> Candidates: ...
    def __iter__(self) -> Candidates: ...
    def __next__(self) -> tuple[int, ...]: ...
