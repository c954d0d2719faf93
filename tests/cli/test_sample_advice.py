"""`explain`, `verify` and `capacity` on the committed sample: what anybody who clones the project sees."""

import json
from pathlib import Path

import pytest

from binwright.cli import exits

CLUSTERS = Path(__file__).parents[2] / "examples/club-sandwich/clusters"


def test_a_pending_pod_gets_the_node_that_place_gives_it(command):
    shop = str(CLUSTERS / "shop")
    for placed in json.loads(command("place", shop, "-o", "json").out)["placed"]:
        explained = json.loads(command("explain", placed["name"], shop, "-o", "json").out)
        assert (explained["host"], explained["score"]) == (placed["host"], placed["score"])
        assert explained["best"][0]["host"] == placed["host"]


def test_a_refused_pod_gets_the_message_that_place_gives_it(command):
    build = str(CLUSTERS / "build")
    refused = json.loads(command("place", build, "-o", "json").out)["unplaced"]
    assert refused
    for one in refused:
        explained = json.loads(command("explain", one["name"], build, "-o", "json").out)
        assert (explained["host"], explained["message"]) == (None, one["message"])
        assert explained["smallestChange"] == one["smallestChange"]
        if one["smallestChange"] is not None:
            (there,) = [host for host in explained["hosts"] if host["host"] == one["smallestChange"]["host"]]
            assert there["smallestChange"] == one["smallestChange"]


@pytest.mark.parametrize(
    ("cluster", "checked", "closed"),
    [("build", 320, 10), ("data", 165, 0), ("edge", 290, 0), ("lab", 170, 0), ("shop", 282, 0), ("under", 316, 0)],
)
def test_nothing_lies_where_it_may_not(command, cluster, checked, closed):
    """One cluster has a cordoned node, which is told."""
    ended = command("verify", str(CLUSTERS / cluster), "-o", "json")
    envelope = json.loads(ended.out)
    assert envelope["summary"]["checked"] == checked
    assert [one["finding"] for one in envelope["findings"]] == ["hostChanged"] * closed
    assert ended.code == exits.YES


def test_nor_in_a_sample_of_another_seed(command, tmp_path):
    assert command("example", "club-sandwich", str(tmp_path / "club"), "--seed", "7", "-q").code == exits.YES
    assert command("verify", str(tmp_path / "club" / "clusters" / "data"), "-q").code == exits.YES


def test_room_for_one_more_of_each_is_room_for_the_mix(command):
    """What fits as a mix fits alone at least as often, and what place refuses has no room."""
    shop = str(CLUSTERS / "shop")
    envelope = json.loads(command("capacity", shop, "--pod", "deploy/cart,cpu=1,memory=2Gi", "-o", "json").out)
    cart, amounts, mix = envelope["capacity"]
    assert all(shape["count"] <= alone["count"] for shape, alone in zip(mix["shapes"], (cart, amounts)))
    assert 0 < mix["rounds"] <= min(cart["count"], amounts["count"])
    refused = json.loads(command("place", shop, "-o", "json").out)["unplaced"]
    names = ",".join(f"{one['namespace']}/{one['name']}" for one in refused)
    ended = command("capacity", shop, "--after-pending", "--pod", names, "-o", "json")
    assert ended.code == exits.NO
    answers = json.loads(ended.out)["capacity"][:-1]
    assert [answer["message"] for answer in answers] == [one["message"] for one in refused]
    assert {answer["count"] for answer in answers} == {0}
