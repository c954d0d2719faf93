from typing import final

from binwright._core.journal import Journal
from binwright._core.scan import Scan

@final
class Indexes:
    bytes: int
    most_bytes: int
    off: bool
    answered: int
    def __new__(cls, journal: Journal, scan: Scan) -> Indexes: ...
    def carried(self, number: int) -> bool: ...
