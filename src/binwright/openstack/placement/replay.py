"""Replays recorded cases of the Placement service through the search and the in-memory service.

`candidate_differences` answers a case of queries on a cloud, `claims_differences` a case of calls on an empty service;
both compare with what was recorded, where the service is known to be wrong with the repaired answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from binwright.openstack.comparison import (
    answer_differences,
    body_differences,
    canonical_request,
    error_differences,
    subset_differences,
    uneven_turns,
)
from binwright.openstack.placement.faults import Fault
from binwright.openstack.placement.inventory import Inventory
from binwright.openstack.placement.microversion import parse_microversion
from binwright.openstack.placement.query import parse_query
from binwright.openstack.placement.search import CandidateSearch
from binwright.openstack.placement.service import PlacementService
from binwright.openstack.placement.tree import Forest, Provider

__all__ = ["candidate_differences", "claims_differences", "read_forest"]

Json = Mapping[str, Any]
BREADTH_FIRST = "breadth-first"


def read_forest(cloud: Json) -> Forest:
    """The providers of a recorded cloud, with what its consumers use."""
    providers = {
        row["uuid"]: Provider(
            row["uuid"],
            row["name"],
            row["parent_provider_uuid"],
            where=f"resource provider {row['uuid']}",
            inventories={name: Inventory(**numbers) for name, numbers in row["inventories"].items()},
            traits=frozenset(row["traits"]),
            aggregates=frozenset(row["aggregates"]),
        )
        for row in cloud["resource_providers"]
    }
    for consumer in cloud["allocations"].values():
        for uuid, row in consumer["allocations"].items():
            used = providers[uuid].used
            for name, amount in row["resources"].items():
                used[name] = used.get(name, 0) + amount
    return Forest(providers.values())


def candidate_differences(case: Json) -> Iterator[str]:
    """A case of queries: one line for each difference."""
    cloud, config = case["cloud"], case.get("config", {})
    search = CandidateSearch(read_forest(cloud), cloud.get("extra_traits", ()), cloud.get("extra_resource_classes", ()))
    most = config.get("max_allocation_candidates", -1)
    breadth_first = config.get("allocation_candidates_generation_strategy") == BREADTH_FIRST
    for query in case["queries"]:
        status, body = _ask(search, query, None if most < 0 else most, breadth_first)
        for line in _compare(search.forest, query, status, body, breadth_first):
            yield f"{query['microversion']} {query['query']}: {line}"


def _ask(search: CandidateSearch, query: Json, most: int | None, breadth_first: bool) -> tuple[int, dict[str, Any]]:
    version = parse_microversion(query["microversion"])
    try:
        parsed = parse_query(query["query"], version)
        return 200, json.loads(search.body(parsed, most, breadth_first))
    except Fault as fault:
        return fault.status, fault.to_dict(version)


def _compare(forest: Forest, query: Json, status: int, body: Json, in_turn: bool) -> Iterator[str]:
    repaired = query.get("response_with_defect_repaired")
    wanted = query["status"] if repaired is None else 200
    if status != wanted:
        yield f"recorded status {wanted}, got {status}"
    elif repaired is not None:
        yield from answer_differences(repaired, body)
    elif query["compare"] == "error":
        yield from error_differences(query["error"], body)
    elif query["compare"] == "subset":
        superset = query["superset"]
        yield from subset_differences(query.get("count_if_repaired", query["count"]), superset, body)
        anchors = _anchors(forest, superset)
        if in_turn and None not in anchors.values():
            yield from uneven_turns(_anchors(forest, body), anchors)
    else:
        yield from answer_differences(query["response"], body)


def _anchors(forest: Forest, body: Json) -> dict[str, Any]:
    """Each candidate's root; None where only sharing providers serve it, which may be found under several."""
    anchors: dict[str, Any] = {}
    for request in body["allocation_requests"]:
        serving = {uuid for uuids in request.get("mappings", {}).values() for uuid in uuids}
        own = sorted(uuid for uuid in serving if not forest.providers[uuid].sharing)
        anchors[canonical_request(request)] = forest.root(own[0]) if own else None
    return anchors


def claims_differences(case: Json) -> Iterator[str]:
    """A case of calls: one line for each difference. Consumers leak as they did when it was recorded."""
    service = PlacementService(leaks_consumers=True)
    for number, step in enumerate(case["steps"]):
        version = parse_microversion(step.get("microversion", "latest"))
        status, body = service.call(step["method"], step["path"], step.get("body"), version)
        for line in _compare_call(step, status, body or {}):
            yield f"step {number} {step['method']} {step['path']}: {line}"


def _compare_call(step: Json, status: int, body: Json) -> Iterator[str]:
    recorded = step["response"]
    if status != step["status"]:
        yield f"recorded status {step['status']}, got {status}"
    elif status >= 400:
        yield from error_differences(recorded, body)
    elif isinstance(recorded, dict) and "allocation_requests" in recorded:
        yield from answer_differences(recorded, body)
    else:
        yield from body_differences(recorded, body)
