"""What the random tests draw: profiles, hosts, requests. Amounts are few units each: ties and misfits abound."""

import random
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.reference.fleet import MAX_AMOUNT, Rule, Score

RESOURCES = ("cpu", "memory", "pods", "gpu", "cpu.nonzero")
SCORED_ONLY = ("cpu.nonzero",)
KEYS = {"zone": ("a", "b", "c"), "rack": ("r1", "r2")}
# 2**44 + 1 puts small multiples on both sides of 2**45, where the engine changes from its narrow to its wide kernels.
UNITS = (1, 1, 1, 1000, 2**30 + 7, 2**44 + 1)
HUGE_UNITS = (1, 2**44 + 1, 2**53 - 3)  # the last reaches 2**56, more than many placements could add up to
SIZES = (0, 1, 2, 2, 3, 3, 4, 4, 5, 6, 7, 9, 64, 255, 256, 257, 300)


@dataclass(frozen=True)
class House:
    """What stays the same for all forks of one random fleet; rules None: a fleet without a profile."""

    resources: tuple[str, ...]
    unit: int
    rules: list[Rule] | None
    scores: list[Score] | None

    @property
    def static_rules(self) -> list[str]:
        return [rule.name for rule in self.rules or () if rule.kind == "static"]

    @property
    def static_scores(self) -> list[str]:
        return [term.name for term in self.scores or () if term.kind == "static"]

    @property
    def scored_only(self) -> tuple[str, ...]:
        return tuple(name for name in SCORED_ONLY if name in self.resources)


def shapes():
    points = st.lists(st.integers(0, 100), min_size=1, max_size=4, unique=True).map(sorted)
    return points.flatmap(
        lambda xs: st.tuples(*(st.integers(0, 10) for _ in xs)).map(lambda ys: tuple(zip(xs, ys, strict=True)))
    )


@st.composite
def scores(draw, name, resources):
    kind = draw(st.sampled_from(("least", "most", "ratio", "balanced", "static")))
    weight = draw(st.integers(1, 4))
    if kind == "static":
        return Score(kind, name, weight, normalise=draw(st.sampled_from((None, "max", "reverse", "minmax"))))
    chosen = draw(st.lists(st.sampled_from(resources), min_size=1, max_size=4, unique=True))
    return Score(
        kind,
        name,
        weight,
        tuple((resource, 1 if kind == "balanced" else draw(st.integers(1, 3))) for resource in chosen),
        draw(shapes()) if kind == "ratio" else (),
        frozenset(draw(st.sets(st.sampled_from(chosen)))),
    )


@st.composite
def houses(draw, units=UNITS):
    resources = RESOURCES[: draw(st.integers(1, 5))]
    unit = draw(st.sampled_from(units))
    if draw(st.integers(0, 5)) == 0:
        return House(resources, unit, None, None)
    rules = [Rule("fit", "fit", always_resolvable=frozenset(draw(st.sets(st.sampled_from(resources), max_size=1))))]
    if draw(st.booleans()):
        rules.append(Rule("closed", "cordon"))
    if draw(st.booleans()):
        rules.append(Rule("eligible", "eligible", draw(st.booleans())))
    rules += [Rule(f"static{i}", "static", draw(st.booleans())) for i in range(draw(st.integers(0, 3)))]
    terms = [draw(scores(f"term{i}", resources)) for i in range(draw(st.integers(0, 4)))]
    return House(resources, unit, draw(st.permutations(rules)), terms)


def amount(rng: random.Random, house: House, most: int) -> int:
    """A few units, not always exactly."""
    return min(rng.randint(0, most) * house.unit + (rng.randint(0, 2) if house.unit > 1 else 0), MAX_AMOUNT)


def host_columns(rng, house: House, hosts: int) -> dict[str, list[int]]:
    kinds = [[amount(rng, house, 8) for _ in house.resources] for _ in range(rng.randint(1, 5))]
    rows = [rng.choice(kinds) for _ in range(hosts)]
    return {name: [row[r] for row in rows] for r, name in enumerate(house.resources)}


def label_columns(rng, hosts: int) -> dict[str, list[str | None]]:
    return {key: [rng.choice((*values, None)) for _ in range(hosts)] for key, values in KEYS.items()}


def fleet_arguments(rng, house: House, hosts: int) -> dict:
    """Arguments of a fleet, but for rules, scores and scored_only."""
    arguments = {"capacity": host_columns(rng, house, hosts), "labels": label_columns(rng, hosts)}
    if rng.random() < 0.5:
        arguments["used"] = {
            name: [rng.randint(0, c) // 2 for c in column] for name, column in arguments["capacity"].items()
        }
    if rng.random() < 0.5:
        arguments["names"] = [f"host-{i}" for i in range(hosts)]
    for limited in house.resources:
        if limited in house.scored_only or rng.random() < 0.7:
            continue
        for kind, low, high in (("smallest", 1, 3), ("largest", 2, 6), ("step", 1, 3)):
            if rng.random() < 0.6:
                column = [rng.randint(low, high) * rng.choice((1, house.unit)) for _ in range(hosts)]
                arguments.setdefault(kind, {})[limited] = column
    return arguments


def request_arguments(rng, house: House, hosts: int) -> dict:
    """Arguments of a request on a fleet with that many host slots."""

    def amounts(most):
        return {name: amount(rng, house, most) for name in house.resources if rng.random() < 0.7}

    arguments = {"demand": amounts(rng.choice((2, 4, 10)))}
    for name in house.scored_only:
        arguments["demand"].pop(name, None)
    if rng.random() < 0.3:
        arguments["commit"] = amounts(3)
    if rng.random() < 0.3:
        arguments["score"] = amounts(3)
    if rng.random() < 0.5:
        if rng.random() < 0.5:
            arguments["eligible"] = [rng.random() < 0.7 for _ in range(hosts)]
        else:
            keys = rng.sample(sorted(KEYS), rng.randint(1, 2))
            arguments["eligible"] = {key: rng.sample(KEYS[key], rng.randint(1, len(KEYS[key]))) for key in keys}
    rejects = {}
    for name in house.static_rules:
        values = rng.choice(((), (False, False, True), (-1, -1, 0, 1, 2)))
        if values:
            rejects[name] = [rng.choice(values) for _ in range(hosts)]
    if rejects:
        arguments["rejects"] = rejects
    raw = {
        name: [rng.choice((0, 1, 2, 3, 7, 100, 12345)) for _ in range(hosts)]
        for name in house.static_scores
        if rng.random() < 0.8
    }
    if raw:
        arguments["raw"] = raw
    return arguments
