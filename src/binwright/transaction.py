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
        tokens: list[tuple[int, int, int]] = []
        try:
            for fleet in self._fleets:
                tokens.append(fleet.checkpoint())
        except BaseException:
            self._close(tokens, undo=True)
            raise
        self._tokens = tokens
        return self

    def rollback(self) -> None:
        """Take everything back when the block ends."""
        self._undo = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        tokens, self._tokens = self._tokens or [], None
        self._close(tokens, undo=kind is not None or self._undo)

    def _close(self, tokens: list[tuple[int, int, int]], undo: bool) -> None:
        """Close the fleets' checkpoints, last opened first. One that does not close takes back those not yet closed."""
        problem: StateError | None = None
        for fleet, token in reversed(list(zip(self._fleets, tokens, strict=False))):
            try:
                if undo or problem:
                    fleet.rollback(token)
                else:
                    fleet.keep(token)
            except StateError as error:
                problem = problem or error
        if problem:
            raise problem
