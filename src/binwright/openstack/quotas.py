"""Quotas of projects: what a project may still take, as Nova, Neutron and Cinder count it before anything is scheduled.

Held are instances, cores and RAM of servers, members of a server group, a port for each new server, and a volume for
each that boots from one. Places nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from binwright.openstack.cloud import Cloud
from binwright.openstack.nova.server_groups import group_hint
from binwright.openstack.pending import Catalogue, Needs, Wanted
from binwright.outcome import NotEvaluated

__all__ = ["Quotas", "quotas_not_told", "with_allowed_wishes"]

GONE = ("DELETED", "SOFT_DELETED")
PER_GROUP = "server_group_members"
COUNTED = ("instances", "cores", "ram")
"""What the servers of a project tell themselves where a dump gives the limits only."""


@dataclass(slots=True)
class _Account:
    """One project. limits: those that bind; used: what is taken of them, as far as that is told."""

    limits: dict[str, int] = field(default_factory=dict)
    used: Counter[str] = field(default_factory=Counter)
    told: set[str] = field(default_factory=set)


class Quotas:
    """The quotas of one cloud's projects, and what new servers take of them."""

    def __init__(self, cloud: Cloud) -> None:
        self._accounts: dict[str, _Account] = {}
        for quota in cloud.quotas:
            account = self._accounts.setdefault(quota.project, _Account())
            for name, (limit, used) in quota.limits.items():
                if limit >= 0:
                    account.limits[name] = limit
                if used is not None:
                    account.used[name] = used
                    account.told.add(name)
        self._count(cloud)
        self._members = {one.id or one.name: len(one.members) for one in cloud.server_groups}
        self._members |= {one.name: len(one.members) for one in cloud.server_groups}
        self._taken: dict[str, Counter[str]] = {}
        self._joined: Counter[str] = Counter()

    def _count(self, cloud: Cloud) -> None:
        flavors = Catalogue(cloud.flavors)
        for server in cloud.servers:
            account = self._accounts.get(server.project or "")
            flavor = server.flavor or flavors.find(server.flavor_ref)
            if account is None or server.status in GONE or flavor is None:
                continue
            amounts = {"instances": 1, "cores": flavor.vcpus, "ram": flavor.memory_mb}
            account.used.update({name: amount for name, amount in amounts.items() if name not in account.told})

    def refusal(self, server: Wanted) -> str | None:
        """Why a project may not have one more server like this; None where it may, or nobody says."""
        account = self._accounts.get(server.project or "")
        if account is None:
            return None
        taken = self._taken.get(server.project or "", Counter())
        for name, amount in asked(server).items():
            if name not in account.limits or (name not in account.told and name not in COUNTED):
                continue
            limit, used = account.limits[name], account.used[name] + taken[name]
            if used + amount > limit:
                return f"project {server.project} may have {limit} {name}, has {used} and asks for {amount} more"
        group = group_hint(server.hints)
        if group is not None and PER_GROUP in account.limits:
            members = self._members.get(group, 0) + self._joined[group]
            if members + 1 > account.limits[PER_GROUP]:
                limit = account.limits[PER_GROUP]
                return f"a server group of project {server.project} may have {limit} members, {group} has {members}"
        return None

    def take(self, server: Wanted) -> None:
        """A server is there from now on."""
        self._taken.setdefault(server.project or "", Counter()).update(asked(server))
        group = group_hint(server.hints)
        if group is not None:
            self._joined[group] += 1

    def give_back(self, servers: Iterable[Wanted]) -> None:
        """These new servers are not there after all."""
        for one in servers:
            self._taken[one.project or ""].subtract(asked(one))
            group = group_hint(one.hints)
            if group is not None:
                self._joined[group] -= 1


def with_allowed_wishes(cloud: Cloud) -> tuple[Cloud, list[str]]:
    """The cloud with those of its wishes, in order, that quotas let; and why each other server would not be let. Of
    servers that are asked for together all are let, or none. Servers that are listed were let when they came.
    """
    quotas, needs = Quotas(cloud), Needs(cloud)
    wishes, refused = [], []
    for wish in cloud.wishes:
        let: list[Wanted] = []
        why: list[str] = []
        for one in needs.of_wish(wish):
            exceeded = quotas.refusal(one)
            if exceeded is None:
                quotas.take(one)
                let.append(one)
            else:
                why.append(exceeded)
        if wish.together and why:
            quotas.give_back(let)
            why, let = [why[0]] * wish.count, []
        if let:
            wishes.append(replace(wish, count=len(let)))
        refused += why
    return replace(cloud, wishes=wishes), refused


def quotas_not_told(cloud: Cloud, projects: Iterable[str | None] = ()) -> list[NotEvaluated]:
    """An entry for projects of which no quota is told: those given, and those of the wishes."""
    told = {quota.project for quota in cloud.quotas}
    wanted = {one for one in (*projects, *(wish.project for wish in cloud.wishes)) if one} - told
    nameless = sum(wish.project is None for wish in cloud.wishes)
    names = [*sorted(wanted), *(["a wish without a project"] * nameless)]
    rule = "quota of projects (no row of quotas.json tells it)"
    return [NotEvaluated(rule, len(names), names[0])] if names else []


def asked(server: Wanted) -> Mapping[str, int]:
    """What a new server takes of its project's quotas."""
    amounts = {"instances": 1, "cores": server.flavor.vcpus, "ram": server.flavor.memory_mb, "port": 1}
    return amounts | ({"volumes": 1} if server.from_volume else {})
