"""What a batch of placements became: arrays, one entry an item, and the way back to why."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from binwright import arrays
from binwright.arrays import Int64Array
from binwright.arrow import ArrowTable
from binwright.errors import InputError, StateError
from binwright.explain import Explanation
from binwright.rows import Device
from binwright.verdict import Verdict

if TYPE_CHECKING:
    from binwright.fleet import Fleet

__all__ = ["PlaceResult", "Verdict"]


class PlaceResult:
    """The outcome of `Fleet.place` and `Fleet.place_many`; read-only arrays (k,), one entry an item in queue order.

    hosts: int64, -1 = none. scores: int64 totals, -1 without a host (float64 and NaN in a float64 profile).
    verdicts: uint8 of `Verdict`. items: int64 ids for `Fleet.release`, -1 = none. `ties` and `explain` look at the
    fleet as it was at that decision; they raise StateError once it has been rolled back or about a million changes
    lie between.
    """

    __slots__ = (
        "_fleet", "_moment", "_numbers", "_past", "_positions", "_taken_back", "hosts", "items", "scores", "verdicts",
    )  # fmt: skip

    def __init__(self, fleet: "Fleet", moment: tuple[int, int], numbers: Int64Array | int, count: int) -> None:
        self._fleet = fleet
        self._moment = moment
        self._numbers = numbers
        self._past: tuple[int, Fleet] | None = None
        self._positions: Int64Array = np.empty(count, np.int64)
        self._taken_back = False
        self.hosts: Int64Array = np.empty(count, np.int64)
        self.scores: npt.NDArray[Any] = np.empty(count, np.int64)
        self.items: Int64Array = np.empty(count, np.int64)
        self.verdicts: npt.NDArray[np.uint8] = np.empty(count, np.uint8)

    def columns(self) -> tuple[npt.NDArray[Any], ...]:
        """The arrays that the core fills, in its order."""
        return self.hosts, self.scores, self.items, self._positions, self.verdicts

    def sealed(self) -> "PlaceResult":
        """Itself, read-only from now on."""
        if self._fleet.profile.float_scores:
            self.scores = self.scores.view(np.float64)
        for column in self.columns():
            column.setflags(write=False)
        return self

    def take_back(self) -> None:
        """Nothing was placed after all: the fleet has been rolled back to where it was."""
        for column in (self.hosts, self.scores, self.items):
            column[:] = -1
        self.verdicts[self.verdicts == Verdict.PLACED] = Verdict.UNSCHEDULABLE
        self._taken_back = True

    def __len__(self) -> int:
        return len(self.hosts)

    def __repr__(self) -> str:
        return f"PlaceResult({self.placed} of {len(self)} placed)"

    def _repr_html_(self) -> str:
        counts = zip(Verdict, np.bincount(self.verdicts, minlength=len(Verdict)).tolist(), strict=True)
        cells = "".join(f"<tr><th>{v.name.lower()}</th><td>{count}</td></tr>" for v, count in counts if count)
        return f"<table><caption>{self!r}</caption>{cells}</table>"

    @property
    def placed(self) -> int:
        """How many items found a host."""
        return int((self.verdicts == Verdict.PLACED).sum())

    def ties(self, i: int) -> Int64Array:
        """Hosts that had the highest total at decision i, ascending; the first was taken. int64."""
        return self.explain(i).ties

    def explain(self, i: int) -> Explanation:
        """Decision i seen again. Raises InputError for an i that is not there, StateError when it is too long ago."""
        i = arrays.index("explain", i)
        if not -len(self) <= i < len(self):
            raise InputError(f"explain: no decision {i} among {len(self)}")
        i %= len(self)
        if self._past is None or self._past[0] != i:
            self._past = i, self._before(i)
        number = self._numbers if isinstance(self._numbers, int) else int(self._numbers[i])
        return Explanation(self._past[1]._copy(), number, bool(self.verdicts[i] == Verdict.ERROR))

    def _before(self, i: int) -> "Fleet":
        """The fleet as decision i found it."""
        later = 0 if self._taken_back else int(self._positions[i]) - self._moment[0]
        if not self._fleet._state.reaches(self._moment, later):
            raise StateError(f"explain: the fleet has changed too much since decision {i} (or was rolled back)")
        fleet = self._fleet._copy()
        fleet._state.rewind(self._fleet._state, self._moment, later)
        if self._taken_back and i:
            fleet.place_many(fleet._made, self._numbers[:i])  # type: ignore[index]
        return fleet

    def devices(self, i: int) -> tuple[Device, ...]:
        """The rows that item i got for its groups, and how much of each; empty if it was not placed.

        Raises InputError for an i that is not there or an item that has been released.
        """
        i = arrays.index("devices", i)
        if not -len(self) <= i < len(self):
            raise InputError(f"devices: no decision {i} among {len(self)}")
        return () if self.items[i] < 0 else self._fleet.devices(int(self.items[i]))

    def to_arrow(self) -> ArrowTable:
        """The four arrays as an Arrow table: anything that reads `__arrow_c_stream__` takes it, without a copy."""
        return ArrowTable({"host": self.hosts, "score": self.scores, "verdict": self.verdicts, "item": self.items})

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.to_arrow().__arrow_c_stream__(requested_schema)
