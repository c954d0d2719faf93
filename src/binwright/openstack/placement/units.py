"""A query's units, which are what one row serves, in the order of the core, and candidates named after them.

A suffixed group is one unit; the group without a suffix is one per class where it may spread over providers.
"""

from __future__ import annotations

from collections.abc import Sequence

from binwright.openstack.placement.answer import Candidate
from binwright.openstack.placement.query import CandidateQuery

__all__ = ["Units"]


class Units:
    """`asks`: class -> amount of each unit; `spans`: each group's suffix, first unit, and the one behind its last."""

    def __init__(self, query: CandidateQuery, spreads: bool) -> None:
        self.asks: list[dict[str, int]] = []
        self.spans: list[tuple[str, int, int]] = []
        for suffix, group in query.groups.items():
            start = len(self.asks)
            if suffix or not spreads:
                self.asks.append(group.resources)
            else:
                self.asks += [{name: amount} for name, amount in group.resources.items()]
            self.spans.append((suffix, start, len(self.asks)))

    def candidate(self, uuids: Sequence[str]) -> Candidate:
        """The candidate in which these providers serve the units."""
        allocations: dict[str, dict[str, int]] = {}
        for uuid, amounts in zip(uuids, self.asks):
            given = allocations.get(uuid)
            if given is None:
                if amounts:
                    allocations[uuid] = amounts.copy()
            else:
                for name, amount in amounts.items():
                    given[name] = given.get(name, 0) + amount
        mappings = {
            suffix: (uuids[start],) if end == start + 1 else tuple(dict.fromkeys(uuids[start:end]))
            for suffix, start, end in self.spans
        }
        return Candidate(allocations, mappings)
