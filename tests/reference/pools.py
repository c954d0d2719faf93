"""Pools of the reference fleet: rows that hosts share and one claim holds, found anew by looking at all of them.

Touches the reference fleet's state only. Must never know numpy or anything of binwright.
Source: kubernetes spec 4 (VolumeBinding, delayed claims) and 8.6, docs/engine-model.md 5.5. Where several readings
were possible, these are chosen and the engine follows:
- Of equal size the lowest number goes first, among rows and, by their turn in the request, among claims.
- A claim that holds rows takes the lowest that it has not taken yet, or none, unless it is pinned: then it is met by
  making a row only.
- Several pool terms of one request are asked each by itself; a placed item commits them in rule order.
- Committing asks nothing: a claim that finds no row is pinned to the host, whether a row can be made there or not.
- Releasing an item leaves what its claims hold.
"""

from dataclasses import dataclass, field

PASSES, FAILS, MISSES = "passes", "fails", "misses"
ELSEWHERE = -1


@dataclass
class PoolRow:
    """seen: the hosts that see it, None = all."""

    size: int
    seen: set[int] | None


@dataclass
class Claim:
    """rows: what it could have. provision: hosts where a row may be made. room: hosts with room for it, None = all.

    held, pinned: from the start.
    """

    size: int
    rows: list[int]
    provision: set[int]
    room: set[int] | None
    held: tuple[int, ...] = ()
    pinned: int | None = None


@dataclass
class Pools:
    """Definitions: never taken back."""

    rows: list[PoolRow] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)

    def new_hosts(self, hosts) -> None:
        """Hosts that were just added are in no set, whatever had their numbers before a rollback."""
        for one in (*(row.seen for row in self.rows), *(claim.room for claim in self.claims)):
            if one is not None:
                one.difference_update(hosts)
        for claim in self.claims:
            claim.provision.difference_update(hosts)
            if claim.pinned in hosts:
                claim.pinned = ELSEWHERE


@dataclass
class Held:
    """State: claim that holds a row, host that a claim is pinned to."""

    holder: dict[int, int] = field(default_factory=dict)
    pinned: dict[int, int] = field(default_factory=dict)
    known: int = 0  # claims

    def meet(self, claims: list[Claim]) -> None:
        """Claims that were made since, as they were made."""
        for number in range(self.known, len(claims)):
            for row in claims[number].held:
                self.holder[row] = number
            if claims[number].pinned is not None:
                self.pinned[number] = claims[number].pinned
        self.known = len(claims)

    def of(self, claim: int) -> int | None:
        """The row that a claim holds, the lowest of several."""
        return min((row for row, holder in self.holder.items() if holder == claim), default=None)

    def free(self, claim: int) -> None:
        self.holder = {row: holder for row, holder in self.holder.items() if holder != claim}
        self.pinned.pop(claim, None)


def choose(fleet, claim: int, host: int, taken: list[int | None]) -> int | None:
    """The row of a claim on a host, None if there is none for it."""
    pools, held = fleet.pools, fleet.state.held

    def sees(row: int) -> bool:
        seen = pools.rows[row].seen
        return seen is None or host in seen

    own = [row for row, holder in held.holder.items() if holder == claim and row not in taken]
    if own:
        return min(own) if sees(min(own)) else None
    open_rows = [
        (pools.rows[row].size, row)
        for row in pools.claims[claim].rows
        if sees(row) and row not in held.holder and row not in taken
        and pools.rows[row].size >= pools.claims[claim].size
    ]  # fmt: skip
    return min(open_rows)[1] if open_rows else None


def choices(fleet, claims, host: int) -> list[tuple[int, int | None]]:
    """(claim, its row) of the claims that are not pinned, the smallest first."""
    unpinned = [claim for claim in claims if claim not in fleet.state.held.pinned]
    found: list[tuple[int, int | None]] = []
    for claim in sorted(unpinned, key=lambda claim: fleet.pools.claims[claim].size):
        found.append((claim, choose(fleet, claim, host, [row for _, row in found])))
    return found


def outcome(fleet, claims, host: int) -> str:
    """Can the claims of a request be met on a host?"""
    pinned = [claim for claim in claims if claim in fleet.state.held.pinned]
    if any(fleet.state.held.pinned[claim] != host for claim in pinned):
        return FAILS
    for claim in pinned + [claim for claim, row in choices(fleet, claims, host) if row is None]:
        known = fleet.pools.claims[claim]
        if host not in known.provision:
            return FAILS
        if known.room is not None and host not in known.room:
            return MISSES
    return PASSES


def commit(fleet, request: int, host: int) -> None:
    """An item of a class came to a host."""
    position = {rule.name: number for number, rule in enumerate(fleet.rules)}
    terms = [term for term in fleet.terms[request].hard if term.op == "pool"]
    for term in sorted(terms, key=lambda term: position[term.rule]):
        for claim, row in choices(fleet, term.claims, host):
            if row is None:
                fleet.state.held.pinned[claim] = host
            else:
                fleet.state.held.holder[row] = claim
