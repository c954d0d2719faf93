"""Rows below hosts: checked here, compiled into the core's numbers once; and what items hold of them.

A row is a part of a host with a stock of its own, to any depth (a GPU, a NUMA cell, a port); a pool is a row without a
host that several hosts see. Knows the core's forest and a fleet's resource names; nothing of the layers above.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from binwright import arguments, arrays
from binwright._core.fleet import LARGEST_AMOUNT
from binwright.arrays import Int64Array
from binwright.cells import Cell, Pinning, compiled_cell, cpu_numbers, pinnings
from binwright.errors import InputError, StateError
from binwright.groups import Group, GroupCompiler, GroupRules
from binwright.turns import one_writer

if TYPE_CHECKING:
    from binwright._core.groups import GroupSet
    from binwright._core.state import State
    from binwright.request import Request

__all__ = ["Device", "Rows"]

ON_STOCK, ON_COLUMN, PRESENCE, ON_PAGES = 0, 1, 2, 3  # kinds of claims


class Device(NamedTuple):
    """What an item got for one of its groups: `amount` of `resource` on `row` (~index for a host itself).

    resource is None, amount 0, where a row serves a group that asks for nothing, or by its cell. "pages:SIZE" are pages
    of a cell.
    """

    group: int
    row: int
    resource: str | None
    amount: int


class Rows:
    """The rows of one fleet: `fleet.rows`. Row numbers are stable; a removed row leaves a hole."""

    def __init__(
        self,
        state: "State",
        resources: Sequence[str],
        hosts: Callable[[str, Any], Int64Array],
    ) -> None:
        self._state = state
        self._forest = state.forest
        self._groups = GroupCompiler(state.forest, resources, hosts)
        self._resources = tuple(resources)
        self._hosts = hosts

    def __len__(self) -> int:
        return self._forest.count

    def __repr__(self) -> str:
        return f"Rows({len(self)} rows)"

    @one_writer
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
        of one claim. cells: a NUMA cell a row, or None. Returns the rows' numbers, int64 (count,). Raises InputError
        naming resource and row.
        """
        where = "add_rows"
        columns = {
            name: arrays.bounded(f"{where}: capacity of {name!r}", values, -1, LARGEST_AMOUNT, of="row")
            for name, values in arguments.mapping(f"{where}: capacity", capacity, "resource to array").items()
        }
        count = arrays.same_length(f"{where}: capacity", columns)
        roots = np.full(count, -1, np.int64) if hosts is None else self._hosts(where, hosts)
        if not columns:
            count = len(roots)
        above = np.full(count, -1, np.int64) if parents is None else arrays.integers(f"{where}: parents", parents)
        if len(roots) != count or len(above) != count:
            raise InputError(f"{where}: {len(roots)} hosts and {len(above)} parents for {count} rows")
        limits = {}
        for kind, low, given, default in (
            ("used", 0, used, 0), ("smallest", 1, smallest, 1), ("largest", 1, largest, LARGEST_AMOUNT),
            ("step", 1, step, 1),
        ):  # fmt: skip
            by_resource = arguments.mapping(f"{where}: {kind}", given, "resource to array")
            for name in by_resource:
                if name not in columns:
                    raise InputError(f"{where}: {kind} of {name!r}, of which no capacity is given")
            limits[kind] = {
                name: arrays.bounded(f"{where}: {kind} of {name!r}", by_resource[name], low, LARGEST_AMOUNT, of="row")
                if name in by_resource
                else np.full(count, default, np.int64)
                for name in columns
            }
            arrays.same_length(f"{where}: {kind}", {**columns, **limits[kind]})
        label_sets = self._sets(f"{where}: labels", labels, count)
        member_sets = self._sets(f"{where}: members", members, count)
        given_cells = (None,) * count if cells is None else arguments.collection(f"{where}: cells", cells, "cells")
        if len(given_cells) != count:
            raise InputError(f"{where}: {len(given_cells)} cells for {count} rows")
        made = [compiled_cell(f"{where}: cell of row {i}", cell) for i, cell in enumerate(given_cells)]
        first = len(self)
        self._check_parents(where, roots, above, first)
        numbers = {name: self._groups.number(name) for name in columns}
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
            if not 0 <= parent < first + i or (parent < first and self._forest.row(parent) is None):
                raise InputError(f"{where}: parent {parent} of row {first + i} is not an earlier row")
            root = int(roots[parent - first]) if parent >= first else self._row(where, parent)[1][0]
            if root != roots[i]:
                raise InputError(f"{where}: parent {parent} of row {first + i} belongs to another host")

    def _name(self, number: int) -> str:
        return (
            self._resources[number]
            if number < len(self._resources)
            else self._forest.resources[number - len(self._resources)]
        )

    def _sets(self, where: str, given: Sequence[Collection[str]] | None, count: int) -> list[int]:
        if given is None:
            return [0] * count
        listed = arguments.collection(where, given, "sets")
        if len(listed) != count:
            raise InputError(f"{where}: {len(listed)} sets for {count} rows")
        return [self._groups.labels(f"{where}: row {i}", one) for i, one in enumerate(listed)]

    def _row(self, where: str, row: Any) -> tuple[int, tuple[Any, ...]]:
        number = arrays.index(where, row)
        found = self._forest.row(number) if 0 <= number < len(self) else None
        if found is None:
            raise InputError(f"{where}: no row {number}")
        return number, found

    @one_writer
    def remove(self, rows: Any) -> None:
        """Take rows out. Raises StateError for a row that items use or below which rows are left; StateError leaves
        everything as it was. Links to the rows go with them.
        """
        numbers = arrays.one_or_more("remove_rows", rows).tolist()
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

    @one_writer
    def resize(self, row: int, capacity: Mapping[str, int]) -> None:
        """Give a row new capacities of resources that it has; what is used may exceed them."""
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

    @one_writer
    def link(self, rows: Any, hosts: Any) -> None:
        """Let each of `hosts` see each of `rows`: pools, rows of other hosts, or other hosts themselves as ~index."""
        for row, host in self._pairs("link", rows, hosts):
            self._forest.link(host, row)

    @one_writer
    def unlink(self, rows: Any, hosts: Any) -> None:
        """Take links back; those that are not there are no error. Claims over a link stay."""
        for row, host in self._pairs("unlink", rows, hosts):
            self._forest.unlink(host, row)

    def _pairs(self, where: str, rows: Any, hosts: Any) -> list[tuple[int, int]]:
        seeing = self._hosts(where, hosts).tolist()
        numbers = arrays.one_or_more(f"{where}: rows", rows).tolist()
        for number in numbers:
            root = ~number
            if number < 0:
                self._hosts(where, root)
            else:
                root = self._row(where, number)[1][0]
            if root in seeing:
                raise InputError(f"{where}: row {number} is of host {root} itself")
        return [(row, host) for host in seeing for row in numbers]

    @one_writer
    def relabel(self, row: int, labels: Collection[str] | None = None, members: Collection[str] | None = None) -> None:
        """New labels or memberships for a row, or for a host itself, given as ~index; None leaves them."""
        number = arrays.index("relabel_row", row)
        if number < 0:
            self._hosts("relabel_row", ~number)
            now = self._forest.root(~number)[:2]
        else:
            now = self._row("relabel_row", number)[1][2:4]
        wanted = [
            old if given is None else self._groups.labels(f"relabel_row: row {number}", given)
            for old, given in zip(now, (labels, members), strict=True)
        ]
        if tuple(wanted) != tuple(now):
            self._forest.set_labels(number, *wanted)

    def compiled(self, where: str, groups: Sequence[Group], rules: GroupRules | None) -> "GroupSet | None":
        """The groups of a request as the core has them."""
        return self._groups.compiled(where, groups, rules)

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
        chosen = cells[(cells[:, 0] >= 0) & (cells[:, 2] == self._groups.number(resource))]
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
