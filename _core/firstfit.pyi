from typing import Any, Self, final

@final
class FirstFit:
    bins: int
    sizes: tuple[int, int]
    def __new__(cls, weights: Any, counts: Any, order: Any, capacity: Any, best: bool, window: int) -> Self: ...
    def fill_patterns(self, counts: Any, ends: Any, types: Any, copies: Any) -> None: ...
