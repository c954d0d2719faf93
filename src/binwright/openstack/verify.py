"""Replays the servers that a cloud has on its hosts, in creation order, and tells which placements its rules refuse.

Every server finds the cloud with the older servers in it, and what other consumers hold; whatever the verdict, it then
takes its place. Hosts are taken as open: a service that is down or disabled became so when it did, and is told apart.
What Placement's books say of the servers is compared by `ledger`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from binwright.errors import InputError
from binwright.explained import RuleText
from binwright.formats.files import Blob
from binwright.openstack.capacity import cloud_hosts
from binwright.openstack.cloud import Cloud, Server
from binwright.openstack.dumps import read_dump
from binwright.openstack.hosts import DISABLED_TRAIT, Hosts
from binwright.openstack.ledger import ledger_findings
from binwright.openstack.not_evaluated import rules_not_evaluated
from binwright.openstack.nova.conf import PLAIN_CONF, NovaConf, read_conf
from binwright.openstack.pending import Needs, Wanted
from binwright.openstack.place import cloud_notes
from binwright.openstack.refusals import HostRefusal, filter_text, refusal_of
from binwright.openstack.removal import free_nodes
from binwright.openstack.scheduler import Scheduler
from binwright.openstack.zones import cloud_zones
from binwright.verified import HOST_CHANGED, INFEASIBLE, PAST, Finding, Skipped, SourceVerified

__all__ = ["verify_source"]

GONE = ("DELETED", "SOFT_DELETED", "SHELVED_OFFLOADED")
STRAY = "its host is not in the input, or its name is that of several"
NO_FLAVOR = "its flavor is not in the input; what it holds is counted"
UNREADABLE = "a filter cannot read what it compares"
COMPUTE_FILTER = "ComputeFilter"


def verify_source(
    name: str, blobs: Iterable[Blob], *, retry_errors: bool = False, nova_conf: str | None = None
) -> SourceVerified:
    """Verify the cloud that the files of one source describe; nova_conf: path of the scheduler's nova.conf.

    Raises InputError naming file, object and field.
    """
    del retry_errors  # nothing that waits is looked at
    return verify_cloud(read_dump(name, blobs), read_conf(nova_conf))


def verify_cloud(cloud: Cloud, conf: NovaConf = PLAIN_CONF) -> SourceVerified:
    """Verify what lies on the hosts of a cloud."""
    bound = _Bound.sorted_out(cloud)
    emptied = _emptied(cloud, bound.servers)
    hosts = cloud_hosts(emptied, [replace(one, host=None) for one in bound.servers])
    closed = _opened(hosts)
    zones = cloud_zones(emptied, hosts)
    judged = [one for one in bound.judged if len(hosts.lookup.find(one.server.host or "")) == 1]
    wanted = [one.wanted for one in judged]
    scheduler = Scheduler(emptied, hosts, zones, wanted, conf, by_chain=True, with_chain=True, devices=False)
    found = SourceVerified(cloud.name, "openstack", len(hosts), len(judged))
    replay = _Replay(cloud, scheduler)
    replay.run(bound)
    found.findings = [
        _finding(cloud, one.item.server, one.kind, hosts.names[one.host], one.refusal) for one in replay.refused
    ]
    refused = {id(one.item) for one in replay.refused}
    for one in judged:
        (host,) = hosts.lookup.find(one.server.host or "")
        if id(one) not in refused and host in closed:
            closing = HostRefusal(host, [closed[host]])
            found.findings.append(_finding(cloud, one.server, HOST_CHANGED, hosts.names[host], closing))
    found.findings += ledger_findings(cloud, hosts, [(one.server, scheduler.asked(one.wanted)) for one in judged])
    strays = [one for one in bound.servers if len(hosts.lookup.find(one.host or "")) != 1]
    for why, servers in ((STRAY, strays), (NO_FLAVOR, bound.unknown), (UNREADABLE, replay.unreadable)):
        if servers:
            found.skipped.append(Skipped(why, len(servers), f"Server {servers[0].name}"))
    found.checked -= len(replay.unreadable)
    found.not_evaluated = rules_not_evaluated(cloud, scheduler, wanted)
    found.notes = [*bound.notes(), *cloud_notes(cloud, hosts, zones, [])]
    return found


@dataclass
class _Item:
    """A server that the rules judge."""

    server: Server
    wanted: Wanted


@dataclass
class _Bound:
    """The servers that have a host, oldest first; `unknown` have a flavor that nobody knows."""

    servers: list[Server] = field(default_factory=list)
    judged: list[_Item] = field(default_factory=list)
    unknown: list[Server] = field(default_factory=list)

    @classmethod
    def sorted_out(cls, cloud: Cloud) -> _Bound:
        found, needs = cls(), Needs(cloud)
        here = [one for one in cloud.servers if one.host is not None and one.status not in GONE]
        found.servers = sorted(here, key=lambda one: one.created or "")
        for one in found.servers:
            try:
                found.judged.append(_Item(one, needs.of(one)))
            except InputError:
                found.unknown.append(one)
        return found

    def notes(self) -> list[str]:
        """In which order the servers came."""
        dated = sum(one.created is not None for one in self.servers)
        if dated == len(self.servers):
            return []
        return [f"{len(self.servers) - dated} servers have no creation time: they come first, in the order of the file"]


@dataclass
class _Refused:
    """A placement that the rules refuse."""

    item: _Item
    host: int
    refusal: HostRefusal
    kind: str = INFEASIBLE


class _Replay:
    """Gives servers their own hosts, one after another."""

    def __init__(self, cloud: Cloud, scheduler: Scheduler) -> None:
        self._cloud = cloud
        self._scheduler = scheduler
        self.refused: list[_Refused] = []
        self.unreadable: list[Server] = []

    def run(self, bound: _Bound) -> None:
        """All of them in order; who was refused in its turn is asked about again in the end."""
        items = {id(one.server): one for one in bound.judged}
        for server in bound.servers:
            found = self._scheduler.hosts.lookup.find(server.host or "")
            item = items.get(id(server))
            if item is None or len(found) != 1:
                self._scheduler.chain.charge(self._cloud.consumers.get(server.id or "", {}))
                continue
            try:
                refusal = self._ask(item.wanted, found[0])
            except InputError:
                self.unreadable.append(server)
            else:
                if refusal is not None:
                    self.refused.append(_Refused(item, found[0], refusal))
            self._settle(item, found[0], 1)
        for one in self.refused:
            self._settle(one.item, one.host, -1)
            if self._ask(one.item.wanted, one.host) is None:
                one.kind = PAST
            self._settle(one.item, one.host, 1)

    def _ask(self, wanted: Wanted, host: int) -> HostRefusal | None:
        """Why a host refuses a server, None where it takes it."""
        scheduler = self._scheduler
        asked = scheduler.asked(wanted)
        look = scheduler.chain.look(asked, wanted.key, scheduler.groups.members_of(wanted), [host])
        return None if look.ranking else refusal_of(scheduler.chain, asked, look, host, scheduler.clauses)

    def _settle(self, item: _Item, host: int, sign: int) -> None:
        """Let a server take its place, or leave it: what Placement holds for it, else what it asks."""
        scheduler, wanted = self._scheduler, item.wanted
        asked = scheduler.asked(wanted)
        held = self._cloud.consumers.get(item.server.id or "", {})
        own = scheduler.hosts.providers[host]
        if not held and own is not None and "allocations" not in self._cloud.present:
            held = {own.uuid: asked.amounts}
        scheduler.chain.charge(held, sign)
        scheduler.chain.settle(asked, wanted.key, scheduler.groups.members_of(wanted), host, sign)


def _emptied(cloud: Cloud, bound: list[Server]) -> Cloud:
    """The cloud before any of these servers was on a host; sums that do not tell whose they are, are left out."""
    here = {id(one) for one in bound}
    return replace(
        cloud,
        servers=[replace(one, host=None, status="BUILD") if id(one) in here else one for one in cloud.servers],
        wishes=[],
        hypervisors=[replace(one, vcpus_used=None) for one in cloud.hypervisors],
        providers=free_nodes(cloud, bound)
        if "allocations" in cloud.present
        else [replace(provider, used={}) for provider in cloud.providers],
    )


def _opened(hosts: Hosts) -> dict[int, RuleText]:
    """Open every host for the replay; those that were closed, with the rule that closes them."""
    closed: dict[int, RuleText] = {}
    for index, provider in enumerate(hosts.providers):
        if provider is not None and DISABLED_TRAIT in provider.traits:
            provider.traits -= {DISABLED_TRAIT}
            closed[index] = RuleText("root_required", f"with compute service disabled ({DISABLED_TRAIT})")
        elif hosts.down[index] or hosts.disabled[index]:
            closed[index] = RuleText(COMPUTE_FILTER, filter_text(COMPUTE_FILTER))
        hosts.down[index] = hosts.disabled[index] = False
    return closed


def _finding(cloud: Cloud, server: Server, kind: str, host: str, refusal: HostRefusal) -> Finding:
    return Finding(
        cloud.name,
        kind,
        "Server",
        server.project,
        server.name,
        server.id,
        host,
        refusal.rules,
        refusal.shortfalls,
    )
