"""Which servers of a cloud wait for a host (contracts.md, "What is pending"), each with its flavor.

Servers without host and in status BUILD, on wish those in ERROR, then requests.json, in file order. Finding a flavor by
the way a server names it lives here too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from binwright.errors import InputError
from binwright.openstack.cloud import Cloud, Flavor, Server, Wish
from binwright.openstack.neutron.ports import PortRequests, Ports

__all__ = ["Catalogue", "Needs", "Wanted", "pending_servers", "wanted_server", "wanted_servers"]

NAME_AND_ID = re.compile(r"(.+) \(([^()]+)\)")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One server to place. `uid` is None for an entry of requests.json; equal but for name and uid is one class.

    together: what the servers of one request for several have in common, None for one alone.
    """

    name: str
    uid: str | None
    project: str | None
    flavor: Flavor
    zone: str | None = None
    from_volume: bool = False
    image: str | None = None
    hints: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""
    ports: PortRequests = field(default_factory=PortRequests)
    together: str | None = None

    @property
    def key(self) -> str:
        """What stands for the instance: its id, or the name that a wish gives it."""
        return self.uid or f"{self.where}: {self.name}"


class Catalogue:
    """The flavors of a cloud by id and by name."""

    def __init__(self, flavors: Iterable[Flavor]) -> None:
        self._by_id: dict[str, Flavor] = {}
        self._by_name: dict[str, Flavor] = {}
        for flavor in flavors:
            if flavor.id is not None:
                self._by_id[flavor.id] = flavor
            self._by_name[flavor.name] = flavor

    def find(self, reference: str | None) -> Flavor | None:
        """The flavor of this id, else of this name, else of the "NAME (ID)" that older clients print."""
        if reference is None:
            return None
        found = self._by_id.get(reference) or self._by_name.get(reference)
        if found is None and (match := NAME_AND_ID.fullmatch(reference)) is not None:
            found = self._by_id.get(match.group(2)) or self._by_name.get(match.group(1))
        return found

    def flavor_of(self, server: Server | Wish) -> Flavor:
        """The flavor of a server; InputError when nothing tells it."""
        embedded = server.flavor if isinstance(server, Server) else None
        found = embedded or self.find(server.flavor_ref)
        if found is not None:
            return found
        if server.flavor_ref is None:
            raise InputError(f"{server.where}: flavor: missing")
        known = "is not in flavors.json" if self._by_name else "cannot be looked up, flavors.json is missing"
        raise InputError(f"{server.where}: flavor: {server.flavor_ref!r} {known}")


def pending_servers(cloud: Cloud, *, retry_errors: bool = False) -> list[Server]:
    """The servers that wait for a host: none yet and status BUILD, with `retry_errors` also ERROR."""
    statuses = {"BUILD", "ERROR"} if retry_errors else {"BUILD"}
    return [server for server in cloud.servers if server.host is None and server.status in statuses]


class Needs:
    """What servers of one cloud need: flavors and ports looked up in tables that are made once."""

    def __init__(self, cloud: Cloud) -> None:
        self._catalogue = Catalogue(cloud.flavors)
        self._ports = Ports(cloud)

    def of(self, server: Server) -> Wanted:
        """A server as one to place, whatever its status. Raises InputError for a flavor that is not known."""
        flavor = self._catalogue.flavor_of(server)
        return _wanted(server, server.name, server.id, flavor, self._ports.of_server(server.id))

    def of_wish(self, wish: Wish) -> list[Wanted]:
        """The servers of a wish; several are named NAME-1, NAME-2, ... as Nova names them. Raises InputError."""
        flavor, ports = self._catalogue.flavor_of(wish), self._ports.of_wish(wish.ports, wish.where)
        names = [wish.name] if wish.count == 1 else [f"{wish.name}-{number}" for number in range(1, wish.count + 1)]
        return [_wanted(wish, name, None, flavor, ports) for name in names]


def wanted_servers(cloud: Cloud, *, retry_errors: bool = False) -> list[Wanted]:
    """Everything to place, in order: the servers that wait, then the wishes.

    Raises InputError for a flavor that is not known.
    """
    needs = Needs(cloud)
    wanted = [needs.of(server) for server in pending_servers(cloud, retry_errors=retry_errors)]
    return wanted + [one for wish in cloud.wishes for one in needs.of_wish(wish)]


def wanted_server(cloud: Cloud, server: Server) -> Wanted:
    """A server of a cloud as one to place, whatever its status. Raises InputError for a flavor that is not known."""
    return Needs(cloud).of(server)


def _wanted(asked: Server | Wish, name: str, uid: str | None, flavor: Flavor, ports: PortRequests) -> Wanted:
    return Wanted(
        name=name,
        uid=uid,
        project=asked.project,
        flavor=flavor,
        zone=asked.zone,
        from_volume=asked.from_volume,
        image=asked.image,
        hints=asked.hints,
        where=asked.where,
        ports=ports,
        together=asked.where if isinstance(asked, Wish) and asked.together else None,
    )
