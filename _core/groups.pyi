from typing import Any, final

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
