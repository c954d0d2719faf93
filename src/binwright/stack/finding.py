"""What an audit finds: one hazard, its objects, what is claimed and what is so, and repairs that were checked."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from binwright.outcome import NotEvaluated
from binwright.stack.new_nodes import NewNode

KINDS = ("quorum", "spread", "singleReplica", "staleLabel", "unjoined", "rackConflict", "overcommit")
"""In the order in which they are listed within one severity."""
SEVERITIES = ("critical", "high", "medium")


@dataclass(frozen=True, slots=True)
class Ref:
    """An object of a source."""

    source: str
    kind: str
    name: str
    namespace: str | None = None

    def __str__(self) -> str:
        return f"{self.kind} " + "/".join(part for part in (self.source, self.namespace, self.name) if part)


@dataclass(frozen=True, slots=True)
class Repair:
    """One step of a way out. action: movePod, liveMigrate or addNode; `object` goes from a host to another. cost: bytes
    of memory that move, or are taken by a new node, or what --cost says. checked: whose rules let it. commands: to
    paste, nothing runs them. new: the node that is added.
    """

    action: str
    object: Ref
    from_host: str | None
    to_host: str | None
    cost: int
    checked: tuple[str, ...]
    commands: tuple[str, ...]
    new: NewNode | None = None


@dataclass(slots=True)
class Finding:
    """One hazard. claimed, actual: numbers or texts of the same measure. evidence: what it was read from. advice:
    commands that help where nothing has to move. sought: whether repairs were looked for; None where moving things
    cannot mend it.
    """

    kind: str
    severity: str
    objects: tuple[Ref, ...]
    claimed: int | str | None
    actual: int | str | None
    evidence: str
    repairs: list[Repair] = field(default_factory=list)
    advice: tuple[str, ...] = ()
    sought: bool | None = None

    @property
    def id(self) -> str:
        """The same for the same hazard of the same objects, whatever their order in the input."""
        text = "\n".join([self.kind, *sorted(map(str, self.objects))])
        return f"{self.kind}-{sha256(text.encode()).hexdigest()[:10]}"


def in_order(findings: Sequence[Finding]) -> list[Finding]:
    """Worst first, then by kind, then by name."""
    return sorted(
        findings,
        key=lambda one: (SEVERITIES.index(one.severity), KINDS.index(one.kind), min(map(str, one.objects)), one.id),
    )


def not_known(rule: str, names: Sequence[str]) -> list[NotEvaluated]:
    """An entry for what could not be judged, if there is any."""
    return [NotEvaluated(rule, len(names), names[0])] if names else []
