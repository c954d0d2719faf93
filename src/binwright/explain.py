"""Why a request went where it went, or nowhere: reasons, score parts, ties and the smallest change that helps.

Reads one state of a fleet and its profile; changes nothing. Works on whole arrays: no loop over hosts.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from binwright import arrays
from binwright.arrays import Int64Array
from binwright.profile import Rule
from binwright.smallest_change import smallest_change
from binwright.verdict import Change, Reason, Verdict

if TYPE_CHECKING:
    from binwright._core.scan import Scan
    from binwright.fleet import Fleet

FEASIBLE = 255
GONE = 254
LIMIT_REACHED = 2  # of a rows rule: the search gave up, which is not "none"


@dataclass(frozen=True)
class Refusals:
    """What rejects each host slot, all arrays (hosts,): `first` rule position (255 feasible, 254 no host, 253 beyond
    the window), `mask` of
    rule positions, `short` of resource numbers, `resolvable` of the first rule, its `argument` where a domain term
    speaks for it (else -1).
    """

    first: npt.NDArray[np.uint8]
    mask: npt.NDArray[np.uint32]
    short: npt.NDArray[np.uint64]
    resolvable: npt.NDArray[np.bool_]
    argument: npt.NDArray[np.int32]


@dataclass(frozen=True)
class ScoreTable:
    """Every score of every host: `raw` and `normalised` int64 (terms, hosts), `totals` int64 (hosts,) with -1 where a
    host is not feasible (its scores then mean nothing); float64 with NaN in a float64 profile, whose `weights` hold
    for hosts without a multiplier of their own. `ran`: False for a term that this request skips or that
    has nothing to count for it.
    """

    names: tuple[str, ...]
    weights: tuple[int | float, ...]
    ran: tuple[bool, ...]
    raw: npt.NDArray[Any]
    normalised: npt.NDArray[Any]
    totals: npt.NDArray[Any]


class Explanation:
    """One decision, seen again. Everything is computed when it is asked for.

    Not thread-safe; holds the state that it explains, which nobody else changes.
    """

    def __init__(self, fleet: "Fleet", number: int, error: bool = False) -> None:
        self._fleet = fleet  # a fork of its own, as the decision found it
        self._state = fleet._state
        self._number = number
        self._profile = fleet.profile
        self._resources = fleet.resources
        self._error = error

    @cached_property
    def refusals(self) -> Refusals:
        """What rejects each host slot."""
        hosts = self._state.fleet.hosts
        first, resolvable = np.empty(hosts, np.uint8), np.empty(hosts, np.uint8)
        mask, short = np.empty(hosts, np.uint32), np.empty(hosts, np.uint64)
        argument = np.empty(hosts, np.int32)
        self._scan.refusals(self._state.classes, self._number, first, mask, short, resolvable, argument)
        return Refusals(first, mask, short, resolvable.astype(bool), argument)

    @cached_property
    def scores(self) -> ScoreTable:
        """Every score of every host."""
        fleet, terms = self._state.fleet, self._profile.scores
        floating = bool(self._profile.float_scores)
        raw = np.zeros((len(terms), fleet.stride), np.float64 if floating else np.int64)
        normalised = np.zeros_like(raw)
        totals = np.full(fleet.stride, np.nan if floating else -1, raw.dtype)
        evaluate = self._scan.evaluate_floats if floating else self._scan.evaluate
        evaluate(self._state.classes, self._number, raw, normalised, totals)
        ran = self._awake[1]
        return ScoreTable(
            tuple(term.name for term in terms),
            tuple(term.weight for term in terms),
            tuple(bool(ran >> position & 1) for position in range(len(terms))),
            raw[:, : fleet.hosts],
            normalised[:, : fleet.hosts],
            totals[: fleet.hosts],
        )

    @property
    def verdict(self) -> Verdict:
        """Placed, or why not."""
        if self._error:
            return Verdict.ERROR
        if self.feasible:
            return Verdict.PLACED
        return Verdict.UNSCHEDULABLE if self.refusals.resolvable.any() else Verdict.UNRESOLVABLE

    @property
    def feasible(self) -> int:
        """How many hosts nothing rejects."""
        return int((self.refusals.first == FEASIBLE).sum())

    @property
    def ties(self) -> Int64Array:
        """Feasible hosts of highest total, ascending; the first is taken. int64."""
        totals, feasible = self.scores.totals, self.refusals.first == FEASIBLE
        if not feasible.any():
            return np.empty(0, np.int64)
        return np.flatnonzero(feasible & (totals == totals[feasible].max())).astype(np.int64)

    @property
    def host(self) -> int | None:
        """The chosen host, None without one."""
        ties = self.ties
        return int(ties[0]) if len(ties) and not self._error else None

    @property
    def score(self) -> int | float | None:
        """Total of the chosen host."""
        host = self.host
        return None if host is None else self.scores.totals[host].item()

    @property
    def parts(self) -> dict[str, tuple[int | float, int | float]]:
        """Normalised score and weight of each term on the chosen host; their products sum to `score`."""
        host, table = self.host, self.scores
        if host is None:
            return {}
        return {
            name: (table.normalised[t, host].item(), weight)
            for t, (name, weight, ran) in enumerate(zip(table.names, table.weights, table.ran, strict=True))
            if ran
        }

    @property
    def demand(self) -> dict[str, int]:
        """What a host must have free, by resource name, zeros left out."""
        amounts = self._state.classes[self._number].amounts()[0]
        return {name: amount for name, amount in zip(self._resources, amounts, strict=True) if amount}

    @property
    def _scan(self) -> "Scan":
        """What evaluates. Raises StateError while somebody is inside: a live fleet's batch has its scratch memory."""
        self._fleet._call(self._state.check_idle)
        return self._state.scan

    @cached_property
    def _awake(self) -> tuple[int, int]:
        return self._scan.awake(self._state.classes, self._number)

    @property
    def active(self) -> frozenset[str]:
        """Names of the rules with domain terms that this decision asks: all but those that may be skipped while their
        sums are 0, and are.
        """
        rules, asked = self._profile.rules, self._awake[0]
        return frozenset(rule.name for position, rule in enumerate(rules) if asked >> position & 1)

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Rejected hosts, counted by their first rejecting rule and its argument; a host that is short of two
        resources counts in both. In rule order, then by argument, resources in fleet order.
        """
        found: list[Reason] = []
        refusals = self.refusals
        for position, rule in enumerate(self._profile.rules):
            here = refusals.first == position
            if not here.any():
                continue
            if rule.kind == "fit":
                for number, resource in enumerate(self._resources):
                    short = here & (refusals.short >> np.uint64(number) & np.uint64(1)).astype(bool)
                    if short.any():
                        helped = bool((short & refusals.resolvable).any())
                        found.append(Reason(rule.name, resource, int(short.sum()), helped))
                continue
            spoken = np.where(refusals.argument >= 0, refusals.argument, self.arguments(position))
            for argument in np.unique(spoken[here]).tolist():
                chosen = here & (spoken == argument)
                helped = bool(refusals.resolvable[chosen].any())
                found.append(Reason(rule.name, _shown(rule, argument), int(chosen.sum()), helped))
        return tuple(found)

    @property
    def smallest_change(self) -> Change | None:
        """One change of one object that would be enough, or None (also when the request was placed)."""
        if self.feasible:
            return None
        return smallest_change(self._state, self._number, self._profile, self._resources, self.refusals, self.arguments)

    def smallest_change_at(self, host: int) -> Change | None:
        """One change of one object that would be enough for this host, or None (also when it is feasible)."""
        mask = int(self.refusals.mask[host])
        if mask & (mask - 1):
            return None
        return smallest_change(
            self._state, self._number, self._profile, self._resources, self.refusals, self.arguments, only=host
        )

    def verdicts_by_host(self) -> npt.NDArray[np.uint8]:
        """Position in the profile of each host's first rejecting rule; 255 feasible, 254 no host, 253 not asked because
        the window ended before. uint8 (hosts,).
        """
        return self.refusals.first

    def reasons_at(self, host: int) -> tuple[tuple[str, int | str | None], ...]:
        """Every (rule, argument) that rejects one host, in rule order. Raises InputError for no host of the fleet."""
        host = int(arrays.bounded("reasons_at", [arrays.index("reasons_at", host)], 0, len(self.refusals.mask) - 1)[0])
        found: list[tuple[str, int | str | None]] = []
        mask, short = int(self.refusals.mask[host]), int(self.refusals.short[host])
        spoken = {rule: argument for rule, argument, _ in self.term_reasons(host)}
        for position, rule in enumerate(self._profile.rules):
            if not mask >> position & 1:
                continue
            if rule.kind == "fit":
                found += [(rule.name, name) for r, name in enumerate(self._resources) if short >> r & 1]
            elif rule.kind == "rows":
                found.append((rule.name, _shown(rule, int(self._row_answers[host]))))
            else:
                argument = spoken.get(position, int(self.arguments(position)[host]))
                found.append((rule.name, _shown(rule, argument)))
        return tuple(found)

    def term_reasons(self, host: int) -> list[tuple[int, int, bool]]:
        """(rule position, argument, resolvable) of the first failing domain term of each rule that rejects a host."""
        return self._scan.term_reasons(self._state.classes, self._number, host)

    def term_arguments(self, position: int) -> npt.NDArray[np.int32]:
        """For every host what the first failing domain term of one rule says, int32 (hosts,), -1 where none fails."""
        found = np.empty(self._state.fleet.hosts, np.int32)
        self._scan.term_arguments(self._state.classes, self._number, position, found)
        return found

    @cached_property
    def _row_answers(self) -> npt.NDArray[np.uint8]:
        """Whether each host's rows serve the groups: 0 no, 1 yes, 2 limit reached; uint8 (hosts,)."""
        answers = np.empty(self._state.fleet.hosts, np.uint8)
        self._scan.row_answers(self._state.classes, self._number, answers)
        return answers

    def arguments(self, position: int) -> npt.NDArray[np.int32]:
        """Interned arguments of one rule, int32 (hosts,), -1 = none."""
        hosts = self._state.fleet.hosts
        _, arguments, _ = self._state.classes.static_columns(self._number)
        if position not in arguments:
            return np.full(hosts, -1, np.int32)
        return np.frombuffer(arguments[position], np.int32)[:hosts]

    def __repr__(self) -> str:
        if self.verdict is Verdict.PLACED:
            return f"Explanation(placed on host {self.host}, score {self.score}, {self.feasible} feasible)"
        reasons = ", ".join(
            f"{found.hosts} x {found.rule}" + ("" if found.argument is None else f" {found.argument}")
            for found in self.reasons
        )
        return f"Explanation({self.verdict.name.lower()}: {reasons or 'no hosts'})"


def _shown(rule: Rule, argument: int) -> int | str | None:
    """A reason's argument as callers see it."""
    if rule.kind == "rows":
        return "limit reached" if argument == LIMIT_REACHED else None
    return None if argument < 0 else argument
