from typing import final

from typing_extensions import Buffer

from binwright._core.counters import Counters
from binwright._core.domain_terms import DomainTerms
from binwright._core.externals import Externals
from binwright._core.fleet import Fleet
from binwright._core.float_scores import FloatScores
from binwright._core.overlays import Overlays
from binwright._core.request import Classes
from binwright._core.search import Search
from binwright._core.terms import Terms
from binwright._core.windows import Window

@final
class Scan:
    threads: int
    def __new__(
        cls,
        fleet: Fleet,
        terms: Terms,
        domain_terms: DomainTerms,
        counters: Counters,
        overlays: Overlays,
        search: Search,
        externals: Externals,
        window: Window,
        floats: FloatScores,
        cordon_rule: int,
        fit_rule: int,
        resolvable: int,
        always_resolvable: int,
        rows_rule: int,
    ) -> Scan: ...
    def refusals(
        self,
        classes: Classes,
        number: int,
        first: Buffer,
        mask: Buffer,
        short: Buffer,
        resolvable: Buffer,
        argument: Buffer,
    ) -> None: ...
    def term_arguments(self, classes: Classes, number: int, rule: int, arguments: Buffer) -> None: ...
    def row_answers(self, classes: Classes, number: int, answers: Buffer) -> None: ...
    def term_reasons(self, classes: Classes, number: int, host: int) -> list[tuple[int, int, bool]]: ...
    def awake(self, classes: Classes, number: int) -> tuple[int, int]: ...
    def evaluate(self, classes: Classes, number: int, raw: Buffer, normalised: Buffer, total: Buffer) -> None: ...
    def evaluate_floats(
        self, classes: Classes, number: int, raw: Buffer, normalised: Buffer, total: Buffer
    ) -> None: ...
