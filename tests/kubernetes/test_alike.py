"""Which pods stand for others: only what a class cannot depend on may differ."""

import pytest

from binwright.kubernetes.alike import Alike
from binwright.kubernetes.compile import Cluster
from binwright.kubernetes.reader import read_dicts

OWNER = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-1", "controller": True}


def pod(name="a", node="n1", owners=(OWNER,), status=None, meta=None, **spec):
    containers = [{"name": "c", "image": "i", "resources": {"requests": {"cpu": "1"}}}]
    metadata = {"name": name, "namespace": "x", "labels": {"app": "web"}, "ownerReferences": list(owners)}
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": metadata | (meta or {}),
        "spec": {"nodeName": node, "containers": containers, **spec}, "status": status or {"phase": "Running"},
    }  # fmt: skip


def firsts(*objects):
    return [one.metadata.name for one in Alike(read_dicts(objects).pods).firsts()]


def test_the_first_of_a_template_stands_for_the_others():
    token = {"volumes": [{"name": "kube-api-access-x1", "projected": {}}]}
    other = {"volumes": [{"name": "kube-api-access-y2", "projected": {}}]}
    age = {"creationTimestamp": "2026-01-01T00:00:00Z"}
    assert firsts(pod("a", **token), pod("b", "n2", **other, meta=age), pod("c", status={"phase": "Pending"})) == [
        "a",
        "c",  # without any volume
    ]


@pytest.mark.parametrize(
    "other",
    [
        {"meta": {"labels": {"app": "web", "more": "1"}}},
        {"meta": {"namespace": "y"}},
        {"meta": {"deletionTimestamp": "2026-01-01T00:00:00Z"}},
        {"owners": [OWNER | {"name": "web-2"}]},
        {"owners": [OWNER | {"kind": "StatefulSet"}]},
        {"owners": []},
        {"priority": 7},
        {"nodeSelector": {"a": "b"}},
        {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]},
        {"containers": [{"name": "c", "image": "i", "resources": {"requests": {"cpu": "2"}}}]},
        {"status": {"containerStatuses": [{"name": "c", "resources": {"requests": {"cpu": "3"}}}]}},
        {"status": {"conditions": [{"type": "PodResizePending", "status": "True", "reason": "Infeasible"}]}},
    ],
    ids=lambda one: next(iter(one)),
)
def test_whoever_says_something_else_stands_for_itself(other):
    assert firsts(pod("a"), pod("b", **other)) == ["a", "b"]


def test_pods_that_nobody_controls_are_alike_by_what_they_say():
    bare, other = {"owners": ()}, {"owners": (), "priority": 7}
    labels = {"meta": {"labels": {"app": "db"}}}
    assert firsts(pod("a", **bare), pod("b", "n2", **bare), pod("c", **other), pod("d", **bare, **labels)) == [
        "a",
        "c",
        "d",
    ]


def test_pods_with_ephemeral_volumes_have_claims_of_their_own():
    volumes = {"volumes": [{"name": "v", "ephemeral": {}}]}
    assert firsts(pod("a", **volumes), pod("b", **volumes)) == ["a", "b"]


def test_a_pod_that_was_not_given_at_first_is_compared():
    known, later = read_dicts([pod("a"), pod("b")]).pods
    alike = Alike([known])
    assert alike.first(known) is alike.first(later) is known


def test_classes_are_those_of_the_first():
    amounts = {"cpu": "8", "memory": "8Gi", "pods": "10"}
    nodes = [
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": f"n{i}"}, "status": {"allocatable": amounts}}
        for i in (1, 2)
    ]
    objects = read_dicts([*nodes, pod("a"), pod("b", "n2"), pod("c", None), pod("d", None), pod("e", None, priority=1)])
    cluster = Cluster(objects.nodes, objects.pods)
    assert cluster.bind(objects.pods[:2]) == []
    c, d, e = (cluster.request(one).index for one in objects.pods[2:])
    assert c == d != e
    assert cluster.fleet.used[cluster.fleet.resources.index("cpu")].tolist() == [1000, 1000]
