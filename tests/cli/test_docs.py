"""Every block that the documents show is run, and prints what they show; times apart, and what "..." leaves out.

A page is one test: its blocks run in order in an empty directory that sees `examples`. Blocks without a language begin
with `$ binwright`, and are compared; python blocks are run, those with `>>>` compared; all other languages (sh, text,
yaml, ...) say by their name that nothing is promised of them.
"""

import doctest
import re
import shlex
import shutil
import textwrap

import pytest
import yaml

import binwright
from tests.house.sources import ROOT

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
BLOCK = re.compile(r"^(?P<indent> *)```(?P<language>[^\n]*)\n(?P<body>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ (?P<words>.*)\n(?P<shown>(?:(?!\$ ).*\n)*)", re.MULTILINE)
VARIES = re.compile(r"\d+\.\d+ s\b|\b\w+(?= kernels\b)|(?:(?<=optimal)|(?<=feasible)) +\d+\.\d+$", re.MULTILINE)
NOT_RUN = {"sh", "text", "yaml", "ini", "toml", "cython", "c"}


def blocks(page):
    """(line, language, text) of each fenced block."""
    text = page.read_text(encoding="utf-8")
    for match in BLOCK.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield line, match["language"].strip(), textwrap.dedent(match["body"])


def runs(page):
    return any(language not in NOT_RUN for _, language, _ in blocks(page))


def check_shown(shown, printed, where):
    """What is shown is printed, in this order; `...` on a line of its own stands for anything."""
    printed, position = VARIES.sub("N", printed), 0
    for part in re.split(r"^\.\.\.\n", VARIES.sub("N", shown), flags=re.MULTILINE):
        found = printed.find(part, position)
        assert found >= 0, f"{where}: not printed, or not in this place:\n{part}\nbut:\n{printed[position:]}"
        position = found + len(part)


def check_python(text, names, where):
    """Run a block in the names that the page has so far; sessions are compared."""
    if not text.startswith(">>>"):
        exec(compile(text, where, "exec"), names)
        return
    session = doctest.DocTestParser().get_doctest(text, names, where, where, 0)
    said = []
    doctest.DocTestRunner(verbose=False).run(session, out=said.append, clear_globs=False)
    names.update(session.globs)
    assert not said, f"{where}:\n{''.join(said)}"


@pytest.mark.parametrize("page", [pytest.param(p, id=str(p.relative_to(ROOT))) for p in PAGES if runs(p)])
def test_a_page_does_what_it_shows(command, monkeypatch, tmp_path, page):
    try:
        (tmp_path / "examples").symlink_to(ROOT / "examples")
    except OSError:  # Windows, without the right to
        shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "110" if DOCS in page.parents else "120")
    names = {"__name__": "page"}
    for line, language, text in blocks(page):
        where = f"{page.relative_to(ROOT)}:{line}"
        if language == "python":
            check_python(text, names, where)
        elif not language and text.startswith("$ binwright"):
            for shown in COMMAND.finditer(text):
                ended = command(*shlex.split(shown["words"])[1:])
                assert ended.code in (0, 1), f"{where}: {ended.err}"
                check_shown(shown["shown"], ended.out, where)


def test_every_block_is_run_or_says_by_its_language_that_it_is_not():
    unclear = [
        f"{page.relative_to(ROOT)}:{line}: ```{language}"
        for page in PAGES
        if page.name != "README.md"
        for line, language, text in blocks(page)
        if not (language in NOT_RUN or language == "python" or (not language and text.startswith("$ binwright")))
    ]
    assert not unclear, "\n".join(unclear)


def test_the_reference_has_every_public_name():
    told = " ".join(page.read_text(encoding="utf-8") for page in (DOCS / "reference").glob("*.md"))
    shown = set(re.findall(r"^::: (?:binwright|_core(?:\.\w+)?)\.(\w+)$", told, re.MULTILINE))
    assert set(binwright.__all__) - {"__version__"} == shown & set(binwright.__all__)


def test_every_page_is_in_the_contents_of_the_site():
    made = {"index.md", "engine-index.md", "reference/command-line.md"}  # by docs/hooks.py, of home.md and index.md
    written = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")} - {"home.md", "index.md"}
    contents = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").split("\nnav:\n")[1]
    assert set(leaves(yaml.safe_load(contents))) == written | made


def leaves(contents):
    """The pages that a table of contents names."""
    for entry in contents:
        for below in entry.values():
            yield from [below] if isinstance(below, str) else leaves(below)
