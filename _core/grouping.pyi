from typing import Any, Self, final

@final
class Grouping:
    count: int
    def __new__(cls, rows: Any, groups: Any) -> Self: ...
    def fill_firsts(self, firsts: Any) -> None: ...
