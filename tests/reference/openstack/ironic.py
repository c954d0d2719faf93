"""What a bare-metal node offers. Source: openstack spec 10."""

from __future__ import annotations


def inventory(node: dict) -> dict[str, tuple[int, int]]:
    """Class -> (capacity, used); empty without a class."""
    if not node["resource_class"]:
        return {}
    name = "".join(letter if letter.isascii() and letter.isalnum() else " " for letter in node["resource_class"])
    first = "_" if name[:1] == " " else ""
    last = "_" if name[-1:] == " " and name.strip() else ""
    name = f"CUSTOM_{first}{'_'.join(name.upper().split())}{last}"
    in_use = node["instance_uuid"] is not None
    bad_power = node["power_state"] in (None, "error")
    bad_state = node["provision_state"] not in (None, "available")
    return {name: (0 if in_use or bad_power or bad_state or node["maintenance"] else 1, int(in_use))}
