"""What `capacity` says of every pool, as columns that follow the pools: room for a size, and virtually free space.

The same arithmetic in the same order, so the same bits; one pool is worked out anew when a volume has come to it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from binwright.openstack.cinder.capacity import available, virtual_free
from binwright.openstack.cinder.pools import Pool

__all__ = ["CapacityColumns"]

DECIDED, PROVISIONED, RATIO, FREE, FREE_THICK, WHOLE = range(6)


class CapacityColumns:
    """Columns over pools in order, all float64 (pools,). A pool without bound has the free space inf."""

    def __init__(self, pools: Sequence[Pool]) -> None:
        self._pools = pools
        self._rows = np.zeros((6, len(pools)), dtype=np.float64)
        for index in range(len(pools)):
            self.update(index)

    def update(self, index: int) -> None:
        """Take over what has become of a pool."""
        pool = self._pools[index]
        rows = self._rows[:, index]
        rows[PROVISIONED] = pool.provisioned
        rows[RATIO] = pool.ratio if pool.thin else math.inf
        if math.isinf(pool.total) or pool.free == math.inf:
            rows[FREE] = rows[FREE_THICK] = math.inf
            has_room = pool.free is not None and (pool.free == math.inf or pool.reserved_percentage == 0)
            rows[DECIDED] = 1 if has_room else -1
            return
        rows[FREE], rows[FREE_THICK] = virtual_free(pool, True), virtual_free(pool, False)
        rows[WHOLE] = available(pool, True)
        rows[DECIDED] = -1 if pool.free is None or pool.total <= 0 else 0

    def free(self, thin: bool) -> np.ndarray:
        """Virtually free space of each pool, in GiB; not to be written to."""
        column: np.ndarray = self._rows[FREE if thin else FREE_THICK]
        return column

    def room(self, size: int, thin: bool) -> np.ndarray:
        """Which pools have room for a size: bool, (pools,). Rule: CapacityFilter."""
        rows = self._rows
        if size == 0:
            return np.ones(rows.shape[1], dtype=bool)
        fits = self.free(thin) >= size
        if thin:
            whole, ratio = rows[WHOLE], rows[RATIO]
            with np.errstate(divide="ignore", invalid="ignore"):
                promised = (rows[PROVISIONED] + size) / whole
            fits &= np.isinf(ratio) | ((ratio >= 1) & (whole != 0) & ~(promised > ratio))
        return np.where(rows[DECIDED] == 0, fits, rows[DECIDED] > 0)
