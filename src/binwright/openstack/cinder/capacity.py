"""How much a pool can still take: reserved and virtually free space, thin and thick (openstack spec 8).

Float arithmetic in binary64 in the service's order of operations, rounded to hundredths where it rounds.
"""

from __future__ import annotations

import math

from binwright.openstack.cinder.pools import Pool

__all__ = ["available", "has_room", "virtual_free"]


def available(pool: Pool, thin: bool) -> float:
    """Space that volumes may fill, in GiB: the total without the reserve, times the ratio for thin volumes."""
    return round(_available(pool, thin), 2)


def virtual_free(pool: Pool, thin: bool) -> float:
    """Space for new volumes, in GiB. `thin`: whether the volume may be thin; the pool may still not support it."""
    left = _available(pool, thin) - pool.provisioned
    if not (thin and pool.thin) and pool.free is not None and pool.free < left:
        left = pool.free
    return round(left, 2)


def _available(pool: Pool, thin: bool) -> float:
    total = float(pool.total)
    left = total - math.floor(total * (float(pool.reserved_percentage) / 100))
    return left * pool.ratio if thin and pool.thin else left


def has_room(pool: Pool, size: int, thin: bool) -> bool:
    """Rule: CapacityFilter. `size` in GiB, of an extension what comes on top; 0 is a volume that is taken over.

    A ratio of space already promised that divides by nothing, on which the service fails, is no room.
    """
    if size == 0:
        return True
    if pool.free is None:
        return False
    if math.isinf(pool.free):
        return True
    if math.isinf(pool.total):
        return pool.reserved_percentage == 0
    if pool.total <= 0:
        return False
    if thin and pool.thin:
        whole = available(pool, thin)
        if pool.ratio < 1 or whole == 0 or (pool.provisioned + size) / whole > pool.ratio:
            return False
    return virtual_free(pool, thin) >= size
