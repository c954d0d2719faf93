"""Evictions of items that hold rows, or whose requests claim from pools, beside the reference: crowded small hosts."""

import os
import random

from binwright._core import kernels
from tests.property.test_terms_machine import TermsMachine
from tests.reference import eviction

LIVES = 60
CROWDS = 12
FEWEST = {"groups candidates": 30, "pools candidates": 2, "victims with rows": 30}
"""What the draws must reach, after at most PATIENCE times as many lives: one life in ten has candidates with pools."""
PATIENCE = 10


def one_life(seed: int, counted: dict[str, int]) -> None:
    rng = random.Random(seed)
    machine = type("Life", (TermsMachine,), {"copy": kernels.available()[0]})()
    try:
        machine.start(rng.randint(1, 3), rng.getrandbits(32))
        (w,) = machine.worlds
        for _ in range(3):
            machine.rows(rng.getrandbits(32))
        for _ in range(10):
            machine.request(rng.getrandbits(32))
        for _ in range(CROWDS):
            machine.crowded(rng.getrandbits(32))
            for ours, theirs in w.requests:
                kind = "groups" if w.slow.groups[theirs][0] else None
                if any(term.op == "pool" for term in w.slow.terms[theirs].hard):
                    kind = "pools"
                if kind is None:
                    continue
                hosts = w.live()
                w.evict(ours, theirs, hosts)  # compares
                for found in eviction.evict(w.slow, theirs, hosts):
                    held = isinstance(found, eviction.Candidate) and any(w.slow.state.claims[v] for v in found.victims)
                    counted[kind + (" candidates" if isinstance(found, eviction.Candidate) else " others")] += 1
                    counted["victims with rows"] += held
            machine.release(rng.getrandbits(32), rng.randint(1, 8))
    except Exception as error:
        error.add_note(f"one_life(seed={seed})")
        raise
    finally:
        machine.teardown()


def test_evictions_beside_the_reference():
    first = int(os.environ.get("BINWRIGHT_SEED") or random.SystemRandom().randrange(2**32))
    print(f"BINWRIGHT_SEED={first}")
    counted = dict.fromkeys((*FEWEST, "groups others", "pools others"), 0)
    life = 0
    while life < LIVES or (life < PATIENCE * LIVES and any(counted[kind] < FEWEST[kind] for kind in FEWEST)):
        one_life(first + life, counted)
        life += 1
    print(counted)
    assert all(counted[kind] >= times for kind, times in FEWEST.items()), counted
