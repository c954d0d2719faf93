"""What the workflows use from elsewhere is named by commit: a tag can be moved, a commit cannot."""

import re

import pytest

from tests.house.sources import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
USE = re.compile(r"uses:\s*(?P<action>\S+)(?P<rest>.*)")
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
VERSION = re.compile(r"\s+# v\d+\.\d+\.\d+")


def loose(text: str) -> list[str]:
    """The lines that use an action by anything but a commit with its version behind it."""
    found = [(line, match) for line in text.splitlines() if (match := USE.search(line))]
    return [
        line.strip()
        for line, match in found
        if not PINNED.fullmatch(match["action"]) or not VERSION.fullmatch(match["rest"])
    ]


def test_actions_are_pinned_by_commit():
    if not WORKFLOWS:
        pytest.skip("not a clone: the source distribution has no workflows")
    used = {}
    for path in WORKFLOWS:
        text = path.read_text(encoding="utf-8")
        assert loose(text) == [], path.name
        for match in USE.finditer(text):
            action = match["action"].split("@")[0]
            assert used.setdefault(action, match[0]) == match[0], f"{action} in two versions"
    assert used


def test_loose_ones_are_found():
    """This file's own reading works."""
    commit = "a" * 40
    good = f"- uses: a/b@{commit} # v1.2.3"
    bad = ["uses: a/b@v1", f"uses: a/b@{commit}", f"uses: a/b@{commit} # main", f"uses: a/b@{commit[1:]} # v1.2.3"]
    assert loose("\n".join([good, *bad])) == bad
