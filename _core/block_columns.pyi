from typing import final

from binwright._core.fleet import Fleet
from binwright._core.journal import Journal

@final
class BlockColumns:
    def __new__(cls, journal: Journal, fleet: Fleet) -> BlockColumns: ...
    @property
    def bytes(self) -> int: ...
