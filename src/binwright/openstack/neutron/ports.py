"""The ports of a server as groups of its request to Placement, as Nova takes them over (openstack spec 9).

Reads a port's `resource_request` in both of its forms, or works it out from the QoS policy where the dump has that.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from binwright.errors import InputError
from binwright.openstack.cloud import Cloud, Network, Port, QosPolicy
from binwright.openstack.neutron.qos import resource_request
from binwright.openstack.nova.request_spec import RequestedGroup
from binwright.openstack.placement.inventory import MAX_INT
from binwright.units import shown

__all__ = ["PortRequests", "Ports", "to_requests"]

NO_PORTS = "ports: the input has no ports.json"
NO_POLICIES = "QoS policies of ports: the input has no qos_policies.json"
Named = TypeVar("Named", Port, Network, QosPolicy)
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


class Ports:
    """The ports of a cloud, and what they ask of Placement; tables are made once."""

    def __init__(self, cloud: Cloud) -> None:
        self._present = cloud.present
        self._ports = _by_id_and_name(cloud.ports)
        self._networks: dict[str, Network] = _by_id_and_name(cloud.networks)
        self._policies: dict[str, QosPolicy] = _by_id_and_name(cloud.qos_policies)
        self._of_server: dict[str, list[Port]] = {}
        for port in cloud.ports:
            if port.server is not None:
                self._of_server.setdefault(port.server, []).append(port)

    def of_server(self, server: str | None) -> PortRequests:
        """What the ports of a server ask, in file order. Raises InputError, naming port and field."""
        return self.of_ports(self._of_server.get(server or "", ()))

    def of_wish(self, names: Iterable[str], where: str) -> PortRequests:
        """What the ports that a wish names, by id or name, ask. Raises InputError for one that is not there."""
        ports, untold = [], []
        for name in names:
            if name in self._ports:
                ports.append(self._ports[name])
            elif "ports" in self._present:
                raise InputError(f"{where}: ports: {name!r} is not in ports.json")
            else:
                untold.append((NO_PORTS, f"{where}: {name}"))
        found = self.of_ports(ports)
        return replace(found, not_evaluated=(*untold, *found.not_evaluated))

    def of_ports(self, ports: Iterable[Port]) -> PortRequests:
        """What these ports of one server ask of Placement. Raises InputError, naming port and field."""
        groups: list[RequestedGroup] = []
        subtrees: list[tuple[str, ...]] = []
        untold: list[tuple[str, str]] = []
        for port in ports:
            asked = port.resource_request
            if asked is None:
                name = self._policy_name(port)
                if name is not None and "qos_policies" not in self._present:
                    untold.append((NO_POLICIES, f"{port.where}: {name}"))
                asked = self._worked_out(port, name)
            if asked:
                found, subtree = _read(port, asked)
                groups += found
                subtrees += [subtree] if subtree else []
        ids = [group.id for group in groups]
        for one in ids:
            if ids.count(one) > 1:
                raise InputError(f"resource_request: two groups of one server have the id {one}")
        return PortRequests(tuple(groups), tuple(subtrees), tuple(untold))

    def _policy_name(self, port: Port) -> str | None:
        """The port's own policy, else its network's."""
        network = self._networks.get(port.network or "")
        return port.qos_policy or (network.qos_policy if network is not None else None)

    def _worked_out(self, port: Port, policy_name: str | None) -> dict[str, Any] | None:
        """The attribute from a policy; None where nothing is guaranteed, or told."""
        policy = self._policies.get(policy_name or "")
        if policy is None:
            if policy_name is not None and "qos_policies" in self._present:
                raise InputError(f"{port.where}: qos_policy_id: {policy_name!r} is not in qos_policies.json")
            return None
        network = self._networks.get(port.network or "")
        if network is None and any(rule.type == "minimum_bandwidth" for rule in policy.rules):
            raise InputError(f"{port.where}: network_id: {shown(port.network)} is not in networks.json")
        physical = None if network is None else network.physical_network
        return resource_request(_uuid(port), policy.rules, port.vnic_type, physical)


def to_requests(cloud: Cloud, ports: Iterable[Port]) -> PortRequests:
    """What some ports of one server of a cloud ask of Placement. Raises InputError, naming port and field."""
    return Ports(cloud).of_ports(ports)


def _read(port: Port, asked: Mapping[str, Any]) -> tuple[list[RequestedGroup], tuple[str, ...]]:
    """Groups and the set of them that is of one subtree."""
    where = f"{port.where}: resource_request"
    if "request_groups" in asked:
        rows = asked["request_groups"]
        if not isinstance(rows, list):
            raise InputError(f"{where}: request_groups: {shown(rows)} is not a list of groups")
        found = [_group(f"{where}: request_groups[{number}]", row) for number, row in enumerate(rows)]
    else:  # before the extension port-resource-request-groups
        found = [_group(where, {**asked, "id": port.id})]
    subtree = asked.get("same_subtree") or []
    if not isinstance(subtree, list) or not set(map(str, subtree)) <= {group.id for group in found}:
        raise InputError(f"{where}: same_subtree: {shown(subtree)} is not a list of the port's groups")
    return found, tuple(subtree)


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


def _uuid(port: Port) -> uuid.UUID:
    try:
        return uuid.UUID(port.id or "")
    except ValueError:
        return uuid.uuid5(NAMESPACE, port.id or port.name)


def _by_id_and_name(records: Iterable[Named]) -> dict[str, Named]:
    """Records by id, and by name where no other has it for an id; of one name the first."""
    records = list(records)
    named = {one.name: one for one in reversed(records)}
    return named | {one.id: one for one in records if one.id is not None}
