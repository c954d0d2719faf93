"""The state of one search: best packing and certificates so far, the clock, and when to stop. Knows no algorithm."""

from __future__ import annotations

import time
from collections.abc import Callable

from binwright.packing.certificate import Certificate
from binwright.packing.form import Form
from binwright.packing.greedy import Packing
from binwright.packing.result import Moment
from binwright.packing.tree import Case

Progress = Callable[[Moment], None]
Clock = Callable[[], float]


class Search:
    """The best packing and the best certificates so far, the clock, and when to stop."""

    def __init__(
        self,
        form: Form,
        time_limit: float | None,
        iterations: int | None,
        progress: Progress | None,
        clock: Clock = time.perf_counter,
    ) -> None:
        self.form = form
        self.clock = clock
        self.start = clock()
        self.deadline = None if time_limit is None else self.start + time_limit
        self.most_iterations = iterations
        self.progress = progress
        self.iterations = 0
        self.cost: int | None = None
        self.packing: Packing | None = None
        self.certificates: list[tuple[int, Certificate]] = []
        self.bound = 0
        self.history: list[Moment] = []
        self.notes: list[str] = []
        self.cases: tuple[int, Case] | None = None

    @property
    def seconds(self) -> float:
        return self.clock() - self.start

    @property
    def left(self) -> float:
        """Seconds until the time limit; without end where only iterations count."""
        return float("inf") if self.deadline is None else self.deadline - self.clock()

    @property
    def ceiling(self) -> int:
        """What a packing must cost less than to be of use: the best one, or all bins together where there is none."""
        if self.cost is not None:
            return self.cost
        return int((self.form.price.astype(object) * self.form.stock).sum()) + 1

    @property
    def closed(self) -> bool:
        """Value and bound have met."""
        return self.cost is not None and self.bound >= self.cost

    @property
    def over(self) -> bool:
        """Closed, out of time, or out of iterations."""
        if self.closed or self.left <= 0:
            return True
        return self.most_iterations is not None and self.iterations >= self.most_iterations

    def found(self, cost: int, packing: Packing) -> bool:
        """Keep a packing if it is the best so far."""
        if self.cost is not None and cost >= self.cost:
            return False
        self.cost, self.packing = cost, packing
        self.tell()
        return True

    def proved(self, certificate: Certificate) -> bool:
        """Keep a certificate if it is the best so far."""
        bound = certificate.bound(self.form.counts.tolist(), self.form.stock.tolist())
        if bound <= self.bound and self.certificates:
            return False
        self.certificates.append((bound, certificate))
        self.bound = max(self.bound, bound)
        self.tell()
        return True

    def proved_by_cases(self, bound: int, case: Case) -> None:
        """Keep a proof by cases."""
        self.cases = bound, case
        self.bound = max(self.bound, bound)
        self.tell()

    def tell(self) -> None:
        """One more moment of the history."""
        moment = Moment(self.seconds, self.iterations, self.cost, self.bound)
        self.history.append(moment)
        if self.progress is not None:
            self.progress(moment)
