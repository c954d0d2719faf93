"""Server groups while servers are placed: which group a server belongs to, who its members are (openstack spec 5.3).

Decides nothing: what the policies forbid and prefer stands in the filters and weighers, and in the fleet's terms.
"""

from __future__ import annotations

from collections.abc import Mapping

from binwright.openstack.cloud import Cloud, ServerGroup
from binwright.openstack.hosts import Hosts
from binwright.openstack.nova.request_spec import GroupMembers
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
    """The server groups of a cloud, with the members that servers on hosts make; who is placed joins."""

    def __init__(self, cloud: Cloud, hosts: Hosts) -> None:
        self._by_key: dict[str, ServerGroup] = {}
        self._by_member: dict[str, ServerGroup] = {}
        self._state: dict[int, GroupMembers] = {}
        self._hosts: dict[int, list[int]] = {}
        hosts_of = {server.id: server.host for server in cloud.servers if server.id and server.host}
        for group in cloud.server_groups:
            self._by_key |= {key: group for key in (group.name, group.id) if key}
            self._by_member |= dict.fromkeys(group.members, group)
            found = [hosts.lookup.find(hosts_of[member]) for member in sorted(group.members & hosts_of.keys())]
            self._hosts[id(group)] = [one[0] for one in found if len(one) == 1]
            names = [hosts.names[host] for host in self._hosts[id(group)]]
            self._state[id(group)] = GroupMembers(group.policy or "", group.members, names, group.most)

    def group_of(self, server: Wanted) -> ServerGroup | None:
        """The group that a server is a member of or asks for; None also where the input does not have it."""
        group = self._by_member.get(server.uid or "")
        return group or self._by_key.get(group_hint(server.hints) or "")

    def members_of(self, server: Wanted) -> GroupMembers | None:
        """The group's members as the filters see them, the server itself among them."""
        group = self.group_of(server)
        if group is None:
            return None
        state = self._state[id(group)]
        state.members |= {server.key}
        return state

    def hosts_of(self, group: ServerGroup) -> list[int]:
        """The host of each member that was on one when the input was written."""
        return self._hosts[id(group)]
