"""Who waits, who holds a node, in which order (contracts, What is pending)."""

import pytest

from binwright.kubernetes.pending import Queue, priority, sort_out
from tests.kubernetes.made import make_pod


def names(pods):
    return [pod.metadata.name for pod in pods]


@pytest.mark.parametrize(
    ("pod", "where"),
    [
        ({}, "pending"),
        ({"status": {"phase": "Pending"}}, "pending"),
        ({"status": {"phase": "Unknown"}}, "pending"),
        ({"schedulerName": "default-scheduler"}, "pending"),
        ({"schedulingGates": []}, "pending"),
        ({"node": ""}, "pending"),
        ({"node": "n", "status": {"phase": "Running"}}, "bound"),
        ({"node": "n", "meta": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}, "bound"),
        ({"node": "n", "schedulerName": "other"}, "bound"),
        ({"node": "n", "status": {"phase": "Succeeded"}}, "finished"),
        ({"node": "n", "status": {"phase": "Failed"}}, "finished"),
        ({"status": {"phase": "Failed"}}, "finished"),
        ({"meta": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}, "deleted"),
        ({"schedulingGates": [{"name": "x"}]}, "gated"),
        ({"schedulerName": "other"}, "foreign"),
        ({"schedulerName": "other", "schedulingGates": [{"name": "x"}]}, "gated"),
    ],
)
def test_every_pod_is_in_one_list(pod, where):
    queue = sort_out([make_pod(**pod)])
    assert {name for name in Queue.__slots__ if getattr(queue, name)} == {where}


def test_known_schedulers_are_pending():
    assert len(sort_out([make_pod(schedulerName="gpu")], ["gpu"]).pending) == 1
    assert len(sort_out([make_pod()], ["gpu"]).foreign) == 1


def test_order_is_priority_then_age_then_namespace_then_name():
    old, new = {"creationTimestamp": "2026-01-01T00:00:00Z"}, {"creationTimestamp": "2026-01-01T00:00:10Z"}
    pods = [
        make_pod("never-stored", priority=5),
        make_pod("b", namespace="z", meta=old, priority=5),
        make_pod("low", meta=old, priority=-1),
        make_pod("new", meta=new, priority=5),
        make_pod("none", meta=new),
        make_pod("z", namespace="a", meta=old, priority=5),
        make_pod("a", namespace="z", meta=old, priority=5),
        make_pod("high", meta=new, priority=2000001000),
    ]
    expected = ["high", "z", "a", "b", "new", "never-stored", "none", "low"]
    assert names(sort_out(pods).pending) == expected
    assert names(sort_out(reversed(pods)).pending) == expected


def test_an_absent_priority_is_0():
    assert priority(make_pod()) == 0
    assert priority(make_pod(priority=-7)) == -7
