from typing import Any, Final, final

from binwright._core.domain_terms import DomainTerms
from binwright._core.fleet import Fleet
from binwright._core.journal import Idea, Journal

FLOAT_KINDS: Final[dict[str, int]]

@final
class FloatScores(Idea):
    count: int
    def __new__(
        cls, journal: Journal, fleet: Fleet, domain_terms: DomainTerms, specs: list[dict[str, Any]] | None
    ) -> FloatScores: ...
    def new_column(self, fresh: float) -> int: ...
    def set_value(self, column: int, host: int, value: float) -> None: ...
    def value(self, column: int, host: int) -> float: ...
