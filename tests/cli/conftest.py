"""How the tests of the command line call it: in this process, or as a process of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass

import pytest

from binwright.cli import main as cli_main


@dataclass
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def cloud(tmp_path):
    """cloud(files) writes a dump, and returns its directory."""

    def write(files):
        for name, value in files.items():
            path = tmp_path / "c1" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(value))
        return str(tmp_path / "c1")

    return write


@pytest.fixture
def command(capsys, monkeypatch):
    """command(*words) runs `binwright WORDS` in this process, with a table width that does not depend on the place."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    def run(*words: str) -> Ended:
        code = cli_main.main(list(words))
        captured = capsys.readouterr()
        return Ended(code, captured.out, captured.err)

    return run


@pytest.fixture
def process():
    """process(*words, **options of subprocess.run) runs `binwright WORDS` as a process of its own."""

    def run(*words: str, **options) -> Ended:
        environment = {**os.environ, **options.pop("env", {})}
        ended = subprocess.run(
            [sys.executable, "-m", "binwright.cli", *words],
            capture_output=True,
            text=True,
            env=environment,
            timeout=120,
            **options,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    return run


@pytest.fixture
def made(monkeypatch):
    """Let `place` find the result of made.py, whatever the paths; made(result) sets another one."""
    from binwright.cli import place
    from tests.cli.made import made_result

    def use(result) -> None:
        monkeypatch.setattr(place, "place_paths", lambda *arguments: result)

    use(made_result())
    return use
