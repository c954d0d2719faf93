"""One server on its way through Placement's candidates, Nova's filters and weighers to a claim (openstack spec 1 to 7).

The whole of the rules, host by host, on the state as it is: nested and sharing providers, granular groups, NUMA cells
and PCI pools where they are known. `fleet_path` answers the plain questions, many at once; both keep the same books.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from binwright.errors import InputError
from binwright.openstack.asked import Asked
from binwright.openstack.hosts import Hosts
from binwright.openstack.nova.compute_host import MIB_PER_GIB, ComputeHost
from binwright.openstack.nova.filters import NUMA_FILTER, ONCE_PER_REQUEST, PCI_FILTER, one_by_one, preselected
from binwright.openstack.nova.options import Config, option
from binwright.openstack.nova.raw_weights import factors, ranked
from binwright.openstack.nova.request_spec import GroupMembers, RequestSpec
from binwright.openstack.placement.answer import Candidate
from binwright.openstack.placement.query import CandidateQuery
from binwright.openstack.placement.search import CandidateSearch, SearchLimit
from binwright.openstack.placement.tree import Provider
from binwright.openstack.placement.why import Why, why_nothing

__all__ = ["FILTER_TEXTS", "Chain", "Look"]

TRIED = 10_000
"""Candidates of one host that are looked at."""
CHOOSING = (NUMA_FILTER, PCI_FILTER)
"""Filters that choose among a host's candidates."""
KEPT = 1000
"""Candidates of one host that the NUMA and PCI filters are asked about."""

FILTER_TEXTS = {
    "ComputeFilter": "with compute service down or disabled",
    "ServerGroupAntiAffinityFilter": "with a member of the server group (anti-affinity)",
    "ServerGroupAffinityFilter": "without a member of the server group (affinity)",
    NUMA_FILTER: "whose NUMA cells the guest does not fit (CPUs, pages, memory)",
    PCI_FILTER: "without enough free PCI devices of the kind",
}


@dataclass(slots=True)
class Look:
    """What one server finds. `offered` hosts have a candidate; `trail`: (filter, hosts before, hosts after).

    rejected: host -> the filter that rejects it first. ranking: (host, total weight) of those that pass, best first.
    """

    spec: RequestSpec
    candidates: dict[int, list[Candidate]]
    trail: list[tuple[str, int, int]] = field(default_factory=list)
    rejected: dict[int, str] = field(default_factory=dict)
    ranking: list[tuple[int, float]] = field(default_factory=list)

    @property
    def offered(self) -> int:
        """Hosts with a candidate."""
        return len(self.candidates)


def _is_without(why: Why) -> bool:
    """Whether a class is missing altogether."""
    return why.short is not None and not why.short.capacity


class Chain:
    """Placement and Nova's scheduler over the hosts of one cloud. Not thread-safe.

    computes: the hosts as filters see them, one for one; theirs is what instances consume. enabled: the filters that
    run, in order. The providers of `hosts` are charged by `claim`.
    """

    def __init__(
        self,
        hosts: Hosts,
        computes: Sequence[ComputeHost],
        known: tuple[set[str], set[str]],
        config: Config,
        enabled: Sequence[str],
    ) -> None:
        """known: names of traits and of classes that exist though no provider has them."""
        self.hosts = hosts
        self.computes = computes
        self.config = config
        self.enabled = enabled
        self.gave_up: set[int] = set()  # hosts of which not all candidates were looked at
        self._factors = factors(computes, config)
        self._search = CandidateSearch(hosts.forest, *known)
        self._pools: dict[str, list[Provider]] = {}
        for pool in hosts.forest.sharing():
            for root in sorted(hosts.forest.anchors(pool) - {hosts.forest.root(pool.uuid)}):
                self._pools.setdefault(root, []).append(pool)
        self._anchors: dict[int, list[str]] = {
            index: [one.uuid, *sorted(hosts.forest.anchors(one) - {one.uuid})] if one.sharing else [one.uuid]
            for index, one in enumerate(hosts.providers)
            if one is not None
        }
        self._versions: dict[str, int] = {}  # of a root: changes of what its candidates are made of
        self._by_root: dict[int, list[Callable[[str], Iterator[Candidate]]]] = {}
        self._found: dict[tuple[int, int], tuple[int, list[Candidate]]] = {}

    # -- deciding

    def look(
        self,
        asked: Asked,
        instance: str,
        group: GroupMembers | None,
        among: Sequence[int] | None = None,
        index: int = 0,
        known: Mapping[int, list[Candidate]] | None = None,
    ) -> Look:
        """Candidates, filters, weights for one instance, on the hosts `among` (default: all).

        index: its number within a request for several, of which some filters see the first only. known: candidates
        that Placement has given already; by default it is asked.
        """
        spec = replace(asked.spec, instance=instance, group=group)
        every = range(len(self.computes)) if among is None else among
        if known is None:
            candidates = {host: found for host in every if (found := self.candidates(asked, host))}
        else:
            candidates = {host: known[host] for host in every}
        for host, found in candidates.items():
            self.computes[host].candidates = [one.mappings for one in found]
        look = Look(spec, candidates)
        number_of = {id(self.computes[host]): host for host in candidates}
        left = self._filter(look, [self.computes[host] for host in candidates], number_of, index)
        chosen = [number_of[id(one)] for one in left]
        multiplied = {name: column[chosen] for name, column in self._factors.items()}
        look.ranking = [(number_of[id(one)], total) for one, total in ranked(left, spec, self.config, multiplied)]
        return look

    def _filter(
        self, look: Look, left: list[ComputeHost], number_of: Mapping[int, int], index: int
    ) -> list[ComputeHost]:
        """The hosts that pass, with the trail that Nova logs: it stops where nobody is left."""
        before, left = left, preselected(left, look.spec)
        self._reject(look, before, left, number_of, "force_hosts")
        if look.spec.forced:
            return left
        for name in self.enabled:
            if not left:
                break
            if index > 0 and name in ONCE_PER_REQUEST:
                continue
            before, left = left, one_by_one(name, left, look.spec, self.config)
            look.trail.append((name, len(before), len(left)))
            self._reject(look, before, left, number_of, name)
        return left

    @staticmethod
    def _reject(
        look: Look, before: list[ComputeHost], left: list[ComputeHost], number_of: Mapping[int, int], name: str
    ) -> None:
        kept = {id(one) for one in left}
        look.rejected.update({number_of[id(one)]: name for one in before if id(one) not in kept})

    def candidates(self, asked: Asked, host: int) -> list[Candidate]:
        """The candidates that name a host's own provider: one, or many where filters choose among them."""
        root = self.hosts.providers[host]
        if asked.refused is not None or root is None:
            return []
        version = self._versions.get(root.uuid, 0)
        known = self._found.get((asked.number, host))
        if known is None or known[0] != version:
            known = self._found[asked.number, host] = version, self._searched(asked, host, root.uuid)
        return known[1]

    def _searched(self, asked: Asked, host: int, own: str) -> list[Candidate]:
        most = KEPT if asked.spec.topology is not None or asked.spec.pci_requests else 1
        found: list[Candidate] = []
        for anchored in self._searches(asked):
            for root in self._anchors[host]:
                if len(found) < most and not self._collect(anchored(root), own, found, most):
                    self.gave_up.add(host)
        return found

    @staticmethod
    def _collect(candidates: Iterator[Candidate], own: str, found: list[Candidate], most: int) -> bool:
        """Add the candidates that name a provider; False where the search ended before it knew of all."""
        tried = 0
        try:
            for tried, one in enumerate(candidates, 1):
                if own in one.allocations:
                    found.append(one)
                if len(found) == most:
                    return True
                if tried == TRIED:
                    break
        except SearchLimit:
            tried = TRIED
        return tried < TRIED

    def _searches(self, asked: Asked) -> list[Callable[[str], Iterator[Candidate]]]:
        if asked.number not in self._by_root:
            self._by_root[asked.number] = [self._search.by_root(query) for query in asked.queries]
        return self._by_root[asked.number]

    # -- taking and giving back

    def claim(self, look: Look, host: int) -> Candidate:
        """Give an instance to a host: with the first candidate that the filters have left it.

        Raises InputError, with nothing changed, for a host whose cells cannot be counted down.
        """
        compute = self.computes[host]
        mapped = compute.candidates[0]
        candidate = next(one for one in look.candidates[host] if one.mappings is mapped)
        limited = NUMA_FILTER in self.enabled and not look.spec.forced
        packing = option(self.config, "compute.packing_host_numa_cells_allocation_strategy")
        before = compute.saved()
        try:
            compute.consume(look.spec, mapped, limited=limited, packing=packing)
        except InputError:
            compute.restore(before)
            raise
        self.charge(candidate.allocations)
        return candidate

    def charge(self, allocations: Mapping[str, Mapping[str, int]], sign: int = 1) -> None:
        """Take amounts of providers, or give them back (sign -1); what no provider has is left out."""
        for uuid, amounts in allocations.items():
            provider = self.hosts.forest.providers.get(uuid)
            if provider is None:
                continue
            for name, amount in amounts.items():
                provider.used[name] = provider.used.get(name, 0) + sign * amount
                if name in provider.inventories:
                    self._search.update_used(provider, name)
            served = self.hosts.forest.anchors(provider) if provider.sharing else set()
            for root in served | {self.hosts.forest.root(uuid)}:
                self._versions[root] = self._versions.get(root, 0) + 1

    def settle(self, asked: Asked, instance: str, group: GroupMembers | None, host: int, sign: int = 1) -> None:
        """Count an instance on a host that somebody else has given it to, or no longer (sign -1).

        What it has of providers is charged apart, cells and devices are not counted.
        """
        compute, flavor = self.computes[host], asked.spec.flavor
        if sign > 0:
            compute.consume(replace(asked.spec, instance=instance, group=group), {}, limited=False)
            return
        compute.vcpus_used -= flavor.vcpus
        compute.free_ram_mb += flavor.memory_mb
        compute.free_disk_mb += MIB_PER_GIB * (flavor.root_gb + flavor.ephemeral_gb)
        compute.num_instances -= 1
        compute.num_io_ops -= 1
        if group is not None:
            group.hosts.remove(compute.host)
            compute.instances.remove(instance)

    # -- saying why

    def why(
        self, asked: Asked, host: int, clauses: Mapping[frozenset[str], str]
    ) -> tuple[CandidateQuery | None, list[Why]]:
        """Why Placement offers a host nothing, and the query that this is about; None: it is about none.

        Of two queries the one that is nearer: that misses fewer classes altogether, then fewer things.
        """
        root = self.hosts.providers[host]
        if asked.refused is not None:
            return None, [Why(*asked.refused)]
        if root is None:
            return None, [Why("resources", "without a resource provider")]
        if any(True for anchored in self._searches(asked) for _ in anchored(root.uuid)):
            return None, [Why("allocations", "whose own provider takes no part in any candidate")]
        pools = self._pools.get(root.uuid, [])
        told = [
            (query, why_nothing(self.hosts.forest, query, root.uuid, pools, clauses, self._offers))
            for query in asked.queries
        ]
        return min(told, key=lambda pair: (sum(map(_is_without, pair[1])), len(pair[1])))

    def failing_filters(self, look: Look, host: int) -> list[str]:
        """The enabled filters that reject a host, each asked alone; NUMA and PCI only where there are candidates."""
        compute = self.computes[host]
        if not preselected([compute], look.spec):
            return ["force_hosts"]
        if look.spec.forced:
            return []
        failing = []
        for name in self.enabled:
            if name in CHOOSING and host not in look.candidates:
                continue
            compute.candidates = [one.mappings for one in look.candidates.get(host, ())]
            try:
                passes = bool(one_by_one(name, [compute], look.spec, self.config))
            except InputError:  # it cannot read what it compares; that is no yes
                passes = False
            if not passes:
                failing.append(name)
        return failing

    def takes(self, host: int, query: CandidateQuery) -> bool:
        """Whether a host would have a candidate for another query."""
        root = self.hosts.providers[host]
        found = [] if root is None else self._search.by_root(query)(root.uuid)
        return any(root is not None and root.uuid in one.allocations for one in found)

    def _offers(self, query: CandidateQuery, root: str) -> bool:
        return next(self._search.by_root(query)(root), None) is not None
