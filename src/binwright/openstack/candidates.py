"""GET /allocation_candidates asked of a dump: the query string in, the API's own JSON or refusal out.

Reads the query as Placement would and takes out of it, told, what the input cannot answer.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from binwright.errors import InputError
from binwright.formats.files import Blob
from binwright.openstack.capacity import cloud_hosts
from binwright.openstack.cloud import Cloud, Flavor
from binwright.openstack.dumps import read_dump
from binwright.openstack.hosts import Hosts
from binwright.openstack.nova.compute_hosts import compute_hosts
from binwright.openstack.nova.host_states import HostStates
from binwright.openstack.nova.raw_weights import ranked
from binwright.openstack.nova.request_spec import RequestSpec
from binwright.openstack.placement.answer import Candidate, candidates_answer
from binwright.openstack.placement.best_first import best_first
from binwright.openstack.placement.faults import Fault
from binwright.openstack.placement.microversion import Microversion, parse_microversion
from binwright.openstack.placement.query import CandidateQuery, parse_query
from binwright.openstack.placement.search import CandidateSearch, SearchLimit
from binwright.openstack.placement.tree import Forest, Provider
from binwright.openstack.zones import Zones, cloud_zones
from binwright.outcome import NotEvaluated

__all__ = ["ORDERS", "Candidates", "candidates_cloud", "candidates_source"]

BEFORE_QUERY = re.compile(r"(?:GET\s+)?\S*/allocation_candidates\??|\?")
NO_SUCH = ("No such trait", "Invalid resource class")
UNKNOWN = "a dump tells only the names that some provider has; for others that exist Placement answers an empty list"
TRAITS = "required and forbidden traits: the input has no traits/"
AGGREGATES = "member_of: the input tells the aggregates of no provider"


@dataclass(slots=True)
class Candidates:
    """An answer. status: the API's; body: its JSON, also of a refusal. more: there may be more than were generated.

    found, forest: the same as objects; elapsed: seconds for the answer itself, without reading.
    """

    source: str
    status: int
    body: dict[str, Any]
    microversion: str
    found: list[Candidate] = field(default_factory=list)
    forest: Forest | None = None
    more: bool = False
    elapsed: float = 0.0
    not_evaluated: list[NotEvaluated] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    refusal: str | None = None


def candidates_source(
    name: str, blobs: Iterable[Blob], query: str, *, microversion: str = "latest", order: str = "provider", first: int
) -> Candidates:
    """Ask the cloud that the files of one source describe. Raises InputError for bad input; see `candidates_cloud`."""
    return candidates_cloud(read_dump(name, blobs), query, microversion=microversion, order=order, first=first)


def candidates_cloud(
    cloud: Cloud, query: str, *, microversion: str = "latest", order: str = "provider", first: int
) -> Candidates:
    """The first candidates in an order (one of ORDERS) for a query string, also behind "GET /allocation_candidates?".

    What the service would refuse is an answer with its status and JSON. Raises InputError for an order there is not.
    """
    if order not in ORDERS:
        raise InputError(f"order {order!r} is not one of {', '.join(ORDERS)}")
    hosts = cloud_hosts(cloud)
    zones = cloud_zones(cloud, hosts)
    answer = Candidates(cloud.name, 200, {}, microversion, forest=hosts.forest, notes=list(hosts.notes))
    start = time.perf_counter()
    version: Microversion = (0, 0)
    try:
        version = parse_microversion(microversion)
        parsed = parse_query(BEFORE_QUERY.sub("", query.strip(), count=1) if _has_prefix(query) else query, version)
        answer.not_evaluated = _untold(cloud, zones, parsed)
        key = ORDERS[order](cloud, hosts, zones)
        walk = best_first(CandidateSearch(hosts.forest), parsed, key)
        try:
            answer.found = list(islice(walk, first))
            answer.more = len(answer.found) == first and next(walk, None) is not None
        except SearchLimit as problem:
            answer.more = True
            answer.notes.append(str(problem))
        answer.body = candidates_answer(answer.found, parsed, hosts.forest)
    except Fault as fault:
        answer.status, answer.body = fault.status, fault.to_dict(version)
        code = "" if fault.code is None else f" ({fault.code})"
        answer.refusal = f"{fault}{code}"
        if fault.detail.startswith(NO_SUCH):
            answer.notes.append(UNKNOWN)
    answer.elapsed = time.perf_counter() - start
    return answer


def _has_prefix(query: str) -> bool:
    return BEFORE_QUERY.match(query.strip()) is not None


def _untold(cloud: Cloud, zones: Zones, query: CandidateQuery) -> list[NotEvaluated]:
    """Take out of a query what the input does not tell, and say so."""
    told = []
    groups = query.groups.values()
    traits = {name for group in groups for clause in (*group.required, group.forbidden) for name in clause}
    traits |= query.root_required | query.root_forbidden
    if traits and "traits" not in cloud.present:
        told.append(NotEvaluated(TRAITS, 1, min(traits)))
        query.root_required = query.root_forbidden = frozenset()
        for group in groups:
            group.required, group.forbidden = [], frozenset()
    wanted = [group for group in groups if group.member_of or group.forbidden_aggregates]
    if wanted and "provider_aggregates" not in cloud.present and not zones.aggregates:
        told.append(NotEvaluated(AGGREGATES, 1, f"member_of{wanted[0].suffix}"))
        for group in groups:
            group.member_of, group.forbidden_aggregates = [], frozenset()
    return told


Key = Callable[[Provider], Any]


def _by_weight(cloud: Cloud, hosts: Hosts, zones: Zones) -> Key:
    """Nova's default weights over all hosts, the greatest first; roots that are no host come last."""
    computes = compute_hosts(cloud, hosts, HostStates.of(cloud, hosts), zones)
    nobody = RequestSpec(Flavor(None, "", 0, 0))
    ranks = {host.uuid: rank for rank, (host, _) in enumerate(ranked(computes, nobody, {}))}
    return lambda root: ranks.get(root.uuid, len(ranks))


ORDERS: Mapping[str, Callable[[Cloud, Hosts, Zones], Key | None]] = {
    "provider": lambda cloud, hosts, zones: None,
    "weight": _by_weight,
}
"""Which tree comes first: that of the first provider of the input, or that of the host that Nova weighs highest."""
