"""Ironic's nodes as resource providers: one class, one of it, one instance (openstack spec 10).

For clouds whose dump has baremetal_nodes.json and nothing of Placement; what Placement says of a node goes first.
"""

from __future__ import annotations

from collections.abc import Iterable

from binwright.openstack.cloud import BareMetalNode
from binwright.openstack.placement.inventory import Inventory
from binwright.openstack.placement.names import custom_name
from binwright.openstack.placement.tree import Provider

__all__ = ["is_available", "node_provider", "node_providers"]


def is_available(node: BareMetalNode) -> bool:
    """Whether a new instance may come: not in maintenance, power known and no error, provision state available."""
    powered = node.power_state is not None and node.power_state.casefold() != "error"
    return powered and not node.maintenance and node.provision_state in (None, "available")


def node_provider(node: BareMetalNode, *, reserve_in_use: bool = True) -> Provider:
    """The root provider of a node: its class once, none if it has no class.

    A node that is not available, or in use, is reserved; reserve_in_use False is the service's workaround
    `skip_reserve_in_use_ironic_nodes`, with which one in use is so for its instance alone (and its state).
    """
    provider = Provider(node.uuid, node.name, where=node.where, traits=node.traits)
    if node.resource_class is None:
        return provider
    name = custom_name(node.resource_class)
    reserved = not is_available(node) or (reserve_in_use and node.instance is not None)
    provider.inventories[name] = Inventory(total=1, reserved=int(reserved), max_unit=1)
    provider.used[name] = int(node.instance is not None)
    return provider


def node_providers(nodes: Iterable[BareMetalNode]) -> list[Provider]:
    """The providers of all nodes, in order."""
    return [node_provider(node) for node in nodes]
