"""A search of Placement's put to the engine: its groups in the layer's words, answered from the worker's own copy.

What the engine leaves to the service's own search is counted with the reason: a name that does not exist (the refusal
is the service's to word), a search that gave up, a database without a feed.
"""

from __future__ import annotations

import random
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from oslo_log import log as logging  # type: ignore[import-not-found]
from placement import db_api  # type: ignore[import-not-found]

from binwright.openstack.placement.answer import NESTED_SINCE, Candidate
from binwright.openstack.placement.microversion import LATEST
from binwright.openstack.placement.query import CandidateQuery, RequestGroup
from binwright.openstack.placement.search import CandidateSearch, SearchLimit
from binwright.openstack.placement.tree import Forest, Provider
from binwright.openstack.placement_plugin.feed import NoFeed, create
from binwright.openstack.placement_plugin.resident import Resident

__all__ = ["Found", "Posed", "answered", "statistics"]

LOG = logging.getLogger(__name__)
Answer = TypeVar("Answer")

RETRY_SECONDS = 60.0
"""After a database refused the feed: workers that make it at once refuse each other, and locks and connections go."""

_residents: weakref.WeakKeyDictionary[Any, Resident | float] = weakref.WeakKeyDictionary()
"""By engine its copy, or when the feed is to be made again."""
_making = threading.Lock()
_counts: Counter[str] = Counter()


@dataclass(slots=True)
class Found:
    """Candidates in order, and the copy that they were found in. `summarised`: providers that the answer describes."""

    candidates: Sequence[Candidate]
    forest: Forest
    resident: Resident
    summarised: list[Provider]


@dataclass(slots=True)
class Posed:
    """A search over a copy that stands still, not begun. `most`: candidates generated; `sample`: so many of them at
    random, None: those that come first. Both of its methods raise SearchLimit.
    """

    search: CandidateSearch
    query: CandidateQuery
    resident: Resident
    most: int | None
    breadth_first: bool
    nested: bool
    shuffled: bool
    sample: int | None

    def found(self) -> Found:
        """The candidates as objects."""
        found = list(self.search.answer(self.query, self.most, self.breadth_first))
        if self.shuffled:
            found = random.sample(found, min(self.sample or len(found), len(found)))
        return Found(found, self.search.forest, self.resident, _summarised(found, self.search, self.nested))

    def body(self) -> bytes:
        """The answer's JSON, at the microversion of the query."""
        if self.shuffled:
            return self.search.body_of(self.found().candidates, self.query)
        return self.search.body(self.query, self.most, self.breadth_first)


def statistics() -> dict[str, int]:
    """How many searches of this process the engine has answered ("engine"), and how many it has left, by reason."""
    return dict(_counts)


def answered(
    context: Any, groups: Mapping[str, Any], wide: Any, nested: bool, write: Callable[[Posed], Answer]
) -> Answer | None:
    """What `write` makes of the search, while the copy stands still; None: the service is to search itself.

    context: a RequestContext of Placement; groups, wide: its RequestGroups by suffix and its RequestWideParams; nested:
    whether a candidate may use two providers of one tree.
    """
    try:
        with db_api.placement_context_manager.reader.using(context):
            resident = _resident(context.session.get_bind())
            if resident is None:
                _counts["no change feed"] += 1
                return None
            with resident.lock:
                posed = _posed(context, resident, groups, wide, nested)
                if posed is None:
                    _counts["unknown name"] += 1
                    return None
                answer = write(posed)
        resident.prune(db_api.get_placement_engine())
    except SearchLimit:
        _counts["search limit"] += 1
        return None
    except Exception:  # a search is never lost for the engine's sake
        LOG.exception("binwright: a search failed; Placement's own answers it")
        _counts["error"] += 1
        return None
    _counts["engine"] += 1
    return answer


def _resident(engine: Any) -> Resident | None:
    """The copy of an engine's database; None where it has no feed, which is said whenever making it was tried."""
    with _making:
        known = _residents.get(engine, 0.0)
        if not isinstance(known, Resident):
            if time.monotonic() < known:
                return None
            try:
                create(db_api.get_placement_engine())
            except NoFeed as problem:
                LOG.error("binwright: %s; searches stay with Placement for %d s", problem, RETRY_SECONDS)
                _residents[engine] = time.monotonic() + RETRY_SECONDS
                return None
            known = _residents[engine] = Resident()
        return known


def _posed(context: Any, resident: Resident, groups: Mapping[str, Any], wide: Any, nested: bool) -> Posed | None:
    search = resident.follow(context.session)
    query = _query(groups, wide, nested)
    traits = query.root_required | query.root_forbidden
    for group in query.groups.values():
        traits |= group.forbidden.union(*group.required)
    if not resident.knows(query.classes(), set(traits)):
        return None
    settings = context.config.placement
    most, shuffled = settings.max_allocation_candidates, settings.randomize_allocation_candidates
    if shuffled:
        query.limit = None
    breadth_first = settings.allocation_candidates_generation_strategy == "breadth-first"
    sample = wide.limit or None
    return Posed(search, query, resident, most if most >= 0 else None, breadth_first, nested, shuffled, sample)


def _query(groups: Mapping[str, Any], wide: Any, nested: bool) -> CandidateQuery:
    return CandidateQuery(
        LATEST if nested else (NESTED_SINCE[0], NESTED_SINCE[1] - 1),
        {suffix: _group(suffix, group) for suffix, group in groups.items()},
        wide.group_policy,
        wide.limit or None,  # an empty list where the query has none
        frozenset(wide.anchor_required_traits or ()),
        frozenset(wide.anchor_forbidden_traits or ()),
        [frozenset(one) for one in wide.same_subtrees or ()],
    )


def _group(suffix: str, group: Any) -> RequestGroup:
    return RequestGroup(
        suffix,
        dict(group.resources),
        [frozenset(one) for one in group.required_traits],
        frozenset(group.forbidden_traits),
        [frozenset(one) for one in group.member_of],
        frozenset(group.forbidden_aggs),
        group.in_tree,
    )


def _summarised(found: Sequence[Candidate], search: CandidateSearch, nested: bool) -> list[Provider]:
    """Every provider of each tree that gives something; below 1.29 those that give something."""
    forest = search.forest
    used = dict.fromkeys(uuid for one in found for uuid in one.allocations)
    if not nested:
        return [forest.providers[uuid] for uuid in used]
    return [provider for root in dict.fromkeys(map(forest.root, used)) for provider in forest.tree(root)]
