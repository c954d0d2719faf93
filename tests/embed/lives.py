"""Random lives of one fleet three times: through Python, through the Cython functions, through the C table.

    python lives.py SEED LIVES      run where `drive` is built; raises at the first difference

Hosts come, go, are resized and cordoned; classes with limits over counters; placing, claims, releases; checkpoints,
rollbacks, forks that live on. All answers, columns, counters and refusals must be equal to the last bit.
"""

import random
import sys

import drive
import numpy as np

from binwright import BinwrightError, Fleet, Profile, Rule, balanced_allocation, least_allocated, most_allocated
from binwright.terms import Ref, at_most

SCORES = {0: least_allocated, 1: most_allocated}
SIZES = (1, 2, 3, 5, 9, 40, 255, 300)


class Python:
    """The fleet through the Python API, with the driver's words."""

    def __init__(self, fleet, made=()):
        self.fleet, self.made = fleet, list(made)

    def fork(self):
        return Python(self.fleet.fork(), self.made)

    def add_hosts(self, capacity, used):
        return int(self.fleet.add_hosts(capacity, used)[0])

    def remove(self, host):
        self.fleet.remove_hosts(host)
        return 0

    def resize(self, host, capacity):
        self.fleet.resize(host, dict(zip(self.fleet.resources, capacity, strict=True)))
        return 0

    def cordon(self, host, cordoned):
        (self.fleet.cordon if cordoned else self.fleet.uncordon)(host)
        return 0

    def counter(self, flag):
        return self.fleet.counter("flag" if flag else "additive")

    def count(self, counter, host):
        return self.fleet.count(counter, host)

    def new_class(self, demand, commit, score, eligible, priority, contributes, limits):
        def named(column):
            return None if column is None else dict(zip(self.fleet.resources, column, strict=True))

        request = self.fleet.request(
            named(demand), commit=named(commit), score=named(score), priority=priority, contributes=dict(contributes),
            eligible=None if eligible is None else [i for i, yes in enumerate(eligible) if yes],
            terms=[at_most("eligible", Ref(counter), most, own=own) for counter, most, own in limits],
        )  # fmt: skip
        if request.index == len(self.made):
            self.made.append(request)
        return request.index

    def place(self, which, count=None):
        if count is None:
            result = self.fleet.place_many(self.made, which)
        else:
            result = self.fleet.place(self.made[which], count)
        return [column.tolist() for column in (result.hosts, result.scores, result.items, result.verdicts)]

    def claim(self, which, hosts):
        return self.fleet.claim_many(self.made, which, hosts).tolist()

    def release(self, items):
        self.fleet.release(items)
        return 0

    def explain(self, number):
        return repr(self.fleet.explain(self.made[number]))

    def checkpoint(self):
        return self.fleet.checkpoint()

    def close(self, token, undo):
        (self.fleet.rollback if undo else self.fleet.keep)(token)
        return 0

    def columns(self):
        return self.fleet.capacity.tolist(), self.fleet.used.tolist(), self.fleet._flags().tolist()


class Life:
    """One fleet on every side, and what random steps need to know of it."""

    def __init__(self, rng, sides, classes=0, counters=0, items=(), tokens=()):
        self.rng, self.sides, self.classes, self.counters = rng, sides, classes, counters
        self.items, self.tokens = list(items), list(tokens)

    def all(self, name, *arguments, each=None):
        """The common answer of all sides; None if all refused."""
        answers = []
        for i, side in enumerate(self.sides):
            try:
                answer = getattr(side, name)(*arguments, *(() if each is None else each[i]))
                answers.append(list(answer) if isinstance(answer, tuple) else answer)
            except (BinwrightError, drive.Refused):
                answers.append((name, "refused"))
        if name not in ("checkpoint", "fork"):
            assert all(answer == answers[0] for answer in answers[1:]), (name, arguments, answers)
            return None if answers[0] == (name, "refused") else answers[0]
        return answers

    def hosts(self):
        return self.all("columns")[2]

    def some_hosts(self, most):
        there = [host for host, flags in enumerate(self.hosts()) if not flags & 2]
        return [self.rng.choice(there) for _ in range(self.rng.randint(0, most))] if there else []

    def step(self):
        rng = self.rng
        resources = len(self.all("columns")[0])
        match rng.choice(
            ("add", "remove", "resize", "cordon", "class", "class", "place", "place", "place", "queue", "queue",
             "claim", "release", "release", "checkpoint", "close", "counter", "bad")
        ):  # fmt: skip
            case "add":
                count = rng.choice((1, 2, 7))
                rows = [[rng.randint(0, 40) for _ in range(count)] for _ in range(resources)]
                names = self.sides[1].resources
                used = [[amount // 3 for amount in row] for row in rows] if rng.random() < 0.5 else None
                columns = dict(zip(names, rows, strict=True)), used and dict(zip(names, used, strict=True))
                self.all("add_hosts", *columns)
            case "remove":
                self.all("remove", rng.randrange(len(self.hosts()) + 1))
            case "resize":
                self.all("resize", rng.randrange(len(self.hosts()) + 1), [rng.randint(0, 50) for _ in range(resources)])
            case "cordon":
                self.all("cordon", rng.randrange(len(self.hosts()) + 1), rng.random() < 0.5)
            case "counter" if self.counters < 4:
                self.all("counter", rng.random() < 0.2)
                self.counters += 1
            case "class":
                self.new_class(resources)
            case "place" if self.classes:
                self.placed(self.all("place", rng.randrange(self.classes), rng.randint(0, 90)))
            case "queue" if self.classes:
                self.placed(self.all("place", [rng.randrange(self.classes) for _ in range(rng.randint(0, 90))]))
            case "claim" if self.classes:
                hosts = self.some_hosts(3)
                self.items += self.all("claim", [rng.randrange(self.classes) for _ in hosts], hosts) or []
            case "release":
                chosen = rng.sample(self.items, min(len(self.items), rng.randint(0, 9)))
                if self.all("release", chosen) is not None:
                    self.items = [item for item in self.items if item not in chosen]
            case "checkpoint":
                self.tokens.append((self.all("checkpoint"), list(self.items)))
            case "close" if self.tokens:
                tokens, items = self.tokens.pop()
                undo = rng.random() < 0.7
                self.all("close", each=[(tuple(token), undo) for token in tokens])
                self.items = items if undo else self.items
            case "bad" if self.classes:
                assert self.all("place", [self.classes]) is None
                assert self.all("release", [-1]) is None
                assert self.all("claim", [0], [10**6]) is None

    def new_class(self, resources):
        rng = self.rng

        def amounts():
            return [rng.randint(0, 9) for _ in range(resources)]

        counted = rng.sample(range(self.counters), rng.randint(0, self.counters))
        number = self.all(
            "new_class", amounts(), rng.choice((None, amounts())), rng.choice((None, amounts())),
            rng.choice((None, None, [rng.random() < 0.7 for _ in self.hosts()])), rng.randint(0, 2),
            [(counter, 1) for counter in counted], [(counter, rng.randint(0, 4), 1) for counter in counted[:2]],
        )  # fmt: skip
        self.classes = max(self.classes, number + 1)

    def placed(self, answer):
        self.items += [item for item in answer[2] if item >= 0]
        for number in {self.rng.randrange(self.classes)}:
            self.all("explain", number)
        for counter in range(self.counters):
            for host in self.some_hosts(2):
                self.all("count", counter, host)

    def fork(self):
        """A fork on every side, without open checkpoints."""
        return Life(self.rng, self.all("fork"), self.classes, self.counters, self.items)


def life(seed):
    rng = random.Random(seed)
    resources = ("cpu", "memory", "disk")[: rng.randint(1, 3)]
    weights = dict.fromkeys(resources, 1)
    kinds = [(kind, 0, rng.randint(1, 3), f"score {kind}") for kind in rng.sample((0, 1, 2), rng.randint(0, 3))]
    rules = ["own"] if kinds and rng.random() < 0.5 else []
    scores = [
        balanced_allocation(resources, weight=weight, name=name) if kind == 2
        else SCORES[kind](weights, weight=weight, name=name)
        for kind, _, weight, name in kinds
    ]  # fmt: skip
    profile = Profile(rules=(*map(Rule, rules), Rule("fit", "fit")), scores=scores) if kinds else None
    mine = Fleet({name: np.empty(0, np.int64) for name in resources}, profile=profile)
    sides = [Python(mine), *(drive.Side.made(bare, resources, rules, kinds) for bare in (False, True))]
    count = rng.choice(SIZES)
    grown = {name: [rng.randint(0, 40) for _ in range(count)] for name in resources}
    lives = [Life(rng, sides)]
    lives[0].all("add_hosts", grown, None)
    for _ in range(60):
        lives[rng.randrange(len(lives))].step()
        if rng.random() < 0.05 and len(lives) < 4:
            lives.append(lives[rng.randrange(len(lives))].fork())
        if rng.random() < 0.03:  # a fleet that Python knows as well, from both interfaces
            known = lives[0].sides[0]
            both = [drive.Side.of(bare, known.fleet.fork()) for bare in (False, True)]
            Life(rng, [known.fork(), *both], lives[0].classes, lives[0].counters, lives[0].items).step()


def main(seed, lives):
    for number in range(lives):
        try:
            life(seed + number)
        except BaseException:
            print(f"life {seed + number}", file=sys.stderr)
            raise
    print(f"{lives} lives from seed {seed}: equal")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
