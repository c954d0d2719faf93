"""`binwright stack headroom` on the sample."""

import json
from pathlib import Path

import jsonschema

from binwright.schemas import schema

SAMPLE = str(Path(__file__).parents[2] / "examples" / "club-sandwich")


def test_clusters_alone_and_together(command):
    ended = command("stack", "headroom", SAMPLE, "--pod", "cpu=2,memory=4Gi", "-o", "json")
    assert (ended.code, ended.err) == (0, "")
    result = json.loads(ended.out)
    jsonschema.validate(result, schema("StackHeadroomResult"))
    (shape,) = result["shapes"]
    assert (shape["asIs"], shape["together"]) == (183, {"pods": 236, "newNodes": 15})
    data = next(one for one in shape["clusters"] if one["cluster"] == "data")
    stopped = data["pools"][0]["stopped"]
    assert (stopped["withoutTrait"], stopped["fragmented"]) == (18, 4)
    assert stopped["largestHole"] == [{"resource": "MEMORY_MB", "amount": 49152}]
    shop = next(one for one in shape["clusters"] if one["cluster"] == "shop")
    assert (shop["asIs"], shop["alone"], shop["together"]) == (
        2,
        {"pods": 53, "newNodes": 17},
        {"pods": 20, "newNodes": 6},
    )


def test_the_table_says_what_stops_the_next_node(command):
    ended = command("stack", "headroom", SAMPLE, "--pod", "cpu=2,memory=4Gi")
    assert ended.code == 0
    assert ended.out.startswith("cpu=2,memory=4Gi: 183 more on the nodes as they are, 236 with 15 new nodes\n")
    assert "20 fragmented (largest" in ended.out
    assert "under: no new nodes, none of its workers is a server of a cloud in the input\n" in ended.out


def test_what_fits_nowhere_is_no(command):
    ended = command("stack", "headroom", SAMPLE, "--pod", "cpu=500", "--quiet")
    assert (ended.code, ended.out) == (1, "")
