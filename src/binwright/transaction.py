"""All or nothing over several fleets."""

from collections.abc import Sequence
from types import TracebackType

from binwright.errors import StateError
from binwright.fleet import Fleet


class Transaction:
    """`with Transaction([fleet_a, fleet_b]):` what is done to the fleets inside is kept when the block ends, and taken
    back from all of them when it raises or when `rollback()` was called.

    Checkpoints opened inside must be closed inside (last in, first out), else StateError.
    """

    def __init__(self, fleets: Sequence[Fleet]) -> None:
        self._fleets = list(fleets)
        self._tokens: list[tuple[int, int, int]] | None = None
        self._undo = False

    def __enter__(self) -> "Transaction":
        if self._tokens is not None:
            raise StateError("transaction: is open already")
        self._undo = False
        self._tokens = [fleet.checkpoint() for fleet in self._fleets]
        return self

    def rollback(self) -> None:
        """Take everything back when the block ends."""
        self._undo = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        tokens, self._tokens = self._tokens or [], None
        for fleet, token in zip(reversed(self._fleets), reversed(tokens), strict=True):
            if kind is not None or self._undo:
                fleet.rollback(token)
            else:
                fleet.keep(token)
