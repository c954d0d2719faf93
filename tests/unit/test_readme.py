"""The README's embedding example is run, and is as short as it claims to be."""

import doctest
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def test_embedding_example():
    outcome = doctest.testfile(str(README), module_relative=False)
    assert outcome.attempted > 10
    assert outcome.failed == 0


def test_first_program_is_under_20_lines():
    lines = [line for line in README.read_text(encoding="utf-8").splitlines() if line.startswith((">>> ", "... "))]
    assert 0 < len(lines) < 20
