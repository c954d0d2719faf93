from numpy import int64
from numpy.typing import NDArray

from binwright._core.state import State

def ranked(state: State, number: int, hosts: NDArray[int64], scores: NDArray[int64]) -> int: ...
