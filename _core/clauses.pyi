from typing import final

MAX_CLAUSES: int

@final
class Clauses:
    sets: list[frozenset[str]]
    filters: list[tuple[tuple[frozenset[str], ...], frozenset[str]]]
    def set_number(self, labels: frozenset[str]) -> int: ...
    def filter_number(self, clauses: tuple[frozenset[str], ...], forbidden: frozenset[str]) -> int: ...
