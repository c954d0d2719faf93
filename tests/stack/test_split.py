"""Dividing bare metal, by hand: hosts of 32 CPUs and 64 GiB as hypervisors hold four servers of 16 GiB, as nodes four
pods of 8 CPUs.
"""

import jsonschema
import pytest

from binwright.errors import InputError
from binwright.openstack.cloud_changes import with_hosts_like
from binwright.schemas import schema
from binwright.stack.join import join
from binwright.stack.split import least, split
from tests.stack.made import cloud, cluster, flavor, hypervisor, node, pod, server


def sandwich(servers=5, pods=6, group=()):
    """h1 is full, n0 too; so many wait."""
    waiting = [server(f"vm-{i}", None, Status="BUILD") for i in range(servers)]
    made = cloud(
        [server("s0", "h1"), *waiting], [hypervisor("h1", used_gib=64)], flavors=[flavor()], server_groups=list(group)
    )
    full = pod("full", "n0", "full", cpu="8")
    asking = [pod(f"web-{i}", None, "web", cpu="8") for i in range(pods)]
    return join({"k": cluster(node("n0", provider="id-s0"), full, *asking)}, {"north": made})


def divided(made, pool, like="h1"):
    result = split(made, pool, like)
    jsonschema.validate(result.to_dict(), schema("SplitResult"))
    return result


def test_each_layer_gets_as_many_as_it_needs():
    result = divided(sandwich(), 5)
    assert (result.hypervisors, result.nodes, result.enough) == (2, 2, True)
    assert [(one.source, one.waiting, one.without, one.most, one.hosts) for one in result.shares] == [
        ("north", 5, 0, 5, 2),
        ("k", 6, 0, 6, 2),
    ]
    assert result.node == {"cpu": 32000, "memory": 64 << 30}
    assert result.to_dict()["summary"]["spare"] == 1


def test_a_pool_that_is_too_small_for_both():
    result = divided(sandwich(), 3)
    assert (result.hypervisors, result.nodes, result.enough) == (2, 2, False)


def test_what_no_host_helps_takes_none():
    made = sandwich(servers=0, pods=0)
    big = pod("big", None, "big", cpu="33")
    made = join({"k": cluster(node("n0", provider="id-s0"), big)}, made.clouds)
    result = divided(made, 4)
    assert [(one.source, one.waiting, one.hosts, one.still) for one in result.shares] == [
        ("north", 0, 0, 0),
        ("k", 1, 0, 1),
    ]


def test_servers_that_are_wished_for_are_held_to_quotas():
    """Of four wished for the project may have two more; those listed as BUILD were let when they came."""
    row = {"project_id": "p", "instances": {"limit": 8, "in_use": 6, "reserved": 0}}
    wishes = [{"name": "w", "flavor": "m1", "count": 4, "project_id": "p"}]
    made = sandwich(pods=0)
    waiting = [server(f"vm-{i}", None, Status="BUILD") for i in range(5)]
    north = cloud(
        [server("s0", "h1"), *waiting], [hypervisor("h1", used_gib=64)], flavors=[flavor()], quotas=[row],
        requests=wishes,
    )  # fmt: skip
    result = divided(join(made.clusters, {"north": north}), 5)
    (share,) = result.shares
    assert (share.waiting, share.most, share.hosts, share.still, share.barred) == (9, 7, 2, 2, 2)
    assert not [one for _, some in result.not_evaluated for one in some if "quota" in one.rule]


def test_what_kubelet_keeps_is_taken_off():
    made = sandwich()
    worker = node("n0", provider="id-s0")
    worker["status"]["allocatable"] = {"cpu": "7500m", "memory": "31Gi", "pods": "110"}
    made = join({"k": cluster(worker, *(pod(f"p{i}", None, "p", cpu="8") for i in range(4)))}, made.clouds)
    result = divided(made, 4)
    assert result.node == {"cpu": 31500, "memory": 63 << 30}
    assert result.nodes == 2  # three fit 31.5 CPUs


def test_new_hypervisors_are_empty_and_like_the_one():
    made = sandwich().clouds["north"]
    bigger = with_hosts_like(made, "h1", ["b0", "b1"])
    assert [(one.hostname, one.memory_mb, one.memory_mb_used) for one in bigger.hypervisors] == [
        ("h1", 65536, 65536),
        ("b0", 65536, 0),
        ("b1", 65536, 0),
    ]
    assert len(made.hypervisors) == 1


@pytest.mark.parametrize(("need", "pool", "hosts"), [(0, 9, 0), (1, 9, 1), (5, 9, 5), (9, 9, 9), (12, 9, 9)])
def test_the_least_number_is_found(need, pool, hosts):
    assert least(lambda number: min(number, need), pool) == (0, min(need, pool), hosts)


@pytest.mark.parametrize(
    ("pool", "like", "line"),
    [
        (0, "h1", "--bare-metal 0: from 1 to 1000 hosts can be divided"),
        (3, "h9", "--like h9: no hypervisor of this name"),
    ],
)
def test_what_is_not_there_is_one_line(pool, like, line):
    with pytest.raises(InputError) as refusal:
        split(sandwich(), pool, like)
    assert str(refusal.value) == line
