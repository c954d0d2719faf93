from typing import Any, final

from binwright._core.fleet import Fleet
from binwright._core.journal import Idea, Journal
from binwright._core.request import Classes

@final
class Externals(Idea):
    of_class: list[list[tuple[Any, int, int]]]
    def __new__(cls, journal: Journal, fleet: Fleet, classes: Classes) -> Externals: ...
    def new_class(self, terms: list[tuple[Any, int, int]]) -> None: ...
