from typing import Any, final

from typing_extensions import disjoint_base

@disjoint_base
class Idea:
    def save(self) -> Any: ...
    def restore(self, saved: Any) -> None: ...
    def check(self, state: Any) -> None: ...

@final
class Journal:
    first: int
    position: int
