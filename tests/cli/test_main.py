"""The ways in and out of the command line: version, help, bad usage, errors, interrupts, closed pipes."""

import os
import pty
import subprocess
import sys
import warnings

import pytest

from binwright.cli import exits, place
from binwright.cli.main import VERBS
from binwright.errors import BinwrightWarning, InputError, MissingExtraError


def test_the_version_is_that_of_the_package(command):
    from importlib.metadata import version

    ended = command("--version")
    assert (ended.code, ended.out, ended.err) == (exits.YES, f"binwright {version('binwright')}\n", "")


def test_help_names_every_verb_and_every_exit_code(command):
    ended = command("--help")
    assert ended.code == exits.YES
    assert all(verb in ended.out for verb in VERBS)
    assert "0 yes or clean, 1 no or findings, 2 bad usage or input, 3 internal error, 130 interrupted" in ended.out


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(command, verb):
    ended = command(verb, "--help")
    assert ended.code == exits.YES
    assert ended.out.startswith(f"usage: binwright {verb}")


def test_no_verb_shows_the_help_and_is_bad_usage(command):
    ended = command()
    assert ended.code == exits.BAD
    assert "verbs:" in ended.out


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ["plaec"],
            "binwright: argument VERB: invalid choice: 'plaec' (choose from",
        ),
        (["place"], "binwright place: the following arguments are required: PATH"),
        (["place", "x", "--inpt", "auto"], "binwright place: unrecognized arguments: --inpt"),
        (["place", "x", "--inp", "auto"], "binwright place: unrecognized arguments: --inp auto"),
        (
            ["place", "x", "-o", "commands"],
            "binwright place: argument -o/--output/-f/--format: invalid choice: 'commands' (choose from",
        ),
        (
            ["place", "x", "-n", "a", "-A"],
            "binwright place: argument -A/--all-namespaces: not allowed with argument -n/--namespace",
        ),
        (["conformance", "docker", "x"], "binwright conformance: argument PEER: invalid choice: 'docker'"),
        (
            ["example", "club-sandwich", "x", "--seed", "1.5"],
            "binwright example: argument --seed: invalid int value: '1.5'",
        ),
        (
            ["completion", "csh"],
            "binwright completion: argument SHELL: invalid choice: 'csh' (choose from",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_usage_is_one_line_and_2(command, words, line):
    ended = command(*words)
    assert (ended.code, ended.out) == (exits.BAD, "")
    assert ended.err.startswith(line)
    assert ended.err.endswith("--help)\n")
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (InputError("a.json: pod x: \x1b[31mred\nline"), 2, "binwright: a.json: pod x: \\x1b[31mred\\nline\n"),
        (InputError("x" * 5000), 2, f"binwright: {'x' * 2000} ...\n"),
        (
            MissingExtraError.for_module("yaml", extra="cli"),
            2,
            "binwright: yaml is not installed: pip install 'binwright[cli]'\n",
        ),
        (
            ModuleNotFoundError("No module named 'rich'", name="rich"),
            2,
            "binwright: rich is not installed: pip install 'binwright[cli]'\n",
        ),
        (PermissionError(13, "Permission denied", "secret.json"), 2, "binwright: secret.json: Permission denied\n"),
        (
            RuntimeError("two\nlines"),
            3,
            "binwright: internal error: RuntimeError: two (a defect of binwright; -v shows the traceback)\n",
        ),
        (KeyboardInterrupt(), 130, "binwright: interrupted\n"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_every_end_has_its_code_and_its_line(command, monkeypatch, error, code, line):
    def fail(*arguments):
        raise error

    monkeypatch.setattr(place, "place_paths", fail)
    ended = command("place", "x")
    assert (ended.code, ended.out, ended.err) == (code, "", line)


def test_an_internal_error_shows_its_traceback_with_v(command, monkeypatch):
    monkeypatch.setattr(place, "place_paths", lambda *arguments: 1 // 0)
    ended = command("place", "x", "-v")
    assert ended.code == exits.INTERNAL
    assert "Traceback" in ended.err
    assert "ZeroDivisionError" in ended.err


def test_our_warnings_are_one_line(command, monkeypatch, made):
    from tests.cli.made import made_result

    def warn(*arguments):
        warnings.warn("dump.json: two\nlines", BinwrightWarning, stacklevel=1)
        return made_result()

    monkeypatch.setattr(place, "place_paths", warn)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        ended = command("place", "x", "-o", "name")
    assert ended.err == "binwright: warning: dump.json: two\\nlines\n"


def test_a_closed_pipe_is_silent():
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        [sys.executable, "-m", "binwright.cli", "completion", "bash"],
        stdout=writer,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (exits.YES, b"")


def test_import_and_version_need_numpy_only():
    blocked = "import sys; sys.modules.update(dict.fromkeys(['rich', 'msgspec', 'yaml']))\n"
    code = blocked + "import binwright, binwright.cli.main as m; sys.exit(m.main(sys.argv[1:]))"
    version = subprocess.run([sys.executable, "-c", code, "--version"], capture_output=True, timeout=60, check=False)
    assert (version.returncode, version.stderr) == (exits.YES, b"")
    place = subprocess.run([sys.executable, "-c", code, "place", "x"], capture_output=True, timeout=60, check=False)
    assert place.returncode == exits.BAD
    assert place.stderr.count(b"\n") == 1
    assert place.stderr.endswith(b"is not installed: pip install 'binwright[cli]'\n")


@pytest.mark.parametrize(("no_color", "escapes"), [("", True), ("1", False)])
def test_no_color_is_honoured_on_a_terminal(no_color, escapes):
    draw = "from binwright.cli import output as o; o.emit(o.on_console(lambda c: c.print('x', style='bold red')))"
    master, terminal = pty.openpty()
    environment = {**os.environ, "NO_COLOR": no_color, "TERM": "xterm-256color"}
    subprocess.run([sys.executable, "-c", draw], stdout=terminal, env=environment, timeout=60, check=True)
    os.close(terminal)
    shown = os.read(master, 1000)
    os.close(master)
    assert b"x" in shown
    assert (b"\x1b" in shown) is escapes


def test_ctrl_c_ends_with_130_and_without_a_traceback():
    code = """
import os, signal, sys, time
from binwright.cli import main, place
signal.signal(signal.SIGINT, signal.default_int_handler)
place.place_paths = lambda *arguments: (os.kill(os.getpid(), signal.SIGINT), time.sleep(60))
sys.exit(main.main(["place", "x"]))
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (exits.INTERRUPTED, b"", b"binwright: interrupted\n")


@pytest.mark.parametrize(("words", "shown"), [([], True), (["--quiet"], False)])
def test_the_progress_bar_goes_to_a_terminal_on_standard_error_only(tmp_path, words, shown):
    from tests.cli.test_bad_input import cloud

    for name, text in cloud().items():
        path = tmp_path / name.replace("c/", "[/c]/", 1)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    master, terminal = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color"}
    place = [sys.executable, "-m", "binwright.cli", "place", str(tmp_path / "[/c]"), "-o", "json", *words]
    ended = subprocess.run(place, stdout=subprocess.PIPE, stderr=terminal, env=environment, timeout=60, check=False)
    assert ended.returncode == exits.YES
    assert b"\x1b" not in ended.stdout
    os.write(terminal, b"end")
    assert (os.read(master, 100_000) != b"end") is shown
    os.close(terminal)
    os.close(master)
