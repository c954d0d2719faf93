"""`binwright completion`: the scripts name what the parsers know, and bash completes by them."""

import shutil
import subprocess

import pytest

from binwright.cli import exits
from binwright.cli.main import VERBS


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_names_every_verb_and_the_options(command, shell):
    ended = command("completion", shell)
    assert (ended.code, ended.err) == (exits.YES, "")
    assert all(verb in ended.out for verb in VERBS)
    for option in ("output", "explain", "no-headers", "retry-errors", "seed"):
        assert option in ended.out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_is_sound_for_its_shell(command, shell):
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    script = command("completion", shell).out
    subprocess.run([program, "-n"], input=script, text=True, check=True, timeout=60)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["pl"], {"place"}),
        (["place", "--inp"], {"--input"}),
        (["place", "x", "-o", "ya"], {"yaml"}),
        (["place", "x", "--input", ""], {"auto", "kubectl", "openb", "openstack"}),
        (["place", "REA"], {"README.here"}),
        (["completion", ""], {"bash", "zsh", "fish"}),
        (["example", "cl"], {"club-sandwich"}),
        (["conformance", "kub"], {"kubernetes"}),
        (["conformance", "kubernetes", "REA"], {"README.here"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bash_completes(command, tmp_path, words, found):
    program = shutil.which("bash")
    if program is None:
        pytest.skip("bash is not installed")
    (tmp_path / "README.here").touch()
    script = command("completion", "bash").out
    line = " ".join(f"'{word}'" for word in ["binwright", *words])
    script += f"COMP_WORDS=({line}); COMP_CWORD={len(words)}; _binwright; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    ended = subprocess.run(
        [program], input=script, text=True, capture_output=True, cwd=tmp_path, timeout=60, check=True
    )
    assert set(ended.stdout.split()) == found
