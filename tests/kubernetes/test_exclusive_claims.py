"""ReadWriteOncePod claims that several bound pods use: what preemption makes of them (VolumeRestrictions)."""

import pytest

from binwright.kubernetes.conformance import replay
from tests.kubernetes.made import node_dict, pod_dict
from tests.reference.kubernetes.replay import run_case

CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "c", "namespace": "default", "annotations": {"pv.kubernetes.io/bind-completed": "yes"}},
    "spec": {"accessModes": ["ReadWriteOncePod"], "volumeName": "pv"},
}
VOLUME = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv"}, "spec": {}}
USES = [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]


def user(name, node=None, priority=0, volumes=USES):
    status = {"startTime": "2026-01-01T00:00:00Z"} if node else None
    meta = {"uid": name, "labels": {"app": name}, "namespace": "default"}
    return pod_dict(name, node=node, priority=priority, volumes=volumes, meta=meta, status=status)


@pytest.mark.parametrize(
    ("users", "victims"),
    [
        ([("a", "n1", 0)], ["a"]),
        ([("a", "n1", 0), ("b", "n1", 0)], ["b"]),  # one is put back: the other's leaving is enough for the peer
        ([("a", "n1", 0), ("b", "n2", 0)], ["a"]),
        ([("a", "n1", 9), ("b", "n2", 0)], ["b"]),
        ([("a", "n1", 0), ("b", "n1", 1), ("c", "n2", 0)], ["a"]),
        ([("a", "n1", 9)], []),
    ],
)
def test_one_user_that_leaves_is_enough(users, victims):
    case = {
        "name": "users",
        "objects": {
            "nodes": [node_dict("n1"), node_dict("n2")],
            "persistentVolumeClaims": [CLAIM],
            "persistentVolumes": [VOLUME],
        },
        "pods": [user(*one) for one in users],
        "pending": [user("p", priority=5)],
    }
    (expected,) = run_case(case, "drawn")
    assert [name.partition("/")[2] for name in expected["preemption"].get("victims") or ()] == victims
    assert replay({"cases": [{**case, "expected": [expected]}]}).differences == []
