"""`binwright stack compare` on the sample."""

import json
from contextlib import contextmanager
from pathlib import Path

import jsonschema

from binwright.cli import stack_compare
from binwright.schemas import schema

SAMPLE = str(Path(__file__).parents[2] / "examples" / "club-sandwich")
EXAMPLE = str(Path(SAMPLE).parent / "what-if" / "five.yaml")


def test_side_by_side(command):
    ended = command("stack", "compare", SAMPLE, "--scenario", EXAMPLE, "--pod", "cpu=2,memory=4Gi", "-o", "json")
    assert (ended.code, ended.err) == (1, "")
    result = json.loads(ended.out)
    jsonschema.validate(result, schema("CompareResult"))
    told = {one["name"]: one for one in result["scenarios"]}
    names = ["as is", "without rack r11", "CPUs sold 1.5 times", "a second shop", "public machine types", "repaired"]
    assert list(told) == names
    now, rack, ratio, shop, types, repaired = (told[name] for name in names)
    assert (now["findings"]["total"], repaired["findings"]["total"]) == (4, 2)
    assert (now["hosts"], rack["hosts"]) == (72, 60)
    assert rack["homeless"] > now["homeless"]
    offered = [one["resources"][0]["offered"] for one in (ratio, now, repaired)]
    assert offered[0] < offered[1] == offered[2]
    assert (now["worstLoss"]["host"], repaired["worstLoss"]["host"]) == ("north/cmp-r21-02", "under/ctl-r11-01")
    assert (shop["nodes"] - now["nodes"], shop["nodesWithoutHost"]) == (16, 8)  # the 24 nodes of shop
    assert (now["headroom"][0]["newNodes"], types["headroom"][0]["newNodes"]) == (15, 129)


def test_the_table_has_a_column_a_scenario(command, tmp_path):
    (tmp_path / "calm.yaml").write_text("steps: [{ratio: {resource: VCPU, value: 1.5}}]\n")
    ended = command("stack", "compare", SAMPLE, "--scenario", str(tmp_path / "calm.yaml"), "--pod", "cpu=2")
    assert ended.code == 0
    lines = [line.split() for line in ended.out.splitlines()]
    assert ["as", "is", "calm"] in lines
    assert ["cpu", "offered", "9,984", "cores", "4,752", "cores"] in lines
    assert ["servers", "398", "="] in lines


def test_what_was_not_evaluated_is_listed(command, tmp_path):
    (tmp_path / "calm.yaml").write_text("steps: [{ratio: {resource: VCPU, value: 1.5}}]\n")
    asked = ("stack", "compare", SAMPLE, "--scenario", str(tmp_path / "calm.yaml"))
    told = json.loads(command(*asked, "-o", "json").out)["notEvaluated"]
    assert "host-id labels (the host's hostId is not known)" in {one["rule"] for one in told}
    assert "Not evaluated" in command(*asked).out
    assert (command(*asked).code, command(*asked, "--strict").code) == (0, 1)


def test_bad_usage_is_one_line(command, tmp_path):
    (tmp_path / "s.yaml").write_text("steps: [{lose: {rack: r99}}]\n")
    ended = command("stack", "compare", SAMPLE, "--scenario", str(tmp_path / "s.yaml"))
    assert (ended.code, ended.err) == (2, "binwright: scenario s: --lose rack=r99: no rack of this name\n")


def test_a_terminal_sees_how_far_it_is(command, tmp_path, monkeypatch):
    told = []

    @contextmanager
    def watched(quiet, doing):
        yield lambda what, done, total: told.append((quiet, what, done, total))

    monkeypatch.setattr(stack_compare, "progress_bar", watched)
    (tmp_path / "s.yaml").write_text("steps: [{lose: {rack: r11}}]\n")
    assert command("stack", "compare", SAMPLE, "--scenario", str(tmp_path / "s.yaml")).code == 1
    assert told == [(False, "comparing", 1, 2), (False, "comparing", 2, 2)]
