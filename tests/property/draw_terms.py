"""What the random tests of counters, terms and eviction draw: profiles, terms, contributions; small numbers."""

import random
from dataclasses import replace

from tests.property import draw
from tests.property.draw import House
from tests.reference.domain_terms import HardTerm, Ref, SoftTerm
from tests.reference.fleet import Rule, Score

KEYS = (None, "zone", "zone", "rack", "nowhere")
WEIGHTS = (-3, -1, 0, 1, 1, 2, 100, 2**31 - 1, -(2**31 - 1))
LEVELS = (-(2**31), -1, 0, 0, 1, 2, 2**31 - 1)
SCORE_KINDS = ("least", "most", "balanced", "static", "count", "count", "spread", "spread")


def house(rng: random.Random) -> House:
    """Few resources, some rules that terms speak for, at least one count or spread score in half of the profiles."""
    resources = draw.RESOURCES[: rng.randint(1, 4)]
    rules = [Rule("fit", "fit", always_resolvable=frozenset(rng.sample(resources, rng.randint(0, 1))))]
    rules += [Rule(f"rule{i}", "static", rng.random() < 0.5) for i in range(rng.randint(1, 3))]
    if rng.random() < 0.5:
        rules.append(Rule("eligible", "eligible", rng.random() < 0.5))
    rng.shuffle(rules)
    scores = []
    kinds = SCORE_KINDS if rng.random() < 0.6 else SCORE_KINDS[:4]
    for i in range(rng.randint(1, 5)):
        kind, weight = rng.choice(kinds), rng.randint(1, 4)
        if kind in ("count", "spread"):
            scores.append(Score(kind, f"score{i}", weight))
        elif kind == "static":
            scores.append(Score(kind, f"score{i}", weight, normalise=rng.choice((None, "max", "reverse", "minmax"))))
        else:
            chosen = rng.sample(resources, rng.randint(1, len(resources)))
            scores.append(Score(kind, f"score{i}", weight, tuple((name, 1) for name in chosen)))
    return House(resources, rng.choice(draw.UNITS), rules, scores)


def counter(rng, slow) -> dict:
    """Arguments of a new counter."""
    if rng.random() < 0.25:
        return {"kind": "flag"}
    fed = [number for number, known in enumerate(slow.definitions.counters) if known.kind == "additive"]
    return {"feeds": rng.choice(fed)} if fed and rng.random() < 0.4 else {}


def some_hosts(rng, slow) -> list[int]:
    """A few hosts, one alone now and then."""
    hosts = range(len(slow.state.alive))
    if hosts and rng.random() < 0.3:
        return [rng.choice(hosts)]
    return [host for host in hosts if rng.random() < 0.6]


def pool_row(rng, slow) -> dict:
    return {"size": rng.randint(0, 4), "seen": None if rng.random() < 0.4 else some_hosts(rng, slow)}


def pool_claim(rng, slow) -> dict:
    """A claim that could have most rows, and be made in places."""
    rows = range(len(slow.pools.rows))
    return {
        "size": rng.randint(0, 4),
        "rows": [row for row in rows if rng.random() < 0.7],
        "provision": some_hosts(rng, slow) if rng.random() < 0.7 else [],
        "room": some_hosts(rng, slow) if rng.random() < 0.4 else None,
        "held": tuple(rng.sample(rows, min(len(rows), rng.choice((0, 0, 0, 0, 1, 2))))),
        "pinned": rng.choice([-1, *slow.live_hosts()]) if rng.random() < 0.15 else None,
    }


def ref(rng, slow) -> Ref:
    members = range(len(slow.definitions.members))
    return Ref(
        rng.randrange(len(slow.definitions.counters)),
        rng.choice(KEYS),
        rng.choice(members) if members and rng.random() < 0.4 else None,
        rng.choice(WEIGHTS),
        rng.randint(1, 4),
        rng.random() < 0.3,
    )


def refs(rng, slow, most) -> tuple[Ref, ...]:
    return tuple(ref(rng, slow) for _ in range(rng.randint(0 if rng.random() < 0.1 else 1, most)))


def hard_term(rng, house, slow) -> HardTerm:
    op = rng.choice(("forbid", "forbid", "require", "at_most", "skew", "skew", "distinct", "pool", "pool"))
    if op == "pool" and not slow.pools.claims:
        op = "forbid"
    term = HardTerm(
        op,
        rng.choice(house.static_rules),
        (ref(rng, slow),),
        argument=rng.randint(0, 3),
        resolvable=rng.random() < 0.6,
    )
    if op == "forbid":
        return replace(term, refs=refs(rng, slow, 3), skip_when_empty=rng.random() < 0.6)
    if op == "distinct":
        counters = range(len(slow.definitions.counters))
        chosen = tuple(Ref(rng.choice(counters)) for _ in range(rng.randint(0, 3)))
        return replace(term, refs=chosen, held=rng.choice(counters), resource=rng.choice(house.resources))
    if op == "pool":
        claims = rng.choices(range(len(slow.pools.claims)), k=rng.choice((1, 1, 2, 2, 3)))
        argument, missing_too = rng.randint(0, 3), rng.random() < 0.3
        return replace(term, refs=(), claims=tuple(claims), missing=argument, missing_resolvable=missing_too)
    term = replace(term, missing=rng.randint(0, 3), own=rng.randint(0, 1))
    if op == "require":
        return replace(term, refs=refs(rng, slow, 2), missing_resolvable=rng.random() < 0.5)
    if op == "at_most":
        return replace(term, limit=rng.randint(0, 4), own=rng.randint(0, 2))
    return replace(term, limit=rng.randint(0, 3), least_domains=rng.choice((0, 1, 1, 2, 3, 6)))


def soft_terms(rng, house, slow) -> list[SoftTerm]:
    """At most one a score, so that nothing is said twice about require_all."""
    names = [score.name for score in house.scores if score.kind in ("count", "spread")]
    chosen = [name for name in names if rng.random() < 0.8]
    return [SoftTerm(name, refs(rng, slow, 4), rng.random() < 0.6) for name in chosen]


def terms(rng, house, slow) -> list[HardTerm | SoftTerm]:
    hard = [hard_term(rng, house, slow) for _ in range(rng.choice((0, 0, 1, 1, 2, 4)))]
    found = [*hard, *soft_terms(rng, house, slow)]
    rng.shuffle(found)
    return found


def contributes(rng, slow, flags=True) -> dict:
    """{counter: amount, or amount and trial amount}."""
    found = {}
    for number, known in enumerate(slow.definitions.counters):
        if rng.random() < 0.5:
            continue
        if known.kind == "flag":
            if flags:
                found[number] = 1
        else:
            found[number] = rng.choice((0, 1, 1, 1, 2, (0, 1), (1, 1), (1, 0), (2, 3)))
    return found


def request_arguments(rng, house, slow) -> dict:
    """Arguments of a request on this fleet, small enough that terms decide more often than resources."""
    arguments = draw.request_arguments(rng, house, len(slow.state.alive))
    if rng.random() < 0.7:
        arguments.pop("rejects", None)
        arguments.pop("eligible", None)
    arguments["terms"] = terms(rng, house, slow)
    arguments["contributes"] = contributes(rng, slow)
    arguments["priority"] = rng.choice(LEVELS)
    arguments["skip"] = [score.name for score in house.scores if rng.random() < 0.1]
    return arguments
