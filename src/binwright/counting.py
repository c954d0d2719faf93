"""The part of a fleet that counts: counters, member sets, and what requests add to and read from them."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from binwright import arrays
from binwright.arrays import Int64Array
from binwright.errors import InputError
from binwright.request import Request
from binwright.terms import HardTerm, SoftTerm, TermCompiler

if TYPE_CHECKING:
    from binwright._core.state import State
    from binwright.profile import Profile

Contributions = Mapping[int, int | tuple[int, int]]


class CounterMethods:
    """Methods of `Fleet`; uses its state and checks, never stands alone."""

    _state: "State"
    _number: dict[str, int]
    profile: "Profile"
    _hosts: Callable[[str, Any], Int64Array]
    _class_of: Callable[[str, Request], int]
    __len__: Callable[[], int]

    def counter(self, kind: str = "additive", *, feeds: int | None = None) -> int:
        """A new counter: how much of something lies on each host. Returns its number.

        kind: "additive" (the sum of what its items add) or "flag" (a set: placing sets it, releasing any holder
        clears it, as the peer's store of used ports does). feeds: a counter that gets 1 for every host on which this
        one is not 0.
        """
        if kind not in ("additive", "flag"):
            raise InputError(f"counter: kind {kind!r} is not 'additive' or 'flag'")
        if feeds is not None:
            self._checked_contributions("counter: feeds", {feeds: 1})
        return self._state.counters.new_counter(int(kind == "flag"), -1 if feeds is None else feeds)

    def count(self, counter: int, host: int) -> int:
        """Value of a counter on one host."""
        ((number, *_),) = self._checked_contributions("count", {counter: 1})
        (host,) = self._hosts("count", host).tolist()
        return self._state.counters.value(number, host)

    def members(self, hosts: Any) -> int:
        """A set of hosts that sums may be restricted to (`Ref.members`); bool array, HostSet or indexes. Its number."""
        mask = arrays.host_mask("members", hosts, len(self))
        return self._state.domain_terms.new_members(np.ascontiguousarray(mask, np.uint8))

    def extend(
        self,
        request: Request,
        terms: Iterable[HardTerm | SoftTerm] = (),
        contributes: Contributions | None = None,
    ) -> None:
        """Add terms and contributions to a request that exists, because of others that came later (anti-affinity is
        symmetric). Its items that lie in the fleet are counted at once. A definition: never taken back by rollback.
        """
        number = self._class_of("extend", request)
        hard, soft = self._compiled_terms("extend", tuple(terms))
        adds = self._checked_contributions("extend", contributes or {})
        self._state.domain_terms.extend(number, hard, soft)
        hosts = self._state.items.hosts_of(number) if adds else []
        for counter, amount, trial in adds:
            self._state.counters.contribute(number, counter, amount, trial, hosts)

    def _compiled_terms(
        self, where: str, terms: tuple[HardTerm | SoftTerm, ...]
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        state = self._state
        compiler = TermCompiler(where, self.profile, self._number, state.domains, state.counters.count)
        hard = [compiler.hard(term) for term in terms if isinstance(term, HardTerm)]
        return hard, [compiler.soft(term) for term in terms if isinstance(term, SoftTerm)]

    def _checked_contributions(self, where: str, given: Contributions) -> list[tuple[int, int, int]]:
        found = []
        for counter, amount in given.items():
            number = arrays.index(f"{where}: counter", counter)
            if not 0 <= number < self._state.counters.count:
                raise InputError(f"{where}: no counter {number}")
            both = amount if isinstance(amount, tuple) else (amount, amount)
            for value in both:
                if not 0 <= arrays.index(f"{where}: counter {number}", value) <= 2**16:
                    raise InputError(f"{where}: counter {number}: {value} is outside 0..65536")
            found.append((number, int(both[0]), int(both[1])))
        return found

