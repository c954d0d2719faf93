"""Pickles of fleets whose numbers and bytes are damaged: refused with one line, or a fleet with which one can live.

What is damaged is the payload of `__reduce__`, not the pickle around it, which is code. BINWRIGHT_SEED=N repeats a run.
"""

import os
import random

import numpy as np
import pytest

from binwright import BinwrightError, Cell, CellDemand, Fleet, Group, GroupRules, Profile, Rule
from binwright._core.columns import Columns
from binwright._core.request import RequestClass, Statics
from binwright.terms import Ref, at_most, forbid, pool, skew
from tests.fuzz.mutations import counted

TIMES = int(os.environ.get("BINWRIGHT_FUZZ") or 12) * 30
NUMBERS = (-(2**63), -(2**31), -3, -2, -1, 0, 1, 2, 3, 5, 17, 64, 99, 255, 2**16, 2**31 - 1, 2**40, 2**62, 2**63 - 1)


def a_fleet():
    """Of everything a little: labels, counters, terms, rows with cells and pages, links, pools, promises, a window."""
    rules = ("own", "store", "fit", "rows")
    profile = Profile(rules=tuple(Rule(name, name if name in ("fit", "rows") else "static") for name in rules))
    fleet = Fleet({"cpu": [8, 8, 8], "memory": [64, 64, 64]}, profile=profile, labels={"zone": ["a", "a", "b"]})
    fed = fleet.counter()
    counter, flag = fleet.counter(feeds=fed), fleet.counter("flag")
    inside = fleet.members([0, 2])
    cells = [Cell(range(4), [[0, 1], [2, 3]], pages=[(4, 8, 0, 0)]), None, None]
    rows = fleet.rows.add({"gpu": [4, 2, 2], "ram": [32, 8, 8]}, [0, 1, 2], labels=[["new"], [], ["new"]], cells=cells)
    fleet.rows.add({"part": [2, 2]}, [0, 0], parents=rows[:1].tolist() * 2)
    shared = fleet.rows.add({"disk": [9]})
    fleet.rows.link(shared, 1)
    claim = fleet.pools.add_claim(1, fleet.pools.add([1, 2], [[0], [1, 2]]), provision=[2])
    ref = Ref(counter, "zone", inside)
    terms = [pool("store", [claim]), at_most("own", Ref(counter), 3), skew("own", ref, 2, own=1)]
    terms.append(forbid("own", [Ref(flag, "zone")]))
    full = fleet.request({"cpu": 1}, contributes={counter: 2}, terms=terms, priority=1, eligible={"zone": ["a", "b"]})
    plain = fleet.request({"cpu": 1}, contributes={flag: 1}, eligible=np.array([True, False, True]))
    grouped = fleet.request(
        {"memory": 1},
        groups=[Group({"gpu": 1}, required=["new"]), Group({"disk": 1}), Group({"part": 1}, within=0)],
        group_rules=GroupRules(subtrees=[[0, 2]]),
    )
    pinned = fleet.request(
        {}, groups=[Group({}, isolated=True, cell=CellDemand(memory=4, resource="ram", cpus=2, pins=True))]
    )
    for request in (full, plain, grouped, pinned):
        fleet.place(request, 2)
    items = fleet.claim_many([plain], [0, 0], [0, 1])
    fleet.mark(items, budgets=[[fleet.budget(1)]] * 2)
    fleet.release(items[:1])
    fleet.promise(plain, 1)
    return fleet


def taken_apart(value):
    """The same with the core's own containers as what they are made of: (kind, parts)."""
    if isinstance(value, Columns | Statics | RequestClass):
        make, parts = value.__reduce__()
        return make, taken_apart(parts)
    if isinstance(value, list | tuple):
        return type(value)(taken_apart(one) for one in value)
    return {key: taken_apart(one) for key, one in value.items()} if isinstance(value, dict) else value


def put_together(value):
    if isinstance(value, tuple) and len(value) == 2 and callable(value[0]):
        return value[0](*put_together(value[1]))
    if isinstance(value, list | tuple):
        return type(value)(put_together(one) for one in value)
    return {key: put_together(one) for key, one in value.items()} if isinstance(value, dict) else value


def damaged(dice, value):
    """One number, or some bytes, of it are others."""
    if isinstance(value, dict) and value:
        key = dice.choice(sorted(value, key=repr))
        return {**value, key: damaged(dice, value[key])}
    if isinstance(value, list | tuple) and value:
        parts = list(value)
        at = dice.randrange(len(parts))
        if dice.random() < 0.03:
            del parts[at]
        else:
            parts[at] = damaged(dice, parts[at])
        return type(value)(parts)
    if isinstance(value, bytes):
        return other_bytes(dice, value)
    if isinstance(value, int):
        return dice.choice(NUMBERS)
    return value


def other_bytes(dice, data):
    """A number among them is another one, a bit flipped, or the end missing."""
    text = bytearray(data)
    width = dice.choice((4, 4, 8))
    used = min(len(text), 16 * width if dice.random() < 0.5 else 400) // width
    match dice.randrange(8):
        case 0:
            del text[-dice.choice((1, 4, 8, 40)) :]
        case 1 if text:
            text[dice.randrange(len(text))] ^= 1 << dice.randrange(8)
        case _ if used:
            at = width * dice.randrange(used)
            number = max(min(dice.choice(NUMBERS), 2 ** (8 * width - 1) - 1), -(2 ** (8 * width - 1)))
            text[at : at + width] = number.to_bytes(width, "little", signed=True)
    return bytes(text)


def live_with(fleet, rng):
    """Everything that follows the numbers inside. What is refused in one line is fine."""
    steps = [
        *(lambda r=request: fleet.explain(r).reasons for request in fleet._made),
        *(lambda r=request: fleet.place(r, 2).explain(0).ties for request in fleet._made),
        *(lambda r=request: fleet.evict(r) for request in fleet._made),
        *(lambda h=host: fleet.release(fleet.items_on(h)) for host in range(3)),
        lambda: fleet.claim(fleet._made[0], [0, 1]),
        lambda: fleet.rows.add({"gpu": [1]}, [0]),
        lambda: fleet.rows.table("gpu"),
        lambda: [fleet.devices(item) for host in range(3) for item in fleet.items_on(host).tolist()],
        lambda: fleet.add_hosts({"cpu": [1] * 300, "memory": [1] * 300}),
        lambda: fleet.remove_hosts(2),
        lambda: fleet.relabel(0, {"zone": "b"}),
        lambda: fleet.fork().place(fleet._made[1]),
    ]
    rng.shuffle(steps)
    token = fleet.checkpoint()
    for step in steps:
        try:
            step()
        except (BinwrightError, MemoryError):
            continue
    fleet.rollback(token)


def test_what_is_not_damaged_comes_back():
    fleet = a_fleet()
    rebuild, (kept, state) = fleet.__reduce__()
    again = rebuild(kept, put_together(taken_apart(state)))
    for request in fleet._made:
        assert repr(again.explain(request)) == repr(fleet.explain(request))
    live_with(again, random.Random(1))


def test_damaged_numbers_are_refused_or_harmless():
    seed = int(os.environ.get("BINWRIGHT_SEED") or random.SystemRandom().randrange(2**32))
    print(f"BINWRIGHT_SEED={seed}")
    dice = random.Random(seed)
    rebuild, (kept, (*rest, saved)) = a_fleet().__reduce__()
    whole, refused = taken_apart(saved), 0
    said = []
    for _ in range(TIMES):
        counted()
        number = dice.randrange(len(whole))
        parts = [damaged(dice, part) if i == number else part for i, part in enumerate(whole)]
        try:
            fleet = rebuild(kept, (*rest, put_together(parts)))
        except (ValueError, TypeError, OverflowError) as error:  # a part that cannot be made, or the whole
            refused += 1
            said.append(str(error))
            continue
        live_with(fleet, dice)
    assert refused > TIMES // 10
    assert not [text for text in said if "\n" in text]


@pytest.mark.parametrize("idea", range(3))
def test_a_part_that_is_missing_is_one_line(idea):
    rebuild, (kept, (*rest, saved)) = a_fleet().__reduce__()
    for broken in (saved[:-1], [*saved[:idea], (), *saved[idea + 1 :]], [*saved[:idea], None, *saved[idea + 1 :]]):
        with pytest.raises(ValueError) as error:
            rebuild(kept, (*rest, broken))
        assert "\n" not in str(error.value)


def test_a_group_that_no_change_can_name_is_refused():
    """Found by damaged numbers under the sanitizers: giving such a claim back, and taking that back, made it -1."""
    rebuild, (kept, (*rest, saved)) = a_fleet().__reduce__()
    number = rest[-1][0].index("Forest")
    parts = list(saved[number])
    claims = np.frombuffer(
        parts[10], [("amount", "<i8"), ("where", "<i4"), ("kind", "<i2"), ("group", "<i2"), ("next", "<i8")]
    ).copy()
    claims["group"][0] = 256
    parts[10] = claims.tobytes()
    with pytest.raises(ValueError, match="claim 0 has kind"):
        rebuild(kept, (*rest, [*saved[:number], tuple(parts), *saved[number + 1 :]]))
