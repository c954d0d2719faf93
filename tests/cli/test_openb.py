"""`binwright place --input openb NODES.csv PODS.csv`, from files to output."""

import json

import jsonschema

from binwright import schemas
from binwright.cli import exits

NODES = "sn,cpu_milli,memory_mib,gpu,model\na,8000,16384,2,T4\nb,8000,16384,1,G2\n"
PODS = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec\np,1000,1024,1,250,G2|P100\nq,1000,1024,2,1000,\n"
REFUSED = "r,1000,1024,1,1000,\n"


def write(tmp_path, pods=PODS):
    paths = tmp_path / "nodes.csv", tmp_path / "pods.csv"
    for path, text in zip(paths, (NODES, pods), strict=True):
        path.write_text(text)
    return [str(path) for path in paths]


def test_the_envelope_has_the_devices(command, tmp_path):
    ended = command("place", "--input", "openb", *write(tmp_path), "-o", "json")
    assert (ended.code, ended.err) == (exits.YES, "")
    envelope = json.loads(ended.out)
    jsonschema.validate(envelope, schemas.schema("PlaceResult"))
    assert [source["name"] for source in envelope["sources"]] == ["pods"]
    assert [(one["name"], one["host"], one["devices"]) for one in envelope["placed"]] == [
        ("p", "b", [{"resource": "gpu_milli", "index": 0, "model": "G2", "amount": 250}]),
        ("q", "a", [{"resource": "gpu_milli", "index": i, "model": "T4", "amount": 1000} for i in range(2)]),
    ]
    assert {use["name"]: use["usedAfter"] for use in envelope["resources"]} == {
        "cpu": 2000, "memory": 2 << 30, "gpu_milli": 2250,
    }  # fmt: skip


def test_a_refusal_is_exit_1_and_says_why(command, tmp_path):
    ended = command("place", "--input", "openb", *write(tmp_path, PODS + REFUSED), "--explain", "r")
    assert ended.code == exits.NO
    assert ended.out.splitlines()[:2] == [
        "Pod pods/r: unschedulable",
        "  0/2 nodes are available: 2 Insufficient gpu_milli.",
    ]


def test_bad_tables_are_one_line_and_exit_2(command, tmp_path):
    nodes, pods = write(tmp_path, PODS + "s,1,x,0,0,\n")
    ended = command("place", "--input", "openb", nodes, pods)
    assert (ended.code, ended.out) == (exits.BAD, "")
    assert ended.err == f"binwright: {pods}: line 4: memory_mib: 'x' is not a whole number\n"
    ended = command("place", "--input", "openb", nodes)
    assert ended.code == exits.BAD
    assert ended.err == "binwright: --input openb: takes pairs of files, NODES.csv PODS.csv; 1 were given\n"
