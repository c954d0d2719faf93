"""The slow truth of bin packing: the cheapest packing by trying everything, the worth of a bin by trying everything.

Plain data only: items are (weights, count), bins (capacity, price, stock or None).
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import product

Weights = Sequence[int]
Allowed = Callable[[tuple[int, ...], int], bool]


def contents(items: Sequence[tuple[Weights, int]], capacity: Weights) -> Iterator[tuple[int, ...]]:
    """Every number of copies per type that one bin can hold by weight."""
    for copies in product(*(range(count + 1) for _, count in items)):
        if all(
            sum(number * weights[r] for number, (weights, _) in zip(copies, items)) <= limit
            for r, limit in enumerate(capacity)
        ):
            yield copies


def most_worth(
    items: Sequence[tuple[Weights, int]],
    capacity: Weights,
    worth: Sequence[int],
    allowed: Allowed,
    cuts: Sequence[tuple[Sequence[int], int]] = (),
) -> int:
    """The largest worth that one bin (of kind 0) can hold; every second item of a cut (rows, fine) costs the fine."""
    return max(
        sum(number * value for number, value in zip(copies, worth))
        - sum(fine * (sum(copies[row] for row in rows) // 2) for rows, fine in cuts)
        for copies in contents(items, capacity)
        if allowed(copies, 0)
    )


def least_cost(
    items: Sequence[tuple[Weights, int]], bins: Sequence[tuple[Weights, int, int | None]], allowed: Allowed
) -> int | None:
    """The cost of the cheapest packing, None when there is none. `allowed(copies, kind)` says what may share a bin."""
    usable = [
        [copies for copies in contents(items, capacity) if any(copies) and allowed(copies, kind)]
        for kind, (capacity, _, _) in enumerate(bins)
    ]
    known: dict[tuple[tuple[int, ...], tuple[int, ...]], int | None] = {}

    def cheapest(waiting: tuple[int, ...], stock: tuple[int, ...]) -> int | None:
        if not any(waiting):
            return 0
        key = waiting, stock
        if key in known:
            return known[key]
        first = next(at for at, number in enumerate(waiting) if number)
        best = None
        for kind, patterns in enumerate(usable):
            if stock[kind] == 0:
                continue
            for copies in patterns:
                if copies[first] == 0 or any(taken > there for taken, there in zip(copies, waiting)):
                    continue
                less = (*stock[:kind], stock[kind] - 1, *stock[kind + 1 :])
                rest = cheapest(tuple(there - taken for taken, there in zip(copies, waiting)), less)
                if rest is not None and (best is None or rest + bins[kind][1] < best):
                    best = rest + bins[kind][1]
        known[key] = best
        return best

    total = sum(count for _, count in items)
    return cheapest(
        tuple(count for _, count in items), tuple(total if stock is None else min(stock, total) for _, _, stock in bins)
    )
