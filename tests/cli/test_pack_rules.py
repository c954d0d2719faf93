"""`binwright pack` with what real cases ask for: rules, kinds of bins, part-filled bins, devices, flavors."""

import json

import jsonschema
import pytest

from binwright import schemas
from binwright.cli import exits
from tests.reference import packing as truth


@pytest.fixture
def packed(tmp_path, command):
    """packed(problem) is the envelope of one problem."""

    def run(problem, *options):
        path = tmp_path / "problem.json"
        path.write_text(json.dumps(problem))
        ended = command("pack", str(path), "-o", "json", "--iterations", "100", *options)
        assert ended.code == exits.YES, ended.err
        envelope = json.loads(ended.out)
        jsonschema.validate(envelope, schemas.schema("PackResult"))
        return envelope

    return run


def contents(envelope):
    """Every bin as (kind, {row: copies})."""
    return [
        (pattern["bin"], dict(pattern["items"])) for pattern in envelope["patterns"] for _ in range(pattern["count"])
    ]


def test_conflicts_most_together_and_eligible(packed):
    """Each rule takes a bin more than the one before would need; the oracle knows the same rules."""
    counts = [3, 2, 1, 2]
    problem = {
        "items": [[2, 3], [2, 2], [3, 1], [1, 2]],
        "bins": [{"name": "a", "capacity": 8, "price": 2}, {"name": "b", "capacity": 12, "price": 3, "max_items": 4}],
        "conflicts": [[0, 2]],
        "at_most": [[[0], 2]],
        "together": [[1, 2]],
        "eligible": [[True, True], [True, True], [True, True], [True, False]],
    }

    def allowed(copies, kind):
        return (
            not (copies[0] and copies[2])
            and copies[0] <= 2
            and ((copies[1], copies[2]) in ((0, 0), (2, 1)))
            and not (copies[3] and kind == 1)
            and not (kind == 1 and sum(copies) > 4)
        )

    items = [((weight,), count) for weight, count in zip((2, 2, 3, 1), counts)]
    cheapest = truth.least_cost(items, [((8,), 2, None), ((12,), 3, None)], allowed)
    envelope = packed(problem)
    assert (envelope["value"], envelope["bound"], envelope["status"]) == (cheapest, cheapest, "optimal")
    for kind, held in contents(envelope):
        assert allowed([held.get(row, 0) for row in range(4)], "ab".index(kind))


def test_part_filled_bins_in_stock_come_first(packed):
    """A live fleet: bins that are there cost nothing and already hold something; new ones are bought for the rest."""
    problem = {
        "items": [[4, 2, 5]],
        "bins": [
            {"name": "host-1", "capacity": [16, 16], "used": [9, 2], "price": 0, "stock": 1},
            {"name": "host-2", "capacity": [16, 16], "used": [2, 13], "price": 0, "stock": 1},
            {"name": "new", "capacity": [16, 16], "price": 7},
        ],
    }
    envelope = packed(problem)
    # one fits host-1 (cpu), one host-2 (memory), three a new one
    assert (envelope["value"], envelope["bound"], envelope["status"]) == (7, 7, "optimal")
    assert sorted((kind, held[0]) for kind, held in contents(envelope)) == [("host-1", 1), ("host-2", 1), ("new", 3)]


def test_flavors_of_a_cloud_are_bins(tmp_path, command):
    """`openstack flavor list -f json` as the catalogue: one kind a flavor, price 1 each."""
    flavors = [
        {"ID": "1", "Name": "m1.small", "RAM": 2048, "Disk": 20, "VCPUs": 1},
        {"ID": "2", "Name": "m1.large", "RAM": 8192, "Disk": 80, "VCPUs": 4},
    ]
    (tmp_path / "flavors.json").write_text(json.dumps(flavors))
    (tmp_path / "items.csv").write_text("name,vcpus,memory_mb,count\nweb,1,1024,8\n")
    ended = command(
        "pack", str(tmp_path / "items.csv"), "--bins", str(tmp_path / "flavors.json"), "-o", "json", "--iterations", "9"
    )
    envelope = json.loads(ended.out)
    assert (ended.code, envelope["value"], envelope["status"]) == (exits.YES, 2, "optimal")
    assert {kind for kind, _ in contents(envelope)} == {"m1.large"}


def test_device_slots_of_pods(tmp_path, command):
    """An extended resource is a column of the catalogue: pods with a GPU take the dear nodes, the others the cheap."""
    pods = []
    for number in range(5):
        asks = {"cpu": "1", "memory": "1Gi"} | ({"nvidia.com/gpu": "2"} if number < 3 else {})
        spec = {"containers": [{"name": "main", "resources": {"requests": asks, "limits": asks}}]}
        meta = {"name": f"pod-{number}", "namespace": "ml", "uid": str(number)}
        pods.append({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
    (tmp_path / "pods.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": pods}))
    (tmp_path / "bins.csv").write_text(
        "name,vcpus,memory_mb,price,stock,max_pods,nvidia.com/gpu\nplain,2,8192,1,,110,\ngpu,8,32768,10,,2,4\n"
    )
    ended = command(
        "pack", str(tmp_path / "pods.json"), "--bins", str(tmp_path / "bins.csv"), "-o", "json", "--iterations", "99"
    )
    envelope = json.loads(ended.out)
    assert ended.code == exits.YES
    # three pods of two GPUs need two nodes of four; of the two others at most one finds room there (two pods a node)
    assert (envelope["value"], envelope["bound"], envelope["status"]) == (21, 21, "optimal")
    assert sorted(kind for kind, _ in contents(envelope)) == ["gpu", "gpu", "plain"]
