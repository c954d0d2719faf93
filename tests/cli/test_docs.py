"""Every command that the documents show is run, and prints what they show; times apart, and what "..." leaves out."""

import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"```\n\$ binwright (?P<words>.*)\n(?P<shown>(?:.*\n)*?)```")
TIME = re.compile(r"\d+\.\d+ s\b")


def blocks():
    for name in ("docs/commands.md", "README.md"):
        for match in BLOCK.finditer((ROOT / name).read_text(encoding="utf-8")):
            width = "110" if name.startswith("docs") else "120"
            yield pytest.param(match["words"], match["shown"], width, id=f"{name}: {match['words']}"[:80])


@pytest.mark.parametrize(("words", "shown", "width"), list(blocks()))
def test_a_shown_command_prints_what_is_shown(command, monkeypatch, words, shown, width):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", width)
    ended = command(*shlex.split(words))
    assert ended.code in (0, 1), ended.err
    printed = TIME.sub("N s", ended.out)
    position = 0
    for part in re.split(r"^\.\.\.\n", TIME.sub("N s", shown), flags=re.MULTILINE):
        found = printed.find(part, position)
        assert found >= 0, f"not printed, or not in this place:\n{part}"
        position = found + len(part)
