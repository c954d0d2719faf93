"""PCI requests on a host's pools of devices: which pools serve one, and what is left of them (openstack spec 7, 13).

A pool and a request are the service's own dictionaries. Greedy, as the service is: one request after the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from binwright.openstack.nova.cpu_policies import truth

__all__ = ["Mapped", "Pool", "device_count", "in_order", "without_devices"]

Pool = Mapping[str, Any]
Request = Mapping[str, Any]
Mapped = Mapping[str, Sequence[str]]

NOT_COMPARED = ("resource_class", "traits", "rp_uuids")
ON_DEMAND = ("type-PF", "vdpa")
"""Kinds of device that only a request which names them gets."""


def in_order(pools: Iterable[Pool]) -> list[Pool]:
    """Pools in the service's order: fewest keys first."""
    return sorted((dict(pool) for pool in pools), key=len)


def device_count(pools: Iterable[Pool]) -> int:
    """Free devices of all these pools."""
    return sum(pool["count"] for pool in pools)


def without_devices(
    pools: Sequence[Pool],
    requests: Iterable[Request],
    mapped: Mapped | None = None,
    cells: Collection[int] | None = None,
    sockets: Mapping[int, int | None] | None = None,
) -> list[Pool] | None:
    """The pools that all requests leave, None if one of them finds too few devices.

    mapped: the providers that Placement chose, by REQUEST_ID-NUMBER. cells: host cells that the guest uses. sockets:
    the socket of every cell of the host.
    """
    left = list(pools)
    for request in requests:
        providers = Counter(
            uuid
            for key, uuids in (mapped or {}).items()
            if key.startswith(f"{request.get('request_id')}-")
            for uuid in uuids
        )
        usable = _usable(left, request, providers, cells, sockets or {})
        if device_count(usable) < request["count"]:
            return None
        left = _take(left, usable, request["count"], providers)
    return left


def _usable(
    pools: Sequence[Pool],
    request: Request,
    providers: Counter[str],
    cells: Collection[int] | None,
    sockets: Mapping[int, int | None],
) -> list[Pool]:
    """The pools that may serve a request, in the order in which they are used."""
    specs, count = request["spec"], request["count"]
    usable = [pool for pool in pools if any(_matches(spec, pool) for spec in specs)]
    if device_count(usable) < count:
        return []
    if cells:
        usable = _near(usable, request, cells, sockets)
    for kind in ON_DEMAND:
        if all(spec.get("dev_type") != kind for spec in specs):
            usable = [pool for pool in usable if pool.get("dev_type") != kind]
    if not any(truth(spec.get("remote_managed", False)) for spec in specs):
        usable = [pool for pool in usable if not truth(pool.get("remote_managed", False))]
    if providers:
        usable = [pool for pool in usable if 0 < providers[pool.get("rp_uuid", "")] <= pool["count"]]
    return usable


def _matches(spec: Mapping[str, Any], pool: Pool) -> bool:
    """Every key equal: texts but for case, of a list every member."""
    for key, wanted in spec.items():
        if key in NOT_COMPARED:
            continue
        offered = pool.get(key)
        if isinstance(wanted, str) and isinstance(offered, str):
            same = wanted.lower() == offered.lower()
        elif isinstance(wanted, list) and isinstance(offered, list):
            same = set(wanted) <= set(offered)
        else:
            same = key in pool and wanted == offered
        if not same:
            return False
    return True


def _near(pools: list[Pool], request: Request, cells: Collection[int], sockets: Mapping[int, int | None]) -> list[Pool]:
    """What the NUMA policy of a request leaves, with the guest on these cells."""
    policy, count = request.get("numa_policy") or "legacy", request["count"]
    near = [pool for pool in pools if pool["numa_node"] in cells]
    if policy == "required" or device_count(near) >= count:
        return near
    if policy == "socket":
        if None in sockets.values():
            return []
        wanted = {sockets[cell] for cell in cells}
        return [pool for pool in pools if sockets.get(pool["numa_node"]) in wanted - {None}]
    anywhere = [pool for pool in pools if pool["numa_node"] is None or pool["numa_node"] in cells]
    if policy == "legacy" or device_count(anywhere) >= count:
        return anywhere
    return anywhere + [pool for pool in pools if pool["numa_node"] is not None and pool["numa_node"] not in cells]


def _take(pools: list[Pool], usable: list[Pool], count: int, providers: Counter[str]) -> list[Pool]:
    """Take devices in order, or of each provider just as many as it was chosen for; empty pools vanish."""
    taken: dict[int, int] = {}
    for pool in usable:
        part = providers[pool["rp_uuid"]] if providers else min(pool["count"], count)
        taken[id(pool)] = part
        count -= part
    left = [dict(pool) | {"count": pool["count"] - taken.get(id(pool), 0)} for pool in pools]
    return [pool for pool in left if pool["count"] > 0]
