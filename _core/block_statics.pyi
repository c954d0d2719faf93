from typing import final

from binwright._core.scan import Scan

@final
class BlockStatics:
    most_bytes: int
    def __new__(cls, scan: Scan) -> BlockStatics: ...
    @property
    def bytes(self) -> int: ...
