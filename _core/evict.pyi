from typing import Any, Final, final

from typing_extensions import Buffer

from binwright._core.state import State

CANDIDATE: Final[int]
NOTHING_TO_EVICT: Final[int]
STILL_REFUSED: Final[int]
NOTHING_LEFT_TO_EVICT: Final[int]

@final
class Trial:
    def __new__(cls, state: State, host: int, slots: list[int]) -> Trial: ...

def evict(state: State, number: int, hosts: Buffer) -> list[tuple[Any, ...]]: ...
def mark(state: State, items: Buffer, priority: Buffer, order: Buffer, budgets: list[list[int]]) -> int: ...
