"""Random lives of one fleet under the example's term in Python, Cython and C: equal decisions, explanations, undo.

python heat_lives.py SEED LIVES     run where examples/own_terms is built
"""

import random
import sys

import heat_c
import heat_cython
import heat_python
import numpy as np

from binwright import Fleet, Profile, Rule, static_score


def made(module, cpus, limit, watts):
    profile = Profile(rules=(Rule("heat"), Rule("fit", "fit")), scores=(static_score("cool", normalise="max"),))
    fleet = Fleet({"cpu": np.array(cpus)}, profile=profile)
    return fleet, fleet.request({"cpu": 2}, external=[module.heat(limit, watts)]), fleet.request({"cpu": 1})


def life(rng):
    cpus, limit = [rng.randint(0, 30) for _ in range(rng.choice((1, 4, 30, 300)))], rng.randint(1, 2000)
    watts = rng.randint(1, 400)
    sides = [made(module, cpus, limit, watts) for module in (heat_python, heat_cython, heat_c)]
    items, tokens = [], []

    def equal(ask):
        answers = [ask(*side) for side in sides]
        assert all(answer == answers[0] for answer in answers), answers
        return answers[0]

    for _ in range(25):
        step = rng.choice(("place", "place", "queue", "release", "grow", "checkpoint", "rollback", "fork", "explain"))
        count, host = rng.randint(1, 20), rng.randrange(len(sides[0][0]))
        if step == "place":
            items += equal(lambda fleet, warm, _, n=count: fleet.place(warm, n).items.tolist())
        elif step == "queue":
            items += equal(
                lambda fleet, *both, n=count: fleet.place_many(both, [k % 2 for k in range(n)]).items.tolist()
            )
        elif step == "release":
            gone = {item for item in rng.sample(items, min(len(items), count)) if item >= 0}
            equal(lambda fleet, *_, gone=gone: fleet.release(np.array(sorted(gone), np.int64)))
            items = [item for item in items if item not in gone]
        elif step == "grow":
            equal(lambda fleet, *_, n=count: fleet.add_hosts({"cpu": np.arange(n)}).tolist())
        elif step == "checkpoint":
            tokens.append(([fleet.checkpoint() for fleet, _, _ in sides], list(items)))
        elif step == "rollback" and tokens:
            opened, items = tokens.pop()
            for (fleet, _, _), token in zip(sides, opened, strict=True):
                fleet.rollback(token)
        elif step == "fork":
            sides, tokens = [(fleet.fork(), warm, plain) for fleet, warm, plain in sides], []
        elif step == "explain":
            equal(lambda fleet, warm, _: repr(fleet.explain(warm)))
            equal(lambda fleet, warm, _, h=host: fleet.explain(warm).reasons_at(h))
            equal(lambda fleet, warm, _: fleet.explain(warm).scores.totals.tolist())
        equal(lambda fleet, *_: fleet.used.tolist())


def main(seed, lives):
    for number in range(seed, seed + lives):
        try:
            life(random.Random(number))
        except BaseException:
            print(f"life {number}", file=sys.stderr)
            raise
    print(f"{lives} lives from seed {seed}: equal")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
