from typing import Any, final

@final
class Packer:
    def __init__(
        self,
        weights: Any,
        counts: Any,
        capacity: Any,
        price: Any,
        stock: Any,
        allowed: Any,
        value: Any,
        conflicts: Any = None,
    ) -> None: ...
    def step(self, measure: int, pattern: Any) -> tuple[int, int]: ...
