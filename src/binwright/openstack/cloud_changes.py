"""Clouds as they would be: without some hosts, with another allocation ratio, with other flavors. Copies; no rules."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from uuid import NAMESPACE_DNS, uuid5

from binwright.errors import InputError
from binwright.openstack.cloud import Cloud, Flavor, Server
from binwright.openstack.hosts import DISABLED_TRAIT, HostNames
from binwright.openstack.pending import Catalogue
from binwright.openstack.placement.tree import Forest

__all__ = ["with_flavors", "with_hosts_like", "with_ratio", "without_hosts"]


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


def with_hosts_like(cloud: Cloud, hostname: str, names: Iterable[str]) -> Cloud:
    """The cloud with more hypervisors, empty, each like the one of this name: amounts, ratios, traits, aggregates; what
    lies below its root provider (NUMA cells, devices) they do not have. Raises InputError where there is no such one.
    """
    like = next((one for one in cloud.hypervisors if one.hostname == hostname), None)
    if like is None:
        raise InputError(f"{cloud.name}: no hypervisor {hostname} in the input")
    root = next((one for one in cloud.providers if one.parent is None and one.name == hostname), None)
    hypervisors, providers, members = list(cloud.hypervisors), list(cloud.providers), []
    for name in names:
        uuid = str(uuid5(NAMESPACE_DNS, name))
        hypervisors.append(
            replace(
                like,
                id=uuid,
                hostname=name,
                service_host=None,
                state="up",
                status="enabled",
                vcpus_used=None if like.vcpus_used is None else 0,
                memory_mb_used=None if like.memory_mb_used is None else 0,
                local_gb_used=None if like.local_gb_used is None else 0,
            )
        )
        members.append(name)
        if root is not None:
            traits = root.traits - {DISABLED_TRAIT}
            providers.append(replace(root, uuid=uuid, name=name, used={}, traits=traits, where=f"like {hostname}"))
    known = {like.hostname, like.service_host}
    aggregates = [
        replace(one, hosts=(*one.hosts, *members)) if one.hosts is not None and known & set(one.hosts) else one
        for one in cloud.aggregates
    ]
    return replace(cloud, hypervisors=hypervisors, providers=providers, aggregates=aggregates)
