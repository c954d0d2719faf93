from typing import Any, TypeVar, final

from typing_extensions import disjoint_base

_Kind = TypeVar("_Kind", bound=Decided)

@final
class Cells:
    count: int
    def __new__(cls, count: int) -> Cells: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...
    def take_back(self, placed: int, verdict: int) -> None: ...

@disjoint_base
class Decided:
    _cells: Cells
    _owner: Any
    _numbers: Any
    _position: int
    _serial: int

def restored(kind: type[_Kind], owner: Any, numbers: Any, cells: bytes, position: int, serial: int) -> _Kind: ...
