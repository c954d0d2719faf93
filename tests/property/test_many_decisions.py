"""Random lives of random fleets until enough decisions were compared, every idea in play.

The default run compares 6,000. 100,000 and more:  pytest -m slow tests/property/test_many_decisions.py
BINWRIGHT_SEED=N repeats a run (each prints its N), BINWRIGHT_DECISIONS=N says how many decisions.
"""

import os
import random

import pytest

from binwright._core import kernels
from binwright._core.domain_terms import OPS
from tests.property import draw_terms
from tests.property.test_terms_machine import SIZES, TermsMachine
from tests.reference import fleet as reference

COPIES = kernels.available()


def one_life(copy: str, seed: int, steps: int) -> int:
    """One fleet from its making through `steps` random calls; how many decisions were compared."""
    rng = random.Random(seed)
    machine = type("Life", (TermsMachine,), {"copy": copy})()
    worlds = []
    try:
        machine.start(rng.choice(SIZES if rng.random() < 0.1 else SIZES[:-2]), rng.getrandbits(32))
        for _ in range(steps):
            worlds += [w for w in machine.worlds if w not in worlds]
            step = rng.random()
            if step < 0.04 and len(machine.worlds) < 3:
                machine.fork(rng.getrandbits(32))
            elif step < 0.08:
                if not all(w.checkpoints for w in machine.worlds):
                    machine.pickle_round_trip(rng.getrandbits(32))
            elif step < 0.14:
                rng.choice((machine.checkpoint, machine.rollback, machine.keep))(rng.getrandbits(32))
            elif step < 0.3:
                machine.explain(rng.getrandbits(32))
            elif step < 0.5:
                rng.choice((machine.evict, machine.crowded))(rng.getrandbits(32))
            elif step < 0.65:
                rng.choice((machine.place, machine.place_many))(rng.getrandbits(32), rng.randint(1, 6))
            else:
                machine.change(rng)
        machine.same()
    except Exception as error:
        error.add_note(f"one_life({copy!r}, seed={seed}, steps={steps})")
        raise
    finally:
        machine.teardown()
    return sum(w.decisions for w in {id(w): w for w in [*worlds, *machine.worlds]}.values())


def lives(most: int) -> None:
    """Lives on each kernel copy in turn until `most` decisions were compared."""
    first = int(os.environ.get("BINWRIGHT_SEED") or random.SystemRandom().randrange(2**32))
    print(f"BINWRIGHT_SEED={first}")
    compared = life = 0
    while compared < most:
        compared += one_life(COPIES[life % len(COPIES)], first + life, 40)
        life += 1
    print(f"{compared} decisions in {life} lives, kernel copies {', '.join(COPIES)}")


def test_some_thousand_decisions():
    lives(int(os.environ.get("BINWRIGHT_DECISIONS") or 6000))


@pytest.mark.slow
def test_a_hundred_thousand_decisions():
    lives(int(os.environ.get("BINWRIGHT_DECISIONS") or 100_000))


def test_every_idea_is_drawn():
    """The houses and terms of a few hundred draws hold every kind of rule, term and score."""
    rng = random.Random(5)
    houses = [draw_terms.house(rng) for _ in range(200)]
    kinds = {score.kind for house in houses for score in house.scores}
    assert kinds == set(draw_terms.SCORE_KINDS)
    slow = reference.Fleet({"cpu": [1, 1]}, rules=houses[0].rules, scores=houses[0].scores)
    slow.counter()
    slow.pool_claim(1, [slow.pool_row(1)])
    assert {draw_terms.hard_term(rng, houses[0], slow).op for _ in range(200)} == set(OPS)
