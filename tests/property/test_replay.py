"""Random lives, recorded on one kernel copy and replayed on every one: the same bytes. BINWRIGHT_SEED=N repeats a run.

A million decisions:  pytest -m slow tests/property/test_replay.py
"""

import io
import os
import random

import numpy as np
import pytest

from binwright import DecisionLog, Fleet, InputError
from binwright._core import kernels
from binwright.replay import replay
from tests.property.pairs import Pair
from tests.property.test_index import COPIES, HOSTS


@pytest.fixture
def seed():
    chosen = int(os.environ.get("BINWRIGHT_SEED") or random.SystemRandom().randrange(2**32))
    print(f"BINWRIGHT_SEED={chosen}")
    return chosen


@pytest.fixture
def on_each_copy():
    before = kernels.current()

    def run(path):
        for copy in COPIES:
            kernels.use(copy)
            yield replay(path)

    yield run
    kernels.use(before)


def life(rng, path):
    """One recorded life of two fleets, one of which always scans; returns how many decisions were compared in it."""
    with DecisionLog(path):
        pair = Pair(rng, rng.choice(HOSTS))
        for _ in range(60):
            pair.step()
    return pair.decisions


@pytest.mark.parametrize("number", range(6))
def test_a_life_is_replayed_on_every_copy(number, seed, tmp_path, on_each_copy):
    rng = random.Random(seed + number)
    path = tmp_path / "life.jsonl"
    life(rng, path)
    for found in on_each_copy(path):
        assert found.difference is None, found
        assert found.cut is None
        assert found.calls


def test_damaged_logs_end_in_a_result_or_one_error(seed, tmp_path):
    rng = random.Random(seed)
    path = tmp_path / "life.jsonl"
    life(rng, path)
    whole = path.read_bytes()
    refusals = []
    for _ in range(60):
        damaged = bytearray(whole)
        for _ in range(rng.choice([1, 1, 3])):
            at = rng.randrange(len(damaged))
            damaged[at : at + rng.randrange(3)] = bytes(rng.choices(b'0123456789,:"{}[]$ax\n', k=rng.randrange(3)))
        path.write_bytes(bytes(damaged[: rng.choice([len(damaged), rng.randrange(len(damaged))])]))
        try:
            replay(path)
        except InputError as error:
            refusals.append(str(error))
    assert refusals
    assert all(text.startswith(f"{path}: line ") and "\n" not in text for text in refusals)


@pytest.mark.slow
def test_a_million_decisions_on_every_copy(tmp_path, on_each_copy):
    rng = np.random.default_rng(20261123)
    path = tmp_path / "million.jsonl"
    with DecisionLog(path):
        fleet = Fleet({"cpu": rng.integers(8, 128, 1000) * 1000, "memory": rng.integers(2**14, 2**19, 1000)})
        requests = [fleet.request({"cpu": 100 * i, "memory": 300 * i}) for i in range(1, 21)]
        for _ in range(200):
            placed = fleet.place_many(requests, rng.integers(0, 20, 5000))
            held = placed.items[placed.items >= 0]
            fleet.release(rng.permutation(held)[: len(held) * 9 // 10])
    for found in on_each_copy(path):
        print(found, path.stat().st_size, "bytes")
        assert found.identical
        assert found.decisions == 1_000_000


def test_a_binary_file_is_a_target_too():
    target = io.BytesIO()
    with DecisionLog(target):
        Fleet({"cpu": [1]})
    assert target.getvalue().endswith(b'{"end":1}\n')
