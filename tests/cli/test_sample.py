"""The README's first command, end to end: the committed sample through files, layers, engine and output."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from binwright import schemas
from binwright.cli import exits

SAMPLE = Path(__file__).parents[2] / "examples/club-sandwich"
MANIFEST = json.loads((SAMPLE / "manifest.json").read_text())


@pytest.fixture
def placed(command):
    """The sample's PlaceResult."""
    ended = command("place", str(SAMPLE), "-o", "json")
    assert (ended.code, ended.err) == (exits.NO, "")
    return json.loads(ended.out)


def test_the_result_keeps_the_schema_and_adds_up(placed):
    jsonschema.validate(placed, schemas.schema("PlaceResult"))
    summary = placed["summary"]
    assert summary["requested"] == summary["placed"] + summary["unplaced"]
    assert (summary["placed"], summary["unplaced"]) == (len(placed["placed"]), len(placed["unplaced"]))
    assert summary["hosts"] == sum(source["hosts"] for source in placed["sources"])
    assert [source["name"] for source in placed["sources"]] == [
        "north",
        "build",
        "data",
        "edge",
        "lab",
        "shop",
        "under",
    ]
    for resource in placed["resources"]:
        of_sources = [
            use for source in placed["sources"] for use in source["resources"] if use["name"] == resource["name"]
        ]
        assert resource["usedAfter"] == sum(use["usedAfter"] for use in of_sources)
        assert resource["usedAfter"] >= resource["usedBefore"]


def test_every_pending_object_of_the_manifest_gets_the_verdict_it_should(placed):
    found = {(entry["source"], entry["name"]): True for entry in placed["placed"]}
    found |= {(entry["source"], entry["name"]): False for entry in placed["unplaced"]}
    pending = MANIFEST["pending"]
    wanted = {
        (entry["source"], name): entry["placeable"]
        for entry in pending["pods"]
        for name in entry["pods"]
        if entry["asked"]
    }
    wanted |= {(entry["source"], entry["name"]): entry["placeable"] for entry in pending["servers"]}
    for entry in pending["requests"]:
        ours = [fits for (source, name), fits in found.items() if is_one_of(entry, source, name)]
        assert (len(ours), sum(ours)) == (entry["count"], entry["placeable"]), entry
    requested = {key for key in found if any(is_one_of(entry, *key) for entry in pending["requests"])}
    assert {key: fits for key, fits in found.items() if key not in requested} == wanted


def is_one_of(entry, source, name):
    """Whether an object is one of the `count` servers of a wish."""
    return source == entry["source"] and (name == entry["name"] or name.rpartition("-")[0] == entry["name"])


def test_what_does_not_fit_says_why(placed):
    for entry in placed["unplaced"]:
        assert entry["message"]
        assert entry["reasons"]
        assert sum(reason["hosts"] for reason in entry["reasons"]) > 0


def test_the_answer_is_the_same_again_and_in_every_order_of_sources(command, placed):
    again = json.loads(command("place", str(SAMPLE), "-o", "json").out)
    parts = [str(SAMPLE / "clusters" / name) for name in ("under", "shop", "lab", "edge", "data", "build")]
    turned = json.loads(command("place", *parts, str(SAMPLE / "clouds/north"), "-o", "json").out)
    for result in (placed, again, turned):
        del result["summary"]["elapsedSeconds"]
    assert again == placed
    for part in ("placed", "unplaced"):
        assert sorted(map(json.dumps, turned[part])) == sorted(map(json.dumps, placed[part]))


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_reads_well(command, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    lines = command("place", str(SAMPLE)).out.splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) < 160
    assert lines[0].startswith("31 of 63 pending objects placed (244 hosts, 7 sources, ")
    for source in ("north", "build", "data", "edge", "lab", "shop", "under"):
        assert any(line.startswith(f"{source} ") for line in lines)
        assert any(line.startswith(f"{source}/") for line in lines)


def test_yaml_and_json_agree(command, placed):
    read = yaml.load(command("place", str(SAMPLE), "-o", "yaml").out, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    del read["summary"]["elapsedSeconds"], placed["summary"]["elapsedSeconds"]
    assert read == placed


def test_standard_input_is_a_source(process, placed):
    objects = [
        item
        for path in sorted((SAMPLE / "clusters/shop").glob("*.json"))
        for item in json.loads(path.read_text())["items"]
    ]
    ended = process(
        "place", "-", "-o", "json", input=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    )
    assert (ended.code, ended.err) == (exits.NO, "")
    hosts = {entry["name"]: entry["host"] for entry in json.loads(ended.out)["placed"]}
    assert hosts == {entry["name"]: entry["host"] for entry in placed["placed"] if entry["source"] == "shop"}


def test_nothing_on_standard_input_is_bad_input(process):
    ended = process("place", "-", input="")
    assert (ended.code, ended.out, ended.err) == (exits.BAD, "", "binwright: stdin: the file is empty\n")


def test_labels_and_namespaces_select(command):
    out = command("place", str(SAMPLE), "-n", "media", "-o", "name").out
    assert out
    assert all(line.startswith("edge/media/") for line in out.splitlines())
    chosen = command("place", str(SAMPLE), "-l", "app=transcode", "-o", "name").out.splitlines()
    assert chosen
    assert all(line.startswith("edge/media/transcode-") for line in chosen)


def test_a_closed_pipe_is_silent_and_the_answer_stands(tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    place = [sys.executable, "-m", "binwright.cli", "place", str(SAMPLE), "-o", "json"]
    ended = subprocess.run(place, stdout=writer, stderr=subprocess.PIPE, timeout=60, check=False)
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (exits.NO, b"")
