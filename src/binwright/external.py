"""External terms: an embedder's own filter or score, written in Python (or anything) over all hosts at once.

The public side is `External`; the fleet wraps each one, checks what it answers and hands it to the core.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from binwright import arrays
from binwright.errors import InputError
from binwright.request import Request, raw_column

if TYPE_CHECKING:
    from binwright.fleet import Fleet


class External:
    """Subclass this. `rule`: name of the profile's static rule that the filter speaks for, or None; `score`: name of
    the profile's static score that it fills, or None.

    `version` None: asked at every decision. Anything else: asked again only when the value has changed, or hosts were
    added. One that keeps state by `placed` must also give `fork`, a copy for forks and pickles; the fleet then tells
    it of every placing (sign 1) and of every release or undoing of one (sign -1), in order.

    A term must not use the fleet's changing methods while it is asked or told: they raise StateError. A batch during
    which one raises is taken back whole, with the undoing told, and the exception is passed on; a rollback is
    completed first.
    """

    rule: str | None = None
    score: str | None = None
    version: object = None

    def rejected(self, fleet: "Fleet", request: Request) -> Any:
        """Which hosts are rejected: bool (hosts,), or int32 with -1 = passes, k >= 0 = rejects with reason k."""
        raise NotImplementedError

    def scores(self, fleet: "Fleet", request: Request) -> Any:
        """Raw scores: int64 (hosts,) in 0..2**40 (float64 in a float64 profile), normalised as the score says."""
        raise NotImplementedError

    def placed(self, request: Request, host: int, sign: int) -> None:
        """An item of the request came to `host` (1) or left it (-1)."""

    def fork(self) -> "External":
        """The term for a fork of the fleet; itself where it keeps nothing."""
        return self

    def _on(self, fleet: "Callable[[], Fleet | None]") -> "Wrapped":
        """The term as the core calls it on one fleet."""
        return Wrapped(self, fleet)


@dataclass
class Wrapped:
    """One external term on one fleet, as the core calls it."""

    term: External
    fleet: Callable[[], "Fleet | None"]

    @property
    def version(self) -> object:
        return self.term.version

    def evaluate(self, number: int, hosts: int) -> tuple[Any, Any, Any]:
        """(rejected uint8, arguments int32, raw scores int64), each (hosts,), or None where it has no such side."""
        fleet = self._fleet()
        request = fleet._made[number]
        where = f"external {type(self.term).__name__}"
        rejected = arguments = scores = None
        if self.term.rule is not None:
            mask, given = arrays.rejections(f"{where}: rejected", self.term.rejected(fleet, request), hosts)
            rejected = mask.astype(np.uint8)
            arguments = np.full(hosts, -1, np.int32) if given is None else given
        if self.term.score is not None:
            scores = raw_column(f"{where}: scores", fleet.profile, self.term.scores(fleet, request), hosts)
        return rejected, arguments, scores

    def commit(self, number: int, host: int, sign: int) -> None:
        self.term.placed(self._fleet()._made[number], host, sign)

    def fork(self) -> "Wrapped":
        other = self.term.fork()
        if not isinstance(other, External):
            raise InputError(f"external {type(self.term).__name__}: fork: {other!r} is not a binwright.External")
        return other._on(_nobody)

    def _fleet(self) -> "Fleet":
        fleet = self.fleet()
        if fleet is None:
            raise InputError(f"external {type(self.term).__name__}: its fleet is gone")
        return fleet

    def __reduce__(self) -> tuple[Any, ...]:
        return Wrapped, (self.term, _nobody)


def _nobody() -> None:
    """Stands for the fleet until the fork or the unpickled fleet takes its terms over."""
