"""`binwright stack blast` on the sample."""

import json
from pathlib import Path

import jsonschema
import pytest

from binwright.schemas import schema

SAMPLE = str(Path(__file__).parents[2] / "examples" / "club-sandwich")


def test_the_host_that_holds_a_whole_quorum_is_the_worst(command):
    ended = command("stack", "blast", SAMPLE, "--any", "host", "-o", "json")
    assert (ended.code, ended.err) == (1, "")
    result = json.loads(ended.out)
    jsonschema.validate(result, schema("BlastResult"))
    assert result["summary"]["asked"] == 72
    worst = result["losses"][0]
    assert (worst["name"], [one["object"]["name"] for one in worst["breaks"]]) == ("north/cmp-r21-02", ["etcd"])
    assert worst["pods"] == {"lost": 83, "placed": 35, "homeless": 3, "ended": 45}


def test_one_loss_is_told_in_full(command):
    ended = command("stack", "blast", SAMPLE, "--lose", "host=cmp-r21-02")
    assert ended.code == 1
    assert ended.out.startswith("1 of 1 loss breaks something")
    assert "  Quorum build/kube-system/etcd: 0 of 3 members are left, 2 are needed\n" in ended.out
    assert "Pod edge/web/geo-l9d4pw5wv-gcn2j" in ended.out


def test_several_losses_are_rows(command):
    ended = command("stack", "blast", SAMPLE, "--lose", "rack=r11", "--lose", "rack=r12", "-o", "csv")
    assert ended.out.splitlines()[0] == "Level,Name,Servers,Nodes,Pods,Placed,Homeless,Quorums,Services,Budgets"
    assert sorted(line.split(",")[1] for line in ended.out.splitlines()[1:]) == ["r11", "r12"]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([], "binwright: nothing to lose: give --lose host=NAME, rack=NAME or zone=NAME, or --any host\n"),
        (["--lose", "host"], "binwright: --lose host: not LEVEL=NAME\n"),
        (["--lose", "rack=r99"], "binwright: --lose rack=r99: no rack of this name\n"),
    ],
)
def test_bad_usage_is_one_line(command, words, line):
    ended = command("stack", "blast", SAMPLE, *words)
    assert (ended.code, ended.err) == (2, line)


def test_what_was_not_judged_counts_when_strict(command, tmp_path):
    listed = {"kind": "Node", "apiVersion": "v1", "metadata": {"name": "n0"}, "status": {"allocatable": {"pods": "9"}}}
    (tmp_path / "k.json").write_text(json.dumps(listed))
    words = ["stack", "blast", str(tmp_path / "k.json"), "--any", "host"]
    assert [command(*words).code, command(*words, "--strict").code] == [0, 0]
    pod = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "p"}, "spec": {"nodeName": "gone", "containers": []}}
    (tmp_path / "k.json").write_text(json.dumps({"kind": "List", "apiVersion": "v1", "items": [listed, pod]}))
    assert [command(*words).code, command(*words, "--strict").code] == [0, 1]
    ended = command("stack", "ledger", str(tmp_path / "k.json"), "--strict")
    assert ended.code == 1
    assert "pods on nodes that are not in the input" in ended.out
