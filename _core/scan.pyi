from typing import final

from typing_extensions import Buffer

from binwright._core.fleet import Fleet
from binwright._core.groups import Search
from binwright._core.request import Classes
from binwright._core.terms import Terms

@final
class Scan:
    def __new__(
        cls,
        fleet: Fleet,
        terms: Terms,
        search: Search,
        cordon_rule: int,
        fit_rule: int,
        resolvable: int,
        always_resolvable: int,
        rows_rule: int,
    ) -> Scan: ...
    def refusals(
        self, classes: Classes, number: int, first: Buffer, mask: Buffer, short: Buffer, resolvable: Buffer
    ) -> None: ...
    def row_answers(self, classes: Classes, number: int, answers: Buffer) -> None: ...
    def evaluate(self, classes: Classes, number: int, raw: Buffer, normalised: Buffer, total: Buffer) -> None: ...
