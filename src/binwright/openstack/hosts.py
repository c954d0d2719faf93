"""The compute hosts of a cloud as columns, and finding a host by the names that Nova's objects give it.

A host is a hypervisor with its root resource provider. How its capacity and use are found out is `capacity`'s business;
nothing is decided about any server here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from binwright.openstack.cloud import Hypervisor
from binwright.openstack.placement.tree import Forest, Provider

__all__ = ["COLUMNS", "DISABLED_TRAIT", "HostNames", "Hosts", "class_key"]

DISABLED_TRAIT = "COMPUTE_STATUS_DISABLED"
COLUMNS = {
    "VCPU": ("vcpus", "vcpus_used"),
    "MEMORY_MB": ("memory_mb", "memory_mb_used"),
    "DISK_GB": ("local_gb", "local_gb_used"),
}
"""Resource class -> the columns of a hypervisor with its total and what is used."""
COLUMN_ORDER = ("VCPU", "PCPU", "MEMORY_MB", "DISK_GB")


@dataclass(slots=True)
class Hosts:
    """Hosts in input order. `providers[i]` is the root provider of host i, None where it has none.

    `forest` has all providers, with their use as placing finds it; it may be changed. `down` and `disabled` are the
    compute service's state; `unknown` are classes the input tells no capacity of. `totals` is class -> (capacity, used)
    over all providers, a shared pool counted once.
    """

    names: list[str]
    providers: list[Provider | None]
    forest: Forest
    down: list[bool]
    disabled: list[bool]
    hypervisors: list[Hypervisor | None]
    lookup: HostNames
    totals: dict[str, tuple[int, int]] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.names)

    def classes(self) -> list[str]:
        """Every class of which some host's root has an inventory, the four usual ones first, then by name."""
        return sorted({name for one in self.providers if one for name in one.inventories}, key=class_key)

    def beside_roots(self) -> frozenset[str]:
        """Classes that nested or sharing providers offer; all others come from the root of a host alone."""
        return frozenset(
            name
            for one in self.forest.providers.values()
            if one.parent is not None or one.sharing
            for name in one.inventories
        )

    def column(self, resource_class: str, attribute: str, absent: float = 0, dtype: type = np.int64) -> np.ndarray:
        """`attribute` of the roots' inventories of a class, or what is `used` of it, per host: dtype, (hosts,)."""
        values = []
        for provider in self.providers:
            inventory = None if provider is None else provider.inventories.get(resource_class)
            if provider is None or inventory is None:
                values.append(absent)
            elif attribute == "used":
                values.append(provider.used.get(resource_class, 0))
            else:
                values.append(getattr(inventory, attribute))
        return np.array(values, dtype=dtype)


def class_key(name: str) -> tuple[int, str]:
    """Sorts resource classes: the four usual ones first, then by name."""
    return (COLUMN_ORDER.index(name) if name in COLUMN_ORDER else len(COLUMN_ORDER), name)


class HostNames:
    """Finds the hosts of a name: a hypervisor's hostname, a compute service's host, or either without domain."""

    def __init__(self, hostnames: Iterable[str], service_hosts: Iterable[str | None]) -> None:
        self._exact: dict[str, list[int]] = {}
        self._short: dict[str, list[int]] = {}
        for index, names in enumerate(zip(hostnames, service_hosts)):
            for name in dict.fromkeys(name for name in names if name):
                self._exact.setdefault(name, []).append(index)
            for short in dict.fromkeys(name.partition(".")[0] for name in names if name):
                self._short.setdefault(short, []).append(index)

    def find(self, name: str) -> list[int]:
        """Indexes of the hosts; a compute service of Ironic has many. Empty when no host has this name."""
        found = self._exact.get(name)
        if found is None:
            found = self._short.get(name.partition(".")[0], [])
            found = found if len(found) == 1 else []
        return found
