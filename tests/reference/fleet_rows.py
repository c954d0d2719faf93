"""The row forest of the reference fleet: which rows a request's groups get, who holds them, what moves on trial.

Touches the reference fleet's state and rows.py only. Must never know numpy or anything of binwright.
Where several readings were possible, these are chosen and the engine follows:
- Rule "rows" stands last where the rules do not name it; its rejection is resolvable if there is an assignment with
  nothing used.
- Rows are looked for before the item's own commit demand is added, with its demand reserved on the host.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.reference import rows

Claims = list[tuple[int, int, str | None, int]]
KINDS = ("smallest", "largest", "step")


class NoRows(Exception):
    """A host has no rows for the groups of a request."""


class Hosts:
    """The fleet's hosts as roots of the forest, their stocks as the columns stand now."""

    def __init__(self, fleet) -> None:
        self.fleet = fleet

    def __len__(self) -> int:
        return len(self.fleet.state.roots)

    def __iter__(self) -> Iterator[rows.Host]:
        return (self[host] for host in range(len(self)))

    def __getitem__(self, host: int) -> rows.Host:
        state = self.fleet.state
        root = state.roots[host]
        root.stocks = {
            name: rows.Stock(
                state.capacity[name][host], state.used[name][host], *(state.limits[kind][name][host] for kind in KINDS)
            )
            for name in self.fleet.resources
        }
        return root


def forest(fleet) -> rows.Forest:
    """The forest as it stands; its rows and roots are the state's own."""
    made = rows.Forest(Hosts(fleet))
    made.rows = fleet.state.rows
    return made


def first(fleet, number: int, host: int, empty: bool = False) -> list[int] | None:
    """The first assignment of a request's groups on a host."""
    groups, rules = fleet.groups[number]
    demand = fleet.state.classes[number].demand
    reserved = {name: amount for name, amount in demand.items() if name not in fleet.scored_only}
    return forest(fleet).first(host, groups, rules, reserved, empty)


def refusal(fleet, number: int, host: int) -> bool | None:
    """Do the rows of a host reject a request? None: no; else whether it is resolvable."""
    if not fleet.groups[number][0] or first(fleet, number, host) is not None:
        return None
    return first(fleet, number, host, empty=True) is not None


def wanted(fleet, number: int, host: int) -> Claims:
    """What an item of a request takes on a host. Raises NoRows."""
    if not fleet.groups[number][0]:
        return []
    chosen = first(fleet, number, host)
    if chosen is None:
        raise NoRows(host)
    return forest(fleet).claims(fleet.groups[number][0], chosen)


def move(fleet, claims: Claims, sign: int) -> None:
    """Take (1) or give back (-1) what an item holds."""
    for _, row, name, amount in claims:
        if name is None:
            continue
        if row < 0:
            fleet.state.used[name][~row] += sign * amount
        else:
            fleet.state.rows[row].stocks[name].used += sign * amount


@contextmanager
def trial(fleet) -> Iterator[None]:
    """Whatever is moved inside is as it was afterwards."""
    state = fleet.state
    used = {name: list(column) for name, column in state.used.items()}
    stocks = [(stock, stock.used) for row in state.rows if row is not None for stock in row.stocks.values()]
    yield
    for name, column in used.items():
        state.used[name][:] = column
    for stock, amount in stocks:
        stock.used = amount


def drop_host(fleet, host: int) -> None:
    """A removed host takes its rows, its labels and every link along."""
    state = fleet.state
    gone = {number for number, row in enumerate(state.rows) if row is not None and row.host == host} | {~host}
    for number in gone:
        if number >= 0:
            state.rows[number] = None
    for root in state.roots:
        root.links -= gone
    state.roots[host] = rows.Host({})


def serves_others(fleet, host: int) -> bool:
    """Does an item of another host hold this host or a row of it?"""
    state = fleet.state
    mine = {number for number, row in enumerate(state.rows) if row is not None and row.host == host} | {~host}
    return any(row in mine for claims in state.claims.values() for _, row, _, _ in claims)
