"""Magnum's node groups as wishes, counted by hand."""

import pytest

from binwright.errors import InputError
from binwright.openstack.magnum import to_requests
from tests.openstack.clouds import read


def group(name="default-worker", **fields):
    return {"name": name, "role": "worker", "flavor_id": "m1.large", "node_count": 2, "cluster_id": "k1"} | fields


def wishes(*groups, **rest):
    cloud = read({"node_groups.json": list(groups)})
    return to_requests(cloud.node_groups, **rest)


def test_every_node_is_a_server_of_the_groups_flavor():
    found = wishes(group(), group("default-master", role="master", node_count=3, flavor_id="m1.small"))
    assert [(one.name, one.flavor_ref, one.hints) for one in found.servers] == [
        ("k1-default-worker-0", "m1.large", {"group": "magnum:k1:worker"}),
        ("k1-default-worker-1", "m1.large", {"group": "magnum:k1:worker"}),
        ("k1-default-master-0", "m1.small", {"group": "magnum:k1:master"}),
        ("k1-default-master-1", "m1.small", {"group": "magnum:k1:master"}),
        ("k1-default-master-2", "m1.small", {"group": "magnum:k1:master"}),
    ]
    assert [(one.id, one.policy) for one in found.server_groups] == [
        ("magnum:k1:worker", "soft-anti-affinity"),
        ("magnum:k1:master", "soft-anti-affinity"),
    ]
    assert found.volumes == []


def test_node_groups_of_a_role_share_a_server_group_of_any_policy():
    found = wishes(group("a"), group("b", role="gpu"), group("c", cluster_id="k2"), policy="anti-affinity")
    assert [(one.id, one.policy) for one in found.server_groups] == [
        ("magnum:k1:worker", "anti-affinity"),
        ("magnum:k2:worker", "anti-affinity"),
    ]


def test_labels_decide_zone_and_volumes():
    labels = {"availability_zone": "az1", "boot_volume_size": "40", "boot_volume_type": "ssd"}
    found = wishes(group(node_count=1, labels=labels, docker_volume_size=25))
    (server,) = found.servers
    assert (server.zone, server.from_volume) == ("az1", True)
    assert [(one.name, one.size, one.type, one.zone) for one in found.volumes] == [
        ("k1-default-worker-0-root", 40, "ssd", "az1"),
        ("k1-default-worker-0-docker", 25, None, "az1"),
    ]


def test_groups_that_magnum_has_ask_for_nothing():
    assert wishes(group(status="CREATE_COMPLETE"), group("b", status="CREATE_IN_PROGRESS")).servers == []
    assert wishes(group(node_count=0)).servers == []


def test_a_dump_with_node_groups_wishes_for_their_nodes():
    cloud = read({"node_groups.json": {"nodegroups": [group()]}})
    assert [one.name for one in cloud.wishes] == ["k1-default-worker-0", "k1-default-worker-1"]
    assert [one.id for one in cloud.server_groups] == ["magnum:k1:worker"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"node_count": 5, "max_node_count": 4}, "node_count: 5 is not in 0..4"),
        ({"node_count": 0, "min_node_count": 1, "max_node_count": 4}, "node_count: 0 is not in 1..4"),
        ({"min_node_count": 3, "max_node_count": 2}, "max_node_count: 2 is less than 3"),
        ({"node_count": None}, "node_count: missing"),
        ({"flavor_id": ""}, "flavor_id: missing"),
        ({"labels": {"boot_volume_size": "big"}}, "labels: boot_volume_size 'big' is not a whole number of GiB"),
    ],
)
def test_a_bad_group_is_one_line(fields, message):
    with pytest.raises(InputError) as refused:
        wishes(group(**fields))
    assert str(refused.value).endswith(f"node_groups.json: node group default-worker: {message}")
