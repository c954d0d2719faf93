from typing import final

from binwright._core.counters import Counters
from binwright._core.externals import Externals
from binwright._core.fleet import Fleet
from binwright._core.journal import Idea, Journal
from binwright._core.request import Classes

@final
class Items(Idea):
    slots: int
    alive: int
    def __new__(
        cls, journal: Journal, fleet: Fleet, classes: Classes, counters: Counters, externals: Externals
    ) -> Items: ...
    def hosts_of(self, request: int) -> list[int]: ...
    def on_host(self, host: int) -> list[int]: ...
    def record(self, item: int) -> tuple[int, int] | None: ...
