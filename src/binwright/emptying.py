"""Which hosts can be emptied together: a search over what-ifs on one fleet, which is as before when it ends.

Knows hosts, items and requests. A what-if cordons hosts, takes their items out and places them again by the fleet's
own rules; it counts when every item finds a host. Deterministic: no clock, no chance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from binwright.fleet import Fleet
from binwright.request import Request

__all__ = ["BY_HOST", "BY_SIZE", "WAITING", "Budgets", "Emptied", "Sizes", "emptiable", "in_sequence"]

BY_HOST, BY_SIZE, WAITING = "host by host", "largest first", "largest first, waiting"
"""In which sequence items leave: all of one host before those of the next, or the largest of all hosts first. What a
budget does not let go at once leaves in later rounds, after all that may; when waiting, nothing smaller leaves before
it, which takes more rounds.
"""

MOST_PLACED = 400_000  # items that the last improvement may place in its what-ifs


Budgets = Mapping[int, tuple[Hashable, int]]
"""Item -> (the budget that counts it, how many it lets go at once)."""


class Sizes:
    """How large requests are: the largest share that one asks of what the whole fleet offers of a resource."""

    def __init__(self, fleet: Fleet) -> None:
        self._total = {name: max(int(row.sum()), 1) for name, row in zip(fleet.resources, fleet.capacity)}
        self._known: dict[int, float] = {}

    def of(self, request: Request) -> float:
        """The size of one request."""
        if request.index not in self._known:
            self._known[request.index] = self.share(request.demand)
        return self._known[request.index]

    def share(self, amounts: Mapping[str, int]) -> float:
        """The size of some amounts."""
        return max((amount / self._total[name] for name, amount in amounts.items()), default=0.0)


Leaving = list[tuple[int, Request]]
"""(item, the request that finds it another host), in the order in which items leave."""


def in_sequence(by_host: Iterable[Leaving], sequence: str, sizes: Sizes, budgets: Budgets) -> Leaving:
    """The items of several hosts in the order in which they leave, round by round as their budgets let them go."""
    leaving = [pair for some in by_host for pair in sorted(some, key=lambda pair: -sizes.of(pair[1]))]
    if sequence != BY_HOST:
        leaving.sort(key=lambda pair: -sizes.of(pair[1]))
    if not budgets:  # one round
        return leaving
    gone: Counter[Hashable] = Counter()
    rounds = {}
    for item, _ in leaving:
        budget, at_once = budgets.get(item, (None, 1))
        rounds[item] = 0 if budget is None else gone[budget] // at_once
        gone[budget] += 1
    if sequence == WAITING:
        return sorted(leaving, key=lambda pair: (-sizes.of(pair[1]), rounds[pair[0]]))
    return sorted(leaving, key=lambda pair: rounds[pair[0]])


@dataclass(frozen=True)
class Emptied:
    """The largest set of hosts that was found, in the order in which they were taken, and the sequence of items."""

    hosts: list[int] = field(default_factory=list)
    sequence: str = BY_HOST


def emptiable(
    fleet: Fleet,
    movable: Mapping[int, Mapping[int, Request]],
    budgets: Budgets | None = None,
    worth: Mapping[int, int] | None = None,
) -> Emptied:
    """The largest set of hosts found that can be emptied together, or the one that is worth most.

    movable: for every host that may be emptied, its items that then have to go elsewhere, each with the request that
    finds it a host; other items of it stay. worth: of emptying each of these hosts, default 1; at least 0.

    Hosts are taken in two orders: the least loaded first (largest share that its items ask of the fleet's capacity),
    and the smallest first (largest share of the fleet's capacity), both for what the host is worth; items in every
    sequence. From each: the longest prefix of the order that can be emptied at once, then every further host that still
    can, one after another, as far as all of them can be emptied at once again. Of the best set, hosts are kept after
    all where that lets others of more worth go. Of equal sets the first found counts.
    """
    search = _Search(fleet, movable, budgets or {}, worth or dict.fromkeys(movable, 1))
    best = Emptied()
    for order in (search.by_load(), search.by_size()):
        for sequence in (BY_HOST, BY_SIZE, WAITING) if budgets else (BY_HOST, BY_SIZE):
            begun = search.longest_prefix(order, sequence)
            found = search.longest_prefix(search.grown(order, begun, sequence), sequence, len(begun))
            if search.worth(found) > search.worth(best.hosts):
                best = Emptied(found, sequence)
            if len(best.hosts) == len(order):
                return best
    return Emptied(search.exchanged(search.by_load(), best.hosts, best.sequence), best.sequence)


class _Search:
    def __init__(
        self,
        fleet: Fleet,
        movable: Mapping[int, Mapping[int, Request]],
        budgets: Budgets,
        worth: Mapping[int, int],
    ) -> None:
        self._fleet = fleet
        self._movable = movable
        self._budgets = budgets
        self._worth = worth
        items = [fleet.items_on(host) for host in movable]
        self._newest = max((int(some.max()) for some in items if len(some)), default=-1)
        self._sizes = Sizes(fleet)
        self.placed = 0

    def worth(self, hosts: Iterable[int]) -> int:
        """What emptying hosts is worth."""
        return sum(self._worth[host] for host in hosts)

    def by_load(self) -> list[int]:
        """The candidates, those with the least to move for what they are worth first."""
        return sorted(self._movable, key=lambda host: (*self._each(host, self._load), len(self._movable[host]), host))

    def by_size(self) -> list[int]:
        """The candidates, those that offer the least for what they are worth first."""
        return sorted(self._movable, key=lambda host: (*self._each(host, self._room), self._load(host), host))

    def _each(self, host: int, measure: Callable[[int], float]) -> tuple[bool, float]:
        """A measure of a host in proportion to its worth; hosts that are worth nothing come last."""
        worth = self._worth[host]
        return not worth, measure(host) / worth if worth else measure(host)

    def _load(self, host: int) -> float:
        asked: dict[str, int] = {}
        for request in self._movable[host].values():
            for name, amount in request.demand.items():
                asked[name] = asked.get(name, 0) + amount
        return self._sizes.share(asked)

    def _room(self, host: int) -> float:
        fleet = self._fleet
        return self._sizes.share(dict(zip(fleet.resources, fleet.capacity[:, host].tolist())))

    def longest_prefix(self, order: Sequence[int], sequence: str, good: int = 0) -> list[int]:
        """The longest prefix of an order that doubling and halving find to be emptied at once; `good` can be."""
        bad = len(order) + 1
        step = 1
        while bad - good > 1:
            middle = min(good + step, len(order)) if bad > len(order) else (good + bad) // 2
            if self._what_if(order[:middle], sequence):
                good, step = middle, step * 2
            else:
                bad = middle
        return list(order[:good])

    def grown(self, order: Iterable[int], begun: Sequence[int], sequence: str, enough: int | None = None) -> list[int]:
        """`begun`, which can be emptied, and every further host of `order` that still can, until they are worth more
        than `enough`.
        """
        fleet = self._fleet
        taken = list(begun)
        base = fleet.checkpoint()
        self._empty(taken, sequence)
        known = set(taken)
        for host in order:
            if host in known:
                continue
            if enough is not None and self.worth(taken) > enough:
                break
            token = fleet.checkpoint()
            if self._empty([host], sequence):
                fleet.keep(token)
                taken.append(host)
            else:
                fleet.rollback(token)
        fleet.rollback(base)
        return taken

    def exchanged(self, order: Sequence[int], hosts: Sequence[int], sequence: str) -> list[int]:
        """`hosts`, with one kept where others of more worth can go instead, again and again while the what-ifs last."""
        best = list(hosts)
        self.placed = 0
        improved = True
        while improved:
            improved = False
            for host in sorted(best, key=lambda one: (-self._room(one), -self._load(one), one)):
                if self.placed > MOST_PLACED:
                    return best
                rest = [one for one in best if one != host]
                if not self._what_if(rest, sequence):
                    continue
                others = [one for one in order if one != host]
                found = self.grown(others, rest, sequence, enough=self.worth(best))
                if self.worth(found) > self.worth(best) and self._what_if(found, sequence):
                    best, improved = found, True
                    break
        return best

    def _what_if(self, hosts: Sequence[int], sequence: str) -> bool:
        token = self._fleet.checkpoint()
        try:
            return self._empty(hosts, sequence)
        finally:
            self._fleet.rollback(token)

    def _empty(self, hosts: Sequence[int], sequence: str) -> bool:
        """Cordon hosts and place what has to leave them; whether all of it found a host. The fleet is changed."""
        fleet = self._fleet
        if not hosts:
            return True
        fleet.cordon(np.array(hosts, np.int64))
        leaving = in_sequence(map(self._leaving, hosts), sequence, self._sizes, self._budgets)
        if not leaving:
            return True
        fleet.release([item for item, _ in leaving])
        requests = [request for _, request in leaving]
        self.placed += len(requests)
        result = fleet.place_many(requests)
        return bool((result.hosts >= 0).all())

    def _leaving(self, host: int) -> Leaving:
        """The items that have to leave a host: its movable ones, and those that came from hosts emptied before."""
        own = self._movable[host]
        found = [(item, own[item]) for item in own]
        found += [
            (item, self._fleet.item(item)[0]) for item in self._fleet.items_on(host).tolist() if item > self._newest
        ]
        return found
