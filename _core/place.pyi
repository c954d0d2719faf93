from typing import Any, TypeVar

from typing_extensions import Buffer

from binwright._core.decided import Decided
from binwright._core.state import State

_Kind = TypeVar("_Kind", bound=Decided)

def place(state: State, number: int, count: int, kind: type[_Kind], owner: Any) -> _Kind: ...
def place_each(state: State, numbers: Buffer, kind: type[_Kind], owner: Any) -> _Kind: ...

def place_same(
    state: State, number: int, hosts: Buffer, scores: Buffer, items: Buffer, positions: Buffer, verdicts: Buffer
) -> None: ...
def place_queue(
    state: State, numbers: Buffer, hosts: Buffer, scores: Buffer, items: Buffer, positions: Buffer, verdicts: Buffer
) -> None: ...
def claim(state: State, numbers: Buffer, hosts: Buffer, items: Buffer) -> int: ...
def release(state: State, items: Buffer) -> int: ...
