"""Lower bounds without a solver, each a certificate: volume, dual-feasible functions, cliques.

A dual-feasible function maps weights to integers so that whatever fits a bin is worth at most what a full bin is. It is
applied to each resource and to a few sums of resources. References: Fekete and Schepers 2001 (f0, u(k)), Carlier,
Clautiaux and Moukrim 2007 (f1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from binwright.packing.certificate import Certificate, certify
from binwright.packing.form import Form, room_made
from binwright.packing.problem import Int64Array

MOST_TYPES = 5_000  # of which functions with a parameter are tried
MOST_PARAMETERS = 150
MOST_CLIQUE = 2_000
LARGEST = 2**40


def best_bound(form: Form, over: Callable[[], bool] = lambda: False) -> Certificate:
    """The best certificate these rules find; the simplest of equals. `over`: asked now and then, ends the search."""
    counts, stock = form.counts.tolist(), form.stock.tolist()
    best, value = nothing(form), 0
    for certificate in candidates(form, over):
        bound = certificate.bound(counts, stock)
        if bound > value:
            best, value = certificate, bound
    return best


def nothing(form: Form) -> Certificate:
    """The certificate of the bound 0."""
    return Certificate("volume", (0,) * form.types, 1, (0,) * form.kinds)


def candidates(form: Form, over: Callable[[], bool]) -> Iterator[Certificate]:
    """Certificates, cheap rules first; a line at least."""
    if not form.types:
        return
    lines = list(surrogates(form))
    for weights, capacity in lines:
        yield linear(form, weights, capacity)
        if over():
            return
    if form.kinds > 1 or form.price[0] != 1 or form.types > MOST_TYPES:
        return
    for weights, capacity in lines:
        room = int(capacity[0])
        best, value = None, 0
        for duals, full in functions(weights, room):
            if over():
                break
            worth = -(-int(duals.astype(object) @ form.counts) // full) if full else 0
            if worth > value:
                best, value = (duals, full), worth
        if best is not None:
            yield certify(form, "dual-feasible", best[0], [best[1]], best[1])
    if form.types <= MOST_CLIQUE and not over():
        yield clique(form)


def surrogates(form: Form) -> Iterator[tuple[Int64Array, Int64Array]]:
    """(weights (T,), capacity (K,)): each resource, and sums of several in shares of the largest bin."""
    resources = form.weights.shape[1]
    # a negative weight counts as 0 and every bin gets the room that all of them could make: a relaxation
    positive = np.maximum(form.weights, 0)
    rooms = form.capacity + room_made(form.weights, form.counts)
    for resource in range(resources):
        if rooms[:, resource].max() <= LARGEST:
            yield positive[:, resource], rooms[:, resource]
    if resources == 1:
        return
    full = [max(int(amount), 1) for amount in rooms.max(axis=0)]
    groups = [list(range(resources))]
    if resources <= 6:
        groups += [[left, right] for left in range(resources) for right in range(left)]
    for group in groups:
        # multipliers, not shares: an exact sum keeps the rule valid
        unit = min(max(full[r] for r in group), 2**24)
        factors = [max(unit // full[r], 1) for r in group]
        weights = positive[:, group].astype(object) @ np.array(factors, object)
        capacity = rooms[:, group].astype(object) @ np.array(factors, object)
        if max(capacity) <= LARGEST:
            yield weights.astype(np.int64), capacity.astype(np.int64)


def linear(form: Form, weights: Int64Array, capacity: Int64Array) -> Certificate:
    """The volume of one resource: a unit of it is worth what it costs in the cheapest way to buy it.

    Where every stock may run out the cheapest ways do: then what a unit costs in any of the kinds is tried.
    """
    usable = np.where(form.allowed.any(axis=0), weights, 0)
    prices = np.maximum(form.price, 1)
    if not form.limited.all():
        most = [int(amount) for amount in capacity]
        scale = max(amount // int(price) for amount, price, ends in zip(most, prices, form.limited) if not ends)
        return certify(form, "volume", usable, most, max(scale, 1))
    # a unit is worth more than 1 where prices are large, so that what it costs is not rounded away
    factor = max(1, min(int(prices.max()), LARGEST // max(int(capacity.max()), 1)))
    usable, capacity = usable * factor, capacity * factor
    scales = np.unique(np.maximum(capacity // prices, 1))
    # roughly, to choose the scale: the certificate is exact whatever it is
    reliefs = np.maximum(capacity.astype(float) - np.outer(scales.astype(float), form.price), 0) @ form.stock
    best = int((((usable.astype(float) @ form.counts) - reliefs) / scales).argmax())
    return certify(form, "volume", usable, [int(amount) for amount in capacity], int(scales[best]))


def functions(weights: Int64Array, room: int) -> Iterator[tuple[Int64Array, int]]:
    """(duals, worth of a full bin) for each function and parameter."""
    if not room or weights.max(initial=0) > room:
        return
    halves = np.unique(np.concatenate([weights, room - weights]))
    halves = halves[(halves > 0) & (halves <= room // 2)]
    if len(halves) > MOST_PARAMETERS:
        halves = halves[np.linspace(0, len(halves) - 1, MOST_PARAMETERS).astype(int)]
    for least in halves.tolist():
        yield np.where(weights > room - least, room, np.where(weights >= least, weights, 0)), room
        parts = room // least
        small = 2 * (weights // least)
        large = 2 * (parts - (room - weights) // least)
        yield np.where(2 * weights > room, large, np.where(2 * weights == room, parts, small)), 2 * parts
    for k in range(1, 100):
        if room > LARGEST // (k + 1):
            return
        product = weights * (k + 1)
        whole = product % room == 0
        yield np.where(whole, weights * k, product // room * room), room * k


def clique(form: Form) -> Certificate:
    """Items of which no two share a bin: each needs its own. Greedy, the types with the most such partners first."""
    weights, capacity = np.maximum(form.weights, 0), form.capacity[0] + room_made(form.weights, form.counts)
    together = np.ones((form.types, form.types), bool)
    for resource in range(weights.shape[1]):
        column = weights[:, resource]
        together &= column[:, None] + column[None, :] <= capacity[resource]
    apart = ~together
    if form.conflicts is not None:
        bits = np.unpackbits(form.conflicts.view(np.uint8), axis=1, bitorder="little")[:, : form.types]
        apart |= bits.astype(bool)
    own = apart.diagonal()
    gain = np.where(own, form.counts, 1)
    order = np.lexsort((np.arange(form.types), -(apart @ gain)))
    duals = np.zeros(form.types, np.int64)
    open_ = np.ones(form.types, bool)
    for number in order:
        if open_[number]:
            duals[number] = 1
            open_ &= apart[number]
    # without its own conflict several copies of a type may share a bin; then only its first counts
    copies = np.where(own, form.counts, 1)
    if (duals * (copies != form.counts)).any():
        duals = np.where(copies == form.counts, duals, 0)
    return certify(form, "clique", duals, [1], 1)
