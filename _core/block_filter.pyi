from typing import final

from typing_extensions import Buffer

from binwright._core.block_columns import BlockColumns
from binwright._core.block_potentials import BlockPotentials
from binwright._core.block_statics import BlockStatics
from binwright._core.journal import Journal
from binwright._core.request import Classes
from binwright._core.scan import Scan

@final
class BlockFilter:
    columns: BlockColumns
    statics: BlockStatics
    potentials: BlockPotentials
    off: bool
    many_blocks: int
    shared_blocks: int
    piece_blocks: int
    read: int
    answered: int
    evaluated: int
    def __new__(cls, journal: Journal, scan: Scan) -> BlockFilter: ...
    def bounds(self, classes: Classes, number: int, key: Buffer) -> bool: ...
    @property
    def bytes(self) -> int: ...
