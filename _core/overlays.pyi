from typing import final

from binwright._core.counters import Counters
from binwright._core.fleet import Fleet
from binwright._core.journal import Idea, Journal
from binwright._core.request import Classes

@final
class Overlays(Idea):
    count: int
    live: int
    def __new__(cls, journal: Journal, fleet: Fleet, classes: Classes, counters: Counters) -> Overlays: ...
    def promise(self, request: int, host: int, priority: int) -> int: ...
    def withdraw(self, number: int) -> bool: ...
