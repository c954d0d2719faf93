from typing import Any, final

@final
class FirstFit:
    bins: int
    sizes: tuple[int, int]
    def __init__(self, weights: Any, counts: Any, order: Any, capacity: Any, best: bool, window: int) -> None: ...
    def fill_patterns(self, counts: Any, ends: Any, types: Any, copies: Any) -> None: ...
