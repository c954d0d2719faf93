"""The bodies of the calls that write inventories: bounds and types of each number, and an inventory as JSON again.

Source: openstack spec 1.1 and 13.
"""

from __future__ import annotations

from typing import Any

from binwright.openstack.placement.faults import Fault
from binwright.openstack.placement.inventory import MAX_INT, Inventory
from binwright.openstack.placement.microversion import Microversion

__all__ = ["check_reserved", "inventory_json", "read_inventory"]

ALL_RESERVED_SINCE = (1, 26)
LEAST = {"total": 1, "reserved": 0, "min_unit": 1, "max_unit": 1, "step_size": 1}
MAX_RATIO = 3.40282e38


def read_inventory(body: Any) -> Inventory:
    """One inventory with its defaults filled in; a generation beside it is read elsewhere. Raises Fault 400."""
    if not isinstance(body, dict) or "total" not in body:
        raise Fault(400, "JSON does not validate: 'total' is a required property")
    numbers: dict[str, Any] = {}
    for key, value in body.items():
        if key == "resource_provider_generation":
            continue
        if key == "allocation_ratio":
            fine = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MAX_RATIO
        else:
            whole = isinstance(value, int) and not isinstance(value, bool)
            fine = key in LEAST and whole and LEAST[key] <= value <= MAX_INT
        if not fine:
            raise Fault(400, f"JSON does not validate: {key}: {value!r} is no number that an inventory may have")
        numbers[key] = value
    return Inventory(**numbers)


def check_reserved(inventory: Inventory, name: str, provider: str, version: Microversion) -> None:
    """Refuse, with Fault 400, an inventory of which more is reserved than there is; below 1.26 also all of it."""
    if inventory.capacity < (0 if version >= ALL_RESERVED_SINCE else 1):
        text = f"Invalid inventory for '{name}' on resource provider '{provider}'. The reserved value is greater than"
        raise Fault(400, f"Unable to update inventory for resource provider {provider}: {text} or equal to total.")


def inventory_json(inventory: Inventory) -> dict[str, Any]:
    """An inventory as the API writes it."""
    return {
        "total": inventory.total,
        "reserved": inventory.reserved,
        "min_unit": inventory.min_unit,
        "max_unit": inventory.max_unit,
        "step_size": inventory.step_size,
        "allocation_ratio": inventory.allocation_ratio,
    }
