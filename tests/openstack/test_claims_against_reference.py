"""Random calls on the in-memory Placement: the same answers as the slow reference's, and nothing is left behind."""

import random

import pytest

hypothesis = pytest.importorskip("hypothesis")
from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from binwright.openstack.placement.microversion import parse_microversion  # noqa: E402
from binwright.openstack.placement.names import RESOURCE_CLASSES, TRAITS  # noqa: E402
from binwright.openstack.placement.service import PlacementService  # noqa: E402
from tests.openstack import random_clouds  # noqa: E402
from tests.openstack.random_clouds import uuid_of  # noqa: E402
from tests.reference.openstack import canonical  # noqa: E402
from tests.reference.openstack.service import Placement  # noqa: E402

NAMES = {"traits": sorted(TRAITS), "resource_classes": sorted(RESOURCE_CLASSES)}
CALLS = 60
CONSUMERS = [f"cccccccc-0000-4000-8000-{number:012x}" for number in range(4)]


class Both:
    """The service and the reference, asked the same."""

    def __init__(self, leaks):
        self.ours = PlacementService(leaks_consumers=leaks)
        self.reference = Placement(NAMES, leaks_consumers=leaks)
        self.trail = []

    def call(self, method, path, body=None, version="1.39"):
        self.trail.append((method, path, body, version))
        wanted_status, wanted = self.reference.call(method, path, body, version)
        status, got = self.ours.call(method, path, body, parse_microversion(version))
        assert status == wanted_status, (self.trail[-1], got, wanted)
        if status >= 400:
            assert canonical.error_differences(wanted, got) == [], self.trail[-1]
        elif path.startswith("/allocation_candidates"):
            assert canonical.answer_differences(wanted, got) == [], self.trail[-1]
        else:
            assert canonical.with_sets(got) == canonical.with_sets(wanted or None), self.trail[-1]
        return status, got

    def generation(self, uuid):
        return self.reference.providers[uuid].generation


def set_up(both, cloud):
    """The providers of a random cloud, parents first."""
    for trait in random_clouds.TRAITS:
        both.call("PUT", f"/traits/{trait}")
    both.call("PUT", "/resource_classes/CUSTOM_A")
    for row in sorted(cloud["resource_providers"], key=lambda row: row["uuid"]):
        body = {key: row[key] for key in ("uuid", "name", "parent_provider_uuid")}
        both.call("POST", "/resource_providers", body)
        base = f"/resource_providers/{row['uuid']}"
        for generation, key in enumerate(("inventories", "traits", "aggregates")):
            generation = both.generation(row["uuid"])
            both.call("PUT", f"{base}/{key}", {key: row[key], "resource_provider_generation": generation})


def claim(rng, both, consumer, providers, version):
    """A body for one consumer: mostly its right generation, now and then nonsense."""
    amounts = {}
    for _ in range(rng.choice((1, 1, 2))):
        names = rng.sample((*random_clouds.CLASSES, random_clouds.NO_CLASS), rng.choice((1, 1, 2)))
        provider = rng.choice((*providers, *providers, *providers, random_clouds.NO_UUID))
        amounts[provider] = {"resources": {name: rng.choice((1, 1, 2, 3, 0)) for name in names}}
    body = {"allocations": {} if rng.random() < 0.15 else amounts, "project_id": rng.choice("pq"), "user_id": "u"}
    if version >= (1, 28):
        known = both.reference.ledger.consumers.get(consumer)
        right = None if known is None else known.generation
        body["consumer_generation"] = right if rng.random() < 0.85 else rng.choice((None, 0, 1, 7))
    if version >= (1, 38):
        body["consumer_type"] = rng.choice(("INSTANCE", "INSTANCE", "MIGRATION", "bad"))
    if rng.random() < 0.05:
        body["mappings"] = rng.choice(({}, {"": providers[:1]}))
    return body


def random_call(rng, both, providers):
    consumer, provider = rng.choice(CONSUMERS), rng.choice(providers)
    version = "1.39" if rng.random() < 0.7 else rng.choice(("1.12", "1.28", "1.34", "1.38"))
    number = parse_microversion(version)
    kind = rng.random()
    if kind < 0.5:
        both.call("PUT", f"/allocations/{consumer}", claim(rng, both, consumer, providers, number), version)
    elif kind < 0.6 and number >= (1, 13):
        body = {one: claim(rng, both, one, providers, number) for one in rng.sample(CONSUMERS, 2)}
        both.call("POST", "/allocations", body, version)
    elif kind < 0.68:
        both.call("DELETE", f"/allocations/{consumer}", None, version)
    elif kind < 0.72:
        generation = both.generation(provider) - (rng.random() < 0.2)
        stocks = {name: random_clouds.inventory(rng) for name in rng.sample(random_clouds.CLASSES, 2)}
        body = {"inventories": stocks, "resource_provider_generation": generation}
        both.call("PUT", f"/resource_providers/{provider}/inventories", body, version)
    elif kind < 0.8:
        both.call("GET", f"/allocations/{consumer}", None, version)
        both.call("GET", f"/resource_providers/{provider}/usages", None, version)
        both.call("GET", "/usages?project_id=p", None, version)
    else:
        text, version = random_clouds.query(rng, len(providers))
        both.call("GET", f"/allocation_candidates?{text}", None, version)


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_random_calls(seed, leaks):
    rng, both = random.Random(seed), Both(leaks)
    cloud = random_clouds.cloud(rng)
    set_up(both, cloud)
    providers = [uuid_of(number) for number in range(len(cloud["resource_providers"]))]
    for _ in range(CALLS):
        random_call(rng, both, providers)
    for consumer in CONSUMERS:
        both.ours.call("DELETE", f"/allocations/{consumer}")
    for provider in both.ours.providers.values():
        assert not any(provider.used.values())
    assert not any(consumer.rows for consumer in both.ours.ledger.consumers.values())
