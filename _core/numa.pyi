from typing import final

MOST_CPUS: int

@final
class Cells:
    count: int
    def add(self, row: int, sets: list[int], pages: list[tuple[int, int, int, int]], alike: bool) -> int: ...
    def cell(self, number: int) -> tuple[int, int, list[int], list[tuple[int, int, int, int]]]: ...
