"""What the QoS rules of a port ask of Placement: its `resource_request`, as Neutron computes it (openstack spec 9).

Names, group ids and classes are the service's own; who asks, and for which server, is the business of `ports`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from binwright.openstack.cloud import QosRule
from binwright.openstack.placement.names import custom_name

__all__ = ["TUNNEL_TRAIT", "physnet_trait", "resource_request", "vnic_type_trait"]

TUNNEL_TRAIT = "CUSTOM_NETWORK_TUNNEL_PROVIDER"
CLASSES = {
    ("minimum_bandwidth", "egress"): "NET_BW_EGR_KILOBIT_PER_SEC",
    ("minimum_bandwidth", "ingress"): "NET_BW_IGR_KILOBIT_PER_SEC",
    ("minimum_packet_rate", "egress"): "NET_PACKET_RATE_EGR_KILOPACKET_PER_SEC",
    ("minimum_packet_rate", "ingress"): "NET_PACKET_RATE_IGR_KILOPACKET_PER_SEC",
    ("minimum_packet_rate", "any"): "NET_PACKET_RATE_KILOPACKET_PER_SEC",
}


def physnet_trait(physical_network: str) -> str:
    """The trait of a provider that is connected to a physical network."""
    return custom_name(f"PHYSNET_{physical_network}")


def vnic_type_trait(vnic_type: str) -> str:
    """The trait of a provider that serves ports of a VNIC type."""
    return custom_name(f"VNIC_TYPE_{vnic_type}")


def resource_request(
    port: uuid.UUID, rules: Iterable[QosRule], vnic_type: str = "normal", physical_network: str | None = None
) -> dict[str, Any] | None:
    """The attribute of a port with these rules: at most a group for bandwidth and one for packets; None without rules.

    Bandwidth of both directions comes from one device, which is on the physical network (None: a tunnelled network);
    the two groups come from one agent.
    """
    rules = list(rules)
    vnic = vnic_type_trait(vnic_type)
    network = TUNNEL_TRAIT if physical_network is None else physnet_trait(physical_network)
    groups = []
    for kind, required in (("minimum_bandwidth", [network, vnic]), ("minimum_packet_rate", [vnic])):
        own = [rule for rule in rules if rule.type == kind]
        if own:
            groups.append(
                {
                    "id": str(uuid.uuid5(port, ":".join(rule.id for rule in own))),
                    "required": required,
                    "resources": {CLASSES[kind, rule.direction]: rule.least for rule in own},
                }
            )
    return {"request_groups": groups, "same_subtree": [group["id"] for group in groups]} if groups else None
