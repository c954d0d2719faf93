"""Why one named object goes where it goes, host by host: the shape that a layer returns for `explain`.

Knows names, texts and exact amounts in base units, never arrays; `explain` is the counterpart on the engine's side.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from binwright.outcome import NotEvaluated, Outcome


@dataclass(frozen=True, slots=True)
class Named:
    """An object that can be asked about; names are SOURCE/NAMESPACE/NAME. `labels` are for choosing among them.

    of_kind: not an object but a kind of them (a flavor), of which one more is asked about; it is meant where no object
    has its name.
    """

    source: str
    kind: str
    namespace: str | None
    name: str
    uid: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    of_kind: bool = False


@dataclass(frozen=True, slots=True)
class RuleText:
    """A rule that rejects, and the peer's words for it."""

    rule: str
    text: str


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A resource of which a host has less free than is asked; `free` is negative where it is overcommitted."""

    resource: str
    asked: int
    free: int

    @property
    def missing(self) -> int:
        """How much more would have to be free."""
        return self.asked - self.free


@dataclass(slots=True)
class HostAnswer:
    """What one host says. `rejected_by`: the rule whose word counts first, then all others; empty: it takes the object.

    resolvable: whether releasing what the host holds could help. smallest_change: one change of one object that would
    be enough for this very host (shape of `Outcome.smallest_change`), None where several are needed.
    """

    host: str
    rejected_by: list[RuleText] = field(default_factory=list)
    resolvable: bool = False
    shortfalls: list[Shortfall] = field(default_factory=list)
    smallest_change: dict[str, Any] | None = None
    score: int | float | None = None

    @property
    def feasible(self) -> bool:
        """Whether the host takes the object."""
        return not self.rejected_by


@dataclass(frozen=True, slots=True)
class ScorePart:
    """One term of a score: as computed, as normalised over the feasible hosts, and the weight of the latter."""

    name: str
    raw: int | float
    normalised: int | float
    weight: int | float


@dataclass(frozen=True, slots=True)
class HostScore:
    """The score of a feasible host; `rank` counts from 1, ties in host order."""

    host: str
    rank: int
    total: int | float
    parts: tuple[ScorePart, ...]


@dataclass(frozen=True, slots=True)
class TrailStep:
    """One step of the trail that a peer logs itself: a filter, and how many hosts came in and went out."""

    name: str
    start: int
    end: int


@dataclass(slots=True)
class Explained:
    """Everything about one object. `outcome` is what would be decided, in the situation that `supposes` describes.

    state: "pending", "bound", or what else keeps it from being decided about. on: the host that it has. asked: what a
    host must have free, by resource. hosts: one answer a host, in host order. best: the feasible hosts of highest
    total, and after them the host that it has, if that is feasible and not among them. trail, log: the filters' steps,
    and the lines that the peer writes into its own log about them; empty for peers that log none.
    """

    outcome: Outcome
    state: str
    on: str | None
    supposes: str
    asked: dict[str, int]
    hosts: list[HostAnswer]
    best: list[HostScore] = field(default_factory=list)
    trail: list[TrailStep] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    not_evaluated: list[NotEvaluated] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Explainable(Protocol):
    """One source that has been read. A layer's `explain.open_source` returns it."""

    def objects(self) -> Sequence[Named]:
        """Everything that `explain` can be asked about."""
        ...

    def explain(self, number: int, best: int) -> Explained:
        """Object `number` of `objects`, with the `best` best hosts' scores. Asked once."""
        ...
