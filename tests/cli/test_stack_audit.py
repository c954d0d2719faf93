"""`binwright stack audit` on the sample: its seeded hazards are found whole, and nothing else is called one."""

import json
import shlex
import shutil
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


def test_the_repairs_applied_to_the_files_leave_only_what_no_move_mends(command, tmp_path):
    """Repairs and the relabelling that is advised, done in copies of the files, and audited again."""
    copy = tmp_path / "sandwich"
    shutil.copytree(SAMPLE, copy)
    for finding in json.loads(command("stack", "audit", str(SAMPLE), "-o", "json").out)["findings"]:
        for step in finding["repairs"]:
            apply(copy, step)
        if finding["kind"] == "staleLabel":
            node = finding["objects"][0]
            set_label(copy, node["source"], node["name"], finding["claimed"], finding["actual"])
    after = json.loads(command("stack", "audit", str(copy), "-o", "json").out)
    assert [one["kind"] for one in after["findings"]] == ["unjoined"]


def apply(copy, step):
    """One repair, as its commands would have it."""
    if step["action"] == "movePod":
        file = copy / "clusters" / step["object"]["source"] / "pods.json"
        name = step["object"]["namespace"], step["object"]["name"]
        pods = json.loads(file.read_text())
        (one,) = (p for p in pods["items"] if (p["metadata"]["namespace"], p["metadata"]["name"]) == name)
        one["spec"]["nodeName"] = step["to"]
        file.write_text(json.dumps(pods))
        return
    file = copy / "clouds" / step["object"]["source"] / "servers.json"
    servers = json.loads(file.read_text())
    (one,) = (server for server in servers if server["Name"] == step["object"]["name"])
    one["Host"] = step["to"]
    file.write_text(json.dumps(servers))
    for command in step["commands"][1:]:
        words = shlex.split(command)
        key, value = words[-1].split("=")
        set_label(copy, words[2], words[-2], None, value, key)


def set_label(copy, cluster, node, old, new, key=None):
    file = copy / "clusters" / cluster / "nodes.json"
    nodes = json.loads(file.read_text())
    (one,) = (each for each in nodes["items"] if each["metadata"]["name"] == node)
    labels = one["metadata"]["labels"]
    labels[key or next(name for name, value in labels.items() if value == old)] = new
    file.write_text(json.dumps(nodes))


def test_commands_are_quoted_commented_and_complete(command):
    ended = command("stack", "audit", str(SAMPLE), "-o", "commands")
    lines = ended.out.splitlines()
    assert lines[0].startswith("# Made by binwright, which ran nothing.")
    assert sum(" server migrate --live-migration --host " in line for line in lines) == 2
    assert all(not line or line.startswith(("#", "openstack ", "kubectl ")) for line in lines)


@pytest.mark.parametrize("cost", ["pod", "pod=x", "rack=3"])
def test_a_cost_that_is_none_is_refused(command, cost):
    ended = command("stack", "audit", str(SAMPLE), "--cost", cost)
    kinds = "pod, migrate, node"
    assert (ended.code, ended.err) == (2, f"binwright: --cost {cost}: not KIND=N with a kind out of {kinds}\n")
