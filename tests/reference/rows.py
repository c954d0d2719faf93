"""The slow, obvious row forest: every assignment of rows to groups is tried in order, and asked as a whole.

Touches nothing; must never know numpy or anything of binwright. A row is a number, a host itself is ~host. What a host
sees, in order: itself, its rows in order of creation, what it is linked to, ascending. A group that is not spread is
one unit; a spread one is a unit per resource. *The first* assignment: units in order, each with its earliest row; for
take "share" the row with the least of its first resource free, what earlier units of the request take counted, comes
first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

MOST = 2**56


@dataclass
class Stock:
    capacity: int
    used: int = 0
    smallest: int = 1
    largest: int = MOST
    step: int = 1


@dataclass
class Row:
    """host None: a pool. parent None: directly below its host."""

    host: int | None
    parent: int | None
    stocks: dict[str, Stock]
    labels: frozenset[str] = frozenset()
    members: frozenset[str] = frozenset()


@dataclass
class Host:
    stocks: dict[str, Stock]
    labels: frozenset[str] = frozenset()
    members: frozenset[str] = frozenset()
    links: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Group:
    """demand: (resource, amount) pairs. required, member_of: clauses, sets of which one label is needed."""

    demand: tuple[tuple[str, int], ...]
    take: str = "amount"
    spread: bool = False
    isolated: bool = False
    required: tuple[frozenset[str], ...] = ()
    forbidden: frozenset[str] = frozenset()
    member_of: tuple[frozenset[str], ...] = ()
    not_member_of: frozenset[str] = frozenset()
    root_answers: bool = False
    within: int | None = None
    linked: bool = True


@dataclass(frozen=True)
class Rules:
    subtrees: tuple[tuple[int, ...], ...] = ()
    root_required: tuple[frozenset[str], ...] = ()
    root_forbidden: frozenset[str] = frozenset()
    greedy: bool = False


Unit = tuple[int, tuple[tuple[str, int], ...]]  # group, what it asks of its row


def units_of(groups: Sequence[Group]) -> list[Unit]:
    found: list[Unit] = []
    for number, group in enumerate(groups):
        found += [(number, (ask,)) for ask in group.demand] if group.spread else [(number, group.demand)]
    return found


def met(clauses: tuple[frozenset[str], ...], labels: frozenset[str]) -> bool:
    return all(clause & labels for clause in clauses)


class Forest:
    """Hosts and rows; a removed row is None. Claims are kept by whoever asks."""

    def __init__(self, hosts: list[Host]) -> None:
        self.hosts = hosts
        self.rows: list[Row | None] = []

    def thing(self, row: int) -> Row | Host:
        found = self.hosts[~row] if row < 0 else self.rows[row]
        assert found is not None
        return found

    def host_of(self, row: int) -> int | None:
        return ~row if row < 0 else self.rows[row].host

    def sight(self, host: int) -> list[int]:
        own = [number for number, row in enumerate(self.rows) if row is not None and row.host == host]
        return [~host, *own, *sorted(self.hosts[host].links)]

    def ancestors(self, row: int) -> list[int]:
        """The row itself, the rows above it, its host."""
        found = [row]
        while found[-1] >= 0:
            above = self.rows[found[-1]]
            if above.parent is not None:
                found.append(above.parent)
            elif above.host is not None:
                found.append(~above.host)
            else:
                break
        return found

    # ---- one unit on one row ------------------------------------------------------------------------------

    def suits(self, host: int, group: Group, asks: Sequence[tuple[str, int]], row: int, reserved, empty: bool) -> bool:
        thing, root = self.thing(row), self.hosts[host]
        linked = row in root.links
        if (linked and not group.linked) or (group.within is not None and self.host_of(row) != group.within):
            return False
        if thing.labels & group.forbidden or (not group.spread and not met(group.required, thing.labels)):
            return False
        if thing.members & group.not_member_of or (group.root_answers and root.members & group.not_member_of):
            return False
        root_may = group.root_answers and not linked
        if not met(group.member_of, thing.members) and not (root_may and met(group.member_of, root.members)):
            return False
        if group.take == "whole":
            if row < 0 or (not empty and any(stock.used for stock in thing.stocks.values())):
                return False
            return all(name in thing.stocks and amount <= thing.stocks[name].capacity for name, amount in asks)
        for name, amount in asks:
            stock = thing.stocks.get(name)
            if stock is None or not stock.smallest <= amount <= stock.largest or amount % stock.step:
                return False
            if amount > self.free(host, row, name, reserved, empty):
                return False
        return True

    def free(self, host: int, row: int, name: str, reserved: dict[str, int], empty: bool) -> int:
        stock = self.thing(row).stocks[name]
        own = reserved.get(name, 0) if row == ~host else 0
        return stock.capacity - (0 if empty else stock.used) - own

    # ---- a whole assignment -------------------------------------------------------------------------------

    def together(self, host: int, groups, units: list[Unit], rows: list[int], reserved, empty: bool) -> bool:
        """Do these units, each of which suits its row alone, stand each other? `rows` may be shorter than `units`."""
        for i, row in enumerate(rows):
            for j in range(i):
                if rows[j] != row:
                    continue
                mine, other = groups[units[i][0]], groups[units[j][0]]
                if "whole" in (mine.take, other.take) or (mine.isolated and other.isolated):
                    return False
        for row in set(rows):
            sums: dict[str, list[int]] = {}
            for unit, taken in zip(units, rows, strict=False):
                if taken == row:
                    for name, amount in unit[1]:
                        sums.setdefault(name, []).append(amount)
            for name, amounts in sums.items():
                if len(amounts) > 1 and sum(amounts) > self.thing(row).stocks[name].largest:
                    return False
                if len(amounts) > 1 and sum(amounts) > self.free(host, row, name, reserved, empty):
                    return False
        return True

    def rules_hold(self, groups, rules: Rules, units: list[Unit], rows: list[int]) -> bool:
        for number, group in enumerate(groups):
            if group.spread:
                labels = [self.thing(row).labels for unit, row in zip(units, rows, strict=True) if unit[0] == number]
                if not met(group.required, frozenset().union(*labels)):
                    return False
        for together in rules.subtrees:
            chosen = [row for unit, row in zip(units, rows, strict=True) if unit[0] in together]
            if not any(all(top in self.ancestors(row) for row in chosen) for top in chosen):
                return False
        return True

    def candidates(self, host: int, groups, units, rows: list[int], reserved, empty: bool) -> list[int]:
        """Rows for the next unit, in its group's order."""
        group, asks = groups[units[len(rows)][0]], units[len(rows)][1]
        found = [row for row in self.sight(host) if self.suits(host, group, asks, row, reserved, empty)]
        if group.take == "share":
            name = asks[0][0]

            def left(row: int) -> int:
                taken = sum(
                    amount
                    for unit, other in zip(units, rows, strict=False)
                    if other == row
                    for resource, amount in unit[1]
                    if resource == name
                )
                return self.free(host, row, name, reserved, empty) - taken

            found.sort(key=left)
        return found

    def assignments(self, host: int, groups, rules: Rules, reserved, empty: bool) -> Iterator[list[int]]:
        """Every assignment, the first first."""
        root, units = self.hosts[host], units_of(groups)
        if not met(rules.root_required, root.labels) or root.labels & rules.root_forbidden:
            return

        def go_on(rows: list[int]) -> Iterator[list[int]]:
            if len(rows) == len(units):
                if self.rules_hold(groups, rules, units, rows):
                    yield rows
                return
            for row in self.candidates(host, groups, units, rows, reserved, empty):
                if self.together(host, groups, units, [*rows, row], reserved, empty):
                    yield from go_on([*rows, row])
                    if rules.greedy:
                        return

        yield from go_on([])

    def first(self, host: int, groups, rules=None, reserved=None, empty: bool = False) -> list[int] | None:
        """Row of each unit, or None. reserved: what the request takes of the host itself beside its groups."""
        return next(self.assignments(host, groups, rules or Rules(), reserved or {}, empty), None)

    def claims(self, groups, rows: list[int]) -> list[tuple[int, int, str | None, int]]:
        """(group, row, resource, amount) of an assignment."""
        found: list[tuple[int, int, str | None, int]] = []
        for (number, asks), row in zip(units_of(groups), rows, strict=True):
            if not asks:
                found.append((number, row, None, 0))
            for name, amount in asks:
                whole = groups[number].take == "whole"
                found.append((number, row, name, self.thing(row).stocks[name].capacity if whole else amount))
        return found

    def move(self, claims, sign: int) -> None:
        for _, row, name, amount in claims:
            if name is not None:
                self.thing(row).stocks[name].used += sign * amount
