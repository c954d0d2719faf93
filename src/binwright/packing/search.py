"""The state of one search: best packing and certificates so far, the clock, and when to stop. Knows no algorithm."""

from __future__ import annotations

import time
from collections.abc import Callable

from binwright.packing.certificate import Certificate
from binwright.packing.effort import Effort
from binwright.packing.form import Form
from binwright.packing.greedy import Packing
from binwright.packing.remains import Remains
from binwright.packing.result import Moment
from binwright.packing.tree import Case, Verified

Progress = Callable[[Moment], None]
Clock = Callable[[], float]

FIRST_CHECK = 0.3  # of the time limit
NEXT_CHECK = 0.2


def for_checks(time_limit: float) -> float:
    """Seconds of a time limit that are kept for checking the result."""
    return max(0.05 * time_limit, min(1.0, 0.3 * time_limit))


class Search:
    """The best packing and the best certificates so far, the clock, and when to stop."""

    def __init__(
        self,
        form: Form,
        time_limit: float | None,
        iterations: int | None,
        progress: Progress | None,
        clock: Clock = time.perf_counter,
        start: float | None = None,
    ) -> None:
        self.form = form
        self.clock = clock
        self.start = clock() if start is None else start
        self.end = None if time_limit is None else self.start + time_limit
        self.deadline = None if time_limit is None else self.start + time_limit - for_checks(time_limit)
        self.most_iterations = iterations
        self.checker: Callable[[Certificate], bool] | None = None  # whether a certificate passes, while there is time
        self.passed: set[Certificate] = set()
        self.next_check = self.start if time_limit is None else self.start + FIRST_CHECK * time_limit
        self.effort = Effort(clock, self.deadline, iterations)
        self.progress = progress
        self.iterations = 0
        self.cost: int | None = None
        self.packing: Packing | None = None
        self.certificates: list[tuple[int, Certificate]] = []
        self.bound = 0
        self.history: list[Moment] = []
        self.notes: list[str] = []
        self.cases: tuple[int, Case | Remains] | None = None
        self.verified: Verified = set()  # cases whose certificates were checked already

    @property
    def seconds(self) -> float:
        return self.clock() - self.start

    @property
    def ended(self) -> bool:
        """Not even time to check is left."""
        return self.end is not None and self.clock() >= self.end

    @property
    def left(self) -> float:
        """Seconds until searching must end; without end where only iterations count."""
        return float("inf") if self.deadline is None else self.deadline - self.clock()

    @property
    def wall_left(self) -> float:
        """The same for the linear program, whose solver watches the wall: without end where the clock is another."""
        return self.left if self.clock is time.perf_counter else float("inf")

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

    def check_in_time(self) -> None:
        """Where a clock runs, check the best certificate now and then: what is known to pass is never lost to the
        clock, and how long a check takes tells how much time to keep for the last one."""
        if self.end is None or self.checker is None or not self.certificates or self.clock() < self.next_check:
            return
        certificate = self.certificates[-1][1]
        if certificate in self.passed:
            return
        before = self.clock()
        if self.checker(certificate):
            self.passed.add(certificate)
        took = self.clock() - before
        self.deadline = min(self.left + self.clock(), self.end - 1.2 * took)
        self.effort.deadline = self.deadline
        self.next_check = self.clock() + max(NEXT_CHECK * (self.end - self.start), 4 * took)

    def proved_by_cases(self, bound: int, case: Case | Remains, verified: Verified) -> None:
        """Keep a proof by cases or by elimination, of which those `verified` were checked when they were settled."""
        self.cases, self.verified = (bound, case), verified
        self.bound = max(self.bound, bound)
        self.tell()

    def tell(self) -> None:
        """One more moment of the history."""
        moment = Moment(self.seconds, self.iterations, self.cost, self.bound)
        self.history.append(moment)
        if self.progress is not None:
            self.progress(moment)
