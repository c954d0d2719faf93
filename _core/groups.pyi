from typing import Any, final

from binwright._core.devices import Forest
from binwright._core.fleet import Fleet

MOST_UNITS: int

@final
class GroupSet:
    spec: tuple[Any, ...]
    def __new__(
        cls,
        groups: tuple[tuple[Any, ...], ...],
        root: int,
        gathered: int,
        subtrees: tuple[tuple[int, ...], ...],
        keys: tuple[tuple[int, int, int], ...],
        greedy: bool,
        steps: int,
    ) -> GroupSet: ...

@final
class Search:
    def __new__(cls, forest: Forest, fleet: Fleet) -> Search: ...
