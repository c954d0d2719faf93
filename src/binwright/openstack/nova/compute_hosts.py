"""The hosts of a cloud as Nova's filters and weighers see them, and what an input does not tell of them."""

from __future__ import annotations

from binwright.openstack.cloud import Cloud, ComputeNode
from binwright.openstack.hosts import Hosts
from binwright.openstack.nova import pci
from binwright.openstack.nova.compute_host import MIB_PER_GIB, ComputeHost
from binwright.openstack.nova.host_states import HostStates
from binwright.openstack.zones import Zones

__all__ = ["compute_hosts", "untold_attributes"]

NEVER_TOLD = ("failed_builds",)
TOLD_BY_NODES = ("cpu_info", "host_ip", "supported_instances")


def compute_hosts(cloud: Cloud, hosts: Hosts, states: HostStates, zones: Zones) -> list[ComputeHost]:
    """One entry a host, in order; a host without root provider has an empty uuid."""
    found = []
    nodes = {one.hostname: one for one in cloud.compute_nodes}
    for index, (name, hypervisor, provider) in enumerate(zip(hosts.names, hosts.hypervisors, hosts.providers)):
        disk, used = int(states.disk_mb[index]), int(states.disk_mb_used[index])
        ram = int(states.ram_mb[index])
        instances = states.instances[index]
        node = nodes.get(name, ComputeNode(name))
        found.append(
            ComputeHost(
                host=name,
                nodename=name,
                uuid="" if provider is None else provider.uuid,
                vcpus_total=int(states.vcpus[index]),
                vcpus_used=int(states.vcpus_used[index]),
                free_ram_mb=ram - int(states.ram_mb_used[index]),
                total_usable_ram_mb=ram,
                total_usable_disk_gb=disk // MIB_PER_GIB,
                free_disk_mb=disk - used,
                disk_mb_used=used,
                hypervisor_type=None if hypervisor is None else hypervisor.type,
                hypervisor_version=int(states.hypervisor_version[index]) or None,
                num_io_ops=int(states.io_ops[index]),
                num_instances=len(instances),
                cpu_allocation_ratio=float(states.vcpu_ratio[index]),
                up=not hosts.down[index],
                disabled=hosts.disabled[index],
                instances=list(instances),
                aggregates=zones.metadata[index],
                numa=node.numa,
                pci_pools=None if node.pci_pools is None else pci.in_order(node.pci_pools),
                host_ip=node.host_ip,
                cpu_info=node.cpu_info,
                supported_instances=node.supported_instances,
            )
        )
    return found


def untold_attributes(cloud: Cloud, hosts: Hosts) -> frozenset[str]:
    """The attributes of hosts that a filter may compare and the input does not tell of every host."""
    untold = frozenset(
        name
        for name, column in (("hypervisor_type", "type"), ("hypervisor_version", "version"))
        if any(one is None or getattr(one, column) is None for one in hosts.hypervisors)
    )
    return untold.union(NEVER_TOLD, () if cloud.compute_nodes else TOLD_BY_NODES)
