"""The engine's short way and the whole chain give the same answer for every server of random clouds."""

import random

import pytest

from binwright.errors import InputError
from binwright.openstack.capacity import cloud_hosts
from binwright.openstack.pending import wanted_servers
from binwright.openstack.place import place_cloud
from binwright.openstack.scheduler import Scheduler
from binwright.openstack.zones import cloud_zones
from tests.openstack import random_dumps
from tests.openstack.clouds import read


def answers(result):
    found = {}
    for one in [*result.placed, *result.unplaced]:
        found[one.name] = (one.verdict, one.host, one.score, one.devices, one.message, one.reasons, one.smallest_change)
    return found


def check(seed):
    cloud = read(random_dumps.dump(random.Random(seed)))
    short, whole = place_cloud(cloud), place_cloud(cloud, by_chain=True)
    assert answers(short) == answers(whole), f"seed {seed}"
    assert [(use.name, use.used_after) for use in short.resources] == [
        (use.name, use.used_after) for use in whole.resources
    ], f"seed {seed}"
    assert short.not_evaluated == whole.not_evaluated


@pytest.mark.parametrize("seed", range(60))
def test_the_same_either_way(seed):
    check(seed)


def scheduler_of(seed, by_chain):
    cloud = read(random_dumps.dump(random.Random(seed)))
    wanted, hosts = wanted_servers(cloud), cloud_hosts(cloud, cloud.servers)
    return Scheduler(cloud, hosts, cloud_zones(cloud, hosts), wanted, by_chain=by_chain), wanted


@pytest.mark.parametrize("seed", range(30))
def test_the_same_order_either_way(seed):
    """All hosts with their weights, and the first three, while servers are placed."""
    (short, wanted), (whole, _) = scheduler_of(seed, False), scheduler_of(seed, True)
    for server in wanted:
        for most in (None, 3):
            try:
                expected = [one.tolist() for one in whole.ranked(server, most)]
            except InputError:
                continue
            assert [one.tolist() for one in short.ranked(server, most)] == expected, (seed, server.name, most)
        assert short.place(server).host == whole.place(server).host


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1000, 6000, 500))
def test_the_same_either_way_on_many_clouds(first):
    for seed in range(first, first + 500):
        check(seed)
