"""Quotas of a dump: limits of projects, and what is used of them, as the services' APIs or their client's lists say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from binwright.openstack.cloud import Quota
from binwright.openstack.dumps.fields import INT64_MAX, Row
from binwright.units import shown

__all__ = ["READERS"]

RESOURCES = {
    "instances": ("instances",),
    "cores": ("cores",),
    "ram": ("ram",),
    "server_group_members": ("servergroupmembers",),
    "port": ("port", "ports"),
    "volumes": ("volumes",),
}
QUOTA: dict[str, tuple[str, ...]] = {"project": ("projectid", "project", "tenantid"), **RESOURCES}
NOTHING = (None, "", "-", "None")


def read_quota(row: Row) -> Quota:
    """One project's row: a number, or {limit, in_use or used, reserved} for each resource."""
    project = row.need("project", row.text("project"))
    told = {name: row.raw(name) for name in RESOURCES}
    return Quota(project, {name: _amounts(row, name, value) for name, value in told.items() if value not in NOTHING})


def _amounts(row: Row, name: str, value: Any) -> tuple[int, int | None]:
    if not isinstance(value, Mapping):
        return _whole(row, name, value), None
    if "limit" not in value:
        row.refuse(name, f"{shown(value)} has no limit")
    used = value.get("in_use", value.get("used"))
    reserved = _whole(row, name, value.get("reserved") or 0)
    return _whole(row, name, value["limit"]), None if used is None else max(0, _whole(row, name, used) + reserved)


def _whole(row: Row, name: str, value: Any) -> int:
    if isinstance(value, str) and value.strip().lstrip("-").isdecimal():
        value = int(value[:20])
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > INT64_MAX:
        row.refuse(name, f"{shown(value)} is not a whole number")
    return value


READERS = {"quotas": ("quota", QUOTA, read_quota)}
