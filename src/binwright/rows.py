"""Rows below hosts and the groups that ask for them: checked here, compiled into the core's numbers once.

A row is a part of a host with a stock of its own, to any depth (a GPU, a NUMA cell, a port); a pool is a row without a
host that several hosts see. Knows the core's forest and a fleet's resource names; nothing of the layers above.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from binwright import arrays
from binwright._core.clauses import MAX_CLAUSES
from binwright._core.devices import MOST_GROUPS
from binwright._core.fleet import LARGEST_AMOUNT
from binwright._core.groups import MOST_UNITS, GroupSet
from binwright.arrays import Int64Array
from binwright.cells import Cell, CellDemand, Pinning, compiled_cell, compiled_wish, cpu_numbers, pinnings
from binwright.errors import InputError, StateError

if TYPE_CHECKING:
    from binwright._core.devices import Forest
    from binwright.request import Request

__all__ = ["Cell", "CellDemand", "Device", "Group", "GroupRules", "Pinning", "Rows"]

STEPS = 2**17  # trials of the bounded search on one host: a few milliseconds
CHECKS = {"free": 0, "there": 1, "unchecked": 2}
KEYS = {"free": 0, "used": 1, "cpus": 2, "free below": 3}
ON_STOCK, ON_COLUMN, PRESENCE, ON_PAGES = 0, 1, 2, 3  # kinds of claims
Clause = str | Collection[str]


class Device(NamedTuple):
    """What an item got for one of its groups: `amount` of `resource` on `row` (~index for a host itself).

    resource is None, amount 0, where a row serves a group that asks for nothing, or by its cell. "pages:SIZE" are pages
    of a cell.
    """

    group: int
    row: int
    resource: str | None
    amount: int


@dataclass(frozen=True, slots=True)
class Group:
    """What a request asks of the rows of its host, beside its demand on the host itself.

    demand: amounts by resource, each > 0; empty: a row that only has to be there. spread False: one row gives all of
    it; True: one row for each resource, the same one or different ones.
    take: "amount" takes the first row that has it free; "share" the row with the least of the first resource free;
    "whole" a row of which nothing is used, with all it has of the named resources; such a row serves nothing else.
    isolated: isolated groups of one request get different rows.
    required: clauses, each a label or several of which the row has one; with `spread` the chosen rows together meet
    them. forbidden: labels that no chosen row has. member_of, not_member_of: the same over memberships, of each row.
    root_answers: instead of its rows, the host may meet `member_of`, all of it; and `not_member_of` counts for it too.
    within: index of the host to whose tree the rows belong. linked: pools and other linked rows may serve.
    cell: what is asked of the row's NUMA cell; such a group is isolated. check: by resource, "free" (the default), or
    "there": the row must be that large, whatever is used; or "unchecked": it is claimed all the same. What is not
    "free" must be a row's, not a host's.
    """

    demand: Mapping[str, int]
    take: Literal["amount", "share", "whole"] = "amount"
    spread: bool = False
    isolated: bool = False
    required: Sequence[Clause] = ()
    forbidden: Collection[str] = ()
    member_of: Sequence[Clause] = ()
    not_member_of: Collection[str] = ()
    root_answers: bool = False
    within: int | None = None
    linked: bool = True
    cell: CellDemand | None = None
    check: Mapping[str, Literal["free", "there", "unchecked"]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GroupRules:
    """Rules over all groups of a request.

    subtrees: lists of group positions; one of the rows of the groups in a list is, or stands above, all of them.
    root_required, root_forbidden: clauses and labels for the host itself. gathered: clauses that the cells chosen for
    groups with a `cell` meet together, as far as any cell of the host meets them. order: sorts of a host's cells,
    stable, the last one dominant: (key, resource, descending), key "free", "used", "free below" (in the row and those
    below it) or "cpus" (dedicated ones that are free; resource None); used where a host has more cells than the
    request has groups with a `cell`. greedy: groups take the first row they can
    have, in order, and nothing is taken back. steps: trials on one host before the search gives up with "limit
    reached", which is never taken for "none"; groups that are matched do not need any.
    """

    subtrees: Sequence[Sequence[int]] = ()
    root_required: Sequence[Clause] = ()
    root_forbidden: Collection[str] = ()
    gathered: Sequence[Clause] = ()
    order: Sequence[tuple[str, str | None, bool]] = ()
    greedy: bool = False
    steps: int = STEPS


class Rows:
    """The rows of one fleet: `fleet.rows`. Row numbers are stable; a removed row leaves a hole."""

    def __init__(
        self,
        forest: "Forest",
        resources: Sequence[str],
        hosts: Callable[[str, Any], Int64Array],
        check_idle: Callable[[], None],
    ) -> None:
        self._forest = forest
        self._check_idle = check_idle
        self._resources = tuple(resources)
        self._hosts = hosts

    def __len__(self) -> int:
        return self._forest.count

    def __repr__(self) -> str:
        return f"Rows({len(self)} rows)"

    def add(
        self,
        capacity: Mapping[str, Any],
        hosts: Any = None,
        *,
        parents: Any = None,
        used: Mapping[str, Any] | None = None,
        labels: Sequence[Collection[str]] | None = None,
        members: Sequence[Collection[str]] | None = None,
        smallest: Mapping[str, Any] | None = None,
        largest: Mapping[str, Any] | None = None,
        step: Mapping[str, Any] | None = None,
        cells: Sequence[Cell | None] | None = None,
    ) -> Int64Array:
        """Append rows; arrays (count,), amounts 0..2**56, in `capacity` also -1 = the row has no such resource.

        hosts: index of the host below which each row stands; None: they are pools, which hosts see by `link`.
        parents: number of the row above each, -1 = it stands directly below its host; may name rows of the same call
        by the numbers they will get. labels, members: a collection of strings a row. smallest, largest, step: limits
        of one claim. cells: a NUMA cell a row, or None. Returns the rows' numbers, int64 (count,). Raises InputError naming resource and row.
        """
        self._check_idle()
        where = "add_rows"
        columns = {
            name: arrays.bounded(f"{where}: capacity of {name!r}", values, -1, LARGEST_AMOUNT)
            for name, values in capacity.items()
        }
        count = arrays.same_length(f"{where}: capacity", columns)
        roots = np.full(count, -1, np.int64) if hosts is None else self._hosts(where, hosts)
        above = np.full(count, -1, np.int64) if parents is None else arrays.integers(f"{where}: parents", parents)
        if not columns:
            count = len(roots)
        if len(roots) != count or len(above) != count:
            raise InputError(f"{where}: {len(roots)} hosts and {len(above)} parents for {count} rows")
        limits = {}
        for kind, low, given, default in (
            ("used", 0, used, 0), ("smallest", 1, smallest, 1), ("largest", 1, largest, LARGEST_AMOUNT),
            ("step", 1, step, 1),
        ):  # fmt: skip
            for name in given or {}:
                if name not in columns:
                    raise InputError(f"{where}: {kind} of {name!r}, of which no capacity is given")
            limits[kind] = {
                name: arrays.bounded(f"{where}: {kind} of {name!r}", given[name], low, LARGEST_AMOUNT)
                if given and name in given
                else np.full(count, default, np.int64)
                for name in columns
            }
            arrays.same_length(f"{where}: {kind}", {**columns, **limits[kind]})
        label_sets = self._sets(f"{where}: labels", labels, count)
        member_sets = self._sets(f"{where}: members", members, count)
        given_cells = [None] * count if cells is None else list(cells)
        if len(given_cells) != count:
            raise InputError(f"{where}: {len(given_cells)} cells for {count} rows")
        made = [compiled_cell(f"{where}: cell of row {i}", cell) for i, cell in enumerate(given_cells)]
        first = len(self)
        self._check_parents(where, roots, above, first)
        numbers = {name: self._number(name) for name in columns}
        for i in range(count):
            stocks = [
                (numbers[name], *(int(column[i]) for column in (values, *(limits[kind][name] for kind in limits))))
                for name, values in columns.items()
                if values[i] >= 0
            ]
            self._forest.add_row(int(roots[i]), int(above[i]), label_sets[i], member_sets[i], stocks, made[i])
        return np.arange(first, first + count, dtype=np.int64)

    def _check_parents(self, where: str, roots: Int64Array, above: Int64Array, first: int) -> None:
        for i, parent in enumerate(above.tolist()):
            if parent == -1:
                continue
            if not 0 <= parent < first + i or parent < first and self._forest.row(parent) is None:
                raise InputError(f"{where}: parent {parent} of row {first + i} is not an earlier row")
            root = int(roots[parent - first]) if parent >= first else self._row(where, parent)[1][0]
            if root != roots[i]:
                raise InputError(f"{where}: parent {parent} of row {first + i} belongs to another host")

    def _number(self, resource: str) -> int:
        if resource in self._resources:
            return self._resources.index(resource)
        return self._forest.resource(resource)

    def _name(self, number: int) -> str:
        return self._resources[number] if number < len(self._resources) else self._forest.resources[
            number - len(self._resources)
        ]

    def _sets(self, where: str, given: Sequence[Collection[str]] | None, count: int) -> list[int]:
        if given is None:
            return [0] * count
        if len(given) != count:
            raise InputError(f"{where}: {len(given)} sets for {count} rows")
        return [self._forest.clauses.set_number(_strings(f"{where}: row {i}", one)) for i, one in enumerate(given)]

    def _row(self, where: str, row: Any) -> tuple[int, tuple[Any, ...]]:
        number = arrays.index(where, row)
        found = self._forest.row(number) if 0 <= number < len(self) else None
        if found is None:
            raise InputError(f"{where}: no row {number}")
        return number, found

    def remove(self, rows: Any) -> None:
        """Take rows out. Raises StateError for a row that items use or below which rows are left; StateError leaves
        everything as it was. Links to the rows go with them.
        """
        self._check_idle()
        numbers = arrays.integers("remove_rows", rows if np.ndim(rows) else [rows]).tolist()
        found = {number: self._row("remove_rows", number)[1] for number in numbers}
        if len(found) != len(numbers):
            raise InputError("remove_rows: a row is named twice")
        for number, (_, _, _, _, children, claims, *_) in found.items():
            if claims:
                raise StateError(f"remove_rows: row {number} is in use; release its items first")
            below = sum(other[1] == number for other in found.values())
            if below != children:
                raise StateError(f"remove_rows: row {number} has rows below it")
        self._drop(numbers)

    def _drop(self, numbers: list[int]) -> None:
        for host in self._forest.linking(frozenset(numbers)):
            for row in sorted(set(self._forest.links_of(host)).intersection(numbers)):
                self._forest.unlink(host, row)
        for number in sorted(numbers, reverse=True):
            if number >= 0:
                self._forest.remove_row(number)

    def check_unused(self, where: str, host: int) -> None:
        """Raise StateError if an item of another host holds this host, or a row of it."""
        used = self._forest.root(host)[2] + sum(self._row(where, row)[1][5] for row in self._forest.rows_of(host))
        if used:
            raise StateError(f"{where}: host {host} or a row of it serves items of other hosts; release them first")

    def clear(self, host: int) -> None:
        """Forget all rows of a host that holds no items, its labels, and every link to it or from it."""
        for row in self._forest.links_of(host):
            self._forest.unlink(host, row)
        self._drop([~host, *self._forest.rows_of(host)])
        if self._forest.root(host)[:2] != (0, 0):
            self._forest.set_labels(~host, 0, 0)

    def resize(self, row: int, capacity: Mapping[str, int]) -> None:
        """Give a row new capacities of resources that it has; what is used may exceed them."""
        self._check_idle()
        number, found = self._row("resize_row", row)
        stocks = {self._name(resource): stock for stock, resource, _, _ in found[6]}
        wanted = {
            name: arrays.amount(f"resize_row: row {number}, {name!r}", amount) for name, amount in capacity.items()
        }
        for name in wanted:
            if name not in stocks:
                raise InputError(f"resize_row: row {number} has no {name!r}")
        for name, amount in wanted.items():
            self._forest.set_capacity(stocks[name], amount)

    def link(self, rows: Any, hosts: Any) -> None:
        """Let each of `hosts` see each of `rows`: pools, rows of other hosts, or other hosts themselves as ~index."""
        for row, host in self._pairs("link", rows, hosts):
            self._forest.link(host, row)

    def unlink(self, rows: Any, hosts: Any) -> None:
        """Take links back; those that are not there are no error. Claims over a link stay."""
        for row, host in self._pairs("unlink", rows, hosts):
            self._forest.unlink(host, row)

    def _pairs(self, where: str, rows: Any, hosts: Any) -> list[tuple[int, int]]:
        self._check_idle()
        seeing = self._hosts(where, hosts).tolist()
        numbers = arrays.integers(f"{where}: rows", rows if np.ndim(rows) else [rows]).tolist()
        for number in numbers:
            root = ~number
            if number < 0:
                self._hosts(where, root)
            else:
                root = self._row(where, number)[1][0]
            if root in seeing:
                raise InputError(f"{where}: row {number} is of host {root} itself")
        return [(row, host) for host in seeing for row in numbers]

    def relabel(
        self, row: int, labels: Collection[str] | None = None, members: Collection[str] | None = None
    ) -> None:
        """New labels or memberships for a row, or for a host itself, given as ~index; None leaves them."""
        self._check_idle()
        number = arrays.index("relabel_row", row)
        if number < 0:
            self._hosts("relabel_row", ~number)
            now = self._forest.root(~number)[:2]
        else:
            now = self._row("relabel_row", number)[1][2:4]
        clauses = self._forest.clauses
        wanted = [
            old if given is None else clauses.set_number(_strings(f"relabel_row: row {number}", given))
            for old, given in zip(now, (labels, members), strict=True)
        ]
        if tuple(wanted) != tuple(now):
            self._forest.set_labels(number, *wanted)

    def of(self, host: int) -> Int64Array:
        """Numbers of the rows of one host, in order of creation, int64."""
        (index,) = self._hosts("rows", host).tolist()
        return np.array(self._forest.rows_of(index), np.int64)

    def links(self, host: int) -> Int64Array:
        """What one host sees beside its own rows, ascending, other hosts as ~index; int64."""
        (index,) = self._hosts("links", host).tolist()
        return np.array(self._forest.links_of(index), np.int64)

    def table(self, resource: str) -> tuple[Int64Array, Int64Array, Int64Array, Int64Array]:
        """(row, host, capacity, used) of every row that has a resource, in row order; host -1 = a pool. int64 each."""
        cells = np.empty((self._forest.stock_count, 5), np.int64)
        self._forest.stock_table(cells)
        chosen = cells[(cells[:, 0] >= 0) & (cells[:, 2] == self._number(resource))]
        return chosen[:, 0], chosen[:, 1], chosen[:, 3], chosen[:, 4]

    def devices(self, slot: int) -> tuple[Device, ...]:
        """What one item slot holds, in group order."""
        found = []
        for group, kind, row, what, amount in self._forest.claims_of(slot):
            if kind in (ON_STOCK, ON_COLUMN):
                found.append(Device(group, row, self._name(what), amount))
            elif kind == PRESENCE:
                found.append(Device(group, row, None, 0))
            elif kind == ON_PAGES:
                found.append(Device(group, row, f"pages:{what}", amount))
        return tuple(found)

    def pinned(self, slot: int) -> dict[int, Pinning]:
        """The CPUs that each group of one item slot has pinned."""
        return pinnings(self._forest.cells, lambda row: self._row("pinned", row)[1][-1], self._forest.claims_of(slot))

    def cell(self, row: int) -> Cell | None:
        """The NUMA cell of a row as it now stands, None without one; `alike` is not told."""
        number = self._row("cell", row)[1][-1]
        if number < 0:
            return None
        dedicated, pinned, siblings, pages = self._forest.cells.cell(number)
        return Cell(cpu_numbers(dedicated), [cpu_numbers(one) for one in siblings], cpu_numbers(pinned), pages)

    def compiled(self, where: str, groups: Sequence[Group], rules: GroupRules | None) -> GroupSet | None:
        """The groups of a request as the core has them. Raises InputError naming group and field."""
        if not groups:
            if rules is not None:
                raise InputError(f"{where}: group_rules without groups")
            return None
        self._check_idle()
        rules = rules or GroupRules()
        lists = [self._group(f"{where}: group {i}", group) for i, group in enumerate(groups)]
        units = sum(1 if group[4] else len(group[0]) for group in lists)
        if len(lists) > MOST_GROUPS or units > MOST_UNITS:
            raise InputError(f"{where}: {len(lists)} groups that need {units} rows, at most {MOST_UNITS}")
        subtrees = []
        for together in rules.subtrees:
            positions = tuple(sorted({arrays.index(f"{where}: subtrees", group) for group in together}))
            if not positions or positions[0] < 0 or positions[-1] >= len(lists):
                raise InputError(f"{where}: subtrees names a group that is not there: {list(together)}")
            subtrees.append(positions)
        if rules.greedy and (subtrees or any(group.spread and group.required for group in groups)):
            raise InputError(f"{where}: greedy groups cannot have rules over several rows (subtrees, spread clauses)")
        steps = arrays.index(f"{where}: steps", rules.steps)
        if not 0 < steps <= LARGEST_AMOUNT:
            raise InputError(f"{where}: steps {steps} is outside 1..2**56")
        root = self._filter(f"{where}: root_required", rules.root_required, rules.root_forbidden)
        gathered = self._filter(f"{where}: gathered", rules.gathered, ())
        keys = []
        for key, resource, descending in rules.order:
            if key not in KEYS or (resource is None) != (key == "cpus"):
                raise InputError(f"{where}: order: no key {key!r} of {resource!r}")
            keys.append((KEYS[key], -1 if resource is None else self._number(resource), int(descending)))
        return GroupSet(tuple(lists), root, gathered, tuple(subtrees), tuple(keys), bool(rules.greedy), steps)

    def _group(self, where: str, group: Group) -> tuple[Any, ...]:
        if not isinstance(group, Group):
            raise InputError(f"{where}: {group!r} is not a Group")
        if group.take not in ("amount", "share", "whole"):
            raise InputError(f"{where}: take {group.take!r} is not 'amount', 'share' or 'whole'")
        if group.spread and (group.isolated or group.take == "whole"):
            raise InputError(f"{where}: a spread group cannot be isolated or take whole rows")
        asks = []
        for name, amount in group.demand.items():
            checked = arrays.amount(f"{where}: {name!r}", amount)
            if checked == 0:
                raise InputError(f"{where}: {name!r}: 0 is not an amount of a row; leave it out")
            check = group.check.get(name, "free")
            if check not in CHECKS or check != "free" and (group.take != "amount" or name in self._resources):
                raise InputError(f"{where}: {name!r} cannot be checked as {check!r}")
            asks.append((self._number(name), checked, CHECKS[check]))
        if not asks and (group.spread or group.take != "amount"):
            raise InputError(f"{where}: demand is empty")
        wish = None
        if group.cell is not None:
            if group.spread or not group.isolated or group.take == "whole":
                raise InputError(f"{where}: a group with a cell is isolated, not spread, and takes no whole rows")
            memory = -1 if group.cell.resource is None else self._number(group.cell.resource)
            wish = compiled_wish(f"{where}: cell", group.cell, memory)
        within = -1
        if group.within is not None:
            (within,) = self._hosts(f"{where}: within", group.within).tolist()
        labels = self._filter(f"{where}: required", group.required, group.forbidden)
        members = self._filter(f"{where}: member_of", group.member_of, group.not_member_of)
        return (
            tuple(asks), labels, members, within, not group.spread, group.take == "whole", group.take == "share",
            bool(group.isolated), bool(group.linked), bool(group.root_answers), wish,
        )  # fmt: skip

    def _filter(self, where: str, clauses: Iterable[Clause], forbidden: Collection[str]) -> int:
        if isinstance(clauses, str):
            raise InputError(f"{where}: {clauses!r} is one string, not a list of clauses")
        listed = tuple(
            frozenset((one,)) if isinstance(one, str) else _strings(f"{where}: clause {i}", one)
            for i, one in enumerate(clauses)
        )
        if len(listed) > MAX_CLAUSES:
            raise InputError(f"{where}: {len(listed)} clauses, at most {MAX_CLAUSES}")
        return self._forest.clauses.filter_number(listed, _strings(f"{where}: forbidden", forbidden))


class RowMethods:
    """The part of a fleet that knows rows; the rest of their calls is `fleet.rows`."""

    if TYPE_CHECKING:
        rows: Rows

        def item(self, item: int) -> tuple["Request", int]: ...

    def add_rows(self, capacity: Mapping[str, Any], hosts: Any = None, **more: Any) -> Int64Array:
        """Append rows below hosts, or pools: `Rows.add`, where the arguments stand."""
        return self.rows.add(capacity, hosts, **more)

    def devices(self, item: int) -> tuple[Device, ...]:
        """The rows that a live item holds for its groups, in group order."""
        self.item(item)
        return self.rows.devices(item & 0xFFFFFFFF)

    def pinned(self, item: int) -> dict[int, Pinning]:
        """The CPUs of NUMA cells that a live item owns, by group."""
        self.item(item)
        return self.rows.pinned(item & 0xFFFFFFFF)


def _strings(where: str, given: Any) -> frozenset[str]:
    if isinstance(given, str) or not all(isinstance(one, str) for one in given):
        raise InputError(f"{where}: {given!r} is not a collection of strings")
    return frozenset(given)
