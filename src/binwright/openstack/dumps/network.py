"""Neutron's tables of a dump (ports, networks, QoS policies) as records, as far as they ask something of Placement."""

from __future__ import annotations

from typing import Any

from binwright.openstack.cloud import Network, Port, QosPolicy, QosRule
from binwright.openstack.dumps.fields import Row, Table
from binwright.openstack.placement.inventory import MAX_INT
from binwright.units import shown

__all__ = ["READERS"]

PORT = {
    "id": ("id",),
    "name": ("name",),
    "server": ("deviceid",),
    "network": ("networkid",),
    "vnic_type": ("bindingvnictype", "vnictype"),
    "qos_policy": ("qospolicyid",),
    "resource_request": ("resourcerequest",),
}
NETWORK: dict[str, tuple[str, ...]] = {
    "id": ("id",),
    "name": ("name",),
    "physical_network": ("providerphysicalnetwork",),
    "qos_policy": ("qospolicyid",),
}
QOS_POLICY: dict[str, tuple[str, ...]] = {"id": ("id",), "name": ("name",), "rules": ("rules",)}
QOS_RULE = {
    "id": ("id",),
    "type": ("type",),
    "direction": ("direction",),
    "min_kbps": ("minkbps",),
    "min_kpps": ("minkpps",),
}
LEAST = {"minimum_bandwidth": "min_kbps", "minimum_packet_rate": "min_kpps"}
DIRECTIONS = {"minimum_bandwidth": ("egress", "ingress"), "minimum_packet_rate": ("egress", "ingress", "any")}


def read_port(row: Row) -> Port:
    """One port; what it asks of Placement is checked where it is used."""
    return Port(
        id=row.text("id"),
        name=row.text("name") or row.label,
        server=row.reference("server"),
        network=row.reference("network"),
        vnic_type=row.text("vnic_type") or "normal",
        qos_policy=row.reference("qos_policy"),
        resource_request=row.mapping("resource_request") if row.has("resource_request") else None,
        where=row.where,
    )


def read_network(row: Row) -> Network:
    """One network."""
    return Network(
        row.text("id"),
        row.text("name") or row.label,
        row.reference("physical_network"),
        row.reference("qos_policy"),
    )


def read_qos_policy(row: Row) -> QosPolicy:
    """One QoS policy; of its rules those that guarantee something."""
    rules = row.raw("rules") or []
    if not isinstance(rules, list):
        row.refuse("rules", f"{shown(rules)} is not a list of rules")
    table = Table(row.where, "rule", QOS_RULE, {})
    found = [read_qos_rule(rule) for rule in table.rows(rules, ("id",)) if rule.text("type") in LEAST]
    return QosPolicy(row.text("id"), row.text("name") or row.label, tuple(found))


def read_qos_rule(row: Row) -> QosRule:
    """One rule that guarantees something."""
    kind = str(row.text("type"))
    least = row.need(LEAST[kind], row.whole(LEAST[kind], MAX_INT))
    direction = row.text("direction") or "egress"
    if direction not in DIRECTIONS[kind]:
        row.refuse("direction", f"{shown(direction)} is not one of {', '.join(DIRECTIONS[kind])}")
    return QosRule(row.need("id", row.text("id")), kind, direction, least)


READERS: dict[str, tuple[str, dict[str, tuple[str, ...]], Any]] = {
    "ports": ("port", PORT, read_port),
    "networks": ("network", NETWORK, read_network),
    "qos_policies": ("QoS policy", QOS_POLICY, read_qos_policy),
}
"""As in `compute`."""
