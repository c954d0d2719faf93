"""Small row forests: what the engine chooses is what trying every assignment in order finds first."""

import random

import pytest

from binwright import Verdict
from tests.property import rows as draw

QUESTIONS = 12_000
A_FOREST = 8  # questions asked of one forest, each after the commits of those before it


def ask(rng, engine, slow) -> str:
    """One question on both sides; whoever gets rows keeps them."""
    groups, rules, demand = draw.a_question(rng, len(slow.hosts))
    request = draw.engine_request(engine, groups, rules, demand)
    wanted = [slow.first(host, groups, rules, demand) for host in range(len(slow.hosts))]
    look = engine.explain(request)
    position = engine.profile.kind_position("rows")
    refused = (look.refusals.mask >> position & 1).tolist()
    assert refused == [rows is None for rows in wanted]
    for host in range(len(wanted)):
        if look.refusals.first[host] == position:
            anyhow = slow.first(host, groups, rules, demand, empty=True)
            assert look.refusals.resolvable[host] == (anyhow is not None)
            assert look.reasons_at(host) == ((("rows", None)),)
    result = engine.place(request)
    host = int(result.hosts[0])
    if host < 0:
        assert look.verdict in (Verdict.UNSCHEDULABLE, Verdict.UNRESOLVABLE)
        return "none" if all(rows is None for rows in wanted) else "other rules"
    assert wanted[host] is not None
    claims = slow.claims(groups, wanted[host])
    assert [tuple(device) for device in result.devices(0)] == claims
    slow.move(claims, 1)
    slow.move([(0, ~host, name, amount) for name, amount in demand.items()], 1)
    draw.assert_same_rows(engine, slow)
    return "placed"


@pytest.mark.parametrize("part", range(8))
def test_every_small_question(part, request):
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    count: dict[str, int] = {}
    for number in range(QUESTIONS // 8 // A_FOREST):
        print(f"forest {number} of seed {seed}")
        engine, slow = draw.both_forests(rng, rng.choice((1, 1, 2, 3)), rng.randint(1, 8))
        for _ in range(A_FOREST):
            answer = ask(rng, engine, slow)
            count[answer] = count.get(answer, 0) + 1
    assert count["placed"] > 100
    assert count["none"] > 100
