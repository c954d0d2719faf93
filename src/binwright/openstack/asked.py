"""What a server to place asks of Placement and of Nova's filters: its request spec and its queries (openstack spec 3).

Goes the way that Nova goes, from flavor and hints through the pre-filters to the query string, and takes out of the
result what the input cannot answer: traits, classes and attributes of hosts that it does not tell.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from binwright.openstack.cloud import Cloud, Flavor
from binwright.openstack.hosts import Hosts
from binwright.openstack.nova.compute_host import ComputeHost
from binwright.openstack.nova.compute_hosts import untold_attributes
from binwright.openstack.nova.conf import NovaConf
from binwright.openstack.nova.cpu_policies import Refusal
from binwright.openstack.nova.filters import ADDRESS_BITS, NUMA_FILTER, PCI_FILTER
from binwright.openstack.nova.numa_constraints import guest_topology
from binwright.openstack.nova.pci_aliases import flavor_devices
from binwright.openstack.nova.prefilters import prefiltered
from binwright.openstack.nova.request_spec import Image, RequestSpec
from binwright.openstack.nova.resource_request import pinning_requested, placement_queries
from binwright.openstack.nova.schedule import NoValidHost
from binwright.openstack.pending import Wanted
from binwright.openstack.placement.faults import Fault
from binwright.openstack.placement.query import CandidateQuery, parse_query
from binwright.openstack.zones import Zones

__all__ = ["Asked", "Asking"]

QUERY_VERSION = (1, 36)
"""The microversion at which Nova asks."""


@dataclass(slots=True)
class Asked:
    """What equal servers ask, numbered. `spec` has no instance and no group yet; two queries where CPUs are pinned.

    refused: why no host comes into question, as (rule, text), or None. untold_traits: traits that were taken out.
    texts: the query strings as Nova would send them.
    """

    number: int
    spec: RequestSpec
    queries: list[CandidateQuery] = field(default_factory=list)
    refused: tuple[str, str] | None = None
    untold_traits: frozenset[str] = frozenset()
    texts: list[str] = field(default_factory=list)

    @property
    def amounts(self) -> dict[str, int]:
        """What the first query asks, over all groups, by class."""
        sums: dict[str, int] = {}
        for query in self.queries[:1]:
            for group in query.groups.values():
                for name, amount in group.resources.items():
                    sums[name] = sums.get(name, 0) + amount
        return sums


class Asking:
    """Turns servers of one cloud into what they ask; equal servers get the same object."""

    def __init__(self, cloud: Cloud, hosts: Hosts, zones: Zones, conf: NovaConf, *, devices: bool = True) -> None:
        """devices: whether the hosts' cells and PCI pools are as the servers to place find them."""
        self._hosts = hosts
        self._zones = zones
        self._config = conf.config
        self._aliases = conf.aliases
        told = devices and bool(cloud.compute_nodes)
        self.cells_count = told and NUMA_FILTER in conf.enabled
        self.pools_count = told and PCI_FILTER in conf.enabled and bool(conf.aliases)
        self._traits_told = "traits" in cloud.present
        self._untold = untold_attributes(cloud, hosts)
        self._computes = [
            ComputeHost(name, name, "" if provider is None else provider.uuid)
            for name, provider in zip(hosts.names, hosts.providers)
        ]
        self._known: dict[tuple[object, ...], Asked] = {}

    def asked(self, server: Wanted) -> Asked:
        """What a server asks."""
        hints = {key: value for key, value in server.hints.items() if key != "group"}
        told = json.dumps(hints, sort_keys=True, default=str)
        same = (id(server.flavor), server.from_volume, server.zone, server.image, server.project, server.uid is None)
        key = (*same, told, repr(server.ports))
        if key not in self._known:
            self._known[key] = self._made(server, hints)
        return self._known[key]

    def _made(self, server: Wanted, hints: Mapping[str, Any]) -> Asked:
        zone, *target = (server.zone or "").split(":")  # ZONE:HOST:NODE, as the API takes it
        image = Image(server.image or "")
        spec = RequestSpec(
            flavor=server.flavor,
            image=image,
            project=server.project or "",
            hints=hints,
            zone=zone or None if self._zones.known else None,
            from_volume=server.from_volume,
            force_hosts=[name for name in target[:1] if name],
            force_nodes=[name for name in target[1:] if name],
            requested_groups=server.ports.groups,
            same_subtrees=server.ports.same_subtrees,
        )
        asked = Asked(len(self._known), spec)
        if server.uid is None and self._zones.missing(zone or None):
            asked.refused = ("member_of", f"outside availability zone {zone}")  # a wish has not passed the API yet
            return asked
        try:
            topology = guest_topology(server.flavor, image.properties)
            if self.cells_count:
                spec = replace(spec, topology=topology)
            if self.pools_count:
                spec = replace(spec, pci_requests=flavor_devices(server.flavor, self._aliases))
            wishes = prefiltered(spec, self._zones.aggregates, self._config, False)
            queries = placement_queries(spec, wishes, self._computes, self._config)
            asked.texts = [queries.query, queries.fallback] if pinning_requested(spec) else [queries.query]
            asked.queries = [self._answerable(parse_query(text, QUERY_VERSION), asked) for text in asked.texts]
        except Refusal as refusal:
            asked.refused = (refusal.kind, str(refusal).partition(": ")[2])
        except NoValidHost as problem:
            asked.refused = ("force_hosts", str(problem))
        except Fault as fault:
            asked.refused = ("allocation_candidates", f"refused by Placement: {fault.detail}")
        asked.spec = replace(spec, flavor=self._comparable(server.flavor))
        return asked

    def _answerable(self, query: CandidateQuery, asked: Asked) -> CandidateQuery:
        """A query without what the input does not tell; all candidates are looked at, not the first thousand."""
        query.limit = None
        for group in query.groups.values():
            for name in self._hosts.unknown & group.resources.keys():
                del group.resources[name]
            if not self._traits_told:
                asked.untold_traits |= group.forbidden.union(*group.required)
                group.required, group.forbidden = [], frozenset()
        if not self._traits_told:
            asked.untold_traits |= query.root_required
            query.root_required = query.root_forbidden = frozenset()
        return query

    def _comparable(self, flavor: Flavor) -> Flavor:
        """A flavor without the extra specs that name attributes of hosts which the input does not tell."""
        kept = {key: value for key, value in flavor.extra_specs.items() if not self._names_untold(key)}
        return flavor if len(kept) == len(flavor.extra_specs) else replace(flavor, extra_specs=kept)

    def _names_untold(self, key: str) -> bool:
        path = ADDRESS_BITS if key == "hw:maxphysaddr_bits" else key
        return path.removeprefix("capabilities:").split(":")[0] in self._untold
