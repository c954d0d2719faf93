from typing import Any, Final, final

from typing_extensions import Buffer

from binwright._core.counters import Counters
from binwright._core.domains import Domains
from binwright._core.fleet import Fleet
from binwright._core.journal import Idea, Journal

OPS: Final[dict[str, int]]
HOST_KEY: Final[int]

@final
class DomainTerms(Idea):
    def __new__(cls, journal: Journal, fleet: Fleet, domains: Domains, counters: Counters) -> DomainTerms: ...
    def new_members(self, inside: Buffer) -> int: ...
    def set_member(self, number: int, host: int, inside: int) -> None: ...
    def new_class(self) -> int: ...
    def extend(self, number: int, hard: list[dict[str, Any]], soft: list[dict[str, Any]]) -> None: ...

def rule_of(term: dict[str, Any]) -> int: ...
