"""Cinder's tables of a dump (volumes, types, pools, services) as records; the volumes of requests.json among them.

pools.json is what `GET /scheduler-stats/get_pools?detail=true` answers; the client's table of pools leaves out their
free capacity. Checks each object by itself.
"""

from __future__ import annotations

from typing import Any

from binwright.openstack.cloud import BackendPool, Service, Volume, VolumeType, VolumeWish
from binwright.openstack.dumps.fields import Row
from binwright.units import shown

__all__ = ["READERS"]

MOST_GIB = 2**40
VOLUME = {
    "id": ("id",),
    "name": ("name", "displayname"),
    "status": ("status",),
    "attachments": ("attachedto", "attachments"),
    "size": ("size", "sizegib"),
    "type": ("type", "volumetype"),
    "zone": ("availabilityzone",),
    "host": ("osvolhostattrhost", "host"),
    "project": ("osvoltenantattrtenantid", "projectid", "project"),
}
WISH = {
    "name": VOLUME["name"],
    "size": VOLUME["size"],
    "count": ("count",),
    "type": VOLUME["type"],
    "zone": VOLUME["zone"],
    "project": VOLUME["project"],
    "hints": ("schedulerhints", "hints"),
}
VOLUME_TYPE: dict[str, tuple[str, ...]] = {
    "id": ("id",),
    "name": ("name",),
    "extra_specs": ("properties", "extraspecs"),
}
SERVICE = {
    "host": ("host",),
    "binary": ("binary",),
    "zone": ("zone", "availabilityzone"),
    "status": ("status",),
    "state": ("state",),
}
POOL: dict[str, tuple[str, ...]] = {"name": ("name",), "capabilities": ("capabilities",)}


def read_volume(row: Row) -> Volume:
    """One volume with the ids of the servers it is attached to."""
    attachments = row.raw("attachments")
    servers = set()
    if isinstance(attachments, list):
        for attachment in attachments:
            server = attachment.get("server_id") if isinstance(attachment, dict) else None
            if not isinstance(server, str):
                row.refuse("attachments", f"{shown(attachment)} names no server_id")
            servers.add(server)
    return Volume(
        id=row.text("id"),
        name=row.text("name") or row.label,
        status=row.text("status"),
        servers=frozenset(servers),
        size=row.whole("size", MOST_GIB),
        type=row.reference("type"),
        zone=row.reference("zone"),
        host=row.reference("host"),
        project=row.text("project"),
        where=row.where,
    )


def read_volume_wish(row: Row) -> VolumeWish:
    """One entry of requests.json with a size: the words of `openstack volume create`, `count` of them (1)."""
    return VolumeWish(
        name=row.need("name", row.text("name")),
        size=row.need("size", row.whole("size", MOST_GIB, least=1)),
        count=1 if (count := row.whole("count", 10**6, least=1)) is None else count,
        type=row.reference("type"),
        zone=row.reference("zone"),
        project=row.text("project"),
        hints=row.mapping("hints"),
        where=row.where,
    )


def read_volume_type(row: Row) -> VolumeType:
    """One volume type."""
    return VolumeType(row.text("id"), row.need("name", row.text("name")), row.properties("extra_specs"))


def read_volume_service(row: Row) -> Service:
    """One service of Cinder, with its zone."""
    return Service(
        host=row.need("host", row.text("host")),
        binary=row.text("binary"),
        status=row.reference("status"),
        state=row.reference("state"),
        zone=row.reference("zone"),
    )


def read_backend_pool(row: Row) -> BackendPool:
    """One pool, called HOST@BACKEND#POOL."""
    if not row.has("capabilities"):
        row.refuse("capabilities", "missing; GET /scheduler-stats/get_pools?detail=true has them")
    return BackendPool(row.need("name", row.text("name")), row.mapping("capabilities"), row.where)


READERS: dict[str, tuple[str, dict[str, tuple[str, ...]], Any]] = {
    "volumes": ("volume", VOLUME, read_volume),
    "volume_types": ("volume type", VOLUME_TYPE, read_volume_type),
    "volume_services": ("volume service", SERVICE, read_volume_service),
    "pools": ("pool", POOL, read_backend_pool),
    "volume_requests": ("request", WISH, read_volume_wish),
}
"""As in `compute`."""
