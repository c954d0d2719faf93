"""Capacity arithmetic of one inventory, i.e. of one (resource provider, resource class) pair.

Knows numbers only: no providers, no requests. Source: openstack spec 1.1, 1.2.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_INT = 2147483647


@dataclass(frozen=True)
class Inventory:
    """What a provider offers of one class; the defaults are Placement's (spec 1.1)."""

    total: int
    reserved: int = 0
    min_unit: int = 1
    max_unit: int = MAX_INT
    step_size: int = 1
    allocation_ratio: float = 1.0

    @classmethod
    def from_json(cls, body: dict) -> Inventory:
        fields = ("total", "reserved", "min_unit", "max_unit", "step_size", "allocation_ratio")
        return cls(**{name: body[name] for name in fields if name in body})

    @property
    def raw_limit(self) -> float:
        """L = (total - reserved) * allocation_ratio, a double (spec 1.2)."""
        return (self.total - self.reserved) * float(self.allocation_ratio)

    @property
    def capacity(self) -> int:
        """C = trunc(L), the number that is reported (spec 1.2)."""
        return int(self.raw_limit)

    def unit_fits(self, amount: int) -> bool:
        """The amount is within min_unit, max_unit and a multiple of step_size (spec 1.2)."""
        return self.min_unit <= amount <= self.max_unit and amount % self.step_size == 0

    def single_fits(self, used: int, amount: int) -> bool:
        """One request of this amount fits: the limit is compared as a real number (spec 1.2)."""
        return used + amount <= self.raw_limit and self.unit_fits(amount)

    def sum_fits(self, used: int, amount: int) -> bool:
        """A sum over several groups fits: min_unit and step_size are not looked at again (spec 1.2, 1.9.3)."""
        return used + amount <= self.capacity and amount <= self.max_unit
