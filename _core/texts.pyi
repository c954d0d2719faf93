from collections.abc import Callable
from typing import Final, final

from numpy import int32
from numpy.typing import NDArray

from binwright._core.candidate_list import CandidateList

MOST: Final[int]

@final
class Template:
    def __new__(cls, pieces: list[tuple[bytes, int]]) -> Template: ...

@final
class RowTexts:
    count: int
    def __new__(cls, texts: tuple[bytes, ...], ranks: NDArray[int32]) -> RowTexts: ...

def written(
    found: CandidateList,
    texts: RowTexts,
    first: int,
    end: int,
    made: Callable[[list[int]], Template],
    opening: bytes,
    middle: bytes,
    rest: list[bytes],
    closing: bytes,
    between: bytes,
) -> bytes: ...
