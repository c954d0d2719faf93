"""Candidates in order, lazily: the same ones as the search gives, the better trees first, wide trees at once."""

import itertools
import random
import re
import time

import pytest

from binwright.openstack.placement.best_first import best_first
from binwright.openstack.placement.faults import Fault
from binwright.openstack.placement.inventory import Inventory
from binwright.openstack.placement.microversion import parse_microversion
from binwright.openstack.placement.query import parse_query
from binwright.openstack.placement.replay import read_forest
from binwright.openstack.placement.search import CandidateSearch
from binwright.openstack.placement.tree import Forest, Provider
from tests.openstack import random_clouds


def identity(candidate):
    amounts = {uuid: dict(resources) for uuid, resources in candidate.allocations.items()}
    return repr((sorted(amounts.items()), sorted((key, sorted(uuids)) for key, uuids in candidate.mappings.items())))


@pytest.mark.parametrize("seed", range(300))
def test_the_same_candidates_in_any_order(seed):
    rng = random.Random(seed)
    cloud = random_clouds.cloud(rng)
    search = CandidateSearch(read_forest(cloud), cloud["extra_traits"], cloud["extra_resource_classes"])
    for _ in range(3):
        text, microversion = random_clouds.query(rng, len(cloud["resource_providers"]))
        try:
            query = parse_query(text, parse_microversion(microversion))
            wanted = [identity(one) for one in search.answer(query)]
        except Fault as fault:
            with pytest.raises(Fault, match=re.escape(fault.detail)):
                list(best_first(search, parse_query(text, parse_microversion(microversion))))
            continue
        plain = [identity(one) for one in best_first(search, query)]
        turned = [identity(one) for one in best_first(search, query, lambda root: root.name[::-1])]
        assert len(set(plain)) == len(plain), (seed, text)
        assert sorted(plain) == sorted(turned) == sorted(wanted), (seed, text)


def fleet(hosts, devices):
    """Hosts with devices below them, and CPUs of which host number n has n used."""
    providers = []
    for host in range(hosts):
        root = f"{host:08x}-0000-4000-8000-000000000000"
        providers.append(Provider(root, f"h{host}", inventories={"VCPU": Inventory(100)}, used={"VCPU": host}))
        for device in range(devices):
            own = f"{host:08x}-0000-4000-8000-{device + 1:012x}"
            providers.append(Provider(own, f"h{host}d{device}", root, inventories={"VGPU": Inventory(1)}))
    return CandidateSearch(Forest(providers))


def test_the_better_trees_come_first():
    search = fleet(5, 2)
    query = parse_query("resources=VCPU:1&resources1=VGPU:1")
    found = best_first(search, query, lambda root: -root.used["VCPU"])
    roots = [search.forest.providers[min(one.allocations)].uuid[:8] for one in found]
    assert roots == [f"{host:08x}" for host in (4, 3, 2, 1, 0) for _ in range(2)]


def test_the_limit_holds():
    search = fleet(5, 2)
    assert len(list(best_first(search, parse_query("resources1=VGPU:1&limit=3")))) == 3


def test_wide_trees_are_not_multiplied_out():
    """Twelve devices in twelve groups, each its own: 479,001,600 candidates a host, of which a few are wanted."""
    search = fleet(3, 12)
    groups = "&".join(f"resources{number}=VGPU:1" for number in range(1, 13))
    start = time.perf_counter()
    found = list(itertools.islice(best_first(search, parse_query(f"{groups}&group_policy=isolate")), 5))
    assert time.perf_counter() - start < 5  # a product would take hours
    assert len({identity(one) for one in found}) == 5
    assert all(len(one.allocations) == 12 for one in found)


def test_one_device_too_few_is_no_search():
    search = fleet(3, 11)
    groups = "&".join(f"resources{number}=VGPU:1" for number in range(1, 13))
    assert list(best_first(search, parse_query(f"{groups}&group_policy=isolate"))) == []
