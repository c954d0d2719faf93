"""The compute hosts of a cloud as columns, and finding a host by the names that Nova's objects give it.

A host is a hypervisor with its root resource provider. How its capacity and use are found out is `capacity`'s business;
nothing is decided about any server here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from binwright.openstack.cloud import Hypervisor
from binwright.openstack.placement.inventory import Inventory

__all__ = ["DISABLED_TRAIT", "HostNames", "Hosts", "Offer", "class_key"]

DISABLED_TRAIT = "COMPUTE_STATUS_DISABLED"
COLUMN_ORDER = ("VCPU", "PCPU", "MEMORY_MB", "DISK_GB")


@dataclass(frozen=True, slots=True)
class Offer:
    """What one host offers of one class: an inventory and its use; `joined` when it is not one inventory of the root.

    A joined offer is the sum over the providers below the root and the sharing pools; that no single one of them may
    have enough is not evaluated. `traits` are those of the providers that serve it.
    """

    inventory: Inventory
    used: int
    capacity: int
    traits: frozenset[str] = frozenset()
    joined: bool = False


@dataclass(slots=True)
class Hosts:
    """Hosts in input order. `offers[i]` is class -> Offer of host i, `roots[i]` its root provider's uuid or None.

    `down` and `disabled` are the compute service's state; `unknown` are classes the input tells no capacity of.
    `totals` is class -> (capacity, used) over all providers, a shared pool counted once.
    """

    names: list[str]
    roots: list[str | None]
    offers: list[dict[str, Offer]]
    traits: list[frozenset[str]]
    aggregates: list[frozenset[str]]
    down: list[bool]
    disabled: list[bool]
    hypervisors: list[Hypervisor | None]
    lookup: HostNames
    totals: dict[str, tuple[int, int]]
    unknown: frozenset[str] = frozenset()
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.names)

    def classes(self) -> list[str]:
        """Every class that some host offers, the four usual ones first, then by name."""
        return sorted({name for offers in self.offers for name in offers}, key=class_key)

    def column(self, resource_class: str, attribute: str, absent: float = 0, dtype: type = np.int64) -> np.ndarray:
        """`attribute` of the offers of a class, or of their inventories, for every host: dtype, (hosts,)."""
        values = []
        for offers in self.offers:
            offer = offers.get(resource_class)
            holder = offer if offer is None or hasattr(offer, attribute) else offer.inventory
            values.append(absent if holder is None else getattr(holder, attribute))
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
