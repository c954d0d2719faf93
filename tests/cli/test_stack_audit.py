"""`binwright stack audit` on the sample: its seeded hazards are found whole, and nothing else is called one."""

import json
from pathlib import Path

import jsonschema
import pytest

from binwright.schemas import schema

SAMPLE = Path(__file__).parents[2] / "examples" / "club-sandwich"


@pytest.fixture(scope="module")
def manifest():
    return json.loads((SAMPLE / "manifest.json").read_text())


def test_the_seeded_hazards_are_found_whole_and_nothing_else(command, manifest):
    ended = command("stack", "audit", str(SAMPLE), "-o", "json")
    assert (ended.code, ended.err) == (1, "")
    result = json.loads(ended.out)
    jsonschema.validate(result, schema("AuditResult"))

    def told(hazard):
        return hazard["kind"], hazard["claimed"], hazard["actual"]

    assert sorted(map(told, result["findings"]), key=str) == sorted(map(told, manifest["hazards"]), key=str)
    for hazard in manifest["hazards"]:
        (found,) = (one for one in result["findings"] if told(one) == told(hazard))
        # The manifest calls a host what the cloud calls it.
        names = {(one["source"], one["kind"].replace("Host", "Hypervisor"), one["name"]) for one in found["objects"]}
        assert {(one["source"], one["kind"], one["name"]) for one in hazard["objects"]} <= names


def test_the_table_says_what_is_claimed_and_what_is_so(command):
    ended = command("stack", "audit", str(SAMPLE))
    assert ended.code == 1
    assert ended.out.startswith("4 findings (1 cloud, 6 clusters, 72 hosts, 398 servers, 178 nodes, ")
    assert "  60 of 61 claimed spreads hold over what lies below the nodes.\n" in ended.out
    assert "high spread  Deployment shop/checkout/checkout\n" in ended.out


def test_a_clean_part_is_clean(command):
    ended = command("stack", "audit", "--cluster", str(SAMPLE / "clusters" / "under"), "-o", "name")
    assert (ended.code, ended.out) == (0, "")


def test_racks_may_be_named(command, tmp_path):
    racks = tmp_path / "mine.yaml"
    racks.write_text("racks:\n- {name: elsewhere, hosts: [cmp-r11-01]}\n")
    ended = command("stack", "audit", str(SAMPLE), "--racks", str(racks), "-o", "value", "-c", "Kind", "-c", "Object")
    assert "rackConflict Host north/cmp-r11-01" in ended.out


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["stack"], ""),
        (["stack", "audit"], "binwright: no PATH is given: name a file, a directory, or - for standard input\n"),
        (["stack", "nothing"], "binwright stack: argument VERB: invalid choice: 'nothing'"),
        (["stack", "audit", "nowhere"], "binwright: nowhere: "),
    ],
)
def test_bad_usage_is_one_line(command, words, line):
    ended = command(*words)
    assert ended.code == 2
    assert ended.err.startswith(line)
    assert ended.err.count("\n") <= 1
