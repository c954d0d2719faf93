"""Pools of Cinder's backends as its scheduler sees them (openstack spec 8): what a backend reported of each, read and
kept up as volumes are placed. Decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from binwright.errors import InputError
from binwright.units import shown

__all__ = ["DEFAULT_RATIO", "Pool", "read_pool"]

DEFAULT_RATIO = "20.0"
INITIAL_AUTO_RATIO = 20
UNBOUNDED = ("infinite", "unknown")
# One protocol has several names; a backend that says one of them means all.
PROTOCOLS = (
    ["iSCSI", "iscsi"],
    ["FC", "fibre_channel", "fc"],
    ["NFS", "nfs"],
    ["NVMe-oF", "NVMeOF", "nvmeof"],
)
TRUTHS = {"true": True, "false": False}
MOST = 2.0**63


@dataclass(slots=True)
class Pool:
    """One pool, called HOST@BACKEND#POOL. Capacities in GiB; total and free are inf where the backend says "infinite"
    or "unknown", free is None where it says nothing. `ratio` is how often free space may be promised.
    """

    name: str
    capabilities: Mapping[str, Any]
    total: float
    free: float | None
    allocated: float
    provisioned: float
    reserved_percentage: float
    thin: bool
    ratio: float
    zone: str | None = None
    cluster: str | None = None
    up: bool = True

    @property
    def backend_id(self) -> str:
        """How volumes name the place where they are: by the cluster, if there is one."""
        return self.cluster or self.name

    def consume(self, size: int) -> None:
        """Take a volume in, until the next report of the backend."""
        self.allocated += size
        self.provisioned += size
        if self.free is not None:
            self.free -= size

    def attributes(self) -> dict[str, Any]:
        """The `stats` of expressions, as they are now."""
        said = self.capabilities
        return {
            "host": self.name,
            "cluster_name": self.cluster,
            "backend_id": self.backend_id,
            "volume_backend_name": said.get("volume_backend_name"),
            "vendor_name": said.get("vendor_name"),
            "driver_version": said.get("driver_version"),
            "storage_protocol": said.get("storage_protocol"),
            "QoS_support": said.get("QoS_support", False),
            "total_capacity_gb": said.get("total_capacity_gb", 0) if math.isinf(self.total) else self.total,
            "allocated_capacity_gb": self.allocated,
            "free_capacity_gb": said.get("free_capacity_gb", 0) if self.free in (None, math.inf) else self.free,
            "reserved_percentage": self.reserved_percentage,
            "updated": None,
        }


def read_pool(
    row: Mapping[str, Any],
    where: str,
    *,
    zone: str | None = None,
    cluster: str | None = None,
    up: bool = True,
    default_ratio: str = DEFAULT_RATIO,
) -> Pool:
    """A pool from {"name", "capabilities"}, as the scheduler statistics of the API have it.

    default_ratio: the service's max_over_subscription_ratio, a number or "auto". Raises InputError.
    """
    name, said = row.get("name"), row.get("capabilities")
    if not isinstance(name, str) or not name:
        raise InputError(f"{where}: name: missing")
    where = f"{where} {name}"
    if not isinstance(said, Mapping):
        raise InputError(f"{where}: capabilities: missing")
    known = dict(said)
    protocol = known.get("storage_protocol")
    if "storage_protocol" in known:
        known["storage_protocol"] = next((names for names in PROTOCOLS if protocol in (*names, names)), protocol)
    allocated = _number(where, known, "allocated_capacity_gb", 0)
    pool = Pool(
        name=name,
        capabilities=known,
        total=_capacity(where, known, "total_capacity_gb"),
        free=None if known.get("free_capacity_gb", 0) is None else _capacity(where, known, "free_capacity_gb"),
        allocated=allocated,
        provisioned=_number(where, known, "provisioned_capacity_gb", allocated),
        reserved_percentage=_number(where, known, "reserved_percentage", 0),
        thin=_truth(where, known, "thin_provisioning_support"),
        ratio=1.0,
        zone=zone,
        cluster=cluster,
        up=up,
    )
    if pool.thin and not math.isinf(pool.total) and pool.free != math.inf:
        pool.ratio = _ratio(where, pool, known.get("max_over_subscription_ratio") or default_ratio)
    return pool


def _ratio(where: str, pool: Pool, given: Any) -> float:
    """The promised multiple of free space; "auto" takes what the volumes that are there have made of it."""
    if given != "auto":
        return float(_number(where, {"max_over_subscription_ratio": given}, "max_over_subscription_ratio", 0))
    if pool.provisioned == 0:
        return INITIAL_AUTO_RATIO
    used = pool.total - (pool.free or 0)
    if used == -1:
        _refuse(where, "free_capacity_gb", pool.free, "makes the ratio 'auto' infinite")
    return 1 + float(pool.provisioned) / (used + 1)


def _capacity(where: str, said: Mapping[str, Any], key: str) -> float:
    return math.inf if said.get(key) in UNBOUNDED else _number(where, said, key, 0)


def _number(where: str, said: Mapping[str, Any], key: str, default: float) -> float:
    """A finite number; digits in a text are accepted."""
    value = said.get(key, default)
    if isinstance(value, str):
        for kind in (int, float):
            try:
                value = kind(value)
                break
            except ValueError:
                continue
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse(where, key, said[key], "is not a number")
    if not abs(value) < MOST:
        _refuse(where, key, said[key], "is too large, or no number")
    return value


def _truth(where: str, said: Mapping[str, Any], key: str) -> bool:
    value = said.get(key, False)
    found = TRUTHS.get(value.casefold()) if isinstance(value, str) else value
    if not isinstance(found, bool):
        _refuse(where, key, value, "is not true or false")
    return found


def _refuse(where: str, key: str, value: Any, what: str) -> NoReturn:
    raise InputError(f"{where}: {key}: {shown(value)} {what}")
