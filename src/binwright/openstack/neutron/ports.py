"""The ports of a server as groups of its request to Placement, as Nova takes them over (openstack spec 9).

Reads a port's `resource_request` in both of its forms, or works it out from the QoS policy where the dump has that.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from binwright.errors import InputError
from binwright.openstack.cloud import Cloud, Network, Port, QosPolicy
from binwright.openstack.neutron.qos import resource_request
from binwright.openstack.nova.request_spec import RequestedGroup
from binwright.openstack.placement.inventory import MAX_INT
from binwright.units import shown

__all__ = ["PortRequests", "server_ports", "to_requests", "wish_requests"]

NO_PORTS = "ports: the input has no ports.json"
NO_POLICIES = "QoS policies of ports: the input has no qos_policies.json"
SUFFIX = re.compile(r"[A-Za-z0-9_-]{1,64}")
NAMESPACE = uuid.UUID(int=0)  # of ports that have no uuid yet


@dataclass(frozen=True, slots=True)
class PortRequests:
    """Groups of which each comes from one provider, and sets of group ids that come from one subtree each.

    not_evaluated: (rule, example) of what the input does not tell.
    """

    groups: tuple[RequestedGroup, ...] = ()
    same_subtrees: tuple[tuple[str, ...], ...] = ()
    not_evaluated: tuple[tuple[str, str], ...] = ()


def to_requests(cloud: Cloud, ports: Iterable[Port]) -> PortRequests:
    """What these ports of one server ask of Placement. Raises InputError, naming port and field."""
    groups: list[RequestedGroup] = []
    subtrees: list[tuple[str, ...]] = []
    untold: list[tuple[str, str]] = []
    for port in ports:
        asked = port.resource_request
        if asked is None:
            if _policy_name(cloud, port) is not None and "qos_policies" not in cloud.present:
                untold.append((NO_POLICIES, f"{port.where}: {_policy_name(cloud, port)}"))
            asked = _worked_out(cloud, port)
        if not asked:
            continue
        where = f"{port.where}: resource_request"
        if "request_groups" in asked:
            rows = asked["request_groups"]
            if not isinstance(rows, list):
                raise InputError(f"{where}: request_groups: {shown(rows)} is not a list of groups")
            found = [_group(f"{where}: request_groups[{number}]", row) for number, row in enumerate(rows)]
        else:  # before the extension port-resource-request-groups
            found = [_group(where, {**asked, "id": port.id})]
        groups += found
        subtree = asked.get("same_subtree") or []
        if not isinstance(subtree, list) or not set(map(str, subtree)) <= {group.id for group in found}:
            raise InputError(f"{where}: same_subtree: {shown(subtree)} is not a list of the port's groups")
        if subtree:
            subtrees.append(tuple(subtree))
    ids = [group.id for group in groups]
    for one in ids:
        if ids.count(one) > 1:
            raise InputError(f"resource_request: two groups of one server have the id {one}")
    return PortRequests(tuple(groups), tuple(subtrees), tuple(untold))


def _group(where: str, row: Any) -> RequestedGroup:
    if not isinstance(row, Mapping):
        raise InputError(f"{where}: {shown(row)} is not an object")
    name, resources, required = row.get("id"), row.get("resources"), row.get("required") or []
    if not isinstance(name, str) or SUFFIX.fullmatch(name) is None:
        raise InputError(f"{where}: id: {shown(name)} is not 1 to 64 letters, digits, - and _")
    if not isinstance(resources, Mapping) or not resources:
        raise InputError(f"{where}: resources: missing")
    for kind, amount in resources.items():
        if isinstance(amount, bool) or not isinstance(amount, int) or not 1 <= amount <= MAX_INT:
            raise InputError(f"{where}: resources: {kind}: {shown(amount)} is not a whole number in 1..{MAX_INT}")
    if not isinstance(required, list) or not all(isinstance(one, str) for one in required):
        raise InputError(f"{where}: required: {shown(required)} is not a list of traits")
    return RequestedGroup(name, dict(resources), frozenset(required))


def _worked_out(cloud: Cloud, port: Port) -> dict[str, Any] | None:
    """The attribute from the port's policy, or its network's; None where nothing is guaranteed, or told."""
    network, policy_name = _named(cloud.networks, port.network), _policy_name(cloud, port)
    policy = _named(cloud.qos_policies, policy_name)
    if policy is None:
        if policy_name is not None and "qos_policies" in cloud.present:
            raise InputError(f"{port.where}: qos_policy_id: {policy_name!r} is not in qos_policies.json")
        return None
    if network is None and any(rule.type == "minimum_bandwidth" for rule in policy.rules):
        raise InputError(f"{port.where}: network_id: {shown(port.network)} is not in networks.json")
    physical = None if network is None else network.physical_network
    return resource_request(_uuid(port), policy.rules, port.vnic_type, physical)


def _policy_name(cloud: Cloud, port: Port) -> str | None:
    network: Network | None = _named(cloud.networks, port.network)
    return port.qos_policy or (network.qos_policy if network is not None else None)


def _uuid(port: Port) -> uuid.UUID:
    try:
        return uuid.UUID(port.id or "")
    except ValueError:
        return uuid.uuid5(NAMESPACE, port.id or port.name)


def _named(records: Iterable[Any], reference: str | None) -> Any:
    """The record of this id, else the first of this name."""
    if reference is None:
        return None
    found: list[Network | QosPolicy] = [one for one in records if reference in (one.id, one.name)]
    return next((one for one in found if one.id == reference), found[0] if found else None)


def server_ports(cloud: Cloud) -> dict[str, list[Port]]:
    """Server -> its ports, in file order."""
    ports: dict[str, list[Port]] = {}
    for port in cloud.ports:
        if port.server is not None:
            ports.setdefault(port.server, []).append(port)
    return ports


def wish_requests(cloud: Cloud, names: Iterable[str], where: str) -> PortRequests:
    """What the ports that a wish names, by id or name, ask. Raises InputError for one that is not there."""
    ports, untold = [], []
    for name in names:
        port = _named(cloud.ports, name)
        if port is not None:
            ports.append(port)
        elif "ports" in cloud.present:
            raise InputError(f"{where}: ports: {name!r} is not in ports.json")
        else:
            untold.append((NO_PORTS, f"{where}: {name}"))
    found = to_requests(cloud, ports)
    return replace(found, not_evaluated=(*untold, *found.not_evaluated))
