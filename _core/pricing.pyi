from typing import Any, final

@final
class Pricer:
    types: int
    resources: int
    def __init__(self, weights: Any, limits: Any, capacity: Any, conflicts: Any = None) -> None: ...
    def solve(self, prices: Any, limits: Any, floor: int, steps: int, found: Any) -> tuple[int, int, int]: ...
