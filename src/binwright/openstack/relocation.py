"""A cloud as it would be with one of its servers on another host: its allocation and its host, nothing else."""

from __future__ import annotations

from dataclasses import replace

from binwright.openstack.cloud import Cloud, Server

__all__ = ["with_server_on"]


def with_server_on(cloud: Cloud, server: Server, host: str) -> Cloud:
    """A copy of the cloud in which the server runs on `host` and holds there, on the root provider of that name, what
    it held before. Amounts of hypervisors' own columns are left as they are.
    """
    moved = replace(server, host=host, service_host=None, host_id=None)
    servers = [moved if one is server else one for one in cloud.servers]
    held = cloud.consumers.get(server.id or "")
    target = next((one.uuid for one in cloud.providers if one.name == host and one.parent is None), None)
    if not held or target is None:
        return replace(cloud, servers=servers)
    amounts: dict[str, int] = {}
    for rows in held.values():
        for name, amount in rows.items():
            amounts[name] = amounts.get(name, 0) + amount
    consumers = {**cloud.consumers, server.id or "": {target: amounts}}
    providers = []
    for one in cloud.providers:
        change = {name: -amount for name, amount in held.get(one.uuid, {}).items()}
        if one.uuid == target:
            change = {name: change.get(name, 0) + amount for name, amount in amounts.items()}
        used = {name: one.used.get(name, 0) + change.get(name, 0) for name in {**one.used, **change}}
        providers.append(replace(one, used=used) if change else one)
    return replace(cloud, servers=servers, consumers=consumers, providers=providers)
