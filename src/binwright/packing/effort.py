"""How much a search of the pricing kernel may do: it cannot be interrupted, so it gets steps beforehand."""

from __future__ import annotations

from collections.abc import Callable

STEPS_A_SECOND = 3e6  # until a long search was timed
LONG = 50_000  # steps from which a search tells the speed
STEPS_AN_ITERATION = 300_000  # on average, where iterations count
LEAST = 1_000


class Effort:
    """Steps within the clock, at the speed seen so far; or, without a deadline, within what all iterations may take."""

    def __init__(self, clock: Callable[[], float], deadline: float | None, iterations: int | None) -> None:
        self.clock = clock
        self.deadline = deadline
        self.speed = STEPS_A_SECOND
        self.room = float("inf") if iterations is None else float(iterations) * STEPS_AN_ITERATION

    def allowance(self, wanted: int, searches: float) -> int:
        """Steps for each of so many searches that follow one another; a few even where nothing is left."""
        room = self.room if self.deadline is None else (self.deadline - self.clock()) * self.speed
        return wanted if wanted * searches <= room else max(int(room / searches), LEAST)

    def took(self, steps: int, seconds: float) -> None:
        """What the searches just made took."""
        self.room -= steps
        if steps >= LONG and seconds > 0:
            self.speed = (self.speed + steps / seconds) / 2
