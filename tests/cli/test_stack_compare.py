"""`binwright stack compare` on the sample."""

import json
from pathlib import Path

import jsonschema

from binwright.schemas import schema

SAMPLE = str(Path(__file__).parents[2] / "examples" / "club-sandwich")
SCENARIOS = """\
name: without r11
steps: [{lose: {rack: r11}}]
---
name: ratio 1.5
steps: [{ratio: {resource: VCPU, value: 1.5}}]
---
name: repaired
steps: [{repairs: true}]
"""


def test_side_by_side(command, tmp_path):
    (tmp_path / "what.yaml").write_text(SCENARIOS)
    ended = command("stack", "compare", SAMPLE, "--scenario", str(tmp_path / "what.yaml"), "-o", "json")
    assert (ended.code, ended.err) == (1, "")
    result = json.loads(ended.out)
    jsonschema.validate(result, schema("CompareResult"))
    told = {one["name"]: one for one in result["scenarios"]}
    assert list(told) == ["as is", "without r11", "ratio 1.5", "repaired"]
    assert (told["as is"]["findings"]["total"], told["repaired"]["findings"]["total"]) == (4, 2)
    assert (told["as is"]["hosts"], told["without r11"]["hosts"]) == (72, 60)
    assert told["without r11"]["homeless"] > told["as is"]["homeless"]
    offered = {name: one["resources"][0]["offered"] for name, one in told.items()}
    assert offered["ratio 1.5"] < offered["as is"] == offered["repaired"]
    assert told["repaired"]["worstLoss"]["host"] == "under/ctl-r11-01"


def test_the_table_has_a_column_a_scenario(command, tmp_path):
    (tmp_path / "calm.yaml").write_text("steps: [{ratio: {resource: VCPU, value: 1.5}}]\n")
    ended = command("stack", "compare", SAMPLE, "--scenario", str(tmp_path / "calm.yaml"), "--pod", "cpu=2")
    assert ended.code == 0
    lines = [line.split() for line in ended.out.splitlines()]
    assert ["as", "is", "calm"] in lines
    assert ["cpu", "offered", "9,984", "cores", "4,752", "cores"] in lines
    assert ["servers", "398", "="] in lines


def test_bad_usage_is_one_line(command, tmp_path):
    (tmp_path / "s.yaml").write_text("steps: [{lose: {rack: r99}}]\n")
    ended = command("stack", "compare", SAMPLE, "--scenario", str(tmp_path / "s.yaml"))
    assert (ended.code, ended.err) == (2, "binwright: scenario s: --lose rack=r99: no rack of this name\n")
