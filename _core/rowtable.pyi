from collections.abc import Sequence
from typing import final

from binwright._core.clauses import Clauses

_Stock = tuple[int, int, int, int, int, int]

@final
class RowTable:
    labels: Clauses
    members: Clauses
    count: int
    stock_count: int
    tree_count: int
    shape_count: int
    most: int
    def __new__(
        cls,
        rows: Sequence[tuple[int, frozenset[str], frozenset[str], Sequence[_Stock]]],
        links: Sequence[Sequence[int]],
    ) -> RowTable: ...
    def set_used(self, row: int, resource: int, amount: int) -> None: ...
    def trees_that_meet(self, filter: int) -> bytes: ...
    def tree_of(self, row: int) -> int: ...
