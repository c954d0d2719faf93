from typing import Any, final

@final
class Grouping:
    count: int
    def __init__(self, rows: Any, groups: Any) -> None: ...
    def fill_firsts(self, firsts: Any) -> None: ...
