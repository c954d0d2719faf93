from typing import Any, final

from binwright._core.budgets import Budgets
from binwright._core.counters import Counters
from binwright._core.devices import Forest
from binwright._core.domain_terms import DomainTerms
from binwright._core.domains import Domains
from binwright._core.externals import Externals
from binwright._core.fleet import Fleet
from binwright._core.float_scores import FloatScores
from binwright._core.indexes import Indexes
from binwright._core.items import Items
from binwright._core.journal import Journal
from binwright._core.overlays import Overlays
from binwright._core.pools import Pools
from binwright._core.request import Classes, RequestClass, Statics
from binwright._core.scan import Scan
from binwright._core.search import Search
from binwright._core.terms import Terms
from binwright._core.windows import Window

class OutOfOrder(Exception): ...

@final
class State:
    journal: Journal
    fleet: Fleet
    classes: Classes
    counters: Counters
    items: Items
    domains: Domains
    forest: Forest
    search: Search
    domain_terms: DomainTerms
    pools: Pools
    overlays: Overlays
    budgets: Budgets
    externals: Externals
    window: Window
    floats: FloatScores
    terms: Terms
    scan: Scan
    indexes: Indexes
    def __new__(cls, resources: int, terms: Terms, rules: tuple[int, int, int, int, int]) -> State: ...
    def check_idle(self) -> None: ...
    def check_readable(self) -> None: ...
    def settle(self) -> None: ...
    def layout(self) -> tuple[Any, ...]: ...
    def ideas(self) -> list[str]: ...
    def add_class(self, made: RequestClass, statics: Statics, externals: list[Any]) -> int: ...
    def reserve(self, hosts: int) -> None: ...
    def checkpoint(self) -> tuple[int, int]: ...
    def rollback(self, token: tuple[int, int]) -> None: ...
    def keep(self, token: tuple[int, int]) -> None: ...
    def fork(self) -> State: ...
    def moment(self) -> tuple[int, int]: ...
    def reaches(self, moment: tuple[int, int], later: int) -> bool: ...
    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]: ...
    def rewind(self, origin: State, moment: tuple[int, int], later: int) -> None: ...

def rebuild_state(
    resources: int, terms: Terms, rules: tuple[int, int, int, int, int],
    layout: tuple[Any, ...], saved: list[Any]
) -> State: ...
