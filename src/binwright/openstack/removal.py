"""A cloud as it would be without one of its servers: what the server holds is free again."""

from __future__ import annotations

from dataclasses import replace

from binwright.openstack.cloud import Cloud, Hypervisor, Server
from binwright.openstack.hosts import HostNames
from binwright.openstack.pending import Catalogue

__all__ = ["without_server"]


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
    return replace(cloud, servers=others, wishes=[], hypervisors=hypervisors)


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
