"""GET /allocation_candidates: found candidates as the API's own JSON, in the shape of each microversion.

Shapes are openstack spec 1.10 and 1.12 with the corrections of 13. Decides nothing: which candidates there are, and
which are cut by `limit`, is the search's business. Lists whose order the API leaves open are sorted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from binwright.openstack.placement.microversion import LATEST, Microversion
from binwright.openstack.placement.query import CandidateQuery
from binwright.openstack.placement.tree import Forest, Provider

__all__ = ["NESTED_SINCE", "Candidate", "candidates_answer", "request_json", "summary_json", "uses_a_tree_twice"]

ALLOCATIONS_BY_PROVIDER_SINCE = (1, 12)
TRAITS_SINCE = (1, 17)
ALL_CLASSES_SINCE = (1, 27)
NESTED_SINCE = (1, 29)
MAPPINGS_SINCE = (1, 34)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One answer: provider uuid -> class -> amount, and group suffix -> the providers that serve it."""

    allocations: Mapping[str, Mapping[str, int]]
    mappings: Mapping[str, Sequence[str]] = field(default_factory=dict)


def candidates_answer(candidates: Iterable[Candidate], query: CandidateQuery, forest: Forest) -> dict[str, Any]:
    """The body of the answer: `allocation_requests` in the order given, and `provider_summaries` of their trees."""
    version = query.microversion
    shown = [one for one in candidates if version >= NESTED_SINCE or not uses_a_tree_twice(one, forest)]
    used = dict.fromkeys(uuid for one in shown for uuid in one.allocations)
    if version >= NESTED_SINCE:
        roots = dict.fromkeys(forest.root(uuid) for uuid in used)
        summarised = [provider for root in roots for provider in forest.tree(root)]
    else:
        summarised = [forest.providers[uuid] for uuid in used]
    classes = None if version >= ALL_CLASSES_SINCE else query.classes()
    return {
        "allocation_requests": [request_json(one, version) for one in shown],
        "provider_summaries": {
            provider.uuid: summary_json(provider, classes, forest, version) for provider in summarised
        },
    }


def uses_a_tree_twice(candidate: Candidate, forest: Forest) -> bool:
    """Whether two providers of one tree take part, which clients below 1.29 could not read."""
    roots = [forest.root(uuid) for uuid in candidate.allocations]
    return len(set(roots)) < len(roots)


def request_json(candidate: Candidate, version: Microversion) -> dict[str, Any]:
    """One allocation request."""
    if version < ALLOCATIONS_BY_PROVIDER_SINCE:
        return {
            "allocations": [
                {"resource_provider": {"uuid": uuid}, "resources": dict(resources)}
                for uuid, resources in candidate.allocations.items()
            ]
        }
    request: dict[str, Any] = {
        "allocations": {uuid: {"resources": dict(resources)} for uuid, resources in candidate.allocations.items()},
        "mappings": {},
    }
    if version >= MAPPINGS_SINCE:
        request["mappings"] = {suffix: sorted(uuids) for suffix, uuids in candidate.mappings.items()}
    return request


def summary_json(
    provider: Provider, asked: set[str] | None, forest: Forest, version: Microversion = LATEST
) -> dict[str, Any]:
    """One provider's summary; asked: the classes that it tells, None = all."""
    classes = set(provider.inventories) if asked is None else asked.intersection(provider.inventories)
    summary: dict[str, Any] = {
        "resources": {
            name: {"capacity": provider.inventories[name].capacity, "used": provider.used.get(name, 0)}
            for name in sorted(classes)
        }
    }
    if version >= TRAITS_SINCE:
        summary["traits"] = sorted(provider.traits)
    if version >= NESTED_SINCE:
        summary["parent_provider_uuid"] = provider.parent
        summary["root_provider_uuid"] = forest.root(provider.uuid)
    return summary
