"""The recordings that ship with the project, through the command as a user runs it."""

from pathlib import Path

import pytest

from binwright.cli import main

RECORDINGS = sorted((Path(__file__).parents[1] / "conformance").glob("*.json.gz"))


def test_they_ship_and_are_small():
    assert len(RECORDINGS) == 14 + 11
    assert sum(path.stat().st_size for path in RECORDINGS) <= 400_000


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.name.partition(".")[0])
def test_every_case_is_exact(path, capsys):
    assert main.main(["conformance", "kubernetes", str(path)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    cases, exact = out.splitlines()[-1].removeprefix("total: cases ").split(" exact ")
    assert int(cases) == int(exact) > 0
