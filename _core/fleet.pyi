from typing import Any, Final, final

from typing_extensions import Buffer

from binwright._core.columns import Columns
from binwright._core.journal import Idea, Journal

LARGEST_AMOUNT: Final[int]

@final
class Fleet(Idea):
    resources: int
    hosts: int
    stride: int
    capacity: Columns
    used: Columns
    limits: Columns | None
    flags: Columns
    def __new__(cls, journal: Journal, resources: int) -> Fleet: ...
    def add_hosts(self, capacity: list[Any], used: list[Any], count: int) -> int: ...
    def set_flags(self, host: int, flags: int) -> None: ...
    def set_capacity(self, host: int, resource: int, amount: int) -> None: ...
    def set_used(self, host: int, resource: int, amount: int) -> None: ...
    def set_limits(self, resource: int, smallest: Buffer, largest: Buffer, step: Buffer) -> None: ...
    def unclaimable(self, resource: int, amount: int, result: Buffer) -> None: ...
