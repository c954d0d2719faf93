"""`binwright stack place` on the sample."""

import json
from pathlib import Path

import jsonschema

from binwright.schemas import schema

SAMPLE = str(Path(__file__).parents[2] / "examples" / "club-sandwich")


def test_the_sample_holds_pods_that_nothing_helps_so_nothing_is_done(command):
    ended = command("stack", "place", SAMPLE, "-o", "json")
    assert (ended.code, ended.err) == (1, "")
    result = json.loads(ended.out)
    jsonschema.validate(result, schema("StackPlaceResult"))
    summary = result["summary"]
    assert (summary["pending"], summary["placed"], summary["newNodes"], summary["complete"]) == (46, 0, 0, False)
    trainer = next(one for one in result["stops"] if one["name"].startswith("trainer-next"))
    told = {one["pool"]: one for one in trainer["pools"]}
    assert told["k8s.large az1"]["layer"] == "kubernetes"
    assert (told["k8s.gpu az1"]["layer"], told["k8s.gpu az1"]["noHost"]["withoutTrait"]) == ("openstack", 20)


def test_what_fits_is_kept_where_asked(command):
    ended = command("stack", "place", SAMPLE, "--partial", "-o", "json")
    assert ended.code == 1
    result = json.loads(ended.out)
    jsonschema.validate(result, schema("StackPlaceResult"))
    assert (result["summary"]["placed"], result["summary"]["newNodes"]) == (29, 7)
    bare = next(one for one in result["nodes"] if one["cluster"] == "data")
    assert (bare["flavor"], bare["pods"]) == ("bm.large", ["analytics/clickhouse-replica-n6w98jxhs-hc96p"])
    assert all(one["bound"] == one["value"] for one in result["packing"])


def test_commands_to_paste(command):
    ended = command("stack", "place", SAMPLE, "--partial", "-o", "commands")
    lines = ended.out.splitlines()
    assert "# build: for ci/link-everything-tdc5l4jts-4s4xk" in lines
    assert (
        "openstack --os-cloud north server create --flavor k8s.large --image ubuntu-24.04-kube-v1.34.1 "
        "--availability-zone az3 --hint group=08a7f492-dca0-4e14-91dd-6ad6266a3c62 build-new-0"
    ) in lines
    assert command("stack", "place", SAMPLE, "-o", "commands").out.endswith("so nothing is to be done (--partial)\n")


def test_the_table(command):
    ended = command("stack", "place", SAMPLE, "--partial")
    assert ended.out.startswith("29 of 46 pending pods placed with 7 new nodes (")
    assert "no host takes another k8s.gpu: 20 hosts lack a trait" in ended.out
