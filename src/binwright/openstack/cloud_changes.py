"""Clouds as they would be: without some hosts, with another allocation ratio, with other flavors. Copies; no rules."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from binwright.errors import InputError
from binwright.openstack.cloud import Cloud, Flavor, Server
from binwright.openstack.hosts import HostNames
from binwright.openstack.pending import Catalogue
from binwright.openstack.placement.tree import Forest

__all__ = ["with_flavors", "with_ratio", "without_hosts"]


def without_hosts(cloud: Cloud, names: Collection[str]) -> Cloud:
    """The cloud without these hypervisors, their providers, and the servers on them; what the lost servers held on
    other providers is free again.
    """
    lookup = HostNames([one.hostname for one in cloud.hypervisors], [one.service_host for one in cloud.hypervisors])
    gone = {number for number, one in enumerate(cloud.hypervisors) if one.hostname in names}

    def is_lost(server: Server) -> bool:
        found = lookup.find(server.host) if server.host is not None else []
        return server.host in names or (len(found) == 1 and found[0] in gone)

    forest = Forest(cloud.providers)
    keys = set(names) | {cloud.hypervisors[number].id for number in gone}
    roots = {one.uuid for one in cloud.providers if one.parent is None and (one.name in names or one.uuid in keys)}
    lost = {one.id for one in cloud.servers if is_lost(one)}
    consumers = {}
    freed: dict[str, dict[str, int]] = {}
    for consumer, held in cloud.consumers.items():
        if consumer not in lost:
            consumers[consumer] = held
            continue
        for uuid, amounts in held.items():
            for name, amount in amounts.items():
                freed.setdefault(uuid, {})[name] = freed.get(uuid, {}).get(name, 0) + amount
    providers = [
        replace(one, used={name: used - freed.get(one.uuid, {}).get(name, 0) for name, used in one.used.items()})
        for one in cloud.providers
        if forest.root(one.uuid) not in roots
    ]
    services = {one.service_host for number, one in enumerate(cloud.hypervisors) if number not in gone}
    kept = [one for number, one in enumerate(cloud.hypervisors) if number not in gone]
    aggregates = [
        one
        if one.hosts is None
        else replace(one, hosts=tuple(name for name in one.hosts if name not in names or name in services))
        for one in cloud.aggregates
    ]
    return replace(
        cloud,
        hypervisors=kept,
        providers=providers,
        consumers=consumers,
        aggregates=aggregates,
        servers=[one for one in cloud.servers if one.id not in lost],
        server_groups=[replace(one, members=one.members - lost) for one in cloud.server_groups],
    )


def with_ratio(cloud: Cloud, resource: str, ratio: float) -> Cloud:
    """The cloud with another allocation ratio of a class on every root provider that has it. Raises InputError where
    no inventory of this class is in the input.
    """
    providers, changed = [], 0
    for one in cloud.providers:
        inventory = one.inventories.get(resource)
        if one.parent is None and inventory is not None and not one.sharing:
            changed += 1
            one = replace(one, inventories={**one.inventories, resource: replace(inventory, allocation_ratio=ratio)})
        providers.append(one)
    if not changed:
        raise InputError(f"{cloud.name}: no inventory of {resource} in the input, so no ratio to change")
    return replace(cloud, providers=providers)


def with_flavors(cloud: Cloud, flavors: Iterable[Flavor]) -> Cloud:
    """The cloud with other flavors on offer; servers that there are keep what they are."""
    known = Catalogue(cloud.flavors)
    servers = [
        one if one.flavor is not None else replace(one, flavor=known.find(one.flavor_ref)) for one in cloud.servers
    ]
    return replace(cloud, servers=servers, flavors=list(flavors), present=cloud.present | {"flavors"})
