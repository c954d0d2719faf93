"""Delayed claims on the engine's pools: what-ifs leave no trace, each node has its reasons, eviction frees nothing."""

import pickle

import msgspec
import pytest

from binwright.kubernetes.compile import Cluster
from binwright.kubernetes.objects import Pod
from binwright.kubernetes.place import Options, place_dicts
from binwright.kubernetes.reader import read_dicts
from tests.kubernetes.made import node_dict, pod_dict

LOCAL = {"provisioner": "kubernetes.io/no-provisioner", "volumeBindingMode": "WaitForFirstConsumer"}


def storage_class(name, **fields):
    return {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name}, **fields}


def claim(name, kind="local", storage="1Gi", annotations=None, **spec):
    spec = {"storageClassName": kind, "accessModes": ["ReadWriteOnce"], **spec}
    spec["resources"] = {"requests": {"storage": storage}}
    meta = {"name": name, "annotations": annotations}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": spec}


def volume(name, nodes, storage="1Gi", **spec):
    field = {"key": "metadata.name", "operator": "In", "values": nodes}
    spec = {
        "capacity": {"storage": storage},
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "local",
        "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchFields": [field]}]}},
        **spec,
    }
    status = {"phase": "Available"}
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec, "status": status}


def pod(name, *claims, **more):
    volumes = [{"name": one, "persistentVolumeClaim": {"claimName": one}} for one in claims]
    return pod_dict(name, volumes=volumes, **more)


def cluster_of(items):
    objects = read_dicts(items, "demo")
    return Cluster(objects.nodes, objects.pods, None, objects.related), objects.pods


def test_a_what_if_gives_the_volume_back():
    cluster, pods = cluster_of(
        [
            node_dict("a"),
            storage_class("local", **LOCAL),
            volume("v", ["a"]),
            claim("x"),
            claim("y"),
            pod("first", "x"),
            pod("second", "y"),
        ]
    )
    fleet, (first, second) = cluster.fleet, [cluster.request(one) for one in pods]
    token = fleet.checkpoint()
    result = fleet.place(first)
    assert fleet.explain(first).feasible == 1  # its claim holds the volume now
    assert fleet.explain(second).feasible == 0
    fork, copy = fleet.fork(), pickle.loads(pickle.dumps((fleet, second)))
    assert result.explain(0).feasible == 1
    fleet.rollback(token)
    assert fleet.explain(second).feasible == 1
    assert fork.explain(second).feasible == copy[0].explain(copy[1]).feasible == 0
    fleet.release(fleet.place(first).items)
    assert fleet.explain(second).feasible == 0  # the claim keeps its volume when its user goes


def test_a_class_made_in_a_what_if_keeps_what_its_claim_came_with():
    bound = {"claimRef": {"name": "x", "namespace": "default"}}
    cluster, (user, chosen) = cluster_of(
        [
            node_dict("a"),
            node_dict("b"),
            storage_class("local", **LOCAL),
            storage_class("made", **{**LOCAL, "provisioner": "p"}),
            volume("v", ["b"], **bound),
            claim("x"),
            claim("y", "made", annotations={"volume.kubernetes.io/selected-node": "b"}),
            pod("user", "x"),
            pod("chosen", "y"),
        ]
    )
    token = cluster.fleet.checkpoint()
    before = [cluster.fleet.place(cluster.request(one)).hosts.tolist() for one in (user, chosen)]
    cluster.fleet.rollback(token)
    after = [cluster.fleet.place(cluster.request(one)).hosts.tolist() for one in (user, chosen)]
    assert before == after == [[1], [1]]


def test_every_node_tells_its_own_reasons():
    """Both nodes are out of reach of the bound volume; the delayed claim fails on each for another reason."""
    made = {"provisioner": "disks", "volumeBindingMode": "WaitForFirstConsumer"}
    allowed = [{"matchLabelExpressions": [{"key": "zone", "values": ["x"]}]}]
    done = {"pv.kubernetes.io/bind-completed": "yes"}
    outcome = place_dicts(
        "demo",
        [
            node_dict("a", labels={"zone": "x"}),
            node_dict("b", labels={"zone": "y"}),
            node_dict("c", labels={"zone": "y"}),
            storage_class("made", **made, allowedTopologies=allowed),
            volume("far", ["elsewhere"]),
            {
                "apiVersion": "storage.k8s.io/v1",
                "kind": "CSIDriver",
                "metadata": {"name": "disks"},
                "spec": {"storageCapacity": True},
            },
            claim("bound", annotations=done, volumeName="far"),
            claim("delayed", "made"),
            pod("p", "bound", "delayed"),
        ],
        Options(complete=True),
    )
    (refused,) = outcome.unplaced
    assert {reason.text: reason.hosts for reason in refused.reasons} == {
        "node(s) didn't match PersistentVolume's node affinity": 3,
        "node(s) didn't find available persistent volumes to bind": 2,
        "node(s) did not have enough free storage": 1,
    }


@pytest.mark.parametrize(
    ("stated", "refused"),
    [
        ({"volumeName": "v"}, True),
        ({"volumeName": "v", "kind": ""}, True),
        ({"kind": ""}, True),
        ({}, False),
        ({"kind": None}, False),
        ({"volumeName": "v", "annotations": {"pv.kubernetes.io/bind-completed": "yes"}}, False),
    ],
)
def test_only_what_a_class_decides_waits_for_the_classes(stated, refused):
    """Nothing is known of classes: a claim that names its volume, or no class at all, is immediate all the same."""
    unbound = "annotations" not in stated
    items = [node_dict("a"), volume("v", ["a"]), claim("x", **stated), pod("p", "x")]
    outcome = place_dicts("demo", items)
    assert [reason.text for one in outcome.unplaced for reason in one.reasons] == (
        ["pod has unbound immediate PersistentVolumeClaims"] if refused else []
    )
    listed = "VolumeBinding (unbound claims)" in [one.rule for one in outcome.not_evaluated]
    assert listed == (unbound and not refused)
    outcome = place_dicts("demo", items, Options(complete=True))
    assert len(outcome.unplaced) == unbound


def test_an_immediate_claim_decides_beside_one_of_a_class_unknown():
    items = [node_dict("a"), volume("v", ["a"]), claim("x"), claim("y", volumeName="v"), pod("p", "x", "y")]
    outcome = place_dicts("demo", items)
    assert len(outcome.unplaced) == 1
    assert not [one.rule for one in outcome.not_evaluated if one.rule.startswith("VolumeBinding")]


def test_preemption_frees_no_volume():
    outcome = place_dicts(
        "demo",
        [
            node_dict("a", cpu="2"),
            storage_class("local", **LOCAL),
            volume("v", ["a"]),
            claim("x"),
            claim("y"),
            pod("holder", "x", cpu="1", priority=5),
            pod("wants", "y", cpu="1", priority=4),
        ],
        Options(preempt=True, complete=True),
    )
    assert [one.name for one in outcome.placed] == ["holder"]
    (refused,) = outcome.unplaced
    assert refused.message == "0/1 nodes are available: 1 node(s) didn't find available persistent volumes to bind."


def test_a_claim_that_comes_later_is_ranked_between_the_others():
    cluster, (one,) = cluster_of(
        [
            node_dict("a"),
            storage_class("local", **LOCAL),
            volume("small", ["a"], "1Gi"),
            volume("large", ["a"], "3Gi"),
            claim("c"),
            pod("p", "c"),
        ]
    )
    cluster.request(one)
    for storage, feasible in (("4Gi", 0), ("2Gi", 1), ("1Gi", 1)):
        more = read_dicts([node_dict("a"), claim(f"d{storage}", storage=storage)], "later").related
        (added,) = more.all("PersistentVolumeClaim")
        cluster.related.add("PersistentVolumeClaim", added)
        asking = msgspec.convert(pod("late", f"d{storage}"), Pod)
        assert cluster.fleet.explain(cluster.request(asking)).feasible == feasible
    assert cluster.fleet.place(cluster.request(msgspec.convert(pod("late", "d2Gi"), Pod))).placed == 1
    assert cluster.fleet.pools.holder(1) is not None  # the larger of the two


def test_sizes_are_compared_exactly():
    """The smallest that fits, to the last digit; of two claims the smaller chooses first, whatever their order."""
    cluster, (one,) = cluster_of(
        [
            node_dict("a"),
            storage_class("local", **LOCAL),
            volume("large", ["a"], "2Gi"),
            volume("small", ["a"], "1000m"),
            volume("middle", ["a"], "1"),
            claim("big", storage="999m"),
            claim("tiny", storage="998m"),
            pod("p", "big", "tiny"),
        ]
    )
    fleet = cluster.fleet
    fleet.place(cluster.request(one))
    assert [fleet.pools.claim(number).held for number in range(2)] == [2, 1]
    cluster, (one,) = cluster_of(
        [
            node_dict("a"),
            storage_class("local", **LOCAL),
            volume("v", ["a"], "999m"),
            claim("c", storage="1"),
            pod("p", "c"),
        ]
    )
    assert cluster.fleet.explain(cluster.request(one)).feasible == 0
