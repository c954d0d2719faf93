"""A cloud as it would be without one of its servers: what the server holds is free again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from binwright.openstack.cloud import Cloud, Hypervisor, Server
from binwright.openstack.hosts import HostNames
from binwright.openstack.pending import Catalogue
from binwright.openstack.placement.inventory import Inventory
from binwright.openstack.placement.tree import Provider

__all__ = ["free_nodes", "without_server"]


def without_server(cloud: Cloud, server: Server) -> Cloud:
    """A copy of the cloud without the server; what Placement holds for it is left to `cloud_hosts`.

    Raises InputError where its flavor is needed, for the hypervisors' columns, and not known.
    """
    others = [one for one in cloud.servers if one is not server]
    hypervisors = cloud.hypervisors
    if server.host is not None and any(one.vcpus_used is not None for one in hypervisors):
        lookup = HostNames([one.hostname for one in hypervisors], [one.service_host for one in hypervisors])
        found = lookup.find(server.host)
        if len(found) == 1:
            hypervisors = list(hypervisors)
            hypervisors[found[0]] = _relieved(hypervisors[found[0]], Catalogue(cloud.flavors), server)
    return replace(cloud, servers=others, wishes=[], hypervisors=hypervisors, providers=free_nodes(cloud, [server]))


def free_nodes(cloud: Cloud, servers: Iterable[Server]) -> list[Provider]:
    """The providers, with the bare-metal nodes that these servers hold no longer reserved: a node in use is reserved
    because it is in use (openstack spec 10).
    """
    held = {
        (uuid, name)
        for server in servers
        for uuid, amounts in cloud.consumers.get(server.id or "", {}).items()
        for name in amounts
    }

    def free(uuid: str, name: str, inventory: Inventory) -> Inventory:
        node = inventory.total == inventory.reserved == inventory.max_unit == 1
        return replace(inventory, reserved=0) if node and (uuid, name) in held else inventory

    return [
        replace(one, inventories={name: free(one.uuid, name, stock) for name, stock in one.inventories.items()})
        for one in cloud.providers
    ]


def _relieved(one: Hypervisor, flavors: Catalogue, server: Server) -> Hypervisor:
    flavor = flavors.flavor_of(server)
    disk = (0 if server.from_volume else flavor.root_gb) + flavor.ephemeral_gb
    return replace(
        one,
        vcpus_used=_less(one.vcpus_used, flavor.vcpus),
        memory_mb_used=_less(one.memory_mb_used, flavor.memory_mb),
        local_gb_used=_less(one.local_gb_used, disk),
    )


def _less(used: int | None, amount: int) -> int | None:
    return None if used is None else max(0, used - amount)
