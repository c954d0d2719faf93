"""Placement and Nova's scheduler of one cloud: servers one after another, each on the state that the last one left.

Plain questions go to the engine (`fleet_path`), all others through the whole of the rules (`chain`); what either places
is charged to both, so that it does not matter who answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from binwright.errors import InputError
from binwright.explain import FEASIBLE, Explanation
from binwright.openstack.asked import Asked, Asking
from binwright.openstack.chain import Chain, Look
from binwright.openstack.cloud import Cloud, ServerGroup
from binwright.openstack.fleet_path import MOST_CLASSES, FleetPath
from binwright.openstack.hosts import Hosts
from binwright.openstack.multi_create import NoHostLeft, give_together
from binwright.openstack.nova.compute_hosts import compute_hosts
from binwright.openstack.nova.conf import PLAIN_CONF, NovaConf
from binwright.openstack.nova.filters import AGGREGATE_SCOPE
from binwright.openstack.nova.host_states import HostStates
from binwright.openstack.nova.options import Config, option
from binwright.openstack.nova.server_groups import Groups
from binwright.openstack.pending import Wanted
from binwright.openstack.refusals import HostRefusal, refusal_of, summed_up
from binwright.openstack.zones import Zones
from binwright.outcome import ReasonText
from binwright.request import Request
from binwright.verdict import Change, Verdict

__all__ = ["Decision", "Scheduler"]

# Filters that a plain question passes on every host that is up, with the group filters, which the fleet has as terms.
ALWAYS_PLAIN = {
    "AllHostsFilter",
    "ComputeFilter",
    "ImagePropertiesFilter",
    "NUMATopologyFilter",
    "PciPassthroughFilter",
    "ServerGroupAffinityFilter",
    "ServerGroupAntiAffinityFilter",
}
# Filters that say nothing where the request does not have this hint.
HINTED = {
    "DifferentHostFilter": "different_host",
    "JsonFilter": "query",
    "SameHostFilter": "same_host",
    "SimpleCIDRAffinityFilter": "build_near_host_ip",
}


@dataclass(slots=True)
class Decision:
    """What became of one server: `allocations` are what it got of which provider, {} without a host."""

    verdict: Verdict
    host: int | None = None
    score: float | None = None
    allocations: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    reasons: list[ReasonText] = field(default_factory=list)
    change: dict[str, Any] | None = None


class Scheduler:
    """Places servers on the hosts of a cloud. Not thread-safe.

    wanted: everything that will be asked about; conf: the deployment's. by_chain: answer nothing by the engine.
    with_chain: keep the chain's books, too, so that it can be asked at any time. devices: NUMA cells and PCI pools of
    the input are as these servers find them.
    """

    def __init__(
        self,
        cloud: Cloud,
        hosts: Hosts,
        zones: Zones,
        wanted: Iterable[Wanted],
        conf: NovaConf = PLAIN_CONF,
        *,
        by_chain: bool = False,
        with_chain: bool = False,
        devices: bool = True,
    ) -> None:
        self.hosts = hosts
        self.groups = Groups(cloud, hosts)
        self.clauses = zones.clauses()
        self.zones = zones
        self.conf = conf
        self._config: Config = conf.config
        self._enabled = conf.enabled
        self._states = HostStates.of(cloud, hosts)
        self._cloud = cloud
        self._asking = Asking(cloud, hosts, zones, conf, devices=devices)
        wanted = list(wanted)
        asked = [self._asking.asked(one) for one in wanted]
        self._names = _names(asked)
        self._beside = hosts.beside_roots()
        plain: list[str] = []
        self._plain: set[int] = set()
        for one in [] if by_chain else asked:
            more = [name for name in one.amounts if name not in plain]
            if self._is_plain(one) and len(plain) + len(more) <= MOST_CLASSES:
                self._plain.add(one.number)
                plain += more
        self._fleet_path = FleetPath(hosts, zones, self._states, self.groups, plain, conf) if plain else None
        whole = any(one.number not in self._plain for one in asked) or any(one.together for one in wanted)
        if with_chain or whole:
            _ = self.chain  # must see the state that the fleet sees

    @cached_property
    def chain(self) -> Chain:
        """The whole of the rules."""
        computes = compute_hosts(self._cloud, self.hosts, self._states, self.zones)
        return Chain(self.hosts, computes, self._names, self._config, self._enabled)

    @property
    def evaluates(self) -> tuple[bool, bool]:
        """Whether NUMA cells, and whether PCI devices, are looked at."""
        return self._asking.cells_count, self._asking.pools_count

    def notes(self) -> list[str]:
        """What a reader of the decisions must know: where more, or less, was looked at than Nova does."""
        hosts = sorted(self.chain.gave_up) if "chain" in self.__dict__ else []
        text = "not every way to serve a server's groups was looked at, so a refusal there is not certain"
        notes = [f"host {self.hosts.names[host]}: {text}" for host in hosts]
        most = option(self._config, "scheduler.max_placement_results")
        if len(self.hosts) > most:
            asks = f"Nova asks Placement for {most} candidates ([scheduler] max_placement_results)"
            notes.append(f"{asks}; here all of {len(self.hosts)} hosts are looked at")
        return notes

    def look(self, server: Wanted) -> Look:
        """What a server finds now, by the whole of the rules; nothing changes."""
        return self.chain.look(self.asked(server), server.key, self.groups.members_of(server))

    def asked(self, server: Wanted) -> Asked:
        """What a server asks."""
        return self._asking.asked(server)

    def _is_plain(self, asked: Asked) -> bool:
        """Whether the engine's verdict is the chain's: the roots serve everything, and no filter looks closer."""
        if asked.refused is not None or len(asked.queries) != 1 or asked.spec.forced:
            return False
        query, spec = asked.queries[0], asked.spec
        group = query.groups.get("")
        if list(query.groups) != [""] or group is None or not group.resources or group.in_tree is not None:
            return False
        if "ComputeFilter" not in self._enabled:  # the fleet has it as a cordon
            return False
        if any(one.pci_pools for one in self._cloud.compute_nodes):  # free devices weigh for everybody
            return False
        if spec.topology is not None or spec.pci_requests or not self._beside.isdisjoint(group.resources):
            return False
        return all(self._passes_all(name, asked) for name in self._enabled)

    def _passes_all(self, name: str, asked: Asked) -> bool:
        keys = asked.spec.flavor.extra_specs
        if name in HINTED:
            return not asked.spec.hints.get(HINTED[name])
        if name == "ComputeCapabilitiesFilter":
            return not any(_is_capability(key) for key in keys)
        if name == "AggregateInstanceExtraSpecsFilter":
            return not any(":" not in key or key.startswith(f"{AGGREGATE_SCOPE}:") for key in keys)
        return name in ALWAYS_PLAIN

    # -- placing

    def place_all(self, servers: Sequence[Wanted]) -> list[Decision]:
        """Place servers in order; those of one request for several get a host each, or none does."""
        decisions: list[Decision] = []
        for together, some in groupby(servers, key=lambda one: one.together):
            batch = list(some)
            if together is None or len(batch) == 1:
                decisions += [self.place(one) for one in batch]
            else:
                decisions += self._place_together(batch)
        return decisions

    def _place_together(self, servers: Sequence[Wanted]) -> list[Decision]:
        asked, group = self.asked(servers[0]), self.groups.group_of(servers[0])
        members = [self.groups.members_of(one) for one in servers]
        try:
            given = give_together(self.chain, asked, [one.key for one in servers], members[0])
        except NoHostLeft as refused:
            decision = self.refusal(asked, refused.look)
            decision.reasons.insert(0, ReasonText("multi-create", len(self.hosts), f"{refused}, so none gets one"))
            return [decision] * len(servers)
        except InputError as problem:
            return [self._unreadable(problem)] * len(servers)
        for host, _, allocations in given:
            self._charge_fleet(asked, group, allocations, host)
        return [Decision(Verdict.PLACED, *one) for one in given]

    def ranking(self, server: Wanted) -> list[int]:
        """The hosts that take a server now, best first, none where a filter cannot read it; nothing changes."""
        try:
            ranked: list[int] = self.ranked(server)[0].tolist()
        except InputError:
            return []
        return ranked

    def ranked(self, server: Wanted, most: int | None = None) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The hosts that take a server now, best first, with their weights; at most `most`: the chosen host and its
        alternates. Nothing changes. Raises InputError for what cannot be read.
        """
        asked = self.asked(server)
        path = self.plain_path(asked)
        if path is not None:
            return path.fleet.ranked(path.request(asked, self.groups.group_of(server)), most)
        found = self.look(server).ranking[:most]
        return np.array([host for host, _ in found], np.int64), np.array([weight for _, weight in found], np.float64)

    def place(self, server: Wanted, host: int | None = None) -> Decision:
        """Give a server to the best host; nothing changes where there is none. host: the one that is asked for, which
        has to pass all rules, as with `server create --host` (compute API 2.74).
        """
        asked, group = self.asked(server), self.groups.group_of(server)
        path = self.plain_path(asked)
        if path is not None:
            return self._place_plainly(path, asked, server, group, host)
        try:
            look = self.look(server)
            scores = dict(look.ranking)
            chosen = next(iter(scores), None) if host is None else host
            if chosen is None or chosen not in scores:
                return self.refusal(asked, look)
            allocations = self.chain.claim(look, chosen).allocations
        except InputError as problem:
            return self._unreadable(problem)
        self._charge_fleet(asked, group, allocations, chosen)
        return Decision(Verdict.PLACED, chosen, scores[chosen], allocations)

    def _charge_fleet(
        self, asked: Asked, group: ServerGroup | None, allocations: Mapping[str, Mapping[str, int]], host: int
    ) -> None:
        """Let the engine know what the chain has placed."""
        if self._fleet_path is not None:
            own = self.hosts.providers[host]
            amounts = {} if own is None else allocations.get(own.uuid, {})
            self._fleet_path.charge(asked, group, amounts, host)

    def _unreadable(self, problem: InputError) -> Decision:
        """A filter cannot read what it compares; Nova gives such a server up."""
        return Decision(Verdict.ERROR, reasons=[ReasonText("filters", len(self.hosts), f"not filtered: {problem}")])

    def _place_plainly(
        self, path: FleetPath, asked: Asked, server: Wanted, group: ServerGroup | None, wished: int | None
    ) -> Decision:
        request = path.request(asked, group)
        if wished is None:
            result = path.fleet.place(request)
            host, score = int(result.hosts[0]), result.scores[0]
            if host < 0:
                return self.plain_refusal(path, request, path.fleet.explain(request, live=True))
        else:
            told = path.fleet.explain(request, live=True)
            if told.refusals.first[wished] != FEASIBLE:
                return self.plain_refusal(path, request, told)
            host, score = wished, told.scores.totals[wished]
            path.fleet.claim(request, [host])
        provider = self.hosts.providers[host]
        amounts = asked.queries[0].groups[""].resources
        allocations = {} if provider is None else {provider.uuid: amounts}
        if "chain" in self.__dict__:
            self.chain.charge(allocations)
            self.chain.settle(asked, server.key, self.groups.members_of(server), host)
        return Decision(Verdict.PLACED, host, float(score), allocations)

    # -- refusing

    def plain_path(self, asked: Asked) -> FleetPath | None:
        """The engine, if it answers for these servers."""
        return self._fleet_path if asked.number in self._plain else None

    def plain_refusal(self, path: FleetPath, request: Request, look: Explanation) -> Decision:
        """Why the engine found no host."""
        return Decision(
            look.verdict, reasons=path.reasons(look, request), change=self._change(path, look.smallest_change)
        )

    def refusal(self, asked: Asked, look: Look) -> Decision:
        """Why no host takes a server, summed up over all hosts."""
        refusals = self.refusals(asked, look)
        reasons, resolvable = summed_up(refusals, self._enabled)
        verdict = Verdict.UNSCHEDULABLE if resolvable else Verdict.UNRESOLVABLE
        return Decision(verdict, reasons=reasons, change=_smallest(refusals))

    def refusals(self, asked: Asked, look: Look) -> list[HostRefusal]:
        """Each host's answer to a look."""
        return [refusal_of(self.chain, asked, look, host, self.clauses) for host in range(len(self.hosts))]

    def _change(self, path: FleetPath, change: Change | None) -> dict[str, Any] | None:
        if change is None or (change.kind == "host" and self._one_instance(change)):
            return None
        return {
            "kind": change.kind,
            "host": self.hosts.names[change.host],
            "resource": change.resource,
            "rule": change.rule,
            "argument": path.argument_text(change.rule, change.argument),
            "have": change.have,
            "need": change.need,
        }

    def _one_instance(self, change: Change) -> bool:
        """Whether the change is a larger bare-metal node: it has one instance or none (openstack spec 10)."""
        provider = self.hosts.providers[change.host]
        inventory = None if provider is None else provider.inventories.get(change.resource or "")
        return inventory is not None and inventory.total == inventory.max_unit == 1


def _smallest(refusals: Sequence[HostRefusal]) -> dict[str, Any] | None:
    """The smallest of the hosts' changes: ask for less, lift a rule, enlarge a host; then by relative size."""
    best: tuple[tuple[int, Fraction], dict[str, Any]] | None = None
    for refusal in refusals:
        change = refusal.change
        if change is not None:
            kind = ("request", "rule", "host").index(change["kind"])
            if best is None or (kind, refusal.relative) < best[0]:
                best = (kind, refusal.relative), change
    return None if best is None else best[1]


def _names(asked: Iterable[Asked]) -> tuple[set[str], set[str]]:
    """Traits and classes that are asked for: they exist, though no provider of the input may have them."""
    traits: set[str] = set()
    classes: set[str] = set()
    for one in asked:
        for query in one.queries:
            classes |= query.classes()
            traits |= query.root_required | query.root_forbidden
            for group in query.groups.values():
                traits |= group.forbidden.union(*group.required)
    return traits, classes


def _is_capability(key: str) -> bool:
    """Whether the capabilities filter may look at an extra spec."""
    return ":" not in key or key.startswith("capabilities:") or key == "hw:maxphysaddr_bits"
