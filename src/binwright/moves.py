"""What leaves its host and where it goes: the shape that a layer returns for `drain` and `consolidate`.

Knows names and texts, never arrays; the stack merges sources and makes the JSON form of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from binwright.outcome import NotEvaluated, Outcome
from binwright.verdict import Verdict

__all__ = ["Asked", "Bin", "BudgetUse", "Consolidated", "Evacuated", "Held", "Move", "Needs"]


@dataclass(slots=True)
class Move:
    """One object that leaves `origin`, and where the one that replaces it goes: `outcome` is the replacement's verdict
    under the name of the one that leaves. `round`: those of one round leave before anything has to be waited for.
    `ties`: how many hosts were equally good (1: the only winner). `budget`: the one that counts it.
    `returns`: that host is one of those to be emptied.
    """

    outcome: Outcome
    origin: str
    round: int
    ties: int = 0
    owner: str | None = None
    budget: str | None = None
    returns: bool = False

    @property
    def placed(self) -> bool:
        """Whether the replacement has found a host that is not being emptied."""
        return self.outcome.verdict is Verdict.PLACED and not self.returns


@dataclass(slots=True)
class Held:
    """An object that is not moved. `action`: "stay" (it is meant to), "delete" (it goes and nothing replaces it) or
    "refuse" (it may not go, so its host is not emptied). `reason` is a word, `text` the peer's sentence; `budget` and
    how many disruptions it allows, where that is the reason.
    """

    source: str
    kind: str
    namespace: str | None
    name: str
    uid: str | None
    host: str
    action: str
    reason: str
    text: str
    budget: str | None = None
    allowed: int | None = None
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class BudgetUse:
    """A budget that counts some of the moves: `allowed` at once, `moves` in all, over `rounds` rounds."""

    name: str
    allowed: int
    moves: int
    rounds: int


@dataclass(slots=True)
class Evacuated:
    """Everything that one source has to say: `emptied` are the hosts asked for or chosen, in order; `moves` in the
    order in which they can be carried out, one after another; `rounds` of them.
    """

    source: str
    layer: str
    hosts: int
    emptied: list[str] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    budgets: list[BudgetUse] = field(default_factory=list)
    rounds: int = 0
    skipped_kinds: dict[str, int] = field(default_factory=dict)
    not_evaluated: list[NotEvaluated] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Bin:
    """`count` hosts alike: what of their amounts is not held in any case, whether they stay anyway, the price of one
    (1 where hosts are counted), the pool that they belong to.
    """

    amounts: tuple[int, ...]
    stays: bool = False
    price: Fraction = Fraction(1)
    pool: int = 0
    count: int = 1


@dataclass(frozen=True, slots=True)
class Asked:
    """`count` items alike: their amounts, and the pools whose hosts they may be on."""

    amounts: tuple[int, ...]
    pools: frozenset[int] = frozenset({0})
    count: int = 1


@dataclass(slots=True)
class Needs:
    """What has to stay somewhere, as a problem of packing: items and hosts, amounts in order of `resources`."""

    resources: tuple[str, ...]
    items: list[Asked]
    bins: list[Bin]


@dataclass(slots=True)
class Consolidated:
    """The evacuation of the best set of hosts found; `idle` are those of them where nothing has to move. `prices`: what
    all hosts cost, and those that remain, None where hosts were counted.
    """

    evacuated: Evacuated
    idle: list[str]
    needs: Needs
    prices: tuple[Fraction, Fraction] | None = None
