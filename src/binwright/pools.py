"""Pools: rows that hosts share and that a claim holds whole, and the claims of requests on them (`fleet.pools`).

Names, converts, validates; the rule is in `_core.pools`. Knows nothing of the layers above.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from binwright import arguments, arrays
from binwright._core.fleet import LARGEST_AMOUNT
from binwright.arrays import BoolArray, Int64Array
from binwright.errors import InputError, StateError
from binwright.turns import one_writer

if TYPE_CHECKING:
    from binwright._core.state import State

__all__ = ["ClaimState", "Pools"]

EVERYWHERE, NOWHERE = -1, -2  # in place of a member set
UNPINNED, ELSEWHERE = -1, -2  # in place of a host


class ClaimState(NamedTuple):
    """held: the row that a claim holds (the lowest, where it holds several), or None. pinned: index of the host where
    a row is to be made for it, -1 = one that is not of this fleet, or None.
    """

    held: int | None
    pinned: int | None


class Pools:
    """The pool rows and claims of one fleet. Both are definitions, like counters: rollback leaves them, with what a
    claim held and where it was pinned when it was made; what has changed of that is state, and taken back.
    """

    def __init__(self, state: "State", hosts: Callable[[str, Any], Int64Array]) -> None:
        self._state = state
        self._core = state.pools
        self._hosts = hosts
        self._sets: dict[bytes, int] = {}

    def __len__(self) -> int:
        return self._core.row_count

    def __repr__(self) -> str:
        return f"Pools({self._core.row_count} rows, {self._core.claim_count} claims)"

    @one_writer
    def add(self, sizes: Any, seen: Sequence[Any] | None = None) -> Int64Array:
        """Append rows that no claim holds yet. sizes: int64 (count,), 0..2**56. seen: for each row the hosts that see
        it, as a bool array (hosts,), a HostSet or indexes, or None = every host; hosts added later see a row that
        every host sees. Returns the rows' numbers, int64 (count,). Raises InputError naming the row.
        """
        amounts = arrays.bounded("pools.add: sizes", sizes, 0, LARGEST_AMOUNT, of="row")
        given = [None] * len(amounts)
        if seen is not None:
            given = list(arguments.collection("pools.add: seen", seen, "sets of hosts"))
        if len(given) != len(amounts):
            raise InputError(f"pools.add: seen has {len(given)} entries for {len(amounts)} rows")
        masks = [None if one is None else self._mask(f"pools.add: seen by row {i}", one) for i, one in enumerate(given)]
        first = len(self)
        for size, mask in zip(amounts.tolist(), masks, strict=True):
            alone = -1 if mask is None or mask.sum() != 1 else int(mask.argmax())
            self._core.add_row(size, alone, EVERYWHERE if mask is None or alone >= 0 else self._set(mask))
        return np.arange(first, len(self), dtype=np.int64)

    @one_writer
    def add_claim(
        self,
        size: int,
        rows: Any = (),
        *,
        provision: Any = None,
        room: Any = None,
        held: Any = (),
        pinned: int | None = None,
    ) -> int:
        """A new claim of `size`, 0..2**56; returns its number, for `terms.pool`.

        rows: numbers of the rows that it could have; on a host it takes, of those that the host sees and nobody
        holds, the smallest that is large enough, the lowest number among equals. provision: hosts where a row may be
        made for it when it finds none, None = nowhere; room: hosts where there is room for that row, None = all;
        each a bool array (hosts,), a HostSet or indexes. Hosts that are added later are in neither.
        held: rows that it holds from the start, of which it takes the lowest, where the host sees it, and no other; no
        other claim may hold them or have been able to, else StateError. pinned: the host where a row is to be made
        for it, -1 = one that is not of this fleet: it is met there alone, and only where `provision` and `room` have
        the host.
        Rule: kube-scheduler VolumeBinding, delayed claims. Raises InputError naming the field.
        """
        where = "pools.add_claim"
        amount = arrays.amount(f"{where}: size", size)
        numbers = arrays.bounded(f"{where}: rows", rows, 0, max(len(self) - 1, 0), of="entry")
        if len(numbers) and not len(self):
            raise InputError(f"{where}: rows names rows, but there are none")
        may = NOWHERE if provision is None else self._set(self._mask(f"{where}: provision", provision))
        there = EVERYWHERE if room is None else self._set(self._mask(f"{where}: room", room))
        given = arrays.one_or_more(f"{where}: held", held)
        own = [self._row(f"{where}: held", row) for row in given.tolist()]
        for row in own:
            if self._core.row(row) != (-1, False):
                raise StateError(f"{where}: held: row {row} is, or could have been, another claim's")
        home = UNPINNED if pinned is None else arrays.index(f"{where}: pinned", pinned)
        if pinned is not None:
            home = ELSEWHERE if home == -1 else int(self._hosts(f"{where}: pinned", home)[0])
        return self._core.add_claim(amount, numbers.tolist(), may, there, own, home)

    @one_writer
    def free(self, claim: int) -> None:
        """Let a claim hold no row and be pinned nowhere. Releasing the items of its request does not: a claim outlives
        them.
        """
        self._core.free(self._claim("pools.free", claim))

    def holder(self, row: int) -> int | None:
        """The claim that holds a row, or None."""
        holder = self._core.row(self._row("pools.holder", row))[0]
        return None if holder < 0 else holder

    def claim(self, claim: int) -> ClaimState:
        """What a claim holds and where it is pinned."""
        held, pinned = self._core.claim(self._claim("pools.claim", claim))
        return ClaimState(
            None if held < 0 else held, None if pinned == UNPINNED else -1 if pinned == ELSEWHERE else pinned
        )

    def _hosts_added(self, first: int) -> None:
        """Hosts from `first` on were just added, maybe in the slots of others that a rollback took away."""
        self._sets.clear()
        self._core.new_hosts(first)

    def _claim(self, where: str, claim: Any) -> int:
        number = arrays.index(f"{where}: claim", claim)
        if not 0 <= number < self._core.claim_count:
            raise InputError(f"{where}: no claim {number}")
        return number

    def _row(self, where: str, row: Any) -> int:
        number = arrays.index(f"{where}: row", row)
        if not 0 <= number < len(self):
            raise InputError(f"{where}: no pool row {number}")
        return number

    def _mask(self, where: str, hosts: Any) -> BoolArray:
        return arrays.host_mask(where, hosts, self._state.fleet.hosts)

    def _set(self, mask: BoolArray) -> int:
        """Number of the member set of these hosts, the same for equal ones; NOWHERE for none."""
        if not mask.any():
            return NOWHERE
        content = mask.tobytes()
        if content not in self._sets:
            self._sets[content] = self._state.domain_terms.new_members(np.ascontiguousarray(mask, np.uint8))
        return self._sets[content]
