"""What one decision of the engine says of every node, in kube-scheduler's words: plugin, code, reasons.

Reads an explanation; changes nothing. Nodes that are refused alike are worded once.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from binwright.explain import FEASIBLE, Explanation
from binwright.kubernetes.compile import FIT, Cluster
from binwright.kubernetes.plugins.pre_filter import ABSENT, PreFilter

__all__ = ["RESOLVABLE", "UNRESOLVABLE", "Refused", "Statuses"]

RESOLVABLE, UNRESOLVABLE = "Unschedulable", "UnschedulableAndUnresolvable"
UNASKED = 253


@dataclass(frozen=True)
class Refused:
    """How a node refuses a pod: by its first plugin that rejects. `absent`: it was never asked."""

    plugin: str
    code: str
    reasons: tuple[str, ...]
    absent: bool = False


class Statuses:
    """The nodes of one decision."""

    def __init__(
        self,
        cluster: Cluster,
        look: Explanation,
        absent: str | None = None,
        outside: np.ndarray | None = None,
        asked: tuple[int, Statuses] | None = None,
    ) -> None:
        """absent: the words for nodes outside the pod's names, if they are not the usual ones. outside: those nodes,
        bool (nodes,), where the engine's window left them out. asked: a node that was judged apart before, and how: it
        keeps that status where this decision does not ask it.
        """
        self._cluster = cluster
        self._profile = cluster.fleet.profile
        self._resources = cluster.fleet.resources
        self._absent = absent
        self._outside = outside
        self._asked = asked
        self.look = look
        self._spoken: dict[int, np.ndarray] = {}

    @cached_property
    def kinds(self) -> tuple[list[Refused | None], np.ndarray]:
        """(each distinct status, its number for every node); None: the node passed or was not asked."""
        refusals = self.look.refusals
        spoken = np.where(refusals.argument >= 0, refusals.argument, self._static_arguments())
        short = np.where(refusals.first == self._profile.kind_position("fit"), refusals.short, 0)
        # The other bits of the mask only tell more where one plugin has several rules.
        mask = np.where(np.isin(refusals.first, self._shared), refusals.mask & self._shared_bits, 0)
        columns = [refusals.first, spoken, short, refusals.resolvable, mask]
        if mask.any():  # their reasons, too
            columns += [np.where(mask >> position & 1, self._arguments(position), -1) for position in self._shared]
        rows = np.stack([column.astype(np.int64) for column in columns], axis=1)
        if self._outside is not None:
            rows[self._outside] = 0
            rows[self._outside, :2] = self._profile.positions[PreFilter.rule], ABSENT
        distinct, examples, numbers = np.unique(rows, axis=0, return_index=True, return_inverse=True)
        return [self._word(row, int(host)) for row, host in zip(distinct, examples)], numbers.reshape(-1)

    @cached_property
    def _shared(self) -> list[int]:
        """Positions of the rules of plugins that have several."""
        plugins = Counter(self._plugin(rule.name) for rule in self._profile.rules)
        return [n for n, rule in enumerate(self._profile.rules) if plugins[self._plugin(rule.name)] > 1]

    @cached_property
    def _shared_bits(self) -> np.uint32:
        return np.uint32(sum(1 << position for position in self._shared))

    def _arguments(self, position: int) -> np.ndarray:
        """For every node the argument with which a rule rejects it, by its term or statically."""
        if position not in self._spoken:
            spoken = self.look.term_arguments(position)
            self._spoken[position] = np.where(spoken >= 0, spoken, self.look.arguments(position))
        return self._spoken[position]

    def _plugin(self, rule: str) -> str:
        return rule.partition(":")[0]

    def _static_arguments(self) -> np.ndarray:
        """For every node the static argument of its first rejecting rule, -1 = none."""
        first = self.look.refusals.first
        found = np.full(len(first), -1, np.int64)
        for position in np.unique(first).tolist():
            if position < len(self._profile.rules):
                here = first == position
                found[here] = self.look.arguments(position)[here]
        return found

    def _word(self, row: np.ndarray, host: int) -> Refused | None:
        first, spoken, short, resolvable, mask = map(int, row[:5])
        return None if first in (FEASIBLE, UNASKED) else self.word(first, mask, short, spoken, bool(resolvable), host)

    def word(self, first: int, mask: int, short: int, spoken: int, resolvable: bool, host: int) -> Refused:
        """The status that these parts of a refusal are. spoken: argument of a domain term, -1 = the static one's."""
        rule = self._profile.rules[first].name
        code = RESOLVABLE if resolvable else UNRESOLVABLE
        if rule == FIT:
            names = [name for number, name in enumerate(self._resources) if short >> number & 1]
            return Refused(FIT, code, tuple(self._cluster.rules.reason(FIT, name)[1] for name in names))
        argument = spoken if spoken >= 0 else int(self.look.arguments(first)[host])
        plugin, text = self._cluster.rules.reason(rule, argument)
        if rule == PreFilter.rule:
            absent = argument == ABSENT
            return Refused(plugin, code, (self._absent or text if absent else text,), absent)
        reasons = [text]
        for position in self._shared:
            if position > first and mask >> position & 1 and self._plugin(self._profile.rules[position].name) == plugin:
                argument = int(self._arguments(position)[host])
                reasons.append(self._cluster.rules.reason(self._profile.rules[position].name, argument)[1])
        return Refused(plugin, code, tuple(reasons))

    def __getitem__(self, host: int) -> Refused | None:
        """The status of one node, None where it passed or was not asked."""
        kinds, numbers = self.kinds
        told = kinds[int(numbers[host])]
        apart = self._apart(host)
        return told if apart is None else apart[host]

    def _apart(self, host: int) -> Statuses | None:
        """Where the status of this node comes from, if it was judged before and is not asked here."""
        if self._asked is None or self._asked[0] != host:
            return None
        kinds, numbers = self.kinds
        told = kinds[int(numbers[host])]
        return self._asked[1] if told is None or told.absent else None

    def histogram(self) -> Counter[tuple[str, str]]:
        """(plugin, reason) -> nodes that give it."""
        kinds, numbers = self.kinds
        told = [(kind, times) for kind, times in zip(kinds, np.bincount(numbers, minlength=len(kinds)).tolist())]
        if self._asked is not None and self._apart(self._asked[0]) is not None:
            host = self._asked[0]
            told += [(kinds[int(numbers[host])], -1), (self[host], 1)]
        counts: Counter[tuple[str, str]] = Counter()
        for kind, times in told:
            if kind is not None:
                counts.update({(kind.plugin, reason): times for reason in kind.reasons})
        return +counts

    def resolvable(self) -> np.ndarray:
        """Positions of the nodes where preemption may help, ascending."""
        refusals = self.look.refusals
        return np.flatnonzero((refusals.first < len(self._profile.rules)) & refusals.resolvable)

    def every(self, host: int) -> dict[str, Refused]:
        """Every plugin that rejects a node, in order; without promises."""
        apart = self._apart(host)
        if apart is not None:
            return apart.every(host)
        found: dict[str, Refused] = {}
        refusals = self.look.refusals
        mask, short = int(refusals.mask[host]), int(refusals.short[host])
        spoken = {rule: (argument, resolvable) for rule, argument, resolvable in self.look.term_reasons(host)}
        for position, rule in enumerate(self._profile.rules):
            plugin = self._plugin(rule.name)
            if mask >> position & 1 and plugin not in found:
                argument, resolvable = spoken.get(position, (-1, False))
                if rule.name == FIT:
                    resolvable = self._could_fit(short, host)
                found[plugin] = self.word(position, mask, short, argument, resolvable, host)
        return found

    def _could_fit(self, short: int, host: int) -> bool:
        """Whether the resources that are short on a node would be there if it were empty."""
        always = self._profile.rules[int(self._profile.kind_position("fit"))].resolvable
        demand, capacity = self.look.demand, self._cluster.fleet.capacity
        return all(
            name in always or demand.get(name, 0) <= capacity[number, host]  # type: ignore[operator]
            for number, name in enumerate(self._resources)
            if short >> number & 1
        )
