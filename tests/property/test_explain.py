"""One decision at a time, amounts up to 2**56 included: verdict, ties, parts, reasons, smallest change."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binwright._core import kernels
from tests.property import draw
from tests.property.sides import assert_same_explanation, both_fleets, engine_request


@pytest.mark.parametrize("copy", kernels.available())
@settings(max_examples=3 * settings.default.max_examples)
@given(house=draw.houses(draw.HUGE_UNITS), hosts=st.sampled_from(draw.SIZES), seed=st.integers(0, 2**32 - 1))
def test_every_answer_about_one_decision(copy, house, hosts, seed):
    rng = random.Random(seed)
    before = kernels.current()
    kernels.use(copy)
    try:
        arguments = draw.fleet_arguments(rng, house, hosts)
        engine, slow = both_fleets(**arguments, rules=house.rules, scores=house.scores, scored_only=house.scored_only)
        if hosts:
            shut = rng.sample(range(hosts), rng.randint(0, min(hosts, 2)))
            engine.cordon(shut)
            slow.cordon(shut)
        for form in range(4):
            wanted = draw.request_arguments(rng, house, hosts)
            ours, theirs = engine_request(engine, **wanted, form=form), slow.request(**wanted)
            explanation, decision = engine.explain(ours), slow.explain(theirs)
            assert_same_explanation(explanation, decision)
            assert explanation.ties.tolist() == decision.ties
    finally:
        kernels.use(before)
