"""Decisions, columns, counters, refusals through C and Cython are those of Python, bit for bit, over random lives."""

import random
from pathlib import Path

import pytest

HERE = Path(__file__).parent

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(installed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("drive")
    (folder / "sources").mkdir()
    for name in ("drive.pyx", "lives.py", "misuse.py"):
        (folder / "sources" / name).write_bytes((HERE / name).read_bytes())
    return installed.build(folder / "sources", folder / "built", "drive")


def test_random_lives_are_equal(installed, built):
    seed = random.randrange(10**9)
    print(f"seed {seed}")
    assert f"150 lives from seed {seed}: equal" in installed.run("lives.py", seed, 150, cwd=built)


def test_misuse_is_refused(installed, built):
    """Wrong arguments, wrong order, wrong thread: one line each, and nothing has changed."""
    assert installed.run("misuse.py", cwd=built).splitlines()[-1] == "all refused"
