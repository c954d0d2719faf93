"""Rows of Nova's own table compute_nodes: NUMA cells, PCI pools and what else no API tells of a host.

Optional, for those who can read the database. Columns hold JSON as text, in Nova's versioned form
({"nova_object.data": {...}}) or plain.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from binwright.openstack.cloud import ComputeNode
from binwright.openstack.dumps.fields import Row
from binwright.openstack.nova.numa_cells import HostCell, Pages
from binwright.units import shown

__all__ = ["READERS"]

COMPUTE_NODE = {
    "hostname": ("hypervisorhostname",),
    "numa": ("numatopology",),
    "pools": ("pcistats", "pcidevicepools"),
    "cpu_info": ("cpuinfo",),
    "supported_instances": ("supportedinstances",),
    "host_ip": ("hostip",),
}
DATA = "nova_object.data"
Read = TypeVar("Read")


def read_compute_node(row: Row) -> ComputeNode:
    """One row; a host without NUMA topology or PCI statistics says so by an empty column."""
    numa, pools = _loaded(row, "numa"), _loaded(row, "pools")
    if isinstance(pools, dict):
        pools = pools.get("objects", [pools])
    return ComputeNode(
        hostname=row.need("hostname", row.text("hostname")),
        numa=None if numa is None else _checked(row, "numa", lambda: tuple(_cell(one) for one in numa["cells"])),
        pci_pools=None if pools is None else _checked(row, "pools", lambda: [_pool(one) for one in pools]),
        cpu_info=_loaded(row, "cpu_info"),
        supported_instances=_checked(
            row, "supported_instances", lambda: tuple(tuple(one) for one in _loaded(row, "supported_instances") or ())
        ),
        host_ip=row.text("host_ip"),
    )


def _loaded(row: Row, field: str) -> Any:
    """A column's JSON without the wrapping of versioned objects; None for an empty one."""
    value = row.raw(field)
    if isinstance(value, str):
        if not value.strip():
            return None
        try:
            value = json.loads(value)
        except ValueError as problem:
            row.refuse(field, f"is no JSON ({problem})")
    return _unwrapped(value)


def _unwrapped(value: Any) -> Any:
    if isinstance(value, dict):
        return _unwrapped(value[DATA]) if DATA in value else {key: _unwrapped(one) for key, one in value.items()}
    return [_unwrapped(one) for one in value] if isinstance(value, list) else value


def _checked(row: Row, field: str, read: Callable[[], Read]) -> Read:
    """What `read` makes of a column; one line for one that has another form."""
    try:
        return read()
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        row.refuse(field, f"is not as Nova writes it ({type(problem).__name__}: {shown(str(problem))[1:-1]})")


def _cell(one: Mapping[str, Any]) -> HostCell:
    """Fields that older services do not write have Nova's values for them."""
    network = one.get("network_metadata") or {}
    return HostCell(
        id=int(one["id"]),
        cpuset=frozenset(map(int, one["cpuset"])),
        pcpuset=frozenset(map(int, one.get("pcpuset", one["cpuset"]))),
        memory=int(one["memory"]),
        cpu_usage=int(one.get("cpu_usage", 0)),
        memory_usage=int(one.get("memory_usage", 0)),
        pinned_cpus=frozenset(map(int, one.get("pinned_cpus", ()))),
        siblings=tuple(frozenset(map(int, threads)) for threads in one.get("siblings", ())),
        socket=one.get("socket"),
        mempages=tuple(
            Pages(int(row["size_kb"]), int(row["total"]), int(row.get("used", 0)), int(row.get("reserved", 0)))
            for row in one.get("mempages", ())
        ),
        physnets=frozenset(network.get("physnets", ())),
        tunneled=bool(network.get("tunneled")),
    )


def _pool(one: Mapping[str, Any]) -> dict[str, Any]:
    """A pool with its tags beside its other keys, as Nova compares them."""
    known = {key: value for key, value in one.items() if key != "tags"}
    return {"numa_node": None, **known, "count": int(one["count"]), **(one.get("tags") or {})}


READERS: dict[str, tuple[str, dict[str, tuple[str, ...]], Any]] = {
    "compute_nodes": ("compute node", COMPUTE_NODE, read_compute_node),
}
"""As in `compute`."""
