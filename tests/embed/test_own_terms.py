"""The example's external term decides, explains and undoes the same in Python, Cython and C."""

import random
import shutil
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "own_terms"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(installed, tmp_path_factory):
    return installed.build(EXAMPLE, tmp_path_factory.mktemp("own_terms"))


def test_the_example_does_what_its_readme_says(installed, built):
    readme = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    wanted = readme.split("for each of the three,")[1].split("\n    ")[1].split("\n")[0]
    assert installed.run("use.py", cwd=built).splitlines() == [wanted] * 3


def test_random_lives_are_equal(installed, built):
    shutil.copy(Path(__file__).with_name("heat_lives.py"), built)
    seed = random.randrange(10**9)
    print(f"seed {seed}")
    assert f"200 lives from seed {seed}: equal" in installed.run("heat_lives.py", seed, 200, cwd=built)
