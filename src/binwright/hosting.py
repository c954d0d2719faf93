"""The part of a fleet that changes its hosts: add, remove, resize, cordon, relabel, columns, limits of one claim."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from binwright import arguments, arrays
from binwright._core.fleet import LARGEST_AMOUNT
from binwright.arrays import Int64Array
from binwright.arrow import read_table
from binwright.errors import InputError, StateError
from binwright.labels import Labels, checked_labels
from binwright.turns import one_writer

if TYPE_CHECKING:
    from binwright._core.state import State
    from binwright.pools import Pools
    from binwright.profile import Profile
    from binwright.rows import Rows

CORDONED, ABSENT = 1, 2


class HostMethods:
    """Methods of `Fleet`; uses its state and checks, never stands alone."""

    resources: tuple[str, ...]
    profile: "Profile"
    _state: "State"
    _number: dict[str, int]
    _names: list[str | None]
    rows: "Rows"
    pools: "Pools"
    _labels: Labels
    _labelled: dict[int, Mapping[str, frozenset[str]]]
    _explicit: set[int]
    _columns: dict[str, int]
    _call: Callable[..., Any]
    _hosts: Callable[[str, Any], Int64Array]
    _one_host: Callable[[str, Any], int]
    _check_resources: Callable[[str, Iterable[str]], None]
    names: Any
    __len__: Callable[[], int]

    @one_writer
    def add_hosts(
        self,
        capacity: Mapping[str, Any] | Any,
        used: Mapping[str, Any] | Any | None = None,
        names: Sequence[str] | None = None,
        labels: Mapping[str, Sequence[str | None]] | None = None,
    ) -> Int64Array:
        """Append hosts; every resource of the fleet, arrays (count,), or tables as `Fleet` takes them. Returns their
        indexes, int64.

        To requests made before, new hosts are: eligible unless the request listed its hosts or its label selector
        does not match; passed by static rules; of raw score 0 (`repair` changes that).
        """
        return self._append("add_hosts", *host_columns("add_hosts", capacity, used, names), labels)

    def _append(
        self,
        where: str,
        capacity: Mapping[str, Any],
        used: Mapping[str, Any],
        names: Sequence[str] | None,
        labels: Mapping[str, Sequence[str | None]] | None,
    ) -> Int64Array:
        listed = arrays.names_in_order(f"{where}: names", names)
        columns = {r: arrays.amounts(f"{where}: capacity of {r!r}", capacity[r], listed) for r in capacity}
        self._check_resources(f"{where}: capacity", columns)
        missing = [name for name in self.resources if name not in columns]
        if missing:
            raise InputError(f"{where}: capacity of {missing[0]!r} is missing")
        count = arrays.same_length(f"{where}: capacity", columns)
        taken = {r: arrays.amounts(f"{where}: used of {r!r}", used[r], listed) for r in used}
        self._check_resources(f"{where}: used", taken)
        if arrays.same_length(f"{where}: used", {**columns, **taken}) != count:
            raise InputError(f"{where}: used and capacity differ in length")
        fresh = arrays.unique_names(f"{where}: names", listed, count)
        first = len(self)
        if first:
            present = {name for name in self.names if name is not None}
            for name in fresh:
                if name in present:
                    raise InputError(f"{where}: duplicate host name {name!r}")
        checked = checked_labels(where, {} if labels is None else labels, count)
        self._call(self._state.reserve, first + count)
        nothing = np.zeros(count, np.int64)
        ordered = [columns[name] for name in self.resources], [taken.get(name, nothing) for name in self.resources]
        self._state.fleet.add_hosts(*ordered, count)
        del self._names[first:]
        self._names += fresh
        self._labels.fill(first, checked)
        self._state.classes.new_hosts(first, count)
        self._state.domain_terms.new_hosts(first, count)
        self.pools._hosts_added(first)
        position = self.profile.positions["eligible"]
        for number in self._explicit:
            self._state.classes.set_rule(number, first, np.ones(count, np.uint8), position)
        for number, selector in self._labelled.items():
            outside = ~self._labels.match(selector, len(self))[first:]
            self._state.classes.set_rule(number, first, outside.astype(np.uint8), position)
        return np.arange(first, first + count, dtype=np.int64)

    @one_writer
    def remove_hosts(self, hosts: Any) -> None:
        """Take hosts and their rows out of the fleet. Raises StateError for a host that holds items, or serves items
        of another by a link; then nothing has changed.
        """
        chosen = self._hosts("remove_hosts", hosts)
        for host in chosen.tolist():
            if self._state.items.on_host(host):
                raise StateError(f"remove_hosts: host {host} ({self._names[host]!r}) holds items; release them first")
            self.rows.check_unused("remove_hosts", host)
        for host in chosen.tolist():
            self.rows.clear(host)
            for resource in range(len(self.resources)):
                self._state.fleet.set_capacity(host, resource, 0)
                self._state.fleet.set_used(host, resource, 0)
            self._labels.clear(host)
            self._state.fleet.set_flags(host, ABSENT)

    @one_writer
    def resize(self, host: int, capacity: Mapping[str, int]) -> None:
        """Give one host new capacities, amounts by resource; what is used may exceed them."""
        host = self._one_host("resize", host)
        given = arguments.mapping(f"resize: host {host}", capacity, "resource to amount")
        self._check_resources("resize", given)
        amounts = {name: arrays.amount(f"resize: host {host}, {name!r}", value) for name, value in given.items()}
        for name, amount in amounts.items():
            self._state.fleet.set_capacity(host, self._number[name], amount)

    @one_writer
    def cordon(self, hosts: Any) -> None:
        """Hosts take no new requests; what they hold stays."""
        for host in self._hosts("cordon", hosts).tolist():
            self._state.fleet.set_flags(host, CORDONED)

    @one_writer
    def uncordon(self, hosts: Any) -> None:
        """Cordoned hosts take requests again."""
        for host in self._hosts("uncordon", hosts).tolist():
            self._state.fleet.set_flags(host, 0)

    @one_writer
    def relabel(self, host: int, labels: Mapping[str, str | None]) -> None:
        """Change labels of one host while it holds items; None removes a label. Label selectors follow."""
        host = self._one_host("relabel", host)
        given = arguments.mapping(f"relabel: host {host}", labels, "label key to value")
        self._labels.relabel(host, checked_labels(f"relabel: host {host}", {k: [v] for k, v in given.items()}, 1))
        bit = 1 << self.profile.positions["eligible"]
        for number, selector in self._labelled.items():
            if not selector.keys().isdisjoint(given):
                matches = self._labels.match_host(selector, host)
                mask = self._state.classes.mask_of(number, host)
                self._state.classes.set_mask(number, host, mask & ~bit if matches else mask | bit)

    @one_writer
    def set_column(self, name: str, hosts: Any, values: Any) -> None:
        """Give hosts their own value of a host column that a float64 profile's scores name: a multiplier or a ratio.

        hosts: one index or an array; values: one finite number, or as many as hosts.
        """
        if arguments.name("set_column", name) not in self._columns:
            raise InputError(f"set_column: the profile names no host column {name!r}")
        chosen = self._hosts("set_column", hosts)
        given = arrays.floats(f"set_column: {name!r}", np.broadcast_to(values, chosen.shape), len(chosen))
        for host, value in zip(chosen.tolist(), given.tolist(), strict=True):
            self._state.floats.set_value(self._columns[name], host, value)

    def _set_limits(self, given: Mapping[str, Mapping[str, Any] | None]) -> None:
        low = {"smallest": 0, "largest": 0, "step": 1}
        columns: dict[str, dict[str, Int64Array]] = {}
        for kind, limits_of in given.items():
            by_resource = arguments.mapping(f"fleet: {kind}", limits_of, "resource to limits")
            self._check_resources(f"fleet: {kind}", by_resource)
            for resource, values in by_resource.items():
                where = f"fleet: {kind} of {resource!r}"
                column = arrays.bounded(where, values, low[kind], LARGEST_AMOUNT, None)
                if len(column) != len(self):
                    raise InputError(f"{where}: {len(column)} values for {len(self)} hosts")
                columns.setdefault(resource, {})[kind] = column
        for resource, limits in columns.items():
            ones, most = np.ones(len(self), np.int64), np.full(len(self), LARGEST_AMOUNT, np.int64)
            ordered = limits.get("smallest", ones), limits.get("largest", most), limits.get("step", ones)
            self._state.fleet.set_limits(self._number[resource], *ordered)


def host_columns(
    where: str, capacity: Any, used: Any, names: Sequence[str] | None
) -> tuple[Mapping[str, Any], Mapping[str, Any], Sequence[str] | None]:
    """(capacity, used, names) by resource. Of a table the integer columns are resources, and the string column "name"
    names the hosts.
    """
    if isinstance(capacity, Mapping):
        capacity = arguments.mapping(f"{where}: capacity", capacity, "resource to array")
    else:
        capacity, names = _of_table(where, "capacity", capacity, names)
    if hasattr(used, "__arrow_c_stream__"):
        used, named = _of_table(where, "used", used, None)
        if named is not None and (names is None or list(names) != list(named)):
            raise InputError(f"{where}: used names other hosts than capacity does")
    return capacity, arguments.mapping(f"{where}: used", used, "resource to array"), names


def _of_table(
    where: str, what: str, source: Any, names: Sequence[str] | None
) -> tuple[dict[str, Any], Sequence[str] | None]:
    if not hasattr(source, "__arrow_c_stream__"):
        raise InputError(f"{where}: {what} is {type(source).__name__}, neither a mapping of arrays nor an Arrow table")
    columns = read_table(where, source)
    for column, values in list(columns.items()):
        if isinstance(values, list):
            if column != "name" or names is not None:
                raise InputError(f'{where}: column {column!r} holds strings; only "name" may, and names= not be given')
            names = columns.pop(column)
    return columns, names
