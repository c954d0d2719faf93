"""One source's files as one Cloud: the door of the dump layout."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from binwright.formats.files import Blob
from binwright.openstack import magnum
from binwright.openstack.cloud import Cloud
from binwright.openstack.dumps import block_storage, compute, compute_nodes, network, nodes, quotas
from binwright.openstack.dumps.compute import refuse_duplicates
from binwright.openstack.dumps.fields import Table, plain
from binwright.openstack.dumps.layout import Layout, sort_files
from binwright.openstack.dumps.placement import read_consumers, read_providers
from binwright.openstack.heat import stacks
from binwright.openstack.heat.templates import Environment, read_environment, read_template
from binwright.openstack.ironic import node_providers
from binwright.openstack.wishes import Wishes

__all__ = ["read_dump"]

UNIQUE = {
    "servers": ("id",),
    "flavors": ("id", "name"),
    "hypervisors": ("hostname",),
    "compute_nodes": ("hostname",),
    "aggregates": ("name",),
    "server_groups": ("id",),
    "requests": ("name",),
    "volume_requests": ("name",),
    "pools": ("name",),
    "ports": ("id",),
    "baremetal_nodes": ("uuid",),
}
ATTRIBUTES = {"requests": "wishes", "volume_requests": "volume_wishes"}
READERS = {
    **compute.READERS,
    **compute_nodes.READERS,
    **block_storage.READERS,
    **network.READERS,
    **nodes.READERS,
    **quotas.READERS,
}


def read_dump(name: str, blobs: Iterable[Blob]) -> Cloud:
    """The cloud `name` that the files describe.

    Raises InputError for text that is broken, a field that is missing or malformed, and for names that occur twice.
    """
    layout = sort_files(blobs)
    cloud = Cloud(name, present={*layout.tables, *layout.per_provider}, skipped=dict(sorted(layout.unknown.items())))
    layout.tables["volume_requests"] = _volume_requests(layout)
    for kind, (noun, synonyms, reader) in READERS.items():
        records = getattr(cloud, ATTRIBUTES.get(kind, kind))
        for file, objects in layout.tables.get(kind, []):
            table = Table(file, noun, synonyms, cloud.columns.setdefault(file, {}))
            records += [reader(row) for row in table.rows(objects)]
            for field in UNIQUE.get(kind, ()):
                refuse_duplicates(file, noun, field, (getattr(record, field) for record in records))
    cloud.providers = read_providers(layout, cloud.columns)
    cloud.consumers = read_consumers(layout)
    _bare_metal(cloud)
    magnum.to_requests(cloud.node_groups).join(cloud)
    _read_stacks(layout).join(cloud)
    if "allocations" in layout.per_provider:
        _sum_up(cloud)
    return cloud


def _volume_requests(layout: Layout) -> list[tuple[str, list[Any]]]:
    """Take out of the requests those for volumes: a size and no flavor."""
    taken = []
    for number, (file, objects) in enumerate(layout.tables.get("requests", [])):
        fields = [{plain(str(key)) for key in one} if isinstance(one, dict) else set() for one in objects]
        sized = ["size" in known and not any(key.startswith("flavor") for key in known) for known in fields]
        taken.append((file, [one for one, volume in zip(objects, sized) if volume]))
        layout.tables["requests"][number] = (file, [one for one, volume in zip(objects, sized) if not volume])
    return taken


def _bare_metal(cloud: Cloud) -> None:
    """Where Placement's part is missing and every host is a node of Ironic's, its nodes tell what it would say."""
    nodes = {one.uuid for one in cloud.baremetal_nodes}
    if not nodes or "providers" in cloud.present:
        return
    if all(one.hostname in nodes or one.id in nodes for one in cloud.hypervisors):
        cloud.providers = node_providers(cloud.baremetal_nodes)
        cloud.present |= {"providers", "inventories", "traits", "allocations"}
        cloud.notes.append("providers: the nodes of baremetal_nodes.json, because providers.json is missing")
    else:
        cloud.notes.append(
            "baremetal_nodes.json: not used, other hosts are in hypervisors.json; providers.json has both"
        )


def _read_stacks(layout: Layout) -> Wishes:
    """What Heat's templates ask for, with the values of the environments beside them."""
    environment = Environment()
    for file, document in layout.environments:
        read_environment(file, document, environment)
    return stacks.to_requests([read_template(*one) for one in layout.templates], environment)


def _sum_up(cloud: Cloud) -> None:
    """Used amounts of the providers from the consumers' rows, which are finer than the `used` column."""
    providers = {provider.uuid: provider for provider in cloud.providers}
    for provider in cloud.providers:
        provider.used = dict.fromkeys(provider.inventories, 0)
    for rows in cloud.consumers.values():
        for uuid, amounts in rows.items():
            used = providers[uuid].used
            for resource_class, amount in amounts.items():
                used[resource_class] = used.get(resource_class, 0) + amount
