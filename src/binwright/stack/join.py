"""Joining the layers: nodes to servers, servers to hosts, hosts to racks and zones, each with how it was found.

Reads what the layers read; the server list is trusted, labels of nodes only where no cloud is in the input. Stable
under reordering of the input: every lookup is by a name that must be unique, and what is not unique joins nothing.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha224
from typing import Generic, TypeVar

from binwright.kubernetes.objects import Node
from binwright.kubernetes.reader import Objects
from binwright.openstack.cloud import Cloud, Hypervisor, Server
from binwright.stack.racks import Seat
from binwright.stack.sandwich import BY_HOST_NAME, ITSELF, Conflict, Host, NodePlace, Sandwich, ServerPlace, Unjoined

PROVIDER_ID = re.compile(r"openstack://[^/]*/(?P<id>[^/]+)")
HOST_ID_LABELS = ("topology.openstack.org/host-id", "topology.scs.openstack.org/host-id")
NOWHERE = ("BUILD", "ERROR", "SHELVED_OFFLOADED", "DELETED", "SOFT_DELETED")
"""States in which a server has no host, and need not."""
RACK_TRAIT = re.compile(r"CUSTOM_RACK_(.+)")

Thing = TypeVar("Thing")


def host_id(project: str, host: str) -> str:
    """What a tenant sees instead of a host's name. Rule: Nova's API, sha224 of project and host."""
    return sha224((project + host).encode()).hexdigest()


def join(clusters: Mapping[str, Objects], clouds: Mapping[str, Cloud], seats: Sequence[Seat] = ()) -> Sandwich:
    """The sandwich of these clusters and clouds, by source name; `seats` from racks.yaml."""
    made = Sandwich(clusters, clouds)
    made.server_lists = any("servers" in cloud.present for cloud in clouds.values())
    joiner = _Joiner(made, seats)
    for name in sorted(clouds):
        joiner.cloud(name, clouds[name])
    joiner.nested()
    for name in sorted(clusters):
        joiner.cluster(name, clusters[name].nodes)
    joiner.hypervisors_in_nodes()
    joiner.racks()
    return made


class _Unique(Generic[Thing]):
    """Things by name, of which a name that two have finds none."""

    def __init__(self) -> None:
        self._found: dict[str, Thing | None] = {}

    def add(self, name: str | None, thing: Thing) -> None:
        if name:
            self._found[name] = thing if self._found.get(name, thing) is thing else None

    def __getitem__(self, name: str | None) -> Thing | None:
        return self._found.get(name or "")


class _Joiner:
    def __init__(self, made: Sandwich, seats: Sequence[Seat]) -> None:
        self.made = made
        self.seats = seats
        self.server_ids: _Unique[ServerPlace] = _Unique()
        self.server_names: _Unique[ServerPlace] = _Unique()
        self.server_addresses: _Unique[ServerPlace] = _Unique()
        self.host_names: _Unique[Host] = _Unique()  # full and short names of hypervisors
        self.told: dict[str, list[tuple[str, str, str]]] = {}  # host key -> (rack | zone, value, who says so)

    # ---- clouds ----------------------------------------------------------------------------------------------

    def cloud(self, source: str, cloud: Cloud) -> None:
        """Hosts and servers of one cloud."""
        by_name: _Unique[Host] = _Unique()
        for hypervisor in sorted(cloud.hypervisors, key=lambda one: one.hostname):
            self._hypervisor(source, hypervisor, by_name)
        tenant_names = self._tenant_names(cloud)
        for server in sorted(cloud.servers, key=lambda one: (one.id or "", one.name)):
            place = self._server(source, server, by_name, bool(cloud.hypervisors), tenant_names)
            self.made.servers[source, server.id or server.name] = place
            self.server_ids.add(server.id, place)
            self.server_names.add(server.name, place)
            for address in server.addresses:
                self.server_addresses.add(address, place)
        self._aggregates(cloud, by_name)
        for provider in cloud.providers:
            host = by_name[provider.name]
            for trait in sorted(provider.traits):
                rack = RACK_TRAIT.fullmatch(trait)
                if host is not None and rack is not None:
                    self._tell(host, "rack", rack.group(1).lower(), f"trait {trait}")

    def _hypervisor(self, source: str, hypervisor: Hypervisor, by_name: "_Unique[Host]") -> None:
        host = self._host(source, hypervisor.hostname)
        for names in (by_name, self.host_names):
            names.add(hypervisor.hostname, host)
            if "." in hypervisor.hostname:
                names.add(hypervisor.hostname.partition(".")[0], host)
        if hypervisor.service_host not in (None, hypervisor.hostname):
            by_name.add(hypervisor.service_host, host)  # Ironic's one service has many hosts: then it names none

    def _host(self, source: str, name: str) -> Host:
        key = f"{source}/{name}"
        return self.made.hosts.setdefault(key, Host(key, name, source))

    def _told_host(self, source: str, name: str) -> Host:
        """A host of which only its servers tell, as no hypervisor list does."""
        host = self._host(source, name)
        self.host_names.add(name, host)
        if "." in name:
            self.host_names.add(name.partition(".")[0], host)
        return host

    def _tenant_names(self, cloud: Cloud) -> dict[str, str]:
        """hostId -> hypervisor, for every project that has servers here."""
        projects = {server.project for server in cloud.servers if server.project}
        names = {name for one in cloud.hypervisors for name in (one.hostname, one.service_host) if name}
        return {host_id(project, name): name for project in sorted(projects) for name in sorted(names)}

    def _server(
        self, source: str, server: Server, by_name: "_Unique[Host]", listed: bool, tenant_names: Mapping[str, str]
    ) -> ServerPlace:
        if server.host is not None:
            host = by_name[server.host] or by_name[server.service_host] or by_name[server.host.partition(".")[0]]
            if host is None and listed:
                why = f"runs on {server.host}, which is not in the hypervisor list"
                self.made.unjoined.append(Unjoined(source, "Server", server.name, server.host, why))
                host = self._host(source, server.host)
                return ServerPlace(source, server, host, "host, which is not listed")
            return ServerPlace(source, server, host or self._told_host(source, server.host), "host")
        if server.host_id:
            name = tenant_names.get(server.host_id)
            host = by_name[name] or self._host(source, f"hostId {server.host_id}")
            return ServerPlace(source, server, host, "hostId")
        if server.status not in NOWHERE:
            why = f"is {server.status} and neither a host nor a hostId is told"
            self.made.unjoined.append(Unjoined(source, "Server", server.name, None, why))
        return ServerPlace(source, server, None, "none")

    def _aggregates(self, cloud: Cloud, by_name: "_Unique[Host]") -> None:
        by_service: dict[str, list[Host]] = {}
        for hypervisor in cloud.hypervisors:
            host = by_name[hypervisor.hostname]
            if host is not None:
                by_service.setdefault(hypervisor.service_host or hypervisor.hostname, []).append(host)
        for aggregate in cloud.aggregates:
            facts = [("zone", aggregate.zone), ("rack", aggregate.metadata.get("rack"))]
            for member in aggregate.hosts or ():
                one = by_name[member]
                for host in by_service.get(member) or ([one] if one is not None else []):
                    for what, value in facts:
                        if value:
                            self._tell(host, what, value, f"aggregate {aggregate.name}")

    def nested(self) -> None:
        """Hypervisors that are servers of another cloud. What would close a circle is reported and left apart."""
        for key in sorted(self.made.hosts):
            host = self.made.hosts[key]
            below = self.server_names[host.name]
            if below is None or below.cloud == host.source or below.host is None:
                continue
            self._put_inside(host, below, "Hypervisor", host.source, host.name)

    def _put_inside(self, host: Host, below: ServerPlace, kind: str, source: str, name: str) -> bool:
        walk = below.host
        while walk is not None:
            if walk is host:
                why = f"lies on itself by way of server {below.server.name}"
                self.made.unjoined.append(Unjoined(source, kind, name, below.server.name, why))
                return False
            walk = walk.inside.host if walk.inside is not None else None
        host.inside = below
        return True

    # ---- clusters --------------------------------------------------------------------------------------------

    def cluster(self, source: str, nodes: Iterable[Node]) -> None:
        """Nodes of one cluster. Of several that lie in one server at most one is right: all are kept, and told."""
        shared: dict[int, list[NodePlace]] = {}
        for node in sorted(nodes, key=lambda one: one.metadata.name or ""):
            place = self._node(source, node)
            self.made.nodes[source, place.name] = place
            if place.server is not None:
                shared.setdefault(id(place.server), []).append(place)
        for places in shared.values():
            for place in places if len(places) > 1 else ():
                others = ", ".join(one.name for one in places if one is not place)
                why = f"lies in a server by its {place.how}, in which others lie, too: {others}"
                claimed = (place.node.spec and place.node.spec.provider_id) or None
                self.made.unjoined.append(Unjoined(source, "Node", place.name, claimed, why))

    def _node(self, source: str, node: Node) -> NodePlace:
        name = node.metadata.name or ""
        claimed = (node.spec and node.spec.provider_id) or None
        match = PROVIDER_ID.fullmatch(claimed or "")
        addresses = [one.address for one in (node.status and node.status.addresses) or ()]
        found = self.server_ids[match["id"]] if match is not None else None
        how = "providerID"
        if found is None:
            found, how = self.server_names[name], "name"
        if found is None:
            candidates = {id(one): one for one in map(self.server_addresses.__getitem__, addresses) if one is not None}
            found, how = next(iter(candidates.values())) if len(candidates) == 1 else None, "address"
        if found is not None:
            if match is not None and how != "providerID":
                why = f"no server has this id; taken for server {found.cloud}/{found.server.name} by its {how}"
                self.made.unjoined.append(Unjoined(source, "Node", name, claimed, why))
            return NodePlace(source, node, found, found.host, how)
        host = self.host_names[name] or next((one for one in map(self.host_names.__getitem__, addresses) if one), None)
        if host is not None:
            return NodePlace(source, node, None, host, BY_HOST_NAME)
        if not self.made.server_lists:
            label = next((labels[key] for key in HOST_ID_LABELS if key in (labels := node.metadata.labels or {})), None)
            if label is not None:
                return NodePlace(source, node, None, self._host(source, f"hostId {label}"), "host-id label")
        if match is not None and self.made.server_lists:
            why = "no server has this id, and neither the node's name nor its addresses are those of another"
            self.made.unjoined.append(Unjoined(source, "Node", name, claimed, why))
            return NodePlace(source, node, None, None, "none")
        if match is not None:
            return NodePlace(source, node, None, None, "no server list to look it up in")
        if claimed and match is None:
            provider = claimed.partition(":")[0]
            return NodePlace(source, node, None, None, f"provider {provider}, whose hosts nobody tells")
        if claimed is None and self.made.server_lists and not any(seat.host == name for seat in self.seats):
            why = "no providerID; its name and addresses are those of no server, hypervisor or host of a rack"
            self.made.unjoined.append(Unjoined(source, "Node", name, None, why))
            return NodePlace(source, node, None, None, "none")
        return NodePlace(source, node, None, self._host(source, name), ITSELF)

    def hypervisors_in_nodes(self) -> None:
        """A hypervisor that is a node which is itself a server: the host lies inside that server."""
        for place in self.made.nodes.values():
            host = self.host_names[place.name]
            if place.server is not None and host is not None and host.inside is None:
                self._put_inside(host, place.server, "Node", place.cluster, place.name)

    # ---- racks and zones -------------------------------------------------------------------------------------

    def racks(self) -> None:
        """What racks.yaml, aggregates, traits say, in this order of trust; who disagrees is a conflict."""
        by_name: _Unique[Host] = _Unique()
        for host in self.made.hosts.values():
            by_name.add(host.name, host)
            by_name.add(host.key, host)
            if "." in host.name:
                by_name.add(host.name.partition(".")[0], host)
        told = self.told
        self.told = {}
        for seat in self.seats:
            found = by_name[seat.host]
            if found is None:
                why = f"stands in rack {seat.rack} of {seat.file}, and no source has a host of this name"
                self.made.unjoined.append(Unjoined("racks", "Host", seat.host, seat.rack, why))
                continue
            self._tell(found, "rack", seat.rack, seat.file)
            if seat.zone is not None:
                self._tell(found, "zone", seat.zone, seat.file)
        for key, facts in told.items():
            self.told.setdefault(key, []).extend(facts)
        for key in sorted(self.told):
            self._settle(self.made.hosts[key], self.told[key])

    def _tell(self, host: Host, what: str, value: str, who: str) -> None:
        self.told.setdefault(host.key, []).append((what, value, who))

    def _settle(self, host: Host, facts: list[tuple[str, str, str]]) -> None:
        for what in ("rack", "zone"):
            told = [(value, who) for kind, value, who in facts if kind == what]
            if not told:
                continue
            setattr(host, what, told[0][0])
            differing = {value.lower(): (value, who) for value, who in reversed(told)}
            if len(differing) > 1:
                self.made.conflicts.append(Conflict(host, what, tuple(sorted(differing.values()))))
