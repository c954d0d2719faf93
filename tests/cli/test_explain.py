"""`binwright explain` on small clusters whose answers are worked out by hand, in every form of output."""

import json

import jsonschema
import pytest

from binwright import schemas
from binwright.cli import exits
from tests.kubernetes.made import node_dict, pod_dict

TAINT = {"key": "gpu", "value": "yes", "effect": "NoSchedule"}
# a: 2 cores, 1 used; b: 4 cores, tainted; c: 4 cores, 3.5 used. pods waiting: first, second, big.
OBJECTS = [
    node_dict("a", cpu="2"),
    node_dict("b", cpu="4", taints=[TAINT]),
    node_dict("c", cpu="4"),
    pod_dict("on-a", cpu="1", memory="1Gi", node="a", namespace="web"),
    pod_dict("on-c", cpu="3500m", memory="1Gi", node="c", namespace="web"),
    pod_dict("first", cpu="500m", memory="1Gi", namespace="web", priority=3),
    pod_dict("second", cpu="600m", memory="1Gi", namespace="web", priority=2),
    pod_dict("big", cpu="1500m", namespace="batch", meta={"labels": {"app": "big"}}),
]


@pytest.fixture
def dump(tmp_path):
    """dump(objects) writes a kubectl List, and returns its path."""

    def write(items, name="demo.json"):
        path = tmp_path / name
        path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
        return str(path)

    return write


@pytest.fixture
def explained(command, dump):
    """explained(name, *words) is the envelope of `explain NAME`, checked against its schema."""

    def explain(name, *words, items=OBJECTS):
        ended = command("explain", name, dump(items), "-o", "json", *words)
        assert ended.err == ""
        envelope = json.loads(ended.out)
        jsonschema.validate(envelope, schemas.schema("ExplainResult"))
        return ended.code, envelope

    return explain


def test_every_node_says_rule_shortfall_and_smallest_change(explained):
    code, envelope = explained("big")
    assert code == exits.NO
    assert envelope["verdict"] == "unschedulable"
    message = "0/3 nodes are available: 1 node(s) had untolerated taint {gpu: yes}, 2 Insufficient cpu."
    assert envelope["message"] == message
    a, b, c = envelope["hosts"]
    # "first" has gone to a before it: its 4 cores are tainted on b, and c lacks 500m for everything of this size
    assert a["rejectedBy"] == [{"rule": "NodeResourcesFit", "text": "Insufficient cpu"}]
    assert a["shortfalls"] == [{"resource": "cpu", "asked": 1500, "free": 500, "missing": 1000}]
    assert a["smallestChange"]["kind"] == "request"
    assert (a["smallestChange"]["have"], a["smallestChange"]["need"]) == (500, 1500)
    assert a["resolvable"]
    assert b["rejectedBy"] == [{"rule": "TaintToleration", "text": "node(s) had untolerated taint {gpu: yes}"}]
    assert (b["smallestChange"]["kind"], b["smallestChange"]["host"]) == ("rule", "b")
    assert (b["shortfalls"], b["resolvable"]) == ([], False)
    assert c["shortfalls"] == [{"resource": "cpu", "asked": 1500, "free": 500, "missing": 1000}]
    assert envelope["best"] == []
    assert envelope["object"]["asked"] == [{"resource": "pods", "amount": 1}, {"resource": "cpu", "amount": 1500}]


def test_a_pending_pod_is_decided_at_its_turn(explained):
    """c and a have 500m and 1000m free: `first` takes a (LeastAllocated), so `second` finds no 600m any more."""
    code, envelope = explained("first")
    assert (code, envelope["host"]) == (exits.YES, "a")
    assert envelope["supposes"] == "at its turn, the first in the queue"
    code, envelope = explained("second")
    assert (code, envelope["host"]) == (exits.NO, None)
    assert envelope["supposes"] == "at its turn, after 1 pod in the queue before it (1 placed)"
