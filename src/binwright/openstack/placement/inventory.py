"""One inventory of one resource class on one provider, and Placement's arithmetic on it (openstack spec 1.1, 1.2).

Numbers only: who reads them from a file or a request body names the object in its errors.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MAX_INT", "Inventory"]

MAX_INT = 2**31 - 1
"""Placement keeps every integer of an inventory or an allocation in a signed 32-bit column."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """What a provider offers of one class; amounts are in the class's own unit (VCPU: one, MEMORY_MB: 2**20 bytes)."""

    total: int
    reserved: int = 0
    min_unit: int = 1
    max_unit: int = MAX_INT
    step_size: int = 1
    allocation_ratio: float = 1.0

    @property
    def limit(self) -> float:
        """(total - reserved) x allocation_ratio as the double that Placement compares with."""
        return (self.total - self.reserved) * self.allocation_ratio

    @property
    def capacity(self) -> int:
        """The limit truncated toward zero, as provider summaries report it."""
        return int(self.limit)

    def admits(self, amount: int) -> bool:
        """Whether one claim may have this size, whatever is in use."""
        return self.min_unit <= amount <= self.max_unit and amount % self.step_size == 0

    def fits(self, used: int, amount: int) -> bool:
        """Whether one claim of `amount` fits beside `used`."""
        return self.admits(amount) and used + amount <= self.limit
