from typing import final

from binwright._core.journal import Journal
from binwright._core.scan import Scan

@final
class FloatIndex:
    def __new__(cls) -> FloatIndex: ...

@final
class FloatIndexes:
    most_bytes: int
    def __new__(cls, journal: Journal, scan: Scan) -> FloatIndexes: ...
    @property
    def bytes(self) -> int: ...
    def clear(self) -> None: ...
    def used_at(self, number: int) -> int: ...
