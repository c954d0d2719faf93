"""Host labels by name over the core's domain columns: filling, relabelling, matching of label selectors."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from binwright import arrays
from binwright._core.domains import Domains
from binwright.arrays import BoolArray
from binwright.errors import InputError

LabelColumns = Mapping[str, Sequence[str | None]]


def checked_labels(where: str, labels: Mapping[str, Any], count: int) -> LabelColumns:
    """Label columns as given: keys and values strings, None = no label, as many values as hosts."""
    if not isinstance(labels, Mapping):
        raise InputError(f"{where}: labels {labels!r} is not a mapping from key to values")
    checked: dict[str, list[str | None]] = {}
    for key, values in labels.items():
        if not isinstance(key, str):
            raise InputError(f"{where}: label key {key!r} is not a string")
        listed = None if isinstance(values, str) else arrays.sequence(values)
        if listed is None or len(listed) != count:
            raise InputError(f"{where}: label {key!r} needs {count} values, one a host")
        for host, value in enumerate(listed):
            if value is not None and not isinstance(value, str):
                raise InputError(f"{where}: label {key!r} of host {host} is {value!r}, neither a string nor None")
        checked[str(key)] = [None if value is None else str(value) for value in listed]  # numpy's strings too
    return checked


class Labels:
    """Names for the keys and domains of one fleet."""

    def __init__(self, domains: Domains) -> None:
        self._domains = domains

    def fill(self, first: int, columns: LabelColumns) -> None:
        """Labels of hosts that are being added, from host `first` on."""
        for key, values in columns.items():
            number = self._domains.add_key(key)
            ids = [-1 if value is None else self._domains.domain(number, value) for value in values]
            self._domains.fill(number, first, np.array(ids, np.int32))

    def relabel(self, host: int, columns: LabelColumns) -> None:
        """New values for one host; None removes the label."""
        for key, (value,) in columns.items():
            number = self._domains.add_key(key)
            self._domains.relabel(number, host, -1 if value is None else self._domains.domain(number, value))

    def clear(self, host: int) -> None:
        """Remove all labels of one host."""
        for number in range(len(self._domains.keys)):
            self._domains.relabel(number, host, -1)

    def value(self, host: int, key: str) -> str | None:
        """One label of one host."""
        if key not in self._domains.keys:
            return None
        number = self._domains.keys.index(key)
        domain = self._domains.domain_of(number, host)
        return None if domain < 0 else self._domains.values[number][domain]

    def match(self, selector: Mapping[str, frozenset[str]], hosts: int) -> BoolArray:
        """Hosts that have, for every key of the selector, one of its values. bool (hosts,)."""
        matches = np.ones(hosts, bool)
        for key, values in selector.items():
            if key not in self._domains.keys:
                return np.zeros(hosts, bool)
            number = self._domains.keys.index(key)
            wanted = [self._domains.lookup(number, value) for value in values]
            ids = np.frombuffer(self._domains.ids, np.int32)
            stride = len(ids) // len(self._domains.keys)
            column = ids[number * stride : number * stride + hosts]
            matches &= np.isin(column, [domain for domain in wanted if domain >= 0])
        return matches

    def match_host(self, selector: Mapping[str, frozenset[str]], host: int) -> bool:
        """The same for one host."""
        return all(self.value(host, key) in values for key, values in selector.items())
