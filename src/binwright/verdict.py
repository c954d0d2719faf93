"""The closed set of verdicts, and the plain records that explain one."""

from dataclasses import dataclass
from enum import IntEnum


class Verdict(IntEnum):
    """What became of one request, and what a caller can do next."""

    PLACED = 0  # on a host
    UNSCHEDULABLE = 1  # no host now; releasing items could help
    UNRESOLVABLE = 2  # no host, and releasing items would not help
    ERROR = 3  # a host was found, but committing there would overflow what is used


@dataclass(frozen=True, slots=True)
class Reason:
    """`hosts` hosts are rejected first by `rule`. `argument`: the resource that is short (fit), the layer's interned
    argument (static rules), or None. `resolvable`: releasing items could help on at least one of them.
    """

    rule: str
    argument: int | str | None
    hosts: int
    resolvable: bool


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one object that would be enough.

    kind: "request" (ask for `have` of `resource` instead of `need`), "rule" (only `rule` stands between the request
    and this host) or "host" (give this host a capacity of `need` instead of `have`).
    """

    kind: str
    host: int
    resource: str | None = None
    rule: str | None = None
    argument: int | None = None
    have: int | None = None
    need: int | None = None
