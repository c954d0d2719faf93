"""`explain`, `verify` and `capacity` of clouds on the command line: envelopes by their schemas, exit codes, lines."""

import json

import jsonschema
import pytest

from binwright import schemas
from binwright.cli import exits
from tests.openstack.clouds import COMPUTE_1, SERVER_2, changed, small_cloud


def valid(ended, kind):
    assert ended.err == ""
    envelope = json.loads(ended.out)
    jsonschema.validate(envelope, schemas.schema(kind))
    return envelope


def test_explain(command, cloud):
    path = cloud(small_cloud())
    ended = command("explain", "web", path, "-o", "json")
    envelope = valid(ended, "ExplainResult")
    assert (ended.code, envelope["host"], envelope["object"]["layer"]) == (exits.YES, "compute-2.example", "openstack")
    assert envelope["trail"][0] == {"name": "ComputeFilter", "start": 2, "end": 2}
    table = command("explain", "p1/web", "--cloud", path).out
    assert "Filter ServerGroupAffinityFilter returned 2 host(s)" in table
    by_id = command("explain", SERVER_2, path, "-o", "json")
    assert json.loads(by_id.out)["host"] == "compute-2.example"


def test_explain_a_refusal(command, cloud):
    files = changed(small_cloud(), "flavors.json", 0, "Properties", to={"trait:CUSTOM_GOLD": "required"})
    ended = command("explain", "web", cloud(files), "-o", "json")
    envelope = valid(ended, "ExplainResult")
    assert (ended.code, envelope["verdict"], envelope["trail"]) == (exits.NO, "unresolvable", [])
    assert [host["rejectedBy"] for host in envelope["hosts"]] == [
        [{"rule": "required", "text": "without trait CUSTOM_GOLD"}]
    ] * 2
    assert envelope["smallestChange"]["kind"] == "rule"


def test_verify(command, cloud):
    ended = command("verify", cloud(small_cloud()), "-o", "json")
    envelope = valid(ended, "VerifyResult")
    assert (ended.code, envelope["findings"]) == (exits.YES, [])
    files = changed(small_cloud(), f"allocations/{COMPUTE_1}.json", "allocations", to={})
    files[f"allocations/{COMPUTE_1}.json"]["allocations"]["gone"] = {"resources": {"VCPU": 1}}
    ended = command("verify", cloud(files), "-o", "json")
    envelope = valid(ended, "VerifyResult")
    assert (ended.code, [one["finding"] for one in envelope["findings"]]) == (exits.NO, ["allocation", "orphan"])
    table = command("verify", "--cloud", cloud(files)).out
    assert "allowed by the rules, 100 %" in table
    assert "Booked other than it is" in table
    assert "Booked for nobody that is known" in table


def test_capacity(command, cloud):
    path = cloud(small_cloud())
    ended = command("capacity", path, "-o", "json")
    envelope = valid(ended, "CapacityResult")
    assert (ended.code, envelope["capacity"][0]["count"]) == (exits.YES, 61)
    assert [(row["zone"], row["trait"], row["count"]) for row in envelope["matrix"]] == [
        ("az-a", None, 30),
        ("az-b", None, 31),
    ]
    table = command("capacity", "--flavor", "m1.small", "--cloud", path).out
    assert "any trait        30    31" in table
    unknown = command("capacity", "--flavor", "none", path)
    assert (unknown.code, unknown.err) == (exits.BAD, "binwright: --flavor none: no flavor of this name in the input\n")
    full = changed(small_cloud(), "flavors.json", 0, "VCPUs", to=17)
    assert command("capacity", cloud(full)).code == exits.NO


@pytest.mark.parametrize("verb", [("place",), ("explain", "web"), ("verify",), ("capacity",)])
def test_the_nova_conf_of_the_schedulers(command, cloud, tmp_path, verb):
    conf = tmp_path / "nova.conf"
    conf.write_text("[filter_scheduler]\nenabled_filters = ComputeFilter,TheirFilter\n")
    ended = command(*verb, cloud(small_cloud()), "--nova-conf", str(conf), "-o", "json")
    rules = [entry["rule"] for entry in json.loads(ended.out)["notEvaluated"]]
    assert (ended.code, "nova.conf: filter TheirFilter" in rules) == (exits.YES, True)
    missing = command(*verb, cloud(small_cloud()), "--nova-conf", str(tmp_path / "none.conf"))
    assert (missing.code, missing.err.count("\n")) == (exits.BAD, 1)


@pytest.mark.parametrize("verb", [("explain", "web"), ("verify",), ("capacity",), ("candidates", "resources=VCPU:1")])
def test_bad_input_is_one_line(command, cloud, verb):
    files = changed(small_cloud(), f"inventories/{COMPUTE_1}.json", 0, "total", to="many")
    ended = command(*verb, cloud(files))
    assert (ended.code, ended.out) == (exits.BAD, "")
    assert ended.err.count("\n") == 1
    assert f"inventories/{COMPUTE_1}.json: inventory VCPU: total" in ended.err
