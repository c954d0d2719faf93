"""What each physical host has, and what the pods on it were promised, through all layers."""

from collections.abc import Iterable, Mapping

from binwright.kubernetes.requests import Requests, base_units
from binwright.openstack.cloud import Cloud
from binwright.openstack.placement.tree import Forest
from binwright.stack.sandwich import BY_HOST_NAME, ITSELF, NodePlace, Sandwich
from binwright.stack.source_errors import errors_of
from binwright.units import nanos

CPU, MEMORY = "cpu", "memory"
MIB = 2**20
BARE_METAL = ("ironic", "baremetal")
"""Types of hypervisors whose one server is the whole host."""


def capacities(sandwich: Sandwich) -> dict[str, dict[str, int]]:
    """Host key -> physical cpu (millicores) and memory (bytes): inventories first, then the hypervisor's columns, then
    the node that the host itself is, or that its only server is, if that is sold whole (bare metal). Resources that
    nothing tells are left out.
    """
    found = {
        place.host.key: node_capacity(place)
        for place in sandwich.nodes.values()
        if place.server is None and place.host is not None and place.how in (BY_HOST_NAME, ITSELF)
    }
    for source, cloud in sandwich.clouds.items():
        for hypervisor in cloud.hypervisors:
            here = found.setdefault(f"{source}/{hypervisor.hostname}", {})
            if hypervisor.vcpus:
                here[CPU] = 1000 * hypervisor.vcpus
            if hypervisor.memory_mb:
                here[MEMORY] = MIB * hypervisor.memory_mb
        for name, amounts in inventories(cloud).items():
            found.setdefault(f"{source}/{name}", {}).update(amounts)
    bare = {
        f"{source}/{one.hostname}"
        for source, cloud in sandwich.clouds.items()
        for one in cloud.hypervisors
        if (one.type or "").lower() in BARE_METAL
    }
    for place in sandwich.nodes.values():
        key = place.host.key if place.server is not None and place.host is not None else None
        if key in bare and not found.get(key):
            found[key] = node_capacity(place)
    return found


def node_capacity(place: NodePlace) -> dict[str, int]:
    """What a node says it has."""
    told = (place.node.status and place.node.status.capacity) or {}
    where = f"Node {place.cluster}/{place.name}: status.capacity"
    amounts = {name: nanos(told[name], f"{where}.{name}") for name in (CPU, MEMORY) if name in told}
    return {name: base_units(name, value) for name, value in amounts.items()}


def inventories(cloud: Cloud) -> dict[str, dict[str, int]]:
    """Name of a root provider -> totals of its whole tree."""
    forest = Forest(cloud.providers)
    found: dict[str, dict[str, int]] = {}
    for provider in cloud.providers:
        if provider.parent is not None:
            continue
        tree = forest.tree(provider.uuid)
        total = {
            name: sum(one.inventories[name].total for one in tree if name in one.inventories)
            for name in ("VCPU", "PCPU", "MEMORY_MB")
        }
        cpus = total["VCPU"] + total["PCPU"]
        amounts = {CPU: 1000 * cpus, MEMORY: MIB * total["MEMORY_MB"]}
        found[provider.name] = {name: amount for name, amount in amounts.items() if amount}
    return found


def promised(sandwich: Sandwich, clusters: Iterable[str] | None = None) -> Mapping[str, dict[str, int]]:
    """Host key -> requests of the bound pods on its nodes, cpu (millicores) and memory (bytes). clusters: whose pods,
    those of all by default.
    """
    found: dict[str, dict[str, int]] = {}
    requests = Requests()
    for cluster in sorted(sandwich.clusters if clusters is None else clusters):
        for pod in sandwich.bound(cluster):
            place = sandwich.place_of(cluster, pod)
            if place is None or place.host is None:
                continue
            here = found.setdefault(place.host.physical().key, {CPU: 0, MEMORY: 0})
            with errors_of(cluster):
                used = requests.of(pod).used
            for name in (CPU, MEMORY):
                here[name] += used.get(name, 0)
    return found
