"""Judging new nodes without the rest: the same answers as with all nodes, and only for pods that nothing ties."""

import pytest

from binwright.kubernetes.reader import read_dicts
from binwright.kubernetes.solitary import are_solitary
from binwright.stack import grown_headroom, joint_place
from tests.stack.made import apart, pod, spread
from tests.stack.test_grown_headroom import room
from tests.stack.test_grown_headroom import sandwich as two_nodes
from tests.stack.test_joint_place import place, sandwich, waiting, where


def read(*pods):
    return read_dicts(pods).pods


def test_plain_pods_are_solitary():
    assert are_solitary(read(pod("a", None, "a")), read(pod("b", "n0", "b", **apart("b"))))


@pytest.mark.parametrize(
    "tied",
    [
        apart("a"),
        spread("a"),
        {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]},
        {"volumes": [{"name": "v", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}}]},
        {"resourceClaims": [{"name": "gpu", "resourceClaimName": "c"}]},
    ],
    ids=["affinity", "spread", "claim", "ephemeral", "device"],
)
def test_what_ties_a_pod_to_other_nodes(tied):
    assert not are_solitary(read(pod("a", None, "a", **tied)), [])


def test_a_wish_is_no_tie():
    assert are_solitary(read(pod("a", None, "a", **spread("a", whenUnsatisfiable="ScheduleAnyway"))), [])


def test_others_may_keep_apart_from_a_pod():
    other = pod("b", "n0", "b", **apart("a"))
    assert not are_solitary(read(pod("a", None, "a")), read(other))
    grouped = pod("a", None, "c")
    grouped["metadata"]["labels"]["scheduling.x-k8s.io/pod-group"] = "g"
    assert not are_solitary(read(grouped), [])


@pytest.mark.parametrize("cpus", [["5"] * 7, ["5", "2", "8", "1", "7", "3", "6"], ["4"] * 3 + ["9"] + ["3500m"] * 6])
@pytest.mark.parametrize("taken", [16, 48])
def test_plans_and_counts_are_those_of_the_whole_cluster(monkeypatch, cpus, taken):
    pods = [one for number, cpu in enumerate(cpus) for one in waiting(1, cpu=cpu, app=f"a{number}")]
    daemons = [pod(f"ds-{i}", f"n{i}", "ds", ("DaemonSet", "ds"), cpu="500m") for i in range(2)]
    quick = place(sandwich([*daemons, *pods], used=taken), partial=True)
    counted = room(*two_nodes([*daemons, *pods], used=(taken, taken)))
    monkeypatch.setattr(joint_place, "are_solitary", lambda pods, others: False)
    monkeypatch.setattr(grown_headroom, "are_solitary", lambda pods, others: False)
    whole = place(sandwich([*daemons, *pods], used=taken), partial=True)
    assert (where(quick), len(quick.nodes)) == (where(whole), len(whole.nodes))
    all_nodes = room(*two_nodes([*daemons, *pods], used=(taken, taken)))
    assert [(one.as_is, one.alone, one.together) for one in counted.clusters] == [
        (one.as_is, one.alone, one.together) for one in all_nodes.clusters
    ]
