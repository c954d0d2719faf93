"""`place --log` and `replay`: the sample's decisions, recorded and decided again."""

import json

import jsonschema
import pytest

from binwright import schemas
from binwright.cli import exits

SHOP = "examples/club-sandwich/clusters/shop"


@pytest.fixture
def log(command, tmp_path):
    path = tmp_path / "shop.jsonl"
    assert command("place", SHOP, "--log", str(path), "-q").code == exits.NO
    return path


def test_the_sample_is_replayed(command, log):
    ended = command("replay", str(log))
    assert ended.code == exits.YES
    assert ended.out.startswith("identical: 8 decisions in ")


def test_json_keeps_the_schema(command, log):
    log.write_bytes(log.read_bytes()[:-9])
    envelope = json.loads(command("replay", str(log), "-o", "json").out)
    jsonschema.validate(envelope, schemas.schema("ReplayResult"))
    assert envelope["summary"]["identical"] is True
    assert envelope["notes"][0].startswith("the log has no end")


def test_a_difference_is_1(command, log):
    text = log.read_text()
    at = text.rindex('"verdicts":{"$array":["uint8",[')
    log.write_text(text[:at] + text[at:].replace('"uint8",[', '"uint8",[9', 1))
    ended = command("replay", str(log))
    assert ended.code == exits.NO
    assert ended.out.startswith("not identical: ")
    assert "place_many: verdicts[0] is " in ended.out
    jsonschema.validate(json.loads(command("replay", str(log), "-o", "json").out), schemas.schema("ReplayResult"))


def test_a_log_that_is_there_is_kept(command, log):
    ended = command("place", SHOP, "--log", str(log))
    assert (ended.code, ended.err) == (exits.BAD, f"binwright: decision log: {log} exists already\n")


def test_no_log_is_2(command, tmp_path):
    assert command("replay", str(tmp_path / "none")).code == exits.BAD
