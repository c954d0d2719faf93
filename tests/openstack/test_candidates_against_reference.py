"""Candidates of random small clouds: the search and the slow reference give the same answers and the same refusals.

The slow run asks 4 questions of each of 5,000 clouds: HYPOTHESIS_PROFILE=long pytest -m slow.
"""

import json
import os
import random
from collections import Counter

import pytest

hypothesis = pytest.importorskip("hypothesis")
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from binwright.openstack.placement.answer import candidates_answer  # noqa: E402
from binwright.openstack.placement.faults import Fault  # noqa: E402
from binwright.openstack.placement.microversion import parse_microversion  # noqa: E402
from binwright.openstack.placement.names import RESOURCE_CLASSES, TRAITS  # noqa: E402
from binwright.openstack.placement.query import parse_query  # noqa: E402
from binwright.openstack.placement.replay import read_forest  # noqa: E402
from binwright.openstack.placement.search import CandidateSearch  # noqa: E402
from tests.openstack import random_clouds  # noqa: E402
from tests.reference.openstack import canonical  # noqa: E402
from tests.reference.openstack.answer import allocation_candidates  # noqa: E402
from tests.reference.openstack.cloud import Cloud  # noqa: E402

QUESTIONS = 4
"""Asked of every cloud."""

NAMES = {"traits": sorted(TRAITS), "resource_classes": sorted(RESOURCE_CLASSES)}


def search_of(cloud):
    return CandidateSearch(read_forest(cloud), cloud["extra_traits"], cloud["extra_resource_classes"])


def ask(search, text, microversion, **generation):
    version = parse_microversion(microversion)
    try:
        query = parse_query(text, version)
        answer = candidates_answer(search.answer(query, **generation), query, search.forest)
        assert json.loads(search.body(query, **generation)) == answer
        return 200, answer
    except Fault as fault:
        return fault.status, fault.to_dict(version)


def check(seed):
    rng = random.Random(seed)
    cloud = random_clouds.cloud(rng)
    reference, search = Cloud.from_json(cloud, NAMES), search_of(cloud)
    for _ in range(QUESTIONS):
        text, microversion = random_clouds.query(rng, len(cloud["resource_providers"]))
        wanted_status, wanted = allocation_candidates(reference, text, microversion)
        status, got = ask(search, text, microversion)
        where = (seed, text, microversion)
        assert status == wanted_status, where
        if status != 200:
            assert canonical.error_differences(wanted, got) == [], where
            continue
        assert canonical.answer_differences(wanted, got) == [], where
        everything = [canonical.canonical(request) for request in wanted["allocation_requests"]]
        assert len(got["allocation_requests"]) == len(everything), where
        check_bounds(rng, search, text, microversion, everything)


def check_bounds(rng, search, text, microversion, everything):
    """limit and the generation options give as many different ones as there are, breadth-first too."""
    most, breadth_first, version = rng.randint(0, 4), rng.random() < 0.5, parse_microversion(microversion)
    bounded = []
    if version >= (1, 29):
        bounded.append(ask(search, text, microversion, most=most, breadth_first=breadth_first))
    if version >= (1, 16) and most:
        bounded.append(ask(search, f"{text}&limit={most}", microversion, breadth_first=breadth_first))
    for status, body in bounded:
        some = [canonical.canonical(request) for request in body["allocation_requests"]]
        assert status == 200
        assert len(some) == min(most, len(everything))
        assert not Counter(some) - Counter(everything)  # below 1.34 some look alike that differ in their mappings


SEEDS = st.integers(0, 2**32 - 1)


@given(SEEDS)
def test_random_questions(seed):
    check(seed)


@pytest.mark.slow
@pytest.mark.skipif(os.environ.get("HYPOTHESIS_PROFILE") != "long", reason="5,000 clouds: HYPOTHESIS_PROFILE=long")
@settings(max_examples=5000)
@given(SEEDS)
def test_five_thousand_clouds(seed):
    check(seed)
