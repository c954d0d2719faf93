from typing import final

from binwright._core.block_filter import BlockFilter
from binwright._core.float_index import FloatIndexes
from binwright._core.journal import Journal
from binwright._core.scan import Scan

@final
class Indexes:
    most_bytes: int
    off: bool
    none: bool
    filter: BlockFilter
    floats: FloatIndexes
    answered: int
    def __new__(cls, journal: Journal, scan: Scan) -> Indexes: ...
    @property
    def bytes(self) -> int: ...
    def clear(self) -> None: ...
    def carried(self, number: int) -> bool: ...
