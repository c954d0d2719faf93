"""A packing under way: what waits, what is in stock, what is packed. Knows no algorithm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from binwright.packing.form import Form
from binwright.packing.greedy import Packing, Sparse
from binwright.packing.problem import Int64Array


@dataclass
class State:
    """What waits, what is in stock, what is packed."""

    form: Form
    waiting: Int64Array
    stock: Int64Array
    packing: Packing

    def copy(self) -> State:
        return State(self.form, self.waiting.copy(), self.stock.copy(), list(self.packing))

    def place(self, pattern: tuple[int, Sparse], times: int) -> int:
        """Use a pattern up to `times`, not beyond what waits and is in stock, and once cut short where it does not fit
        whole; how many bins that takes."""
        kind, (types, copies) = pattern
        times = min(times, int(self.stock[kind]))
        whole = min(times, int((self.waiting[types] // copies).min()))
        if whole:
            self.packing.append((kind, (types, copies), whole))
            self.waiting[types] -= copies * whole
        elif times:
            part = np.minimum(copies, self.waiting[types])
            held = part > 0
            # without an item that makes room the rest may be too much
            if held.any() and self.form.fits(kind, types[held], part[held]):
                self.packing.append((kind, (types[held], part[held]), 1))
                self.waiting[types] -= part
                whole = 1
        self.stock[kind] -= whole
        return whole
