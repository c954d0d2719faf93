"""A cloud that grows: servers are given hosts one after another as they are wanted, and taken back to any mark.

Rules and scores are the scheduler's; here is only what came of them so far. The cloud itself does not change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from binwright.openstack.capacity import cloud_hosts
from binwright.openstack.cloud import Cloud, Hypervisor, Server
from binwright.openstack.flavors import flavor_groups
from binwright.openstack.not_evaluated import rules_not_evaluated
from binwright.openstack.nova.conf import PLAIN_CONF, NovaConf
from binwright.openstack.nova.server_groups import AFFINITY_FILTER, ANTI_AFFINITY_FILTER, group_hint
from binwright.openstack.pending import Wanted, pending_servers, wanted_servers
from binwright.openstack.place import refused_message
from binwright.openstack.quotas import Quotas, quotas_not_told, with_allowed_wishes
from binwright.openstack.scheduler import Decision, Scheduler
from binwright.openstack.zones import cloud_zones
from binwright.outcome import NotEvaluated, ReasonText
from binwright.verdict import Verdict

__all__ = ["ADDRESSES", "Grown", "Growth", "Mark", "NoHost", "with_servers"]

Mark = tuple[int, tuple[int, int, int] | None]
"""Servers so far, and the engine's checkpoint where that alone keeps the books."""
QUOTA = "quota"
ADDRESSES = "networks of new servers (subnets, free addresses)"
"""What no list that is read tells, so that it keeps no server from being planned."""
_GROUP_RULES = (ANTI_AFFINITY_FILTER, AFFINITY_FILTER)


@dataclass(frozen=True)
class Grown:
    """A server, the name of its host, and what it holds of which provider. requested: the host was asked for."""

    server: Wanted
    host: str
    allocations: Mapping[str, Mapping[str, int]]
    requested: bool = False


@dataclass(frozen=True)
class NoHost:
    """Why no host takes a server. lacking: hosts without a trait; fragmented: hosts with too little free of a class,
    the largest hole among them in `hole` by class; shut_out: hosts that its group rules out; other: the rest, closed,
    in another zone, or without the class. change: the smallest that would be enough.
    """

    message: str
    lacking: int = 0
    fragmented: int = 0
    hole: dict[str, int] = field(default_factory=dict)
    shut_out: int = 0
    other: int = 0
    reasons: list[ReasonText] = field(default_factory=list)
    change: dict[str, Any] | None = None


class Growth:
    """One cloud and the servers it was given, `grown`, in order."""

    def __init__(
        self, cloud: Cloud, wanted: Iterable[Wanted], *, after_pending: bool = False, conf: NovaConf = PLAIN_CONF
    ) -> None:
        """wanted: servers like all that will be asked for; only names may differ. after_pending: what waits in the
        cloud gets its hosts first. conf: the deployment's. Raises InputError where the dump does not tell the capacity
        of its hosts.
        """
        self.grown: list[Grown] = []
        self.pending_placed = self.pending = 0
        self._wanted = list(wanted)
        self._after_pending = after_pending
        self._conf = conf
        self.cloud, refused = with_allowed_wishes(cloud) if after_pending else (cloud, [])
        self._quotas = Quotas(cloud)
        for wish in wanted_servers(self.cloud) if after_pending else ():
            if wish.uid is None:
                self._quotas.take(wish)
        self._refused_wishes = len(refused)
        self._scheduler = self._open()

    def _open(self) -> Scheduler:
        hosts = cloud_hosts(self.cloud, pending_servers(self.cloud))
        pending = wanted_servers(self.cloud) if self._after_pending else []
        zones = cloud_zones(self.cloud, hosts)
        scheduler = Scheduler(self.cloud, hosts, zones, [*pending, *self._wanted], self._conf)
        self.pending = len(pending) + self._refused_wishes
        self.pending_placed = sum(one.host is not None for one in scheduler.place_all(pending))
        paths = []
        for one in self._wanted:
            asked = scheduler.asked(one)
            path = scheduler.plain_path(asked)
            if path is not None:
                path.request(asked, scheduler.groups.group_of(one))  # compiled before the first mark
                paths.append(path)
        # where the whole of the rules keeps books beside the engine's, these cannot be taken back but must be made anew
        plain = len(paths) == len(self._wanted) and not pending
        self._fleet = paths[0].fleet if plain and paths else None
        return scheduler

    @property
    def hosts(self) -> list[str]:
        """Names of all hosts, in order."""
        return self._scheduler.hosts.names

    def share(self, server: Wanted) -> Fraction:
        """How much of the cloud a server takes: of the class of which that is the most."""
        totals = self._scheduler.hosts.totals
        amounts = self._scheduler.asked(server).amounts
        shares = [Fraction(amount, totals[name][0]) for name, amount in amounts.items() if totals.get(name, (0, 0))[0]]
        return max(shares, default=Fraction(1))

    def takers(self, server: Wanted) -> list[str]:
        """Names of the hosts that take a server now, best first; none where its project may not have another one."""
        if self._quotas.refusal(server) is not None:
            return []
        return [self.hosts[host] for host in self._scheduler.ranking(server)]

    def place(self, server: Wanted, host: str | None = None) -> Decision:
        """Give a server to the best host, or to the one that is asked for; nothing changes where that takes it not, or
        where its project may not have another one.
        """
        exceeded = self._quotas.refusal(server)
        if exceeded is not None:
            return Decision(Verdict.UNSCHEDULABLE, reasons=[ReasonText(QUOTA, len(self.hosts), exceeded)])
        decision = self._scheduler.place(server, None if host is None else self.hosts.index(host))
        if decision.host is not None:
            self.grown.append(Grown(server, self.hosts[decision.host], decision.allocations, host is not None))
            self._quotas.take(server)
        return decision

    def fill(self, server: Wanted, most: int) -> list[str]:
        """Hosts of as many servers like this one as find one, at most so many; they are kept."""
        before = len(self.grown)
        for number in range(most):
            if self.place(replace(server, name=f"{server.name}-{number}")).host is None:
                break
        return [one.host for one in self.grown[before:]]

    def mark(self) -> Mark:
        """A state to come back to; marks end in the reverse of their order."""
        return len(self.grown), None if self._fleet is None else self._fleet.checkpoint()

    def keep(self, mark: Mark) -> None:
        """What came since the mark stays."""
        if self._fleet is not None and mark[1] is not None:
            self._fleet.keep(mark[1])

    def undo(self, mark: Mark) -> None:
        """What came since the mark is gone."""
        kept = self.grown[: mark[0]]
        if self._fleet is not None and mark[1] is not None:
            self._fleet.rollback(mark[1])
            self._quotas.give_back(one.server for one in self.grown[mark[0] :])
            self.grown = kept
        elif len(self.grown) > len(kept):
            self._quotas.give_back(one.server for one in self.grown)
            self._scheduler, self.grown = self._open(), []
            for one in kept:
                self.place(one.server, one.host if one.requested else None)

    def not_evaluated(self) -> list[NotEvaluated]:
        """Rules that the wanted servers are under and that were not asked, quotas that the dump does not tell and their
        networks among them.
        """
        found = list(rules_not_evaluated(self.cloud, self._scheduler, self._wanted))
        wishes = self.cloud if self._after_pending else replace(self.cloud, wishes=[])
        found += quotas_not_told(wishes, (one.project for one in self._wanted))
        if self._wanted:
            found.append(NotEvaluated(ADDRESSES, len(self._wanted), self._wanted[0].name))
        return found

    def why_not(self, server: Wanted, decision: Decision) -> NoHost:
        """A refusal, with the hosts told apart by what stands in the way first."""
        if decision.reasons and decision.reasons[0].rule == QUOTA:
            return NoHost(f"quota: {decision.reasons[0].text}", reasons=decision.reasons)
        counts = {"lacking": 0, "shut_out": 0}
        for reason in decision.reasons:
            if reason.text.startswith("without trait"):
                counts["lacking"] += reason.hosts
            elif reason.rule in _GROUP_RULES:
                counts["shut_out"] += reason.hosts
        unread = decision.verdict is Verdict.ERROR  # a filter cannot compare, so nothing is known of any host
        hole, counts["fragmented"] = ({}, 0) if unread else self._hole(server)
        counts["other"] = max(0, len(self.hosts) - sum(counts.values()))
        message = refused_message(decision, self._scheduler.hosts)
        return NoHost(message, hole=hole, reasons=decision.reasons, change=decision.change, **counts)

    def _hole(self, server: Wanted) -> tuple[dict[str, int], int]:
        """Of the hosts that have all classes which a server asks for, and too little free of some: the largest free
        amount of each such class, and their number.
        """
        scheduler = self._scheduler
        asked = scheduler.asked(server)
        look = scheduler.look(server) if scheduler.plain_path(asked) is None else None
        short: list[dict[str, int]] = []
        if look is not None:
            for refusal in scheduler.refusals(asked, look):
                if refusal.rules and refusal.rules[0].rule.startswith("resources") and refusal.shortfalls:
                    short.append({one.resource: one.free for one in refusal.shortfalls})
        else:
            path = scheduler.plain_path(asked)
            if path is not None:
                request = path.request(asked, scheduler.groups.group_of(server))
                told = path.fleet.explain(request, live=True)
                free = path.fleet.capacity - path.fleet.used
                rows = {name: path.fleet.resources.index(name) for name in asked.amounts}
                for host in range(len(self.hosts)):
                    rejecting = told.reasons_at(host)
                    if rejecting and rejecting[0][0] == "resources":
                        lacking = {str(name) for rule, name in rejecting if rule == "resources"}
                        if all(path.fleet.capacity[rows[name], host] > 0 for name in lacking):
                            short.append({name: max(0, int(free[rows[name], host])) for name in lacking})
        hole: dict[str, int] = {}
        for one in short:
            for name, amount in one.items():
                hole[name] = max(hole.get(name, 0), amount)
        return hole, len(short)


def with_servers(cloud: Cloud, grown: Iterable[Grown]) -> Cloud:
    """The cloud with these servers on their hosts: listed, in their groups, and their amounts held by the providers, or
    counted in the hypervisors' columns.
    """
    servers, consumers, groups = list(cloud.servers), dict(cloud.consumers), list(cloud.server_groups)
    known = {one.uuid for one in cloud.providers}
    taken: dict[str, Counter[str]] = {}
    columns: dict[str, Counter[str]] = {}
    for one in grown:
        wanted = one.server
        uid = wanted.uid or f"new-{wanted.name}"
        servers.append(
            Server(
                uid, wanted.name, "ACTIVE", one.host, wanted.flavor.name, wanted.flavor, project=wanted.project,
                zone=wanted.zone, from_volume=wanted.from_volume, image=wanted.image, hints=wanted.hints,
            )
        )  # fmt: skip
        held = {uuid: dict(amounts) for uuid, amounts in one.allocations.items() if uuid in known}
        if held:
            consumers[uid] = held
        for uuid, amounts in held.items():
            taken.setdefault(uuid, Counter()).update(amounts)
        totals = flavor_groups(wanted.flavor, from_volume=wanted.from_volume).totals()
        columns.setdefault(one.host, Counter()).update(totals)
        group = group_hint(wanted.hints)
        groups = [
            replace(each, members=each.members | {uid}) if group in (each.id, each.name) else each for each in groups
        ]
    providers = [
        replace(one, used=dict(Counter(one.used) + taken[one.uuid])) if one.uuid in taken else one
        for one in cloud.providers
    ]
    hypervisors = [_busier(one, columns[one.hostname]) if one.hostname in columns else one for one in cloud.hypervisors]
    return replace(
        cloud, servers=servers, consumers=consumers, server_groups=groups, providers=providers, hypervisors=hypervisors
    )


def _busier(one: Hypervisor, more: Counter[str]) -> Hypervisor:
    """A hypervisor with more in those of its columns that the dump has."""
    return replace(
        one,
        vcpus_used=None if one.vcpus_used is None else one.vcpus_used + more["VCPU"] + more["PCPU"],
        memory_mb_used=None if one.memory_mb_used is None else one.memory_mb_used + more["MEMORY_MB"],
        local_gb_used=None if one.local_gb_used is None else one.local_gb_used + more["DISK_GB"],
    )
