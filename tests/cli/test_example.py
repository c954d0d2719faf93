"""`binwright example`: writes the sample, the committed one by default, and refuses to overwrite."""

import json
from pathlib import Path

from binwright.cli import exits

COMMITTED = Path(__file__).parents[2] / "examples/club-sandwich"


def contents(directory: Path) -> dict[str, bytes]:
    """Every file below a directory."""
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_the_default_sample_is_the_committed_one_and_the_next_command_is_named(command, tmp_path):
    ended = command("example", "club-sandwich", str(tmp_path / "new/one"))
    assert (ended.code, ended.err) == (exits.YES, "")
    assert ended.out == f"Wrote club-sandwich to {tmp_path}/new/one; now: binwright place {tmp_path}/new/one\n"
    assert contents(tmp_path / "new/one") == contents(COMMITTED)


def test_another_seed_is_another_sample(command, tmp_path):
    ended = command("example", "club-sandwich", str(tmp_path), "--seed", "7", "--quiet")
    assert (ended.code, ended.out, ended.err) == (exits.YES, "", "")
    assert json.loads((tmp_path / "manifest.json").read_text())["seed"] == 7
    assert (tmp_path / "clusters").is_dir()
    assert (tmp_path / "clouds").is_dir()
    assert contents(tmp_path) != contents(COMMITTED)


def test_a_directory_that_holds_something_is_refused(command, tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    ended = command("example", "club-sandwich", str(tmp_path))
    assert (ended.code, ended.out) == (exits.BAD, "")
    assert ended.err == f"binwright: {tmp_path}: directory is not empty; the sample wants a new or empty directory\n"
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_unknown_sample_is_bad_usage(command, tmp_path):
    ended = command("example", "sandwich", str(tmp_path / "x"))
    assert ended.code == exits.BAD
    assert "invalid choice: 'sandwich'" in ended.err
