"""GET /allocation_candidates from query string to JSON, as each microversion shapes it.

Joins query and candidates and writes bodies; holds no rule of the search. Source: openstack spec 1.10 to 1.12, 13.
"""

from __future__ import annotations

from tests.reference.openstack.candidates import Candidate, search
from tests.reference.openstack.cloud import Cloud
from tests.reference.openstack.fault import Fault
from tests.reference.openstack.query import Query, parse, parse_microversion


def allocation_candidates(
    cloud: Cloud, text: str, microversion: str = "latest", config: dict | None = None
) -> tuple[int, dict]:
    """(status, body) of one request; `config` has the two generation options of spec 1.11."""
    version = parse_microversion(microversion)
    config = config or {}
    try:
        if version < (1, 10):
            raise Fault("The resource could not be found.", status=404)
        query = parse(text, version)
        maximum = config.get("max_allocation_candidates", -1)
        breadth_first = config.get("allocation_candidates_generation_strategy") == "breadth-first"
        candidates = [candidate for candidate, _ in search(cloud, query, maximum, breadth_first)]
    except Fault as fault:
        return fault.status, fault.body(version)
    flattened = version < (1, 29) and cloud.has_trees
    if flattened:
        candidates = [c for c in candidates if one_provider_per_tree(cloud, c)]
    candidates = candidates[: query.limit]
    used = {uuid for c in candidates for uuid, _, _ in c.amounts}
    roots = {cloud.root(uuid) for uuid in used}
    summarised = [u for u in cloud.providers if cloud.root(u) in roots and (u in used or not flattened)]
    return 200, {
        "allocation_requests": [request_json(c, version) for c in candidates],
        "provider_summaries": {uuid: summary_json(cloud, query, uuid, version) for uuid in summarised},
    }


def one_provider_per_tree(cloud: Cloud, candidate: Candidate) -> bool:
    """Below 1.29 a candidate may not use two providers of one tree (spec 1.12)."""
    providers = {uuid for uuid, _, _ in candidate.amounts}
    return len({cloud.root(uuid) for uuid in providers}) == len(providers)


def request_json(candidate: Candidate, version: tuple[int, int]) -> dict:
    """One allocation request in the shape of the microversion (spec 1.12, 13)."""
    resources: dict[str, dict[str, int]] = {}
    for uuid, rc, amount in sorted(candidate.amounts):
        resources.setdefault(uuid, {})[rc] = amount
    if version < (1, 12):
        rows = [{"resource_provider": {"uuid": uuid}, "resources": amounts} for uuid, amounts in resources.items()]
        return {"allocations": rows}
    mappings = {suffix: sorted(providers) for suffix, providers in sorted(candidate.mappings)}
    return {
        "allocations": {uuid: {"resources": amounts} for uuid, amounts in resources.items()},
        "mappings": mappings if version >= (1, 34) else {},
    }


def summary_json(cloud: Cloud, query: Query, uuid: str, version: tuple[int, int]) -> dict:
    """One provider's summary in the shape of the microversion (spec 1.10)."""
    provider = cloud.providers[uuid]
    asked = {rc for group in query.groups.values() for rc in group.resources}
    summary: dict = {
        "resources": {
            rc: {"capacity": inventory.capacity, "used": cloud.usage(uuid, rc)}
            for rc, inventory in sorted(provider.inventories.items())
            if version >= (1, 27) or rc in asked
        }
    }
    if version >= (1, 17):
        summary["traits"] = sorted(provider.traits)
    if version >= (1, 29):
        summary["parent_provider_uuid"] = provider.parent
        summary["root_provider_uuid"] = cloud.root(uuid)
    return summary
