"""Nova's tables of a dump (servers, flavors, hypervisors, ...) as records; the servers of requests.json among them.

Each table names its columns as every client and API version has called them, best first. Checks each object by itself
and names for duplicates; what one object says about another is checked where it is used.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from typing import Any

from binwright.errors import InputError
from binwright.openstack.cloud import Aggregate, Flavor, Hypervisor, Server, ServerGroup, Service, Wish
from binwright.openstack.dumps.fields import Row, Table
from binwright.openstack.placement.inventory import MAX_INT
from binwright.units import shown

__all__ = ["READERS", "refuse_duplicates"]

FLAVOR = {
    "id": ("id", "flavorid"),
    "name": ("name", "originalname"),
    "vcpus": ("vcpus",),
    "memory_mb": ("ram", "rammib", "rammb", "memorymb"),
    "root_gb": ("disk", "diskgib", "diskgb", "rootgb"),
    "ephemeral_gb": ("ephemeral", "osflvextdataephemeral", "ephemeralgib", "ephemeralgb"),
    "swap_mb": ("swap", "swapmib", "swapmb"),
    "extra_specs": ("properties", "extraspecs"),
}
SERVER = {
    "id": ("id", "uuid"),
    "name": ("name", "displayname"),
    "status": ("status",),
    "task_state": ("taskstate", "osextststaskstate"),
    "project": ("projectid", "tenantid", "project"),
    "node": ("hypervisorhostname", "osextsrvattrhypervisorhostname"),
    "host": ("host", "computehost", "osextsrvattrhost"),
    "host_id": ("hostid",),
    "addresses": ("networks", "addresses"),
    "zone": ("availabilityzone", "osextazavailabilityzone"),
    "pinned_zone": ("pinnedavailabilityzone",),
    "flavor_id": ("flavorid",),
    "flavor": ("flavor", "flavorname"),
    "image_id": ("imageid",),
    "image": ("image", "imagename"),
    "hints": ("schedulerhints", "osschhntschedulerhints"),
    "created": ("created", "createdat"),
}
WISH = {
    "name": ("name",),
    "count": ("count",),
    "together": ("maxcount", "max", "mincount", "min"),
    "project": SERVER["project"],
    "zone": SERVER["zone"],
    "flavor": ("flavor", "flavorname", "flavorid", "flavorref"),
    "image": ("image", "imagename", "imageid", "imageref"),
    "from_volume": ("bootfromvolume",),
    "hints": ("schedulerhints", "hints", "osschhntschedulerhints"),
    "ports": ("ports", "port"),
}
HYPERVISOR = {
    "id": ("id", "uuid"),
    "hostname": ("hypervisorhostname", "name"),
    "service_host": ("servicehost",),
    "service": ("service", "servicedetails"),
    "state": ("state",),
    "status": ("status",),
    "type": ("hypervisortype",),
    "version": ("hypervisorversion",),
    "vcpus": ("vcpus",),
    "vcpus_used": ("vcpusused",),
    "memory_mb": ("memorymb", "memorysize"),
    "memory_mb_used": ("memorymbused", "memoryused"),
    "local_gb": ("localgb", "localdisksize", "diskgb"),
    "local_gb_used": ("localgbused", "localdiskused", "diskgbused"),
}
SERVICE = {
    "host": ("host",),
    "binary": ("binary",),
    "status": ("status",),
    "state": ("state",),
    "forced_down": ("forceddown", "isforceddown"),
}
AGGREGATE = {
    "id": ("id",),
    "uuid": ("uuid",),
    "name": ("name",),
    "zone": ("availabilityzone",),
    "metadata": ("properties", "metadata"),
    "hosts": ("hosts",),
}
SERVER_GROUP = {
    "id": ("id",),
    "name": ("name",),
    "policy": ("policy", "policies"),
    "members": ("members", "memberids"),
    "rules": ("rules",),
}

MOST_WISHES = 10**6
BOOTED_FROM_VOLUME = "booted from volume"
NAME_AND_ID = re.compile(r"(.+) \(([^()]+)\)")
ADDRESS = re.compile(r"[0-9]+(?:\.[0-9]+){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+")
VERSION_TEXT = re.compile(r"(\d+)\.(\d+)\.(\d+)")


def read_flavor(row: Row) -> Flavor:
    """One flavor; swap and ephemeral may be absent or empty."""
    return Flavor(
        id=row.text("id"),
        name=row.need("name", row.text("name")),
        vcpus=row.need("vcpus", row.whole("vcpus", MAX_INT)),
        memory_mb=row.need("memory_mb", row.whole("memory_mb", MAX_INT)),
        root_gb=row.need("root_gb", row.whole("root_gb", MAX_INT)),
        ephemeral_gb=row.whole("ephemeral_gb", MAX_INT) or 0,
        swap_mb=row.whole("swap_mb", MAX_INT) or 0,
        extra_specs=row.properties("extra_specs"),
        where=row.where,
    )


def read_server(row: Row) -> Server:
    """One server, from `server list --long`, `server show` or the API."""
    flavor = row.raw("flavor")
    embedded, reference = None, row.text("flavor_id")
    if isinstance(flavor, dict):
        reference = reference or flavor.get("id")
        if "vcpus" in flavor:
            table = Table(row.where, "flavor", FLAVOR, {})
            embedded = read_flavor(table.rows([flavor])[0])
        elif not isinstance(reference, str):
            row.refuse("flavor", f"{shown(flavor)} names no flavor")
    elif reference is None:
        reference = row.text("flavor")
    return Server(
        id=row.text("id"),
        name=row.need("name", row.text("name") or row.text("id")),
        status=row.need("status", row.text("status")).upper(),
        host=row.reference("node") or row.reference("host"),
        flavor_ref=reference,
        flavor=embedded,
        task_state=row.reference("task_state"),
        project=row.text("project"),
        zone=row.reference("pinned_zone") or row.reference("zone"),
        from_volume=_from_volume(row),
        image=_image(row),
        hints=row.mapping("hints"),
        where=row.where,
        created=row.text("created"),
        service_host=row.reference("host") if row.reference("node") else None,
        host_id=row.reference("host_id"),
        addresses=tuple(_addresses(row.raw("addresses"))),
    )


def read_wish(row: Row) -> Wish:
    """One entry of requests.json: the words of `openstack server create`.

    `count` (1) are so many requests; `max_count` or `min_count` is one request for so many.
    """
    count, together = (row.whole(name, MOST_WISHES, least=1) for name in ("count", "together"))
    if count is not None and together is not None:
        row.refuse("count", "beside max_count or min_count, which is one request for several")
    return Wish(
        name=row.need("name", row.text("name")),
        flavor_ref=row.need("flavor", row.text("flavor")),
        count=together or count or 1,
        together=together is not None,
        project=row.text("project"),
        zone=row.reference("zone"),
        from_volume=row.raw("from_volume") is True,
        image=_image(row),
        hints=row.mapping("hints"),
        where=row.where,
        ports=row.names("ports"),
    )


def read_hypervisor(row: Row) -> Hypervisor:
    """One hypervisor; the compute service's name may be nested under `service`."""
    service_host = row.text("service_host") or row.mapping("service").get("host")
    if service_host is not None and not isinstance(service_host, str):
        row.refuse("service", f"host {shown(service_host)} is not a text")
    return Hypervisor(
        id=row.text("id"),
        hostname=row.need("hostname", row.text("hostname")),
        service_host=service_host,
        state=row.reference("state"),
        status=row.reference("status"),
        type=row.text("type"),
        version=_version(row),
        vcpus=row.whole("vcpus", MAX_INT),
        vcpus_used=row.whole("vcpus_used", MAX_INT),
        memory_mb=row.whole("memory_mb", MAX_INT),
        memory_mb_used=row.whole("memory_mb_used", MAX_INT),
        local_gb=row.whole("local_gb", MAX_INT),
        local_gb_used=row.whole("local_gb_used", MAX_INT),
        where=row.where,
    )


def read_service(row: Row) -> Service:
    """One service; one that is forced down is down."""
    return Service(
        host=row.need("host", row.text("host")),
        binary=row.text("binary"),
        status=row.reference("status"),
        state="down" if row.raw("forced_down") is True else row.reference("state"),
    )


def read_aggregate(row: Row) -> Aggregate:
    """One aggregate. Its zone is a column of its own, which clients take out of the metadata."""
    metadata = row.properties("metadata")
    return Aggregate(
        id=row.text("id"),
        uuid=row.text("uuid"),
        name=row.need("name", row.text("name")),
        zone=row.reference("zone") or metadata.get("availability_zone"),
        metadata=metadata,
        hosts=row.names("hosts") if row.has("hosts") else None,
    )


def read_server_group(row: Row) -> ServerGroup:
    """One server group; before compute API 2.64 the policy was a list of one."""
    policies = row.names("policy")
    rules = row.properties("rules")
    most = rules.get("max_server_per_host", "1")
    if not most.isdecimal() or int(most) < 1:
        row.refuse("rules", f"max_server_per_host {shown(most)} is not a whole number above 0")
    return ServerGroup(
        id=row.text("id"),
        name=row.need("name", row.text("name")),
        policy=policies[0] if policies else None,
        members=frozenset(row.names("members")),
        most=int(most),
    )


def _from_volume(row: Row) -> bool:
    """Whether the root disk is a volume: clients say so in words, the API and openstacksdk leave the image empty."""
    field = "image_id" if row.has("image_id") else "image"
    value = row.raw(field)
    return value == {} or (isinstance(value, str) and (value == "" or BOOTED_FROM_VOLUME in value))


def _image(row: Row) -> str | None:
    image = row.raw("image")
    if isinstance(image, dict):
        image = image.get("id")
    return image if isinstance(image, str) and image and BOOTED_FROM_VOLUME not in image else None


def _addresses(value: Any) -> list[str]:
    """Addresses by network, as lists, as the API's objects, or as old clients' text."""
    if isinstance(value, str):
        return ADDRESS.findall(value)
    if isinstance(value, dict):
        return (
            _addresses(value["addr"]) if "addr" in value else [a for each in value.values() for a in _addresses(each)]
        )
    return [a for each in value for a in _addresses(each)] if isinstance(value, list) else []


def _version(row: Row) -> int | None:
    """The hypervisor's version as Nova keeps it, M * 1000000 + m * 1000 + p; the dotted text is taken too."""
    value = row.raw("version")
    match = VERSION_TEXT.fullmatch(value) if isinstance(value, str) else None
    if match is not None:
        major, minor, patch = map(int, match.groups())
        return major * 1_000_000 + minor * 1_000 + patch
    return row.whole("version")


READERS: dict[str, tuple[str, dict[str, tuple[str, ...]], Any]] = {
    "flavors": ("flavor", FLAVOR, read_flavor),
    "servers": ("server", SERVER, read_server),
    "hypervisors": ("hypervisor", HYPERVISOR, read_hypervisor),
    "services": ("service", SERVICE, read_service),
    "aggregates": ("aggregate", AGGREGATE, read_aggregate),
    "server_groups": ("server group", SERVER_GROUP, read_server_group),
    "requests": ("request", WISH, read_wish),
}
"""Table -> what an error calls one object, its columns, its reader."""


def refuse_duplicates(file: str, kind: str, field: str, values: Iterable[Hashable | None]) -> None:
    """Raise InputError when a value other than None occurs twice."""
    seen = set()
    for value in values:
        if value is not None and value in seen:
            raise InputError(f"{file}: {kind} {shown(value)[1:-1]}: {field} occurs twice")
        seen.add(value)
