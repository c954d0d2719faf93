"""What a flavor asks of Placement: resource groups from its sizes and extra specs (openstack spec 3.1).

Nova's translation of the flavor alone: image properties, ports and devices add to it elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from binwright.openstack.cloud import Flavor
from binwright.openstack.placement.names import RESOURCE_CLASSES

__all__ = ["FlavorGroups", "ResourceGroup", "add_sizes", "drop_zeros", "flavor_groups", "spec_groups"]

GROUP_SPEC = re.compile(r"(resources|trait)([a-zA-Z0-9_-]{1,64})?:(.*)")
GROUP_POLICIES = ("none", "isolate")
MIB_PER_GIB = 1024


@dataclass(slots=True)
class ResourceGroup:
    """Amounts and traits that one provider (a suffixed group) or one tree (the group "") must offer."""

    resources: dict[str, int] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)
    forbidden: set[str] = field(default_factory=set)


@dataclass(slots=True)
class FlavorGroups:
    """Groups by suffix, the unsuffixed one always among them; `ignored` are the extra specs that Nova warns about."""

    groups: dict[str, ResourceGroup]
    group_policy: str | None
    ignored: list[str]

    @property
    def unsuffixed(self) -> ResourceGroup:
        """The group that may spread over a tree."""
        return self.groups[""]

    def totals(self) -> dict[str, int]:
        """Amounts summed over all groups, by class."""
        totals: dict[str, int] = {}
        for group in self.groups.values():
            for name, amount in group.resources.items():
                totals[name] = totals.get(name, 0) + amount
        return totals


def flavor_groups(flavor: Flavor, *, from_volume: bool = False, pinned_class: str = "PCPU") -> FlavorGroups:
    """The groups of a flavor; amounts in the classes' own units (VCPU: one, MEMORY_MB: MiB, DISK_GB: GiB).

    `from_volume` leaves the root disk out. `pinned_class` is the class of the CPUs of a flavor with hw:cpu_policy
    dedicated: PCPU, or VCPU as in Nova's fallback query. Classes with amount 0 drop out; that is how bare-metal flavors
    take VCPU, MEMORY_MB and DISK_GB away.
    """
    result = spec_groups(flavor)
    dedicated = flavor.extra_specs.get("hw:cpu_policy") == "dedicated"
    add_sizes(result.groups, flavor, from_volume, pinned_class if dedicated else "VCPU")
    result.groups = drop_zeros(result.groups)
    return result


def spec_groups(flavor: Flavor) -> FlavorGroups:
    """The groups that the extra specs name, without the sizes of the flavor itself."""
    result = FlavorGroups({"": ResourceGroup()}, None, [])
    policy = flavor.extra_specs.get("group_policy")
    if policy in GROUP_POLICIES:
        result.group_policy = policy
    elif policy is not None:
        result.ignored.append(f"group_policy={policy}")
    for key, value in flavor.extra_specs.items():
        match = GROUP_SPEC.fullmatch(key)
        if match is not None:
            _take_spec(result, match.group(1), match.group(2) or "", match.group(3), value)
    return result


def drop_zeros(groups: dict[str, ResourceGroup]) -> dict[str, ResourceGroup]:
    """The groups without amounts of 0; a suffixed one of which nothing is left vanishes."""
    for group in groups.values():
        group.resources = {name: amount for name, amount in group.resources.items() if amount}
    return {
        suffix: group
        for suffix, group in groups.items()
        if not suffix or group.resources or group.required or group.forbidden
    }


def _take_spec(result: FlavorGroups, kind: str, suffix: str, name: str, value: str) -> None:
    """One resources: or trait: extra spec; what Nova would ignore with a warning is remembered."""
    accepted = False
    if kind == "resources":
        amount = _amount(value)
        if amount is not None and (name in RESOURCE_CLASSES or name.startswith("CUSTOM_")):
            result.groups.setdefault(suffix, ResourceGroup()).resources[name] = amount
            accepted = True
    elif value in ("required", "forbidden"):
        group = result.groups.setdefault(suffix, ResourceGroup())
        (group.required if value == "required" else group.forbidden).add(name)
        accepted = True
    if not accepted:
        result.ignored.append(f"{kind}{suffix}:{name}={value}")


def _amount(value: str) -> int | None:
    try:
        amount = int(value)
    except ValueError:
        return None
    return amount if amount >= 0 else None


def add_sizes(groups: dict[str, ResourceGroup], flavor: Flavor, from_volume: bool, cpu_class: str = "VCPU") -> None:
    """The sizes of the flavor itself, each only where no group names the class, an amount of 0 included."""
    named = {name for group in groups.values() for name in group.resources}
    resources = groups[""].resources
    if not named & {"VCPU", "PCPU"}:
        resources[cpu_class] = flavor.vcpus
    if "MEMORY_MB" not in named:
        resources["MEMORY_MB"] = flavor.memory_mb
    if "DISK_GB" not in named:
        root = 0 if from_volume else flavor.root_gb
        resources["DISK_GB"] = root + flavor.ephemeral_gb + -(-flavor.swap_mb // MIB_PER_GIB)
