"""The part of a fleet that counts: counters, member sets, and what requests add to and read from them."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from binwright import arguments, arrays
from binwright.arrays import Int64Array
from binwright.errors import InputError
from binwright.request import Request
from binwright.terms import HardTerm, SoftTerm, TermCompiler
from binwright.turns import one_writer

if TYPE_CHECKING:
    from binwright._core.state import State
    from binwright.profile import Profile

LARGEST_CONTRIBUTION = 2**16
Contributions = Mapping[int, int | tuple[int, int]]


class CounterMethods:
    """Methods of `Fleet`; uses its state and checks, never stands alone."""

    _state: "State"
    _number: dict[str, int]
    profile: "Profile"
    _hosts: Callable[[str, Any], Int64Array]
    _one_host: Callable[[str, Any], int]
    _class_of: Callable[[str, Request], int]
    _call: Callable[..., Any]
    __len__: Callable[[], int]

    @one_writer
    def counter(self, kind: str = "additive", *, feeds: int | None = None) -> int:
        """A new counter: how much of something lies on each host. Returns its number.

        kind: "additive" (the sum of what its items add) or "flag" (a set: placing sets it, releasing any holder
        clears it, as the peer's store of used ports does). feeds: a counter that gets 1 for every host on which this
        one is not 0; both additive.
        """
        if arguments.name("counter: kind", kind) not in ("additive", "flag"):
            raise InputError(f"counter: kind {kind!r} is not 'additive' or 'flag'")
        fed = -1 if feeds is None else self._counter("counter: feeds", feeds)
        if fed >= 0 and (kind == "flag" or self._state.counters.is_flag(fed)):
            raise InputError(f"counter: feeds {fed}: a flag neither feeds a counter nor is fed")
        return self._state.counters.new_counter(int(kind == "flag"), fed)

    def count(self, counter: int, host: int) -> int:
        """Value of a counter on one host."""
        return self._state.counters.value(self._counter("count", counter), self._one_host("count", host))

    @one_writer
    def members(self, hosts: Any) -> int:
        """A set of hosts that sums may be restricted to (`Ref.members`); bool array, HostSet or indexes. Its number.
        Hosts that are added later are not in it. A definition, like counters: rollback leaves it.
        """
        mask = arrays.host_mask("members", hosts, len(self))
        return self._state.domain_terms.new_members(np.ascontiguousarray(mask, np.uint8))

    @one_writer
    def extend(
        self,
        request: Request,
        terms: Iterable[HardTerm | SoftTerm] = (),
        contributes: Contributions | None = None,
    ) -> None:
        """Add terms and contributions to a request that exists, because of others that came later (anti-affinity is
        symmetric). Its items that lie in the fleet are counted at once; flags cannot be, and are refused. A definition:
        never taken back by rollback, and past decisions are explained with it.
        """
        number = self._class_of("extend", request)
        hard, soft = self._compiled_terms("extend", terms, number)
        adds = self._checked_contributions("extend", contributes)
        for counter, _, _ in adds:
            if self._state.counters.is_flag(counter):
                raise InputError(f"extend: counter {counter} is a flag, which a request contributes to from its making")
        self._state.domain_terms.extend(number, hard, soft)
        hosts = self._state.items.hosts_of(number) if adds else []
        for counter, amount, trial in adds:
            self._state.counters.contribute(number, counter, amount, trial, hosts)

    def _compiled_terms(
        self, where: str, terms: Iterable[HardTerm | SoftTerm], number: int | None = None
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Hard and soft terms as the core takes them. number: the class that they extend."""
        compiler = TermCompiler(where, self.profile, self._number, self._state)
        hard, soft = [], []
        for term in arguments.collection(f"{where}: terms", terms, "terms (binwright.terms)"):
            if isinstance(term, HardTerm):
                hard.append(compiler.hard(term))
            elif isinstance(term, SoftTerm):
                soft.append(compiler.soft(term, number))
            else:
                raise InputError(f"{where}: {term!r} is not a term (binwright.terms)")
        return hard, soft

    def _checked_contributions(self, where: str, given: Contributions | None) -> list[tuple[int, int, int]]:
        found = []
        if given is not None and not isinstance(given, Mapping):
            raise InputError(f"{where}: contributes {given!r} is not a mapping from counter to amount")
        for counter, amount in (given or {}).items():
            number = self._counter(where, counter)
            both = amount if isinstance(amount, tuple) else (amount, amount)
            if len(both) != 2:
                raise InputError(f"{where}: counter {number}: {amount!r} is neither an amount nor two")
            low, high = (1, 1) if self._state.counters.is_flag(number) else (0, LARGEST_CONTRIBUTION)
            for value in both:
                if not low <= arrays.index(f"{where}: counter {number}", value) <= high:
                    raise InputError(f"{where}: counter {number}: {value} is outside {low}..{high}")
            found.append((number, int(both[0]), int(both[1])))
        return found

    def _counter(self, where: str, counter: Any) -> int:
        number = arrays.index(f"{where}: counter", counter)
        if not 0 <= number < self._state.counters.count:
            raise InputError(f"{where}: no counter {number}")
        return number
