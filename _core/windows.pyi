from typing import final

from typing_extensions import Buffer

from binwright._core.journal import Idea, Journal

@final
class Window(Idea):
    length: int
    stop: int
    cursor: int
    def __new__(cls, journal: Journal, stride: int) -> Window: ...
    def set(self, order: Buffer, stop: int, cursor: int) -> None: ...
    def asked(self, hosts: Buffer) -> None: ...
