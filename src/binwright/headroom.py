"""How many more of a shape, or of a mix of shapes, a source takes: the shape that a layer returns for `capacity`.

Knows names, texts and exact amounts in base units, never arrays.
"""

from dataclasses import dataclass, field
from typing import Any

from binwright.outcome import NotEvaluated, ReasonText

MOST = 1_000_000
"""Where counting stops: so many fit that the number says nothing."""


@dataclass(frozen=True)
class Question:
    """What is asked. shapes: as the user writes them, in the layer's own words; none: every shape that the source has a
    name for, if its layer has such. after_pending: what is pending is placed first. namespace: of shapes that name
    none.
    """

    shapes: tuple[str, ...] = ()
    after_pending: bool = False
    namespace: str | None = None


@dataclass(slots=True)
class ShapeCount:
    """One shape of a question: its name, how many of it one round of the mix has, what one asks for by resource, and
    how many were placed.
    """

    name: str
    each: int
    asked: dict[str, int]
    count: int = 0


@dataclass(slots=True)
class HostRoom:
    """What one host took, and what keeps the next one off: the first rule, its words, and the resources it lacks."""

    host: str
    counts: list[int]  # by shape, in the order of `Headroom.shapes`
    rule: str | None = None
    text: str | None = None
    short: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Headroom:
    """The answer for one shape, or for one mix (several shapes, placed in turn): placed until the first refusal.

    rounds: how many whole rounds of the mix were placed. refused: the name of the shape that found no host; None: so
    many fit that counting stopped (MOST). message, reasons, smallest_change: about that refusal, as in `Outcome`.
    runs_out: the resource that most hosts lack then, of those that no other rule stops before; None when there is no
    such host. hosts: in host order.
    """

    source: str
    shapes: list[ShapeCount]
    rounds: int = 0
    refused: str | None = None
    message: str | None = None
    reasons: list[ReasonText] = field(default_factory=list)
    smallest_change: dict[str, Any] | None = None
    runs_out: str | None = None
    hosts: list[HostRoom] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Objects placed, over all shapes."""
        return sum(shape.count for shape in self.shapes)


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """How many of one shape, alone, are in one zone on hosts that have one trait ("": any), and on how many hosts."""

    shape: str
    zone: str
    trait: str
    hosts: int
    count: int


@dataclass(slots=True)
class SourceHeadroom:
    """Everything that one source has to say: an answer a shape, and one for all shapes together if there are several.

    supposes: in what state of the source, a part of a sentence. unknown: shapes that name an object which the source
    does not have. matrix: shape by zone by trait, of layers that have them.
    """

    source: str
    layer: str
    hosts: int
    supposes: str
    answers: list[Headroom] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    matrix: list[MatrixRow] = field(default_factory=list)
    not_evaluated: list[NotEvaluated] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
