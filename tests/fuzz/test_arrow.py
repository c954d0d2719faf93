"""Arrow tables of any shape as the columns of a fleet: the numbers that they hold, or one line.

BINWRIGHT_SEED=N repeats a run.
"""

import os
import random

import numpy as np
import pytest

from binwright import Fleet, InputError
from tests.fuzz.mutations import counted

pa = pytest.importorskip("pyarrow")

TIMES = int(os.environ.get("BINWRIGHT_FUZZ") or 12) * 20
TYPES = (
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float64",
    "bool_",
    "string",
    "date32",
)


def array(dice, length):
    """An array of some type, maybe with nulls, sliced, in chunks or as a dictionary."""
    kind = dice.choice((*TYPES, "int64", "int64", "null", "list", "struct"))
    extra = dice.randrange(4)
    if kind == "null":
        made = pa.nulls(length + extra)
    elif kind == "list":
        made = pa.array([[1, 2]] * (length + extra))
    elif kind == "struct":
        made = pa.array([{"a": 1}] * (length + extra))
    elif kind == "string":
        made = pa.array([f"h{i}" for i in range(length + extra)])
    elif kind == "bool_":
        made = pa.array([bool(i % 2) for i in range(length + extra)])
    else:
        highest = dice.choice((100, 100, 127))
        values = [dice.randrange(0 if dice.random() < 0.98 else -5, highest) for _ in range(length + extra)]
        made = pa.array([max(v, 0) if kind.startswith("u") else v for v in values]).cast(
            kind.replace("date32", "int32")
        )
        made = made.cast("date32") if kind == "date32" else made
    if length and dice.random() < 0.1:
        made = pa.array([None if dice.random() < 0.3 else one for one in made.to_pylist()], made.type)
    start = dice.randrange(extra + 1)
    made = made.slice(start, length)
    if dice.random() < 0.1 and kind not in ("list", "struct", "null"):
        made = made.dictionary_encode()
    if dice.random() < 0.2:
        cut = dice.randrange(length + 1)
        made = pa.chunked_array([made.slice(0, cut), made.slice(cut)])
    return made


def table(dice):
    """One to three columns of one length."""
    length = dice.choice((0, 1, 2, 7, 64, 65))
    names = dice.sample(("cpu", "memory", "name", "", "used"), dice.randint(1, 3))
    return pa.table({name: array(dice, length) for name in names})


def test_any_table_is_the_columns_that_it_holds_or_one_line():
    seed = int(os.environ.get("BINWRIGHT_SEED") or random.SystemRandom().randrange(2**32))
    print(f"BINWRIGHT_SEED={seed}")
    dice = random.Random(seed)
    taken, refusals = 0, []
    for _ in range(TIMES):
        given = table(dice)
        counted()
        try:
            fleet = Fleet(given)
        except InputError as error:
            refusals.append(str(error))
            continue
        taken += 1
        assert len(fleet) == len(given)
        for i, resource in enumerate(fleet.resources):
            assert fleet.capacity[i].tolist() == given[resource].to_pylist()
        result = fleet.place(fleet.request({}), 3).to_arrow()
        assert pa.table(result)["host"].to_pylist() == np.array(pa.table(result)["host"]).tolist()
    assert taken > TIMES // 50
    assert not [text for text in refusals if "\n" in text]
