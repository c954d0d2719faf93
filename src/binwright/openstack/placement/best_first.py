"""Allocation candidates one by one, the best tree first: for whoever wants the first few of very many.

Nothing is generated before it is asked for, and within a tree candidates come by matching, never out of a product.
Which tree is better is the caller's business: a key of its root.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from binwright.openstack.placement.answer import NESTED_SINCE, Candidate, uses_a_tree_twice
from binwright.openstack.placement.query import CandidateQuery
from binwright.openstack.placement.search import CandidateSearch
from binwright.openstack.placement.tree import Provider

__all__ = ["best_first"]


def best_first(
    search: CandidateSearch, query: CandidateQuery, key: Callable[[Provider], Any] | None = None
) -> Iterator[Candidate]:
    """The candidates that the API answers with, each once, lazily, those of the root with the smallest key first.

    key: of a root provider; None keeps the roots in the forest's order, which also decides between equal keys. The
    query's `limit` holds. Raises Fault for a name that does not exist (at once), SearchLimit while it is walked where
    the search gave up. Providers must not change meanwhile.
    """
    anchored = search.by_root(query)
    roots = search.forest.roots()
    if key is not None:
        roots.sort(key=key)
    return islice(_walked(search, query, anchored, roots), query.limit)


def _walked(
    search: CandidateSearch,
    query: CandidateQuery,
    anchored: Callable[[str], Iterator[Candidate]],
    roots: list[Provider],
) -> Iterator[Candidate]:
    forest = search.forest
    flat = query.microversion < NESTED_SINCE and any(one.parent is not None for one in forest.providers.values())
    seen = set()
    for root in roots:
        for candidate in anchored(root.uuid):
            if flat and uses_a_tree_twice(candidate, forest):
                continue
            # What consists of sharing providers only is found below every root that they serve.
            if all(forest.providers[uuid].sharing for uuids in candidate.mappings.values() for uuid in uuids):
                same = _identity(candidate)
                if same in seen:
                    continue
                seen.add(same)
            yield candidate


def _identity(candidate: Candidate) -> object:
    """What makes two candidates one; the anchor is no part of it (openstack spec 1.9)."""
    amounts = {
        (uuid, name, amount) for uuid, resources in candidate.allocations.items() for name, amount in resources.items()
    }
    mappings = {(suffix, frozenset(uuids)) for suffix, uuids in candidate.mappings.items()}
    return frozenset(amounts), frozenset(mappings)
