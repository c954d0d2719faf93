"""What is to be packed, as the caller says it: items and bins, checked at the door. Knows no algorithm.

All amounts are integers in 0..2**56 in the caller's own units (a weight may be negative: it makes room for others, as
in some public instances); prices are exact (integers, Decimal, Fraction; a float
means its shortest decimal). Everything is refused with one InputError that names the object and the field.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import gcd, lcm
from typing import Any

import numpy as np
import numpy.typing as npt

from binwright._core.grouping import Grouping
from binwright.errors import InputError
from binwright.units import MAX_AMOUNT, shown

Int64Array = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

MOST_RESOURCES = 64
MOST_ITEMS = 2**40
MOST_PRICE = 2**28  # in units of the greatest common divisor of all prices


class Items:
    """Types of items with counts.

    `weights`: integers (n,) or (n, resources), one row a type; `counts`: integers (n,), default one each. Without
    counts and rules, equal rows are counted together: `group_of` int32 (n,) then tells the type of each given row.
    Rules name types by their row: `conflicts`, pairs that never share a bin (a pair with itself: one copy a bin);
    `together`, collections whose items, all copies, share one bin; `at_most`, pairs (rows, k): at most k items of
    these rows in a bin; `eligible`: bool (types, bins), the bins that a type may use.
    """

    def __init__(
        self,
        weights: Any,
        counts: Any = None,
        *,
        names: Sequence[str] | None = None,
        conflicts: Iterable[tuple[int, int]] = (),
        together: Iterable[Sequence[int]] = (),
        at_most: Iterable[tuple[Sequence[int], int]] = (),
        eligible: Any = None,
    ) -> None:
        rows = table("items: weights", weights, -MAX_AMOUNT)
        self.group_of: npt.NDArray[np.int32] | None = None
        self.conflicts = tuple((int(left), int(right)) for left, right in conflicts)
        self.together = tuple(tuple(int(row) for row in rows_) for rows_ in together)
        self.at_most = tuple((tuple(int(row) for row in rows_), int(most)) for rows_, most in at_most)
        self.eligible: BoolArray | None = None if eligible is None else np.asarray(eligible)
        self.names = None if names is None else tuple(names)
        ruled = self.conflicts or self.together or self.at_most or eligible is not None or names is not None
        if counts is None and not ruled:
            self.weights, self.counts, self.group_of = grouped(rows)
        else:
            self.weights = rows
            self.counts = np.ones(len(rows), np.int64) if counts is None else table("items: counts", counts)[:, 0]
        self.refuse_what_is_wrong()

    def refuse_what_is_wrong(self) -> None:
        """Lengths, ranges and the rows that rules name."""
        types = len(self.weights)
        if len(self.counts) != types:
            raise InputError(f"items: {len(self.counts)} counts for {types} types")
        if self.names is not None and len(self.names) != types:
            raise InputError(f"items: {len(self.names)} names for {types} types")
        if float(self.counts.astype(float).sum()) > MOST_ITEMS:
            raise InputError("items: more than 2**40 items in all")
        if self.eligible is not None and (self.eligible.dtype.kind != "b" or self.eligible.ndim != 2):
            raise InputError("items: eligible must be a bool array (types, bins)")
        named: list[tuple[str, Sequence[int]]] = [("conflicts", pair) for pair in self.conflicts]
        named += [("together", rows) for rows in self.together]
        named += [("at_most", rows) for rows, _ in self.at_most]
        for field, rows in named:
            for row in rows:
                if not 0 <= row < types:
                    raise InputError(f"items: {field} names row {row}, there are {types}")
        seen: set[int] = set()
        for rows in self.together:
            if len(set(rows)) != len(rows) or seen & set(rows):
                raise InputError(f"items: together names a row of {rows} twice")
            seen.update(rows)
        for rows, most in self.at_most:
            if not 1 <= most <= MOST_ITEMS:
                raise InputError(f"items: at_most of rows {rows} is {shown(most)}, must be 1 to 2**40")

    def name(self, row: int) -> str:
        """The name of a type, or "item ROW"."""
        return self.names[row] if self.names is not None else f"item {row}"


class Bins:
    """Kinds of bins.

    `capacity`: an integer, (resources,) for one kind, or (kinds, resources); `price` (kinds,), default 1 each;
    `stock`: integers (kinds,), None = without end, a negative one too; `used`: what a bin already holds or reserves,
    (resources,) or (kinds, resources): part-filled bins are kinds with their own `used`, price 0 and a stock.
    `max_items`: an integer or (kinds,): at most so many items a bin, None = any number.
    """

    def __init__(
        self,
        capacity: Any,
        price: Any = None,
        stock: Any = None,
        *,
        used: Any = None,
        max_items: Any = None,
        names: Sequence[str] | None = None,
    ) -> None:
        array = np.asarray(capacity)
        if array.ndim < 2:
            array = array.reshape(1, -1)
        self.capacity = table("bins: capacity", array)
        kinds = len(self.capacity)
        if kinds == 0 or self.capacity.shape[1] == 0:
            raise InputError("bins: there are none")
        if used is not None:
            taken = table("bins: used", np.atleast_2d(np.asarray(used)))
            if taken.shape[1] != self.capacity.shape[1] or len(taken) not in (1, kinds):
                raise InputError(f"bins: used has shape {taken.shape}, capacity {self.capacity.shape}")
            short = np.argwhere(taken > self.capacity)
            if len(short):
                raise InputError(f"bins: used of bin {short[0][0]} is more than its capacity in resource {short[0][1]}")
            self.capacity = self.capacity - taken
        self.names = None if names is None else tuple(str(name) for name in names)
        if self.names is not None and len(self.names) != kinds:
            raise InputError(f"bins: {len(self.names)} names for {kinds} kinds")
        self.prices, self.price_unit = exact_prices([1] * kinds if price is None else price, kinds)
        self.stock = one_each("bins: stock", stock, kinds)
        self.max_items = one_each("bins: max_items", max_items, kinds)

    def name(self, kind: int) -> str:
        """The name of a kind, or "bin KIND"."""
        return self.names[kind] if self.names is not None else f"bin {kind}"


@dataclass(frozen=True)
class Problem:
    """Items and bins that belong together: equally many resources, eligibility of the right shape."""

    items: Items
    bins: Bins

    def __post_init__(self) -> None:
        given, offered = self.items.weights.shape[1], self.bins.capacity.shape[1]
        if given != offered:
            raise InputError(f"items: {given} resources, the bins have {offered}")
        if self.items.eligible is not None and self.items.eligible.shape != (self.types, self.kinds):
            raise InputError(f"items: eligible has shape {self.items.eligible.shape}, not {(self.types, self.kinds)}")

    @property
    def types(self) -> int:
        return len(self.items.weights)

    @property
    def kinds(self) -> int:
        return len(self.bins.capacity)

    def stock_of(self, kind: int) -> int | None:
        """Bins of a kind, None = without end."""
        return None if self.bins.stock is None or self.bins.stock[kind] < 0 else int(self.bins.stock[kind])


def read(items: Any, bins: Any) -> Problem:
    """A Problem from what `pack` is given: Items or an array of weights, Bins or one capacity."""
    return Problem(
        items if isinstance(items, Items) else Items(items),
        bins if isinstance(bins, Bins) else Bins(bins),
    )


def table(where: str, values: Any, least: int = 0) -> Int64Array:
    """Integers in `least`..2**56 as a contiguous int64 array (n, columns); one column for a flat list."""
    try:
        array = np.asarray(values)
    except (ValueError, OverflowError) as error:
        raise InputError(f"{where}: not a table of integers ({error})") from None
    if array.size == 0:
        return np.zeros((len(array), array.shape[1]) if array.ndim == 2 else (0, 1), np.int64)
    if array.ndim == 1:
        array = array.reshape(-1, 1)
    if array.ndim != 2:
        raise InputError(f"{where}: needs one or two dimensions, has {array.ndim}")
    if array.dtype.kind not in "iu":
        raise InputError(f"{where}: needs integers, has {array.dtype}")
    if array.shape[1] > MOST_RESOURCES:
        raise InputError(f"{where}: {array.shape[1]} resources, at most {MOST_RESOURCES}")
    low, high = int(array.min()), int(array.max())
    if low < least or high > MAX_AMOUNT:
        row, column = np.argwhere((array < least) | (array > MAX_AMOUNT))[0]
        value = int(array[row, column])
        what = "is more than 2**56" if value > 0 else "is negative" if least == 0 else "is less than -2**56"
        raise InputError(f"{where}, row {row}, column {column}: {value} {what}")
    return np.ascontiguousarray(array, np.int64)


def grouped(rows: Int64Array) -> tuple[Int64Array, Int64Array, npt.NDArray[np.int32]]:
    """Distinct rows in the order of first occurrence, how often each occurs, and the group of each row."""
    group_of = np.empty(len(rows), np.int32)
    grouping = Grouping(rows, group_of)
    firsts = np.empty(grouping.count, np.int64)
    grouping.fill_firsts(firsts)
    return rows[firsts], np.bincount(group_of, minlength=grouping.count).astype(np.int64), group_of


def one_each(where: str, values: Any, kinds: int) -> Int64Array | None:
    """One integer a kind, -1 for None; None when there is nothing."""
    if values is None:
        return None
    listed = [values] * kinds if isinstance(values, int | np.integer) else list(values)
    if len(listed) != kinds:
        raise InputError(f"{where}: {len(listed)} values for {kinds} kinds")
    result = []
    for kind, value in enumerate(listed):
        if value is None:
            value = -1
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or int(value) > MAX_AMOUNT:
            raise InputError(f"{where} of bin {kind}: {value!r} is not an integer up to 2**56")
        result.append(max(int(value), -1))
    return np.array(result, np.int64)


def exact_prices(given: Any, kinds: int) -> tuple[Int64Array, Fraction]:
    """Prices as integers without common divisor, and what one unit of them is worth."""
    listed = [given] * kinds if isinstance(given, int | float | Decimal | Fraction) else list(given)
    if len(listed) != kinds:
        raise InputError(f"bins: {len(listed)} prices for {kinds} kinds")
    exact = []
    for kind, price in enumerate(listed):
        if isinstance(price, np.generic):
            price = price.item()
        try:
            if isinstance(price, bool):
                raise ValueError
            exact.append(price if isinstance(price, Fraction) else Fraction(str(price)))
        except (ValueError, ZeroDivisionError):
            raise InputError(f"bins: price of bin {kind}: {price!r} is not a number") from None
        if exact[-1] < 0:
            raise InputError(f"bins: price of bin {kind}: {price} is negative")
    scale = lcm(*(price.denominator for price in exact))
    whole = [int(price * scale) for price in exact]
    common = gcd(*whole) or 1
    if max(whole) // common > MOST_PRICE:
        raise InputError(f"bins: prices differ too finely: more than 2**28 steps of {Fraction(common, scale)}")
    return np.array([price // common for price in whole], np.int64), Fraction(common, scale)
