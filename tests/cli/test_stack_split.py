"""`binwright stack split` on the sample."""

import json
from pathlib import Path

import jsonschema

from binwright.schemas import schema

SAMPLE = str(Path(__file__).parents[2] / "examples" / "club-sandwich")
WORDS = ("stack", "split", SAMPLE, "--like", "cmp-r11-01")


def test_the_sample_wants_nodes_not_hypervisors(command):
    ended = command(*WORDS, "--bare-metal", "10", "-o", "json")
    assert (ended.code, ended.err) == (0, "")
    result = json.loads(ended.out)
    jsonschema.validate(result, schema("SplitResult"))
    told = {
        one["source"]: (one["waiting"], one["placedWithout"], one["placedWith"], one["hosts"])
        for one in result["shares"]
    }
    assert told["north"] == (17, 9, 9, 0)
    assert told["shop"] == (8, 3, 6, 1)
    assert (result["summary"]["nodes"], result["summary"]["spare"]) == (4, 6)


def test_too_few_are_no(command):
    ended = command(*WORDS, "--bare-metal", "2")
    assert ended.code == 1
    assert ended.out.startswith("0 hypervisors, 4 nodes: 2 more than the 2 that there are (")
