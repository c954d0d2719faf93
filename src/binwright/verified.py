"""Which of a source's own placements its rules would refuse: the shape that a layer returns for `verify`.

Knows names, texts and exact amounts in base units, never arrays.
"""

from dataclasses import dataclass, field

from binwright.explained import RuleText, Shortfall
from binwright.outcome import NotEvaluated

INFEASIBLE, PAST, HOST_CHANGED = "infeasible", "past", "hostChanged"
ALLOCATION, ORPHAN = "allocation", "orphan"


@dataclass(slots=True)
class Finding:
    """An object on a host that its rules refuse, or whose books are wrong; `rejected_by` as in `HostAnswer`.

    kind: INFEASIBLE, refused in its turn and still refused today; PAST, refused in its turn, though today it would be
    taken (what allowed it may be gone); HOST_CHANGED, refused only because the host was closed to new objects, which
    says nothing of the time when it came. ALLOCATION, what it holds in the peer's books is not what it asks; ORPHAN,
    somebody who is not known holds something (`host`: of whom).
    """

    source: str
    kind: str
    object_kind: str
    namespace: str | None
    name: str
    uid: str | None
    host: str
    rejected_by: list[RuleText]
    shortfalls: list[Shortfall] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Skipped:
    """Objects on hosts that nobody's rules placed, or whose host is not known: why, how many, and one of them."""

    why: str
    objects: int
    example: str


@dataclass(slots=True)
class SourceVerified:
    """Everything that one source has to say of its own placements; `checked` objects were replayed."""

    source: str
    layer: str
    hosts: int
    checked: int
    findings: list[Finding] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    not_evaluated: list[NotEvaluated] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
