"""What became of named objects (pods, servers): the shape that a layer returns and the stack merges.

Knows names and texts, never arrays or hosts' indexes; `result` is the counterpart on the engine's side.
"""

from dataclasses import dataclass, field
from typing import Any

from binwright.verdict import Verdict


@dataclass(slots=True)
class ReasonText:
    """Why hosts refuse: `rule` rejected `hosts` hosts, in the peer's words `text`."""

    rule: str
    hosts: int
    text: str


@dataclass(slots=True)
class Outcome:
    """The verdict for one object. `smallest_change` is None when no single change would be enough. `expanded_from`: the
    workload ("Deployment shop/web") that would still make this object; None for one that stands in the input.

    `labels` are the object's own, for choosing what is reported; they are no part of the answer.
    """

    source: str
    kind: str
    namespace: str | None
    name: str
    uid: str | None
    verdict: Verdict
    host: str | None = None
    score: int | float | None = None
    devices: list[dict[str, Any]] = field(default_factory=list)
    victims: list[dict[str, Any]] = field(default_factory=list)
    message: str | None = None
    reasons: list[ReasonText] = field(default_factory=list)
    smallest_change: dict[str, Any] | None = None
    expanded_from: str | None = None
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class ResourceUse:
    """Totals of one resource over the hosts of a source, exact integers in base units (cpu: thousandths of a core)."""

    name: str
    capacity: int
    used_before: int
    used_after: int


@dataclass(slots=True)
class NotEvaluated:
    """A rule that stands in the input and was not evaluated: how many objects use it, and one of them."""

    rule: str
    objects: int
    example: str


@dataclass(slots=True)
class SourceOutcome:
    """Everything that one source (a cluster, a cloud) has to say after placing its pending objects."""

    source: str
    layer: str
    hosts: int
    placed: list[Outcome] = field(default_factory=list)
    unplaced: list[Outcome] = field(default_factory=list)
    resources: list[ResourceUse] = field(default_factory=list)
    skipped_kinds: dict[str, int] = field(default_factory=dict)
    not_evaluated: list[NotEvaluated] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
