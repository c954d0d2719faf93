"""A port's resource request from its QoS rules. Source: openstack spec 9."""

from __future__ import annotations

import uuid

BANDWIDTH = {"egress": "NET_BW_EGR_KILOBIT_PER_SEC", "ingress": "NET_BW_IGR_KILOBIT_PER_SEC"}
PACKETS = {
    "any": "NET_PACKET_RATE_KILOPACKET_PER_SEC",
    "egress": "NET_PACKET_RATE_EGR_KILOPACKET_PER_SEC",
    "ingress": "NET_PACKET_RATE_IGR_KILOPACKET_PER_SEC",
}


def trait(prefix: str, name: str) -> str:
    """CUSTOM_PREFIX_NAME, upper case, every run of other characters one underscore."""
    letters = []
    for letter in f"{prefix}_{name}":
        if letter.isascii() and letter.isalnum():
            letters.append(letter.upper())
        elif not letters or letters[-1] != "_":
            letters.append("_")
    return f"CUSTOM_{''.join(letters)}"


def request(port: str, rules: list[tuple[str, str, str, int]], vnic: str, physnet: str | None) -> dict | None:
    """The attribute; rules are (id, type, direction, amount)."""
    place = "CUSTOM_NETWORK_TUNNEL_PROVIDER" if physnet is None else trait("PHYSNET", physnet)
    groups = []
    for kind, classes, traits in (
        ("minimum_bandwidth", BANDWIDTH, [place, trait("VNIC_TYPE", vnic)]),
        ("minimum_packet_rate", PACKETS, [trait("VNIC_TYPE", vnic)]),
    ):
        mine = [rule for rule in rules if rule[1] == kind]
        if mine:
            name = uuid.uuid5(uuid.UUID(port), ":".join(rule[0] for rule in mine))
            amounts = {classes[direction]: amount for _, _, direction, amount in mine}
            groups.append({"id": str(name), "required": traits, "resources": amounts})
    if not groups:
        return None
    return {"request_groups": groups, "same_subtree": [group["id"] for group in groups]}
