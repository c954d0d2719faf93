"""The canonical form that the algorithms see: few types, few resources, small integers; with the way back.

Items that must share a bin become one item; equal items become one type; a limit on items is a resource like any
other; amounts are divided by their common divisor, capacities lowered to what can be reached, and resources that can
never decide are dropped. Nothing here changes which packings are feasible.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from binwright.errors import InputError
from binwright.packing.problem import BoolArray, Int64Array, Problem, grouped
from binwright.units import MAX_AMOUNT

UINT64 = npt.NDArray[np.uint64]
REACH_WORK = 3 * 10**8  # bits times shifts that finding the reachable capacities may take
DOMINANCE_TYPES = 20_000


@dataclass(frozen=True)
class Bundle:
    """Items that are packed as one: (row of the problem, copies), and how many such bundles there are."""

    parts: tuple[tuple[int, int], ...]
    count: int


@dataclass
class Form:
    """Arrays for the core. Types T, resources R, kinds K; patterns are int64 (T,)."""

    weights: Int64Array  # (T, R)
    counts: Int64Array  # (T,)
    capacity: Int64Array  # (K, R)
    price: Int64Array  # (K,)
    stock: Int64Array  # (K,), the number of items where it has no end
    limited: BoolArray  # (K,): the stock may run out
    allowed: npt.NDArray[np.uint8]  # (K, T)
    conflicts: UINT64 | None  # (T, words)
    bundles: list[list[Bundle]] = field(default_factory=list)  # per type, in the order of the problem
    homeless: list[int] = field(default_factory=list)  # rows of the problem that no bin can hold

    @property
    def types(self) -> int:
        return len(self.weights)

    @property
    def kinds(self) -> int:
        return len(self.capacity)

    def fits(self, kind: int, types: Int64Array, copies: Int64Array) -> bool:
        """Whether a pattern keeps within the resources of a kind of bin."""
        return bool((copies @ self.weights[types] <= self.capacity[kind]).all())

    @property
    def plain(self) -> bool:
        """One kind of bin, without end, at price 1, and no rule beyond the resources."""
        return self.kinds == 1 and not self.limited[0] and self.price[0] == 1 and self.conflicts is None


def make_form(problem: Problem) -> Form:
    """The form of a problem. Raises InputError where amounts of items that share a bin add up to more than 2**56."""
    items, bins = problem.items, problem.bins
    bundles = bundles_of(problem)
    simple = not (items.conflicts or items.together or items.at_most or items.eligible is not None)
    if simple:
        rows = np.array([bundle.parts[0][0] for bundle in bundles], np.int64)
        weights, counts = items.weights[rows], items.counts[rows]
    else:
        counts = np.array([bundle.count for bundle in bundles], np.int64)
        weights = np.array([weight_of(problem, bundle) for bundle in bundles], np.int64)
        weights = weights.reshape(len(bundles), items.weights.shape[1])
    capacity = bins.capacity
    sizes = np.array([sum(copies for _, copies in bundle.parts) for bundle in bundles], np.int64)
    if bins.max_items is not None:
        item_room = np.where(bins.max_items < 0, max(int(items.counts.sum()), 1), bins.max_items)
        weights, capacity = with_column(weights, sizes), with_column(capacity, item_room)
    for members, limit in ((set(rows), most) for rows, most in items.at_most if most > 1):
        held = [sum(copies for row, copies in bundle.parts if row in members) for bundle in bundles]
        weights, capacity = with_column(weights, held), with_column(capacity, [limit] * len(capacity))
    made = room_made(weights, counts)
    fits = np.ones((len(bundles), len(capacity)), bool)
    for kind in range(len(capacity)):
        fits[:, kind] = (weights <= capacity[kind] + made).all(axis=1)
    if items.eligible is not None:
        for number, bundle in enumerate(bundles):
            fits[number] &= items.eligible[[row for row, _ in bundle.parts]].all(axis=0)
    conflicts, alone = conflicts_of(problem, bundles)
    fits[alone] = False
    stock = np.full(len(capacity), max(int(counts.sum()), 1), np.int64)
    limited = np.zeros(len(capacity), bool)
    if bins.stock is not None:
        limited = (bins.stock >= 0) & (bins.stock < stock)
        stock = np.where(limited, bins.stock, stock)
    fits &= stock > 0
    homeless = sorted({row for number in np.flatnonzero(~fits.any(axis=1)) for row, _ in bundles[number].parts})
    key = [weights, fits.astype(np.int64)]
    if conflicts is not None:
        key.append(conflicts.view(np.int64))
    if not simple or len(fits[0] if len(fits) else ()) > 1:
        _, _, type_of = grouped(np.ascontiguousarray(np.hstack(key)))
    else:
        _, _, type_of = grouped(np.ascontiguousarray(weights))
    firsts = np.unique(type_of, return_index=True)[1]
    sources: list[list[Bundle]] = [[] for _ in firsts]
    for bundle, number in zip(bundles, type_of):
        sources[number].append(bundle)
    totals = np.bincount(type_of, weights=counts, minlength=len(firsts)).astype(np.int64)
    weights, capacity = smaller(weights[firsts], totals, capacity, fits[firsts])
    return Form(
        weights=np.ascontiguousarray(weights),
        counts=totals,
        capacity=np.ascontiguousarray(capacity),
        price=bins.prices,
        stock=stock,
        limited=limited,
        allowed=np.ascontiguousarray(fits[firsts].T, np.uint8),
        conflicts=merged_conflicts(conflicts, type_of, firsts),
        bundles=sources,
        homeless=homeless,
    )


def room_made(weights: Int64Array, counts: Int64Array) -> Int64Array:
    """Per resource, the room that all negative weights make together. InputError where that is more than 2**56."""
    if weights.min(initial=0) >= 0:
        return np.zeros(weights.shape[1], np.int64)
    total = [-sum(weight * count for weight, count in zip(column.tolist(), counts.tolist()) if weight < 0)
             for column in weights.T]  # fmt: skip
    if max(total) > MAX_AMOUNT:
        raise InputError("items: the negative weights of a resource add up to more than 2**56")
    return np.array(total, np.int64)


def bundles_of(problem: Problem) -> list[Bundle]:
    """Every item in exactly one bundle; rows without copies in none."""
    items = problem.items
    shared = {row for rows in items.together for row in rows}
    bundles = [
        Bundle(((row, 1),), count) for row, count in enumerate(items.counts.tolist()) if count and row not in shared
    ]
    for rows in items.together:
        parts = tuple((row, int(items.counts[row])) for row in rows if items.counts[row])
        if parts:
            bundles.append(Bundle(parts, 1))
    return bundles


def weight_of(problem: Problem, bundle: Bundle) -> list[int]:
    """Exact sum of the weights of a bundle."""
    total = [0] * problem.items.weights.shape[1]
    for row, copies in bundle.parts:
        total = [sum_ + copies * int(weight) for sum_, weight in zip(total, problem.items.weights[row])]
    if max(map(abs, total), default=0) > MAX_AMOUNT:
        raise InputError(f"items: together of {problem.items.name(bundle.parts[0][0])} adds up to more than 2**56")
    return total


def with_column(rows: Int64Array, column: object) -> Int64Array:
    return np.hstack([rows, np.asarray(column, np.int64).reshape(len(rows), 1)])


def conflicts_of(problem: Problem, bundles: list[Bundle]) -> tuple[UINT64 | None, list[int]]:
    """Bit rows (bundles, words) of what may not share a bin; and the bundles that conflict within themselves."""
    items = problem.items
    groups = [set(rows) for rows, most in items.at_most if most == 1]
    if not items.conflicts and not groups:
        return None, []
    where: dict[int, list[int]] = {}
    copies_in: dict[tuple[int, int], int] = {}
    for number, bundle in enumerate(bundles):
        for row, copies in bundle.parts:
            where.setdefault(row, []).append(number)
            copies_in[number, row] = copies
    words = (len(bundles) + 63) // 64
    bits = np.zeros((len(bundles), words), np.uint64)
    alone = set()
    for left, right in items.conflicts:
        for a in where.get(left, ()):
            for b in where.get(right, ()):
                if a == b and (left != right or copies_in[a, left] > 1):
                    alone.add(a)
                bits[a, b // 64] |= np.uint64(1 << (b % 64))
                bits[b, a // 64] |= np.uint64(1 << (a % 64))
    for group in groups:  # all pairs at once: a group can be of thousands
        held = np.zeros(words * 64, np.int64)
        for row in group:
            for number in where.get(row, ()):
                held[number] += copies_in[number, row]
        members = np.flatnonzero(held)
        bits[members] |= np.packbits(held > 0, bitorder="little").view(np.uint64)
        alone.update(np.flatnonzero(held > 1).tolist())
    return bits, sorted(alone)


def merged_conflicts(bits: UINT64 | None, type_of: npt.NDArray[np.int32], firsts: Int64Array) -> UINT64 | None:
    """Conflicts of types from those of bundles; bundles of one type have equal rows, so the first speaks for all."""
    if bits is None:
        return None
    full = np.unpackbits(bits.view(np.uint8), axis=1, bitorder="little")[:, : len(type_of)]
    types = full[np.ix_(firsts, firsts)]
    words = (len(firsts) + 63) // 64
    padded = np.zeros((len(firsts), words * 64), np.uint8)
    padded[:, : len(firsts)] = types
    return np.packbits(padded, axis=1, bitorder="little").view(np.uint64)


def smaller(
    weights: Int64Array, counts: Int64Array, capacity: Int64Array, fits: BoolArray
) -> tuple[Int64Array, Int64Array]:
    """The same feasible patterns with smaller numbers and fewer resources; at least one resource is kept."""
    if not len(weights):
        return weights, capacity
    weights, capacity = weights.copy(), capacity.copy()
    homes = fits.any(axis=1)
    for resource in range(weights.shape[1]):
        common = int(np.gcd.reduce(weights[homes, resource])) if homes.any() else 0
        if common > 1:
            weights[homes, resource] //= common
            capacity[:, resource] //= common
        for kind in range(len(capacity)) if weights[:, resource].min() >= 0 else ():
            capacity[kind, resource] = reachable(
                weights[fits[:, kind], resource], counts[fits[:, kind]], int(capacity[kind, resource])
            )
    kept = decisive(weights[homes], capacity)
    return weights[:, kept], capacity[:, kept]


def reachable(weights: Int64Array, counts: Int64Array, capacity: int) -> int:
    """The largest sum of weights up to `capacity`; `capacity` itself where finding it would take long."""
    total: int = sum(weight * count for weight, count in zip(weights.tolist(), counts.tolist()))
    if total <= capacity:
        return total
    heavy = weights[weights > 0]
    if not len(heavy) or heavy.min() == 1 or capacity * len(np.unique(heavy)) * 3 > REACH_WORK:
        return capacity
    copies: dict[int, int] = {}
    for weight, count in zip(weights.tolist(), counts.tolist()):
        if weight:
            copies[weight] = copies.get(weight, 0) + count
    mask = (1 << (capacity + 1)) - 1
    sums = 1
    for weight, count in sorted(copies.items()):
        count = min(count, capacity // weight)
        step = 1
        while count > 0:
            step = min(step, count)
            sums |= (sums << (step * weight)) & mask
            count -= step
            step *= 2
        if sums >> capacity & 1:
            return capacity
    return sums.bit_length() - 1


def decisive(weights: Int64Array, capacity: Int64Array) -> list[int]:
    """Resources that can decide: not those of which no item ever takes a larger share than of another one."""
    resources = weights.shape[1]
    kept = list(range(resources))
    if len(weights) > DOMINANCE_TYPES or len(weights) == 0 or weights.min() < 0:
        return kept
    largest = int(max(weights.max(), capacity.max()))
    exact = weights.astype(object) if largest >= 2**31 else weights
    limits = capacity.astype(object) if largest >= 2**31 else capacity
    for resource in range(resources - 1, -1, -1):
        if len(kept) == 1:
            break
        for other in kept:
            # w[resource] / C[resource] <= w[other] / C[other] for every item and every kind of bin
            if (
                other != resource
                and (limits[:, other] > 0).all()
                and all(
                    (exact[:, resource] * limit[other] <= exact[:, other] * limit[resource]).all() for limit in limits
                )
            ):
                kept.remove(resource)
                break
    return kept
