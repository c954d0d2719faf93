"""One worker's copy of a Placement database: providers, compiled for searching, brought up to date by the change feed.

A claim costs the usage of the providers that it names; any other write costs those providers' rows and a new
compilation. Knows no request.
"""

from __future__ import annotations

import threading
from typing import Any

from binwright.openstack.placement.search import CandidateSearch
from binwright.openstack.placement.tree import Forest
from binwright.openstack.placement_plugin.feed import KEPT, Change, Feed
from binwright.openstack.placement_plugin.tables import Names, Row, read_names, read_rows, read_used

__all__ = ["Resident"]


class Resident:
    """The copy. Whoever uses it, from `follow` to the last look at its providers, holds `lock`."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.rebuilt = 0
        self.trait_order: dict[str, list[str]] = {}
        self.id_of: dict[str, int] = {}
        self._feed = Feed()
        self._pruned = 0
        self._names = Names({}, {})
        self._known: tuple[set[str], set[str]] = set(), set()
        self._rows: dict[int, Row] = {}
        self._search: CandidateSearch | None = None
        self._made: dict[str, dict[str, Any]] = {}

    def follow(self, session: Any) -> CandidateSearch:
        """The search as the database is now, as far as the session's transaction sees it.

        Raises InputError where parents form no forest; the copy is then read anew the next time.
        """
        search, self._search = self._search, None  # whatever fails on the way, the next one reads all
        changes = None if search is None else self._feed.read(session)
        if search is None or changes is None or any(one.kind == "names" for one in changes):
            search = self._read(session)
        else:
            providers, used = _concerned(changes, "provider"), _concerned(changes, "usage")
            if used - providers:
                self._take_used(session, search, used - providers)
            if providers:
                self._rows = {number: row for number, row in self._rows.items() if number not in providers}
                self._rows |= read_rows(session, self._names, providers)
                search = self._compile()
        self._search = search
        return search

    def prune(self, engine: Any) -> None:
        """Delete old notes, now and then; engine: of the database that is written to."""
        if self._feed.last - self._pruned > KEPT:
            self._pruned = self._feed.last
            self._feed.prune(engine)

    def _read(self, session: Any) -> CandidateSearch:
        self._feed.start(session)
        self._pruned = self._pruned or self._feed.last
        self._names = read_names(session)
        self._known = set(self._names.classes.values()), set(self._names.traits.values())
        self._rows = read_rows(session, self._names)
        return self._compile()

    def _compile(self) -> CandidateSearch:
        """A new search over the rows, in order of the database's ids."""
        rows = [self._rows[number] for number in sorted(self._rows)]
        for row in rows:
            parent = self._rows.get(row.parent_id) if row.parent_id is not None else None
            row.provider.parent = None if parent is None else parent.provider.uuid
        forest = Forest(row.provider for row in rows)
        self.trait_order = {row.provider.uuid: row.traits for row in rows}
        search = CandidateSearch(
            forest, self._names.traits.values(), self._names.classes.values(), listed_traits=self.trait_order
        )
        self.id_of = {row.provider.uuid: row.id for row in rows}
        self._made = {}
        self.rebuilt += 1
        return search

    def _take_used(self, session: Any, search: CandidateSearch, ids: set[int]) -> None:
        found = read_used(session, self._names, ids)
        for number in ids:
            row = self._rows.get(number)
            if row is None:
                continue
            provider = row.provider
            before, provider.used = provider.used, found.get(number, {})
            for name in provider.inventories:
                if before.get(name, 0) != provider.used.get(name, 0):
                    search.update_used(provider, name)
            for kept in self._made.values():
                kept.pop(provider.uuid, None)

    def knows(self, classes: set[str], traits: set[str]) -> bool:
        """Whether all these names exist."""
        return classes <= self._known[0] and traits <= self._known[1]

    def made(self, kind: str) -> dict[str, Any]:
        """Where a caller keeps what it has made of providers, by uuid: emptied of those that change."""
        return self._made.setdefault(kind, {})


def _concerned(changes: list[Change], kind: str) -> set[int]:
    """The providers that changes of a kind name."""
    return {one.provider_id for one in changes if one.kind == kind and one.provider_id is not None}
