"""What servers take of their hosts: cpu in millicores, memory in bytes; from allocations, else from flavors."""

from collections.abc import Callable

from binwright.openstack.cloud import Cloud, Server
from binwright.openstack.flavors import flavor_groups
from binwright.stack.physical import MIB


def server_sizes(cloud: Cloud) -> Callable[[Server], tuple[int, int]]:
    """A function from a server of this cloud to its (cpu, memory); 0 where nothing tells them."""
    flavors = {key: flavor for flavor in cloud.flavors for key in (flavor.name, flavor.id) if key}

    def size(server: Server) -> tuple[int, int]:
        flavor = server.flavor or flavors.get(server.flavor_ref or "")
        amounts: dict[str, int] = {}
        for taken in cloud.consumers.get(server.id or "", {}).values():
            for name, amount in taken.items():
                amounts[name] = amounts.get(name, 0) + amount
        if not amounts and flavor is not None:
            amounts = flavor_groups(flavor).totals()
        cpus = amounts.get("VCPU", 0) + amounts.get("PCPU", 0)
        if not cpus and flavor is not None and any(name.startswith("CUSTOM_") for name in amounts):
            return 1000 * flavor.vcpus, MIB * flavor.memory_mb  # a bare-metal host, sold whole
        return 1000 * cpus, MIB * amounts.get("MEMORY_MB", 0)

    return size
