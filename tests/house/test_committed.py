"""What is in the working tree is in the repository: an ignore pattern that is too wide shows in fresh clones only."""

import shutil
import subprocess

import pytest

from tests.house.sources import ROOT


def test_no_example_is_ignored():
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git clone")
    asked = ["git", "ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "examples", "docs"]
    listed = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [path for path in listed if "__pycache__" not in path] == []
