"""`binwright conformance`: the lines, the notes, the limit on differences, JSON, with a peer that is made up here."""

import json
import sys
from dataclasses import dataclass, field
from types import ModuleType

import jsonschema
import pytest

from binwright import schemas
from binwright.cli import conformance, exits
from binwright.errors import InputError


@dataclass
class Report:
    cases: int
    exact: int
    differences: list[str] = field(default_factory=list)


def replay(document):
    """The cases of a made-up peer are truth values: exact or not."""
    cases = document["cases"]
    if not isinstance(cases, list):
        raise InputError("cases: expected a list")
    wrong = [f"case {number}: differs" for number, exact in enumerate(cases) if not exact]
    return Report(len(cases), len(cases) - len(wrong), wrong)


@pytest.fixture(autouse=True)
def peer(monkeypatch):
    module = ModuleType("made_up_peer")
    module.replay = replay
    monkeypatch.setitem(sys.modules, "made_up_peer", module)
    monkeypatch.setitem(conformance.PEERS, "kubernetes", "made_up_peer")


@pytest.fixture
def recordings(tmp_path, monkeypatch):
    """Files of the current directory: good (3 of 3), mixed (1 of 31), names (no cases)."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.json").write_text('{"cases": [true, true, true]}')
    (tmp_path / "mixed.json").write_text(json.dumps({"cases": [True] + [False] * 30}))
    (tmp_path / "names.json").write_text('{"traits": []}')


def test_a_line_a_file_and_the_total(command, recordings):
    ended = command("conformance", "kubernetes", "good.json", "mixed.json")
    assert ended.code == exits.NO
    assert ended.out == "good.json: cases 3 exact 3\nmixed.json: cases 31 exact 1\ntotal: cases 34 exact 4\n"
    lines = ended.err.splitlines()
    assert lines[0] == "mixed.json: case 1: differs"
    assert lines[19] == "mixed.json: case 20: differs"
    assert lines[20:] == ["(10 more differences: --all)"]


def test_all_shows_every_difference(command, recordings):
    assert len(command("conformance", "kubernetes", "mixed.json", "--all").err.splitlines()) == 30


def test_the_limit_counts_over_all_files(command, recordings):
    ended = command("conformance", "kubernetes", "mixed.json", "good.json", "./mixed.json")
    assert len(ended.err.splitlines()) == 21
    assert ended.err.endswith("(40 more differences: --all)\n")


def test_every_case_exact_is_0(command, recordings):
    assert command("conformance", "kubernetes", "good.json").code == exits.YES


def test_a_file_without_cases_is_skipped_with_a_note(command, recordings):
    ended = command("conformance", "kubernetes", "names.json", "good.json")
    assert ended.code == exits.YES
    assert ended.out == "good.json: cases 3 exact 3\ntotal: cases 3 exact 3\n"
    assert ended.err == "names.json: skipped, it holds no cases\n"


def test_json_keeps_the_schema(command, recordings):
    ended = command("conformance", "kubernetes", "names.json", "good.json", "mixed.json", "-o", "json")
    envelope = json.loads(ended.out)
    jsonschema.validate(envelope, schemas.schema("ConformanceResult"))
    assert (envelope["summary"]["cases"], envelope["summary"]["exact"]) == (34, 4)
    assert [entry["skipped"] for entry in envelope["files"]] == [True, False, False]
    assert len(envelope["files"][2]["differences"]) == 30


def test_quiet_leaves_the_exit_code(command, recordings):
    ended = command("conformance", "kubernetes", "mixed.json", "-q")
    assert (ended.code, ended.out, ended.err) == (exits.NO, "", "")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('{"cases": [', "x.json: line 1: JSON ends in the middle of a value"),
        ('{"cases": 3}', "x.json: cases: expected a list"),
        ("", "x.json: the file is empty"),
    ],
)
def test_a_broken_recording_is_bad_input(command, recordings, tmp_path, text, line):
    (tmp_path / "x.json").write_text(text)
    ended = command("conformance", "kubernetes", "x.json")
    assert (ended.code, ended.err) == (exits.BAD, f"binwright: {line}\n")


def test_a_directory_is_no_recording(command, recordings):
    ended = command("conformance", "kubernetes", ".")
    assert (ended.code, ended.err) == (exits.BAD, "binwright: .: a directory; name its files\n")
