"""The part of a fleet that makes room: promises to waiting requests, how important items are, budgets, victims."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from binwright import arrays
from binwright._core import evict as core_evict
from binwright.arrays import Int64Array
from binwright.errors import InputError
from binwright.turns import one_writer

if TYPE_CHECKING:
    from binwright._core.state import State
    from binwright.request import Request

INT32_MAX = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Candidate:
    """A host where evicting `victims` (item ids, most important first) lets the request in; `violations` of them
    overdraw a budget. `rank` orders candidates, smaller is better.
    """

    host: int
    victims: tuple[int, ...]
    violations: int
    rank: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NoCandidate:
    """A host where evicting does not help. why: "nothing to evict", "still refused" (then `first` is the position of
    the rule that rejects, `mask` all that do, `short` the resources that are short as bits, `argument` what a domain
    term says, -1 = none)
    or "nothing left to evict" (the request fits as it is).
    """

    host: int
    why: str
    first: int = 255
    short: int = 0
    argument: int = -1
    mask: int = 0


@dataclass(frozen=True)
class Evictions:
    """What `Fleet.evict` found, in the order of the hosts asked."""

    candidates: tuple[Candidate, ...]
    others: tuple[NoCandidate, ...]

    @property
    def ties(self) -> tuple[Candidate, ...]:
        """The best candidates: fewest violations; then lowest priority of the most important victim; then smallest
        sum of (priority + 2**31); then fewest victims; then the latest start among the most important ones.
        """
        best = min((candidate.rank for candidate in self.candidates), default=None)
        return tuple(candidate for candidate in self.candidates if candidate.rank == best)

    @property
    def best(self) -> Candidate | None:
        """The first of the ties by host index."""
        return min(self.ties, key=lambda candidate: candidate.host, default=None)


class EvictionMethods:
    """Methods of `Fleet`; uses its state and checks, never stands alone."""

    _state: "State"
    _hosts: Callable[[str, Any], Int64Array]
    _one_host: Callable[[str, Any], int]
    _class_of: Callable[[str, "Request"], int]
    _call: Callable[..., Any]
    __len__: Callable[[], int]

    @one_writer
    def promise(self, request: "Request", host: int, priority: int | None = None) -> int:
        """Promise a host to a request that still waits; requests of at most this priority (default: the request's)
        must fit there with it added as well as without. Returns the promise's number for `withdraw`. A request with
        groups cannot be promised: which rows it would get is not known.
        """
        number = self._class_of("promise", request)
        index = self._one_host("promise", host)
        if request.compiled.groups is not None:
            raise InputError(f"promise: {request!r} has groups; rows cannot be promised")
        level = request.compiled.priority if priority is None else _priority("promise", priority)
        if self._state.overlays.would_overflow(number, index):
            raise InputError(f"promise: what is promised on host {index} would pass 2**61")
        return self._state.overlays.promise(number, index, level)

    @one_writer
    def withdraw(self, promise: int) -> None:
        """Forget a promise. Raises InputError for a number that is none."""
        number = arrays.index("withdraw", promise)
        if not 0 <= number < self._state.overlays.count or not self._state.overlays.withdraw(number):
            raise InputError(f"withdraw: no promise {promise}")

    @one_writer
    def budget(self, allowance: int) -> int:
        """A new budget: how many of the items that name it may be taken away; may be negative. Returns its number."""
        return self._state.budgets.new_budget(_allowance("budget", allowance))

    def allowance(self, budget: int) -> int:
        """What is left of a budget."""
        return self._state.budgets.allowed(self._budget("allowance", budget))

    @one_writer
    def set_allowance(self, budget: int, allowance: int) -> None:
        """Change what is left of a budget."""
        self._state.budgets.set_allowance(
            self._budget("set_allowance", budget), _allowance(f"set_allowance: budget {budget}", allowance)
        )

    def _budget(self, where: str, budget: int) -> int:
        number = arrays.index(f"{where}: budget", budget)
        if not 0 <= number < self._state.budgets.count:
            raise InputError(f"{where}: no budget {number}")
        return number

    @one_writer
    def mark(self, items: Any, *, priority: Any = 0, order: Any = 0, budgets: Sequence[Sequence[int]] = ()) -> None:
        """Say how important items are, in place of what was said before: `priority` (int32), `order` (int64; among
        equals the lowest is the most important, a start time) and `budgets` (a list of budget numbers an item, or
        none at all). Scalars stand for all items. Raises InputError, with nothing changed, for an id that is not a
        live item.
        """
        ids = arrays.one_or_more("mark", items)
        levels = arrays.bounded("mark: priority", _spread(priority, len(ids)), -INT32_MAX - 1, INT32_MAX, of="item")
        orders = arrays.integers("mark: order", _spread(order, len(ids)))
        if not isinstance(budgets, Sequence) or not all(isinstance(each, Sequence) for each in budgets):
            raise InputError(f"mark: budgets {budgets!r} is not one list of budget numbers an item")
        lists = [[self._budget("mark", budget) for budget in each] for each in budgets] or [[] for _ in ids]
        if not len(ids) == len(levels) == len(orders) == len(lists):
            raise InputError(f"mark: {len(ids)} items, but {len(levels)}, {len(orders)} and {len(lists)} values")
        failed = self._call(core_evict.mark, self._state, ids, levels, orders, lists)
        if failed >= 0:
            raise InputError(f"mark: {int(ids[failed])} is not an item of this fleet (released before?)")

    def evict(self, request: "Request", hosts: Any = None) -> Evictions:
        """For each host asked (default: all), the least that must leave so that the request fits; nothing changes.

        Victims are items of lower priority (`mark`). All are taken out; if the request then fits they are put back
        by importance, those that would overdraw a budget first, while it still fits; the rest are the victims.
        Rule: kube-scheduler DefaultPreemption.
        """
        number = self._class_of("evict", request)
        asked = self._hosts("evict", self._present() if hosts is None else hosts)
        candidates, others = [], []
        for host, status, victims, violations, refusal in self._call(core_evict.evict, self._state, number, asked):
            if status == core_evict.CANDIDATE:
                ids = tuple(item for item, _, _ in victims)
                candidates.append(Candidate(host, ids, violations, _rank(victims, violations)))
            elif status == core_evict.STILL_REFUSED:
                first, mask, short, argument, _ = refusal
                others.append(NoCandidate(host, "still refused", first, short, argument, mask))
            else:
                why = "nothing to evict" if status == core_evict.NOTHING_TO_EVICT else "nothing left to evict"
                others.append(NoCandidate(host, why))
        return Evictions(tuple(candidates), tuple(others))

    def _present(self) -> Int64Array:
        flags = np.frombuffer(self._state.fleet.flags, np.uint8)[: len(self)]
        return np.flatnonzero((flags & 2) == 0).astype(np.int64)


def _rank(victims: Sequence[tuple[int, int, int]], violations: int) -> tuple[int, ...]:
    top = victims[0][1]
    earliest = min(order for _, priority, order in victims if priority == top)
    return violations, top, sum(priority + 2**31 for _, priority, _ in victims), len(victims), -earliest


def _spread(value: Any, count: int) -> Any:
    return [value] * count if arrays.is_one(value) else value


def _allowance(where: str, value: Any) -> int:
    number = arrays.index(where, value)
    if abs(number) > INT32_MAX:
        raise InputError(f"{where}: allowance {number} is outside -{INT32_MAX}..{INT32_MAX}")
    return number


def _priority(where: str, value: Any) -> int:
    number = arrays.index(f"{where}: priority", value)
    if not -INT32_MAX - 1 <= number <= INT32_MAX:
        raise InputError(f"{where}: priority {number} is past int32")
    return number
