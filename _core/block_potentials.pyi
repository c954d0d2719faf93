from typing import final

from binwright._core.block_columns import BlockColumns

@final
class BlockPotentials:
    def __new__(cls, columns: BlockColumns) -> BlockPotentials: ...
    @property
    def bytes(self) -> int: ...
