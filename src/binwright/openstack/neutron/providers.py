"""The resource providers that a Neutron agent reports: itself below the compute host, its devices below itself.

For clouds that do not exist yet, or whose agents are to be given bandwidth; a dump has them from Placement. Names,
uuids, traits and inventories are the service's (openstack spec 9).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from binwright.errors import InputError
from binwright.openstack.neutron.qos import TUNNEL_TRAIT, physnet_trait, vnic_type_trait
from binwright.openstack.placement.inventory import MAX_INT, Inventory
from binwright.openstack.placement.tree import Provider
from binwright.units import shown

__all__ = ["NAMESPACES", "TUNNELLED", "Agent", "agent_providers"]

TUNNELLED = "rp_tunnelled"
NAMESPACES = {
    "Open vSwitch agent": uuid.UUID("87ee7d5c-73bb-11e8-9008-c4d987b2a692"),
    "NIC Switch agent": uuid.UUID("87f1895c-73bb-11e8-9008-c4d987b2a692"),
    "OVN Controller agent": uuid.UUID("5533233b-800c-11eb-b1f4-000056b2f5b8"),
}
"""Agent type -> the namespace of its providers' uuids."""


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent's configuration. bandwidths: device -> kbit/s (egress, ingress); packet_rates: direction ("egress",
    "ingress" or "any") -> kilopackets/s; None or 0 is not offered. physical_networks: network -> its devices.
    """

    type: str
    bandwidths: Mapping[str, tuple[int | None, int | None]]
    physical_networks: Mapping[str, Iterable[str]]
    vnic_types: Iterable[str] = ("normal",)
    packet_rates: Mapping[str, int | None] = field(default_factory=dict)


def agent_providers(host: Provider, agent: Agent) -> list[Provider]:
    """The agent's provider, then one for each device, in order; `host` is the root below which they are.

    Raises InputError for an agent type that is not known, a device that is on no network, and a rate out of range.
    """
    where = f"agent {agent.type} of {host.name}"
    namespace = NAMESPACES.get(agent.type)
    if namespace is None:
        raise InputError(f"{where}: type: {shown(agent.type)} is not one of {', '.join(NAMESPACES)}")
    vnics = frozenset(map(vnic_type_trait, agent.vnic_types))
    rates = {
        f"NET_PACKET_RATE_{prefix}KILOPACKET_PER_SEC": agent.packet_rates.get(direction)
        for direction, prefix in (("egress", "EGR_"), ("ingress", "IGR_"), ("any", ""))
    }
    top = Provider(str(uuid.uuid5(namespace, host.name)), f"{host.name}:{agent.type}", host.uuid, where)
    top.inventories, top.traits = _inventories(where, rates), vnics
    networks = {
        device: physnet_trait(network) for network, devices in agent.physical_networks.items() for device in devices
    }
    found = [top]
    for device, (egress, ingress) in agent.bandwidths.items():
        traits = {TUNNEL_TRAIT} if device == TUNNELLED else set()
        traits |= {networks[device]} if device in networks else set()
        if not traits:
            raise InputError(f"{where}: device {device}: is on no physical network")
        one = Provider(str(uuid.uuid5(namespace, f"{host.name}:{device}")), f"{top.name}:{device}", top.uuid, where)
        amounts = {"NET_BW_EGR_KILOBIT_PER_SEC": egress, "NET_BW_IGR_KILOBIT_PER_SEC": ingress}
        one.inventories, one.traits = _inventories(f"{where}: device {device}", amounts), vnics | traits
        found.append(one)
    return found


def _inventories(where: str, amounts: Mapping[str, int | None]) -> dict[str, Inventory]:
    for name, amount in amounts.items():
        if amount is not None and not 0 <= amount <= MAX_INT:
            raise InputError(f"{where}: {name}: {amount} is not in 0..{MAX_INT}")
    return {name: Inventory(total=amount) for name, amount in amounts.items() if amount}
