"""Placement's books beside Nova's: what servers hold and should hold, and what is held for nobody that is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from binwright.explained import RuleText
from binwright.openstack.asked import Asked
from binwright.openstack.cloud import Cloud, Server
from binwright.openstack.hosts import Hosts, class_key
from binwright.verified import ALLOCATION, ORPHAN, Finding

__all__ = ["ledger_findings"]

RULE = "allocations"


def ledger_findings(cloud: Cloud, hosts: Hosts, servers: Iterable[tuple[Server, Asked]]) -> list[Finding]:
    """Servers whose allocations are not what their flavor says, or are not on their host, and consumers that are no
    server of the input. Nothing where the input has no allocations by consumer.
    """
    if "allocations" not in cloud.present:
        return []
    found = []
    for server, asked in servers:
        told = _differences(cloud, hosts, server, asked)
        if told:
            (host,) = hosts.lookup.find(server.host or "")
            texts = [RuleText(RULE, text) for text in told]
            identity = (cloud.name, ALLOCATION, "Server", server.project, server.name, server.id)
            found.append(Finding(*identity, hosts.names[host], texts))
    known = {one.id for one in cloud.servers}
    for consumer, rows in cloud.consumers.items() if "servers" in cloud.present else ():
        held = {uuid: amounts for uuid, amounts in rows.items() if any(amounts.values())}
        if consumer not in known and held:
            names = [hosts.forest.providers[uuid].name for uuid in held]
            text = f"holds {_amounts(_sums(held))}, and is no server of the input: deleted, or a migration's record"
            identity = (cloud.name, ORPHAN, "Consumer", None, consumer, consumer)
            found.append(Finding(*identity, ", ".join(names), [RuleText(RULE, text)]))
    return found


def _differences(cloud: Cloud, hosts: Hosts, server: Server, asked: Asked) -> list[str]:
    """What is wrong with the allocations of one server, in words."""
    rows = cloud.consumers.get(server.id or "", {})
    if not rows:
        return ["holds nothing in Placement"] if asked.amounts else []
    held, told = _sums(rows), []
    expected = [_expected(asked, number) for number in range(len(asked.queries))]
    if expected and not any(all(held.get(name, 0) == amount for name, amount in one.items()) for one in expected):
        told = [
            f"holds {held.get(name, 0)} {name}, flavor {server.flavor_ref or asked.spec.flavor.name} asks {amount}"
            for name, amount in sorted(expected[0].items(), key=lambda item: class_key(item[0]))
            if held.get(name, 0) != amount
        ]
    (host,) = hosts.lookup.find(server.host or "")
    own = hosts.providers[host]
    for uuid, amounts in rows.items():
        provider = hosts.forest.providers[uuid]
        if own is not None and not provider.sharing and hosts.forest.root(uuid) != own.uuid:
            told.append(f"holds {_amounts(amounts)} of {provider.name}, which is not its host")
    return told


def _expected(asked: Asked, number: int) -> dict[str, int]:
    """What a query of the server asks over all groups, with 0 for the kind of CPU that it does not want."""
    sums: dict[str, int] = {}
    for group in asked.queries[number].groups.values():
        for name, amount in group.resources.items():
            sums[name] = sums.get(name, 0) + amount
    if sums.keys() & {"VCPU", "PCPU"}:
        sums = {"VCPU": 0, "PCPU": 0} | sums
    return sums


def _sums(rows: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for amounts in rows.values():
        for name, amount in amounts.items():
            sums[name] = sums.get(name, 0) + amount
    return sums


def _amounts(amounts: Mapping[str, int]) -> str:
    return ", ".join(
        f"{amount} {name}" for name, amount in sorted(amounts.items(), key=lambda item: class_key(item[0]))
    )
