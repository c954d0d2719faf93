"""The exact checker: is this a packing of the problem, does this certificate hold? Plain integers, nothing compiled.

Reads the problem as it was given and shares no code with what searched: not the form, not the pricing. A certificate
is checked by going through the types once, keeping every content of a bin that could still become worth too much.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from binwright.errors import BinwrightError
from binwright.packing.certificate import Certificate
from binwright.packing.problem import BoolArray, Int64Array, Problem

CELLS = 2048
MOST_STATES = 1_000_000
MOST_WORK = 100_000_000  # contents looked at of one kind of bin
SUM_ROUNDS = 24
EXACT_CELLS = 8_000_000

Pattern = tuple[int, tuple[tuple[int, int], ...], int]
GiveUp = Callable[[], bool]


class TooHard(Exception):
    """The checker gave up: it proves neither that the certificate holds nor that it does not."""


class CheckFailed(BinwrightError):
    """A packing or a certificate is wrong: a defect of binwright, never of the input."""


def check_packing(problem: Problem, patterns: Sequence[Pattern]) -> int:
    """The cost of a packing in units of price; CheckFailed where it breaks a rule or does not pack every item once.

    A pattern is (kind of bin, ((row, copies), ...), how many bins).
    """
    items, bins = problem.items, problem.bins
    packed = [0] * problem.types
    used = [0] * problem.kinds
    weights = {row: [int(weight) for weight in items.weights[row]] for _, pairs, _ in patterns for row, _ in pairs}
    limits = [[int(amount) for amount in row] for row in bins.capacity]
    cost = 0
    for kind, pairs, count in patterns:
        held = dict(pairs)
        if count < 1 or len(held) != len(pairs) or min(held.values(), default=1) < 1:
            raise CheckFailed(f"packing: pattern {pairs} x {count} is no pattern")
        total = [0] * len(limits[kind])
        for row, copies in pairs:
            packed[row] += copies * count
            total = [sum_ + copies * weight for sum_, weight in zip(total, weights[row])]
            if items.eligible is not None and not items.eligible[row, kind]:
                raise CheckFailed(f"packing: {items.name(row)} may not use {bins.name(kind)}")
        if any(sum_ > limit for sum_, limit in zip(total, limits[kind])):
            raise CheckFailed(f"packing: {bins.name(kind)} is overfull: {pairs}")
        if bins.max_items is not None and 0 <= int(bins.max_items[kind]) < sum(held.values()):
            raise CheckFailed(f"packing: {bins.name(kind)} holds too many items: {pairs}")
        refuse_broken_rules(problem, held)
        used[kind] += count
        cost += count * int(bins.prices[kind])
    for row in range(problem.types):
        if packed[row] != int(items.counts[row]):
            raise CheckFailed(f"packing: {items.name(row)} is packed {packed[row]} times, not {items.counts[row]}")
    for kind in range(problem.kinds):
        stock = problem.stock_of(kind)
        if stock is not None and used[kind] > stock:
            raise CheckFailed(f"packing: {used[kind]} of {bins.name(kind)} are used, {stock} are there")
    return cost


def refuse_broken_rules(problem: Problem, held: dict[int, int]) -> None:
    """CheckFailed where the content of one bin breaks a rule between items."""
    items = problem.items
    for left, right in items.conflicts:
        if left in held and right in held and (left != right or held[left] > 1):
            raise CheckFailed(f"packing: {items.name(left)} and {items.name(right)} share a bin")
    for rows, most in items.at_most:
        if sum(held.get(row, 0) for row in set(rows)) > most:
            raise CheckFailed(f"packing: more than {most} of {rows} share a bin")
    for rows in items.together:
        inside = [row for row in rows if row in held]
        if inside and any(held.get(row, 0) != int(items.counts[row]) for row in rows):
            raise CheckFailed(f"packing: {items.name(inside[0])} is separated from what it must stay with")


def check_certificate(problem: Problem, certificate: Certificate, give_up: GiveUp | None = None) -> int:
    """The bound that a certificate (duals per row of the problem) proves; CheckFailed, or TooHard where unproven.

    `give_up` is asked now and then: TooHard when it says so.
    """
    items = problem.items
    if len(certificate.duals) != problem.types or len(certificate.reliefs) != problem.kinds:
        raise CheckFailed("certificate: arrays of the wrong length")
    if certificate.scale < 1 or min((*certificate.duals, *certificate.reliefs), default=0) < 0:
        raise CheckFailed("certificate: a negative number, or no scale")
    for cut in certificate.cuts:
        if cut.fine < 0 or len(set(cut.rows)) != len(cut.rows) or not all(0 <= r < problem.types for r in cut.rows):
            raise CheckFailed("certificate: a cut with a negative fine, or a row twice or that is not there")
    units = units_of(problem, certificate)
    for kind in range(problem.kinds):
        if problem.stock_of(kind) is None and certificate.reliefs[kind]:
            raise CheckFailed(f"certificate: a relief for {problem.bins.name(kind)}, of which there is no end")
        limit = int(problem.bins.prices[kind]) * certificate.scale + certificate.reliefs[kind]
        if problem.stock_of(kind) != 0 and exceeds(problem, units, kind, limit, give_up):
            raise CheckFailed(f"certificate: {problem.bins.name(kind)} can hold items worth more than {limit}")
    return certificate.bound(items.counts.tolist(), [problem.stock_of(kind) or 0 for kind in range(problem.kinds)])


class Units:
    """What is packed as one, with its worth: weights (n, resources) include one column a limit on items.

    `cut`: how many items of each cut a unit holds, (n, cuts); every second one in a bin costs the cut's fine.
    """

    def __init__(
        self, weights: Int64Array, counts: Int64Array, worth: Int64Array, rows: list[tuple[int, ...]], cut: Int64Array,
        fines: Int64Array,
    ):  # fmt: skip
        self.weights = weights
        self.counts = counts
        self.worth = worth
        self.rows = rows
        self.cut = cut
        self.fines = fines


def units_of(problem: Problem, certificate: Certificate) -> Units:
    """One unit a row with a dual, one a group of rows that stay together; rules on counts become columns."""
    items = problem.items
    shared = {row for rows in items.together for row in rows}
    makes_room = np.any(items.weights < 0, axis=1).tolist()
    counted = [row for row in range(problem.types) if certificate.duals[row] or makes_room[row]]
    parts: list[tuple[tuple[int, int], ...]] = [((row, 1),) for row in counted if row not in shared]
    counts = [int(items.counts[part[0][0]]) for part in parts]
    for rows in items.together:
        whole = tuple((row, int(items.counts[row])) for row in rows if items.counts[row])
        if whole:
            parts.append(whole)
            counts.append(1)
    rules = [(set(rows), most) for rows, most in items.at_most]
    table = []
    worth = []
    for part in parts:
        row = [sum(copies * int(items.weights[at, r]) for at, copies in part) for r in range(items.weights.shape[1])]
        row.append(sum(copies for _, copies in part))
        row += [sum(copies for at, copies in part if at in rows) for rows, _ in rules]
        table.append(row)
        worth.append(sum(copies * certificate.duals[at] for at, copies in part))
    fines = [cut.fine for cut in certificate.cuts]
    if sum(worth, start=0) >= 2**62 or sum(fines) >= 2**62:
        raise TooHard
    members = [set(cut.rows) for cut in certificate.cuts]
    cut = [[sum(copies for at, copies in part if at in rows) for rows in members] for part in parts]
    columns = items.weights.shape[1] + 1 + len(rules)
    array = np.array(table, np.int64).reshape(len(parts), columns)
    return Units(
        array, np.array(counts, np.int64), np.array(worth, np.int64), [tuple(r for r, _ in p) for p in parts],
        np.array(cut, np.int64).reshape(len(parts), len(fines)), np.array(fines, np.int64),
    )  # fmt: skip


def exceeds(problem: Problem, units: Units, kind: int, limit: int, give_up: GiveUp | None) -> bool:
    """Whether a bin of this kind can hold units worth more than `limit`. Raises TooHard after too much work."""
    items, bins = problem.items, problem.bins
    most_items = -1 if bins.max_items is None else int(bins.max_items[kind])
    if most_items < 0:
        most_items = 2**60
    room = np.array([*bins.capacity[kind], most_items, *(most for _, most in items.at_most)], np.int64)
    # a negative weight makes room for others, so those units stay in even when they are worth nothing
    makes = (units.weights < 0).any(axis=1)
    made = [sum(-w * c for w, c in zip(column.tolist(), units.counts.tolist()) if w < 0) for column in units.weights.T]
    more = np.array(made, np.int64)
    usable = (units.weights <= room + more).all(axis=1) & (units.counts > 0) & ((units.worth > 0) | makes)
    if items.eligible is not None:
        usable &= np.array([bool(items.eligible[list(rows), kind].all()) for rows in units.rows], bool)
    weights, worth, cut = units.weights[usable], units.worth[usable], units.cut[usable]
    counts = units.counts[usable]
    for resource, amount in enumerate(room):
        heavy = weights[:, resource] > 0
        most = (amount + more[resource]) // np.maximum(weights[:, resource], 1)
        counts = np.where(heavy, np.minimum(counts, most), counts)
    if sum(w * c for w, c in zip(worth.tolist(), counts.tolist())) <= limit:
        return False
    # one resource alone may show it: worth <= limit * weight / room for every unit, in exact integers
    for r, amount in enumerate(room.tolist()):
        pairs = zip(worth.tolist(), weights[:, r].tolist())
        if not more[r] and all(value * amount <= limit * weight for value, weight in pairs):
            return False
    positive = np.maximum(weights, 0).astype(object)
    binding = [r for r in range(len(room)) if int(positive[:, r] @ counts) > int(room[r])]
    binding = binding or [0]
    weights, room, more = weights[:, binding], room[binding], more[binding]
    if len(binding) > 1 and not more.any():
        weights, room = with_sum(weights, counts, worth, room)
    apart = conflicts_between(problem, [rows for rows, use in zip(units.rows, usable) if use])
    # equal ones as one: fewer steps
    if apart is None:
        joined, which = np.unique(np.column_stack([weights, worth, cut]), axis=0, return_inverse=True)
        counts = np.bincount(which.ravel(), weights=counts).astype(np.int64)
        columns = weights.shape[1]
        weights, worth = np.ascontiguousarray(joined[:, :columns]), np.ascontiguousarray(joined[:, columns])
        cut = np.ascontiguousarray(joined[:, columns + 1 :])
    makes = (weights < 0).any(axis=1)
    density = worth / (np.maximum(weights, 0) / np.maximum(room, 1)).sum(axis=1).clip(1e-12)
    # what makes room comes first, see search; then what can be fined, because promises know of no fines
    order = np.lexsort((-worth, -density, ~cut.any(axis=1), ~makes))
    apart = None if apart is None else apart[np.ix_(order, order)]
    return search(weights[order], counts[order], worth[order], room, apart, limit, cut[order], units.fines, give_up)


def with_sum(
    weights: Int64Array, counts: Int64Array, worth: Int64Array, room: Int64Array
) -> tuple[Int64Array, Int64Array]:
    """One more resource: a sum of the others, with multipliers under which fractions of units are worth least.

    Any multipliers are right; good ones make the search short. They are whole numbers, so the sum is exact.
    """
    shares = weights / np.maximum(room, 1)
    current = np.full(len(room), 1.0 / len(room))
    least, kept = np.inf, current
    for turn in range(SUM_ROUNDS):
        size = shares @ current + 1e-12
        order = np.argsort(-worth / size, kind="stable")
        filled = np.cumsum(size[order] * counts[order])
        taken = np.clip((1 - (filled - size[order] * counts[order])) / size[order], 0, counts[order])
        value = float(worth[order] @ taken)
        if value < least:
            least, kept = value, current
        used = shares[order].T @ taken
        current = (current + 1e-4) * np.maximum(1 + (used - 1) / (1 + turn / 2), 0.3)
        current = current / current.sum()
    factors = np.floor(kept * 2**52 / np.maximum(room, 1)).astype(np.int64)
    return np.column_stack([weights @ factors, weights]), np.concatenate([[int(room @ factors)], room])


def conflicts_between(problem: Problem, rows: list[tuple[int, ...]]) -> BoolArray | None:
    """Which units may not share a bin, (n, n); None when there are no such rules."""
    if not problem.items.conflicts:
        return None
    pairs = set(problem.items.conflicts) | {(right, left) for left, right in problem.items.conflicts}
    at: dict[int, int] = {row: number for number, unit in enumerate(rows) for row in unit}
    apart = np.zeros((len(rows), len(rows)), bool)
    for left, right in pairs:
        if left in at and right in at:
            apart[at[left], at[right]] = True
    return apart


def search(
    weights: Int64Array,
    counts: Int64Array,
    worth: Int64Array,
    room: Int64Array,
    apart: BoolArray | None,
    limit: int,
    cut: Int64Array,
    fines: Int64Array,
    give_up: GiveUp | None,
) -> bool:
    """Type after type, all contents that could still be worth more than `limit`; exact in int64.

    A content is what is left (resources), what it is worth, and of each cut whether it holds an odd number of items.
    """
    # contents are looked up with all the room that units could make on top: never too small
    lowest = np.minimum(weights, 0)
    more = -(lowest * counts[:, None]).sum(axis=0)
    tables = [
        Table(np.maximum(weights[:, r], 0), counts, worth, int(room[r] + more[r]), int(more[r]))
        for r in range(len(room))
    ]
    makers = int((weights < 0).any(axis=1).sum())
    left = room.reshape(1, -1)
    value = np.zeros(1, np.int64)
    odd = np.zeros((1, len(fines)), bool)
    blocked = None if apart is None else np.zeros((1, len(worth)), bool)
    ahead = np.cumsum(cut[::-1] > 0, axis=0)[::-1] > 0  # of each cut: whether members are still to come
    work = 0
    for unit in range(len(worth)):
        odd &= ahead[unit]
        promising = value + promise(tables, unit, left) > limit
        left, value, odd = left[promising], value[promising], odd[promising]
        blocked = None if blocked is None else blocked[promising]
        if not len(value):
            return False
        pieces = [(left, value, odd, blocked)]
        now = pieces[0]
        for _ in range(int(counts[unit])):
            work += len(now[1])
            if work > MOST_WORK or (give_up is not None and give_up()):
                raise TooHard
            # until the last unit that makes room, a bin may be overfull by what the others can still make
            fits = (now[0] + (more if makers > unit else 0) >= weights[unit]).all(axis=1)
            if now[3] is not None:
                fits &= ~now[3][:, unit]
            if not fits.any():
                break
            bars = None if now[3] is None or apart is None else now[3][fits] | apart[unit]
            held = now[2][fits] + cut[unit]
            now = (now[0][fits] - weights[unit], now[1][fits] + worth[unit] - held // 2 @ fines, held % 2 == 1, bars)
            if ((now[1] > limit) & (now[0] >= 0).all(axis=1)).any():
                return True
            keep = now[1] + promise(tables, unit, now[0]) > limit
            now = (now[0][keep], now[1][keep], now[2][keep], None if now[3] is None else now[3][keep])
            pieces.append(now)
        left = np.concatenate([piece[0] for piece in pieces])
        value = np.concatenate([piece[1] for piece in pieces])
        odd = np.concatenate([piece[2] for piece in pieces])
        if blocked is not None:
            blocked = np.concatenate([piece[3] for piece in pieces if piece[3] is not None])
        elif len(value) > 1000:
            left, value, odd = undominated(left, value, odd)
        if len(value) > MOST_STATES:
            raise TooHard
    return bool(((value > limit) & (left >= 0).all(axis=1)).any())


class Table:
    """Per suffix of the units: the most they can add to what is left of one resource, in whole cells, never less."""

    def __init__(self, weights: Int64Array, counts: Int64Array, worth: Int64Array, room: int, more: int) -> None:
        self.more = more
        exact = (room + 1) * (len(worth) + 1) <= EXACT_CELLS and room <= 200_000
        self.unit = 1 if exact else -(-(room + 1) // CELLS)
        cells = room // self.unit + 1
        self.rows = np.zeros((len(worth) + 1, cells), np.int64)
        for number in range(len(worth) - 1, -1, -1):
            row = self.rows[number + 1].copy()
            # w units take at least floor(w / unit) cells, and what is left holds floor(left / unit) of them
            weight, waiting, step = int(weights[number]) // self.unit, int(counts[number]), 1
            if weight == 0:
                row += int(worth[number]) * waiting
                waiting = 0
            while waiting > 0:
                step = min(step, waiting)
                if weight * step < cells:
                    np.maximum(row[weight * step :], row[: -weight * step] + int(worth[number]) * step,
                               out=row[weight * step :])  # fmt: skip
                waiting -= step
                step *= 2
            self.rows[number] = row

    def most(self, unit: int, left: Int64Array) -> Int64Array:
        """What units from `unit` on can add, for each content."""
        most: Int64Array = self.rows[unit][np.minimum((left + self.more) // self.unit, self.rows.shape[1] - 1)]
        return most


def promise(tables: list[Table], unit: int, left: Int64Array) -> Int64Array:
    """The least over the resources of what could still be added."""
    least = tables[0].most(unit, left[:, 0])
    for resource in range(1, len(tables)):
        least = np.minimum(least, tables[resource].most(unit, left[:, resource]))
    return least


def undominated(left: Int64Array, value: Int64Array, odd: BoolArray) -> tuple[Int64Array, Int64Array, BoolArray]:
    """Of contents that leave the same and are odd in the same cuts, the one worth most."""
    bits = np.packbits(odd[:, odd.any(axis=0)], axis=1)
    order = np.lexsort((-value, *bits.T, *left.T))
    left, value, odd, bits = left[order], value[order], odd[order], bits[order]
    first = np.ones(len(value), bool)
    first[1:] = (left[1:] != left[:-1]).any(axis=1) | (bits[1:] != bits[:-1]).any(axis=1)
    return left[first], value[first], odd[first]
