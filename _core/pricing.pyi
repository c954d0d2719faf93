from typing import Any, Self, final

@final
class Pricer:
    types: int
    resources: int
    def __new__(cls, weights: Any, limits: Any, capacity: Any, conflicts: Any = None) -> Self: ...
    def solve(self, prices: Any, limits: Any, floor: int, steps: int, found: Any) -> tuple[int, int, int]: ...
