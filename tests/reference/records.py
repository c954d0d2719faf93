"""What the reference fleet keeps, takes and answers: its rules, scores, request classes, state and decisions.

Holds records only. Must never know numpy or anything of binwright.
"""

from dataclasses import dataclass, field

from tests.reference import eviction, fleet_rows, pools
from tests.reference.refusals import Reason
from tests.reference.rows import Host, Row
from tests.reference.smallest_change import Change

FEASIBLE, HOLE, UNASKED = 255, 254, 253
PLACED, UNSCHEDULABLE, UNRESOLVABLE = 0, 1, 2


@dataclass(frozen=True)
class Rule:
    """kind: static, fit, cordon, eligible or rows.

    resolvable: could removing items lift a static or eligible rejection? always_resolvable, of the fit rule: resources
    whose shortage counts as resolvable however small the host is.
    """

    name: str
    kind: str = "static"
    resolvable: bool = False
    always_resolvable: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Score:
    """kind: least, most, ratio, balanced, static, count or spread. resources: (name, weight) pairs in order."""

    kind: str
    name: str
    weight: int = 1
    resources: tuple[tuple[str, int], ...] = ()
    shape: tuple[tuple[int, int], ...] = ()
    optional: frozenset[str] = frozenset()
    normalise: str | None = None


@dataclass
class Decision:
    """Everything that can be asked of one decision."""

    verdict: int
    host: int | None
    score: int | None
    feasible: int
    ties: list[int]
    parts: dict[str, tuple[int, int]]
    reasons: tuple[Reason, ...]
    smallest_change: Change | None
    verdicts_by_host: list[int]
    reasons_by_host: list[tuple[tuple[str, int | str | None], ...]]
    item: int | None = None
    cursor: int = 0  # where the window's next decision begins, once this one is placed


@dataclass
class RequestClass:
    """What one fleet knows of a request: amounts by resource, static columns by host."""

    demand: dict[str, int]
    commit: dict[str, int]
    score: dict[str, int]
    eligible_hosts: list[bool] | None
    eligible_labels: dict[str, list[str]] | None
    rejects: dict[str, list[int | None]]  # -1 passes, k >= 0 rejects with argument k, None rejects without argument
    raw: dict[str, list[int]]
    skip: frozenset[str] = frozenset()
    index: int = field(default=-1, compare=False)


@dataclass
class State:
    """What checkpoint, rollback, fork and pickling carry."""

    names: list[str | None]
    alive: list[bool]
    cordoned: list[bool]
    labels: list[dict[str, str]]
    capacity: dict[str, list[int]]
    used: dict[str, list[int]]
    limits: dict[str, dict[str, list[int]]]
    items: dict[int, tuple[int, int]] = field(default_factory=dict)  # item -> (request class, host), in placing order
    next_item: int = 0
    classes: list[RequestClass] = field(default_factory=list)
    flags: set[tuple[int, int]] = field(default_factory=set)  # (counter, host) that are set
    moved: list[tuple[int, int, int]] = field(default_factory=list)  # (class, host, sign) on trial; empty outside
    marks: dict[int, eviction.Mark] = field(default_factory=dict)  # by item
    promises: dict[int, eviction.Promise] = field(default_factory=dict)
    next_promise: int = 0
    cursor: int = 0  # of the window
    allowances: dict[int, int] = field(default_factory=dict)  # of budgets whose allowance was changed
    held: pools.Held = field(default_factory=pools.Held)
    rows: list[Row | None] = field(default_factory=list)  # a removed one is None
    roots: list[Host] = field(default_factory=list)  # of the forest, one a host; their stocks are the columns
    claims: dict[int, fleet_rows.Claims] = field(default_factory=dict)  # on rows, by item
