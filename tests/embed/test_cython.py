"""The Cython interface, by a project that cimports it from the installed wheel."""

from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"

pytestmark = pytest.mark.slow


def test_the_example_does_what_its_readme_says(installed, tmp_path):
    readme = (EXAMPLES / "embed_cython" / "README.md").read_text(encoding="utf-8")
    command = next(line for line in readme.splitlines() if "from scheduler import" in line)
    wanted = readme.split("prints `")[1].split("`")[0]
    installed.build(EXAMPLES / "embed_cython", tmp_path)
    assert installed.run("-c", command.split('"')[1], cwd=tmp_path).strip() == wanted
