from typing import Any, Self, final

@final
class Packer:
    def __new__(
        cls,
        weights: Any,
        counts: Any,
        capacity: Any,
        price: Any,
        stock: Any,
        allowed: Any,
        value: Any,
        conflicts: Any = None,
    ) -> Self: ...
    def step(self, measure: int, pattern: Any) -> tuple[int, int]: ...
