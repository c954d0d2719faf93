"""Nodes as columns: what static rules read of them, each distinct value once.

A rule is asked per distinct label value, taint list or image, and numpy spreads the answer over the nodes; no rule
loops over nodes. Amounts are not here (see `compile`), nor is any rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from binwright.kubernetes.objects import Node, Taint

__all__ = ["Distinct", "NodeTable"]

MISSING = -1


class Distinct:
    """One property of every node, coded: `codes` int32 (nodes,) into `values`, -1 where a node lacks it."""

    __slots__ = ("codes", "number", "values")

    def __init__(self, column: Iterable[str | tuple[tuple[str, str, str], ...] | None]) -> None:
        self.number: dict[object, int] = {}
        number = self.number
        self.codes = np.fromiter(
            (MISSING if value is None else number.setdefault(value, len(number)) for value in column), np.int32
        )
        self.values: tuple[Any, ...] = tuple(number)

    def spread(self, verdicts: Sequence[int] | np.ndarray, missing: int, dtype: type = np.bool_) -> np.ndarray:
        """(nodes,) array of `dtype` from one verdict per distinct value, and one for nodes that lack it."""
        table: np.ndarray = np.empty(len(self.values) + 1, dtype)
        table[: len(self.values)] = verdicts
        table[MISSING] = missing
        return table[self.codes]

    def texts(self) -> list[str | None]:
        """The values themselves, one a node, None where it lacks the property."""
        return [None if code < 0 else self.values[code] for code in self.codes.tolist()]

    def equal_to(self, wanted: Iterable[str]) -> np.ndarray:
        """(nodes,) bool: the node has one of the wanted values."""
        verdicts = np.zeros(len(self.values), np.bool_)
        for value in wanted:
            number = self.number.get(value)
            if number is not None:
                verdicts[number] = True
        return self.spread(verdicts, False)


class NodeTable:
    """The nodes of one cluster in input order, as static rules read them.

    `names` are unique (the reader sees to it), `index` gives a name's position, `unschedulable` is bool (nodes,).
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.names = [node.metadata.name or "" for node in nodes]
        self.index = {name: number for number, name in enumerate(self.names)}
        self.unschedulable = np.fromiter((bool(node.spec and node.spec.unschedulable) for node in nodes), np.bool_)
        self._labels = [node.metadata.labels or {} for node in nodes]
        self._columns: dict[str, Distinct] = {}
        self._taints = [node.spec.taints or () if node.spec else () for node in nodes]
        self._taint_lists: Distinct | None = None
        self._images: dict[str, tuple[int, np.ndarray]] | None = None
        self._nodes = nodes

    def __len__(self) -> int:
        return len(self.names)

    def nobody(self) -> np.ndarray:
        """A fresh bool (nodes,) array of False."""
        return np.zeros(len(self.names), np.bool_)

    def label(self, key: str) -> Distinct:
        """The values of one label; coded at its first use."""
        column = self._columns.get(key)
        if column is None:
            column = self._columns[key] = Distinct(labels.get(key) for labels in self._labels)
        return column

    def domain_key(self, key: str) -> str | None:
        """The topology key as the engine is best asked: None, each host a domain, where every node has a value of its
        own. The domains are the same, and the engine need not keep a sum for each.
        """
        return None if len(self.label(key).values) == len(self.names) else key

    def named(self, names: Iterable[str]) -> np.ndarray:
        """(nodes,) bool: the nodes of these names; unknown names are no node."""
        chosen = self.nobody()
        for name in names:
            number = self.index.get(name)
            if number is not None:
                chosen[number] = True
        return chosen

    def by_taints(self, verdict: Callable[[tuple[Taint, ...]], int], dtype: type = np.int64) -> np.ndarray:
        """(nodes,) array of `dtype` from one verdict per distinct list of taints."""
        if self._taint_lists is None:
            self._taint_lists = Distinct(
                tuple((taint.key, taint.value or "", taint.effect) for taint in taints) for taints in self._taints
            )
        lists = self._taint_lists
        return lists.spread(
            [verdict(tuple(Taint(key, value, effect) for key, value, effect in taints)) for taints in lists.values],
            0,
            dtype,
        )

    def image(self, name: str) -> tuple[int, np.ndarray] | None:
        """Size of an image (as the first node that lists it has it), and the positions of the nodes that list it."""
        if self._images is None:
            found: dict[str, tuple[int, list[int]]] = {}
            for number, node in enumerate(self._nodes):
                for image in (node.status and node.status.images) or ():
                    for label in image.names or ():
                        where = found.setdefault(label, (image.size_bytes or 0, []))[1]
                        if not where or where[-1] != number:
                            where.append(number)
            self._images = {label: (size, np.array(where)) for label, (size, where) in found.items()}
        return self._images.get(name)
