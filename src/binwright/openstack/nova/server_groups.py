"""Server groups while servers are placed: how many members each host has, what the policies forbid and prefer.

Nova's ServerGroupAntiAffinityFilter and ServerGroupAffinityFilter, and the raw weights of the two soft policies
(openstack spec 4, 5.1, 5.3). Members count on the host they run on; one that is placed counts from then on.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from binwright.openstack.cloud import Cloud, ServerGroup
from binwright.openstack.hosts import Hosts
from binwright.openstack.pending import Wanted

__all__ = ["AFFINITY_FILTER", "ANTI_AFFINITY_FILTER", "Groups", "group_hint"]

ANTI_AFFINITY_FILTER = "ServerGroupAntiAffinityFilter"
AFFINITY_FILTER = "ServerGroupAffinityFilter"


def group_hint(hints: Mapping[str, object]) -> str | None:
    """The group that the scheduler hints name; the API gives every hint as a list."""
    group = hints.get("group")
    if isinstance(group, list):
        group = group[0] if group else None
    return group if isinstance(group, str) and group else None


class Groups:
    """The server groups of a cloud with the number of members on each host (int64, (hosts,))."""

    def __init__(self, cloud: Cloud, hosts: Hosts) -> None:
        self._by_key: dict[str, ServerGroup] = {}
        self._by_member: dict[str, ServerGroup] = {}
        self._members: dict[int, np.ndarray] = {}
        hosts_of = {server.id: server.host for server in cloud.servers if server.id and server.host}
        for group in cloud.server_groups:
            self._by_key |= {key: group for key in (group.name, group.id) if key}
            self._by_member |= dict.fromkeys(group.members, group)
            counts = self._members[id(group)] = np.zeros(len(hosts), dtype=np.int64)
            for member in group.members & hosts_of.keys():
                found = hosts.lookup.find(hosts_of[member])
                if len(found) == 1:
                    counts[found] += 1

    def group_of(self, server: Wanted) -> ServerGroup | None:
        """The group that a server is a member of or asks for; None also where the input does not have it."""
        group = self._by_member.get(server.uid or "")
        return group or self._by_key.get(group_hint(server.hints) or "")

    def rejects(self, server: Wanted) -> dict[str, np.ndarray]:
        """Filter -> hosts that it rejects for this server now: bool, (hosts,)."""
        group = self.group_of(server)
        if group is None:
            return {}
        counts = self._members[id(group)]
        if group.policy == "anti-affinity":
            return {ANTI_AFFINITY_FILTER: counts >= group.most}
        if group.policy == "affinity" and counts.any():
            return {AFFINITY_FILTER: counts == 0}
        return {}

    def raw_weights(self, server: Wanted, feasible: np.ndarray) -> dict[str, np.ndarray]:
        """Weigher -> raw weights of the hosts with these indexes."""
        group = self.group_of(server)
        if group is None or group.policy not in ("soft-affinity", "soft-anti-affinity"):
            return {}
        counts = self._members[id(group)][feasible]
        if group.policy == "soft-affinity":
            return {"ServerGroupSoftAffinityWeigher": counts}
        return {"ServerGroupSoftAntiAffinityWeigher": -counts}

    def consume(self, server: Wanted, host: int) -> None:
        """Count a server as placed on `host`."""
        group = self.group_of(server)
        if group is not None:
            self._members[id(group)][host] += 1
