"""Counters of the engine by what they count, and the request classes that add to them or read them.

Two ways to be counted. *Matched*: a test over traits says which pods count (a selector); classes that come later, or
earlier, are extended. *Held*: the pod itself says what it holds (a port, a disk, a term). Knows no plugin.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

import numpy as np

from binwright import Fleet
from binwright.kubernetes.label_selectors import Anchor
from binwright.kubernetes.traits import Matches, Traits
from binwright.request import Request
from binwright.terms import HardTerm, SoftTerm

__all__ = ["Amount", "Counts"]

Amount = tuple[int, int]
"""What one pod adds to a counter: as it lies there, and when it is taken out or put back on trial."""


@dataclass
class _Counted:
    counter: int
    amount: Callable[[Traits], Amount]


class Counts:
    """The counters of one fleet."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self._matched: dict[Hashable, int] = {}
        self._held: dict[Hashable, int] = {}
        self._matches: Matches[_Counted] = Matches()
        self._adding: dict[Traits, list[Request]] = {}
        self._members: dict[bytes, int | None] = {}

    def matched(
        self, key: Hashable, anchor: Anchor, holds: Callable[[Traits], bool], amount: Callable[[Traits], Amount]
    ) -> int:
        """The counter of pods whose traits pass `holds`; `key` tells equal ones."""
        counter = self._matched.get(key)
        if counter is None:
            counter = self._matched[key] = self.fleet.counter()
            counted = _Counted(counter, amount)
            for traits in self._matches.add_test(anchor, holds, counted):
                for request in self._adding.get(traits, ()):
                    self.fleet.extend(request, contributes={counter: amount(traits)})
        return counter

    def held(self, key: Hashable, kind: str = "additive", feeds: Hashable = None) -> int:
        """The counter of what pods hold under this key; `feeds`: key of the additive counter that it feeds."""
        counter = self._held.get(key)
        if counter is None:
            counter = self.fleet.counter(kind, feeds=None if feeds is None else self.held(feeds))
            self._held[key] = counter
        return counter

    def holds(self, key: Hashable) -> bool:
        """Whether anybody asked for the counter of this key before."""
        return key in self._held

    def matching(self, traits: Traits) -> dict[int, Amount]:
        """What a pod of these traits adds to the matched counters."""
        return {one.counter: one.amount(traits) for one in self._matches.add_traits(traits)}

    def register(self, request: Request, traits: Traits) -> None:
        """A new class of these traits: counters made later will concern it."""
        self._adding.setdefault(traits, []).append(request)

    def extend(self, requests: Iterable[Request], term: HardTerm | SoftTerm) -> None:
        """Let these classes read something more."""
        for request in requests:
            self.fleet.extend(request, [term])

    def members(self, hosts: np.ndarray) -> int | None:
        """The number of a member set of these hosts, bool (hosts,); None when it is all of them."""
        content = np.packbits(hosts).tobytes()
        if content not in self._members:
            self._members[content] = None if hosts.all() else self.fleet.members(hosts)
        return self._members[content]
