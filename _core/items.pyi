from typing import final

from binwright._core.fleet import Fleet
from binwright._core.journal import Idea, Journal
from binwright._core.request import Classes

@final
class Items(Idea):
    slots: int
    alive: int
    def __new__(cls, journal: Journal, fleet: Fleet, classes: Classes) -> Items: ...
    def on_host(self, host: int) -> list[int]: ...
    def record(self, item: int) -> tuple[int, int] | None: ...
