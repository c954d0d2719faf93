"""Pickles whose bytes no fleet could have: refused with one line, or harmless; never a wild read."""

import random

import numpy as np
import pytest

from binwright import Fleet, InputError, Profile, Rule
from binwright.terms import pool
from tests.property.registry import ITEM

I32, I64 = np.int32, np.int64
ROW, CLAIM = 6, 8  # int32 fields


def a_fleet():
    profile = Profile(rules=(Rule("store"), Rule("fit", "fit")))
    fleet = Fleet({"cpu": np.array([8, 8, 8])}, profile=profile)
    fed = fleet.counter()
    counter, flag = fleet.counter(feeds=fed), fleet.counter("flag")
    rows = fleet.pools.add([1, 2], [[0], [1, 2]])
    claim = fleet.pools.add_claim(1, rows, provision=[2])
    request = fleet.request({"cpu": 1}, contributes={counter: 2, flag: 1}, terms=[pool("store", [claim])], priority=1)
    plain = fleet.request({"cpu": 1})
    items = [*fleet.place(request).items, *fleet.claim(plain, [0, 0, 1, 2])]
    fleet.mark(items[1:3], budgets=[[fleet.budget(1)]] * 2)
    fleet.release(items[3])
    fleet.promise(plain, 1)
    return fleet


def parts_of(fleet):
    """(rebuild, what it takes, the saved ideas by name)."""
    rebuild, (kept, (*rest, layout, saved)) = fleet.__reduce__()
    return rebuild, (kept, (*rest, layout, saved)), dict(zip(layout[0], range(len(saved)), strict=True))


def with_cell(data, kind, index, value):
    """These bytes with one number changed."""
    cells = np.frombuffer(data, kind).copy()
    cells[index] = value
    return cells.tobytes()


def with_field(data, slot, field, value):
    table = np.frombuffer(data, ITEM).copy()
    table[field][slot] = value
    return table.tobytes()


def put(*path_and_value):
    """A change of the saved value: the path to it, then a function of it or its new value."""
    *path, value = path_and_value

    def change(held, path=tuple(path)):
        if not path:
            return value(held) if callable(value) else value
        kind = type(held)
        parts = list(held)
        parts[path[0]] = change(parts[path[0]], path[1:])
        return kind(parts)

    return change


ITEMS = "fleet: items: damaged pickle: "
PROMISES = "fleet: promises: damaged pickle: "
COUNTERS = "fleet: counters: damaged pickle: "
POOLS = "fleet: pools: damaged pickle: "
DAMAGE = {
    "a record too few": ("Items", put(3, lambda b: b[:-40]), ITEMS + "its lengths do not agree"),
    "more slots": ("Items", put(0, 7), ITEMS + "its lengths do not agree"),
    "generation": ("Items", put(3, lambda b: with_field(b, 0, "generation", -1)), ITEMS + "slot 0 has generation -1"),
    "host": ("Items", put(3, lambda b: with_field(b, 0, "host", 3)), ITEMS + "slot 0 has host 3"),
    "class": ("Items", put(3, lambda b: with_field(b, 1, "request", 2)), ITEMS + "slot 1 has class 2"),
    "budgets": ("Items", put(3, lambda b: with_field(b, 2, "budgets", 1)), ITEMS + "slot 2 has list of budgets 1"),
    "next": ("Items", put(3, lambda b: with_field(b, 0, "next", 0)), ITEMS + "the list of host 0 has slot 0"),
    "previous": ("Items", put(3, lambda b: with_field(b, 1, "previous", 2)), ITEMS + "slot 1 does not follow slot 0"),
    "first": ("Items", put(5, lambda b: with_cell(b, I32, 2, 99)), ITEMS + "the list of host 1 has slot 99"),
    "last": ("Items", put(5, lambda b: with_cell(b, I32, 1, 1)), ITEMS + "the list of host 0 has another end"),
    "spare": ("Items", put(4, lambda b: with_cell(b, I32, 0, 1)), ITEMS + "spare slot 1"),
    "no spare": ("Items", put(4, b""), ITEMS + "its counts do not agree"),
    "alive": ("Items", put(1, 3), ITEMS + "its counts do not agree"),
    "promises": ("Overlays", put(1, b"12345"), PROMISES + "its length is that of no number of promises"),
    "promised host": ("Overlays", put(1, lambda b: with_cell(b, I32, 1, 3)), PROMISES + "promise 0 has host 3"),
    "promised class": ("Overlays", put(1, lambda b: with_cell(b, I32, 0, 2)), PROMISES + "promise 0 has class 2"),
    "live promises": ("Overlays", put(0, 2), PROMISES + "2 live ones, counted 1"),
    "kind": ("Counters", put(1, 0, 0, 7), COUNTERS + "counter 0 is of kind 7, feeds -1"),
    "feeds": ("Counters", put(1, 1, 1, 1), COUNTERS + "counter 1 is of kind 0, feeds 1"),
    "a fed flag": ("Counters", put(1, 0, 0, 1), COUNTERS + "counter 1 feeds 0"),
    "cells": ("Counters", put(1, 1, 3, b"12345678"), COUNTERS + "counter 1 has 8 bytes"),
    "total": ("Counters", put(1, 1, 2, 3), COUNTERS + "counter 1 has total 3, sum 2"),
    "flag": ("Counters", put(1, 2, 3, lambda b: with_cell(b, I64, 1, 2)), COUNTERS + "flag 2 is 2 on host 1"),
    "contribution": ("Counters", put(2, 0, 0, (9, 1, 1)), COUNTERS + "class 0 adds 1 or 1 to 9"),
    "classes": ("Counters", put(2, []), COUNTERS + "its counts do not agree"),
    "rows": ("Pools", put(0, b"12345"), POOLS + "its lengths are those of no rows and claims"),
    "row's host": ("Pools", put(0, lambda b: with_cell(b, I32, 2, -3)), POOLS + "row 0 has host -3, set -1"),
    "row's set": ("Pools", put(0, lambda b: with_cell(b, I32, ROW + 3, 5)), POOLS + "row 1 has host -1, set 5"),
    "holder": ("Pools", put(0, lambda b: with_cell(b, I32, 4, 1)), POOLS + "row 0 has holder 1"),
    "pinned": ("Pools", put(1, lambda b: with_cell(b, I32, 2, -3)), POOLS + "claim 0 has host -3"),
    "held": ("Pools", put(1, lambda b: with_cell(b, I32, 3, 1)), POOLS + "claim 0 has row 1"),
    "room": ("Pools", put(1, lambda b: with_cell(b, I32, 6, 9)), POOLS + "claim 0 has sets 1 and 9"),
    "candidates": ("Pools", put(2, 0, (0, 2)), POOLS + "claim 0 has candidates 0"),
    "a request's claims": ("Pools", put(2, 1, (0, 7)), POOLS + "a request has the list of claims 1"),
    "longest": ("Pools", put(3, 0), POOLS + "a request has the list of claims 1"),
}  # fmt: skip


@pytest.mark.parametrize("case", DAMAGE)
def test_damage_is_one_line(case):
    idea, change, message = DAMAGE[case]
    rebuild, (kept, (*rest, saved)), number = parts_of(a_fleet())
    saved = list(saved)
    saved[number[idea]] = change(saved[number[idea]])
    with pytest.raises(InputError) as error:
        rebuild(kept, (*rest, saved))
    assert str(error.value) == message


def test_what_is_not_damaged_comes_back():
    fleet = a_fleet()
    rebuild, parts, _ = parts_of(fleet)
    again = rebuild(*parts)
    assert [again.items_on(host).tolist() for host in range(3)] == [fleet.items_on(host).tolist() for host in range(3)]
    assert again.pools.claim(0) == fleet.pools.claim(0) == (0, None)


def test_any_other_number_is_refused_or_harmless():
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    rng, refused = random.Random(seed), 0
    for _ in range(400):
        rebuild, (kept, (*rest, saved)), number = parts_of(a_fleet())
        saved, idea = list(saved), rng.choice(("Items", "Overlays", "Pools"))
        parts = list(saved[number[idea]])
        chosen = rng.choice([i for i, part in enumerate(parts) if isinstance(part, bytes) and part])
        cell = rng.randrange(min(len(parts[chosen]) // 4, 60))
        parts[chosen] = with_cell(parts[chosen], I32, cell, rng.choice((-3, -2, -1, 0, 1, 2, 3, 5, 99, 2**31 - 1)))
        saved[number[idea]] = tuple(parts)
        try:
            fleet = rebuild(kept, (*rest, saved))
        except InputError:
            refused += 1
            continue
        for request in fleet._made:
            fleet.explain(request).reasons  # noqa: B018
            fleet.evict(request)
        token = fleet.checkpoint()
        for request in fleet._made:
            fleet.place(request, 2)
        for host in range(3):
            fleet.release(fleet.items_on(host))
        fleet.rollback(token)
    assert refused > 50
