"""PCI requests against a host's device pools: which pools qualify, and what remains of them.

Knows pools, requests and the sockets of host cells; nothing of CPUs or memory. Source: openstack spec 7, 13.
"""

from __future__ import annotations

from collections import Counter

IGNORED_SPEC_KEYS = {"resource_class", "traits", "rp_uuids"}


def sorted_pools(pools: list[dict]) -> list[dict]:
    """Copies of the pools in Nova's order: by number of keys, stable (spec 7)."""
    return sorted((dict(pool) for pool in pools), key=len)


def apply_requests(
    pools: list[dict],
    requests: list[dict],
    mapping: dict[str, list[str]] | None = None,
    guest_cells: list[int] | None = None,
    sockets: dict[int, int | None] | None = None,
) -> list[dict] | None:
    """The pools that are left after all requests, one after the other; None if any of them fails (spec 7).

    `mapping`: Placement's choice of providers per `<request_id>-<i>`; `guest_cells`: ids of the host cells the guest
    uses, None or empty if it has no topology; `sockets`: socket of every cell of the host.
    """
    for request in requests:
        taken = apply_request(pools, request, mapping, guest_cells, sockets)
        if taken is None:
            return None
        pools = taken
    return pools


def apply_request(
    pools: list[dict],
    request: dict,
    mapping: dict[str, list[str]] | None,
    guest_cells: list[int] | None,
    sockets: dict[int, int | None] | None,
) -> list[dict] | None:
    """One request: filter the pools in Nova's order, then take from them (spec 7)."""
    providers = mapped_providers(request, mapping)
    usable = [pool for pool in pools if any(spec_matches(spec, pool) for spec in request["spec"])]
    if total(usable) < request["count"]:
        return None
    usable = near_pools(usable, request, guest_cells, sockets)
    usable = [pool for pool in usable if allowed_kind(pool, request)]
    if providers:
        usable = [pool for pool in usable if providers.get(pool.get("rp_uuid"), pool["count"] + 1) <= pool["count"]]
    if total(usable) < request["count"]:
        return None
    return take(pools, usable, request["count"], providers)


def total(pools: list[dict]) -> int:
    return sum(pool["count"] for pool in pools)


def mapped_providers(request: dict, mapping: dict[str, list[str]] | None) -> Counter[str]:
    """How many devices Placement gave this request on each provider; empty: no say in it (spec 7.3, 13)."""
    prefix = f"{request.get('request_id')}-"
    return Counter(uuid for key, uuids in (mapping or {}).items() if key.startswith(prefix) for uuid in uuids)


def spec_matches(spec: dict, pool: dict) -> bool:
    """Every key equal: strings without regard to case, lists as subsets (spec 7.1)."""
    for key, wanted in spec.items():
        if key in IGNORED_SPEC_KEYS:
            continue
        if key not in pool:
            return False
        offered = pool[key]
        if isinstance(wanted, str):
            if not isinstance(offered, str) or wanted.lower() != offered.lower():
                return False
        elif isinstance(wanted, list):
            if not set(wanted) <= set(offered):
                return False
        elif wanted != offered:
            return False
    return True


def near_pools(
    pools: list[dict], request: dict, guest_cells: list[int] | None, sockets: dict[int, int | None] | None
) -> list[dict]:
    """What the request's NUMA policy leaves of the pools, in the order in which they are used (spec 7.2, 13)."""
    if not guest_cells:
        return pools
    policy = request.get("numa_policy") or "legacy"
    affine = [pool for pool in pools if pool["numa_node"] in guest_cells]
    if policy == "required" or total(affine) >= request["count"]:
        return affine
    if policy == "socket":
        return same_socket_pools(pools, guest_cells, sockets or {})
    tolerated = [pool for pool in pools if pool["numa_node"] in guest_cells or pool["numa_node"] is None]
    if policy == "legacy" or total(tolerated) >= request["count"]:
        return tolerated
    return tolerated + [pool for pool in pools if pool not in tolerated]


def same_socket_pools(pools: list[dict], guest_cells: list[int], sockets: dict[int, int | None]) -> list[dict]:
    """Pools of every cell on a socket of the guest; none at all if any cell does not tell its socket (spec 7.2)."""
    if None in sockets.values():
        return []
    wanted = {sockets[cell] for cell in guest_cells}
    return [pool for pool in pools if pool["numa_node"] in sockets and sockets[pool["numa_node"]] in wanted]


def is_true(value: object) -> bool:
    return str(value).lower() in ("true", "1", "yes", "on", "t", "y")


def allowed_kind(pool: dict, request: dict) -> bool:
    """Physical functions, vdpa and remote-managed devices only when asked for (spec 7.3).

    A wished live_migratable needs no rule of its own: it is a key of the spec like any other.
    """
    specs = request["spec"]
    for kind in ("type-PF", "vdpa"):
        if pool.get("dev_type") == kind and all(spec.get("dev_type") != kind for spec in specs):
            return False
    wanted = any(is_true(spec.get("remote_managed", False)) for spec in specs)
    return wanted or not is_true(pool.get("remote_managed", False))


def take(pools: list[dict], usable: list[dict], count: int, providers: Counter[str]) -> list[dict]:
    """Take from the usable pools in order, or exactly what the mapping says; emptied pools vanish (spec 7)."""
    rest = {id(pool): pool["count"] for pool in pools}
    for pool in usable:
        given = min(rest[id(pool)], count) if not providers else providers[pool["rp_uuid"]]
        rest[id(pool)] -= given
        count -= given
    return [pool | {"count": rest[id(pool)]} for pool in pools if rest[id(pool)] > 0]
