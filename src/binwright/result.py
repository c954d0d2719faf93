"""What a batch of placements became: arrays, one entry an item, and the way back to why."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from binwright import arrays
from binwright._core.decided import Cells, Decided, restored
from binwright.arrays import Int64Array
from binwright.arrow import ArrowTable
from binwright.errors import InputError, StateError
from binwright.explain import Explanation
from binwright.rows import Device
from binwright.verdict import Verdict

if TYPE_CHECKING:
    from binwright.fleet import Fleet

__all__ = ["PlaceResult", "Verdict"]


_NUMBERS = ("hosts", "scores", "items", "_positions")


class PlaceResult(Decided):
    """The outcome of `Fleet.place` and `Fleet.place_many`; read-only arrays (k,), one entry an item in queue order.

    hosts: int64, -1 = none. scores: int64 totals, -1 without a host (float64 and NaN in a float64 profile).
    verdicts: uint8 of `Verdict`. items: int64 ids for `Fleet.release`, -1 = none. `ties` and `explain` look at the
    fleet as it was at that decision; they raise StateError once it has been rolled back or about a million changes
    lie between.
    """

    __slots__ = ("_past", "_positions", "_taken_back", "hosts", "items", "scores", "verdicts")

    hosts: Int64Array
    scores: npt.NDArray[Any]
    items: Int64Array
    verdicts: npt.NDArray[np.uint8]
    _positions: Int64Array
    _past: tuple[int, "Fleet"] | None
    _taken_back: bool

    def __init__(self) -> None:
        raise TypeError("a PlaceResult is made by Fleet.place")

    def __getattr__(self, name: str) -> Any:
        """Whatever is asked for the first time: arrays are made when somebody looks at them."""
        count = len(self)
        found: Any
        if name in _NUMBERS:
            dtype = np.float64 if name == "scores" and self._owner.profile.float_scores else np.int64
            found = _column(self._cells, dtype, 8 * count * _NUMBERS.index(name))
        elif name == "verdicts":
            found = _column(self._cells, np.uint8, 8 * count * len(_NUMBERS))
        elif name in self.__slots__:
            found = None
        else:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)
        setattr(self, name, found)
        return found

    def __reduce__(self) -> tuple[Any, ...]:
        kept = self._owner, self._numbers, bytes(self._cells), self._position, self._serial
        return restored, (PlaceResult, *kept), (None, {"_taken_back": self._taken_back})

    def take_back(self) -> None:
        """Nothing was placed after all: the fleet has been rolled back to where it was."""
        self._cells.take_back(Verdict.PLACED, Verdict.UNSCHEDULABLE)
        self._taken_back = True

    def __len__(self) -> int:
        return self._cells.count

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
        """Decision i seen again. Raises InputError for an i that is not there, StateError when it is too long ago, or
        while another thread changes the fleet.
        """
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
        state, since = self._owner._state, (self._position, self._serial)
        later = 0 if self._taken_back else int(self._positions[i]) - self._position
        self._owner._call(state.check_idle)
        if not state.reaches(since, later):
            raise StateError(f"explain: the fleet has changed too much since decision {i} (or was rolled back)")
        now = state.moment()
        fleet: Fleet = self._owner._copy()
        self._owner._call(fleet._state.rewind, state, now, since, later)
        if self._taken_back and i:
            fleet.place_many(fleet._made, self._numbers[:i])
        return fleet

    def devices(self, i: int) -> tuple[Device, ...]:
        """The rows that item i got for its groups, and how much of each; empty if it was not placed.

        Raises InputError for an i that is not there or an item that has been released.
        """
        i = arrays.index("devices", i)
        if not -len(self) <= i < len(self):
            raise InputError(f"devices: no decision {i} among {len(self)}")
        return () if self.items[i] < 0 else self._owner.devices(int(self.items[i]))

    def to_arrow(self) -> ArrowTable:
        """The four arrays as an Arrow table: anything that reads `__arrow_c_stream__` takes it, without a copy."""
        return ArrowTable({"host": self.hosts, "score": self.scores, "verdict": self.verdicts, "item": self.items})

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.to_arrow().__arrow_c_stream__(requested_schema)


def _column(cells: Cells, dtype: Any, offset: int) -> npt.NDArray[Any]:
    if cells.count:
        return np.frombuffer(cells, dtype, cells.count, offset)
    nothing = np.empty(0, dtype)
    nothing.setflags(write=False)
    return nothing
