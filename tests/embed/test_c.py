"""The C interface, by programs compiled against the installed wheel's header and run."""

from pathlib import Path

import pytest

from tests.embed.conftest import ran

EXAMPLES = Path(__file__).parents[2] / "examples"
WARNINGS = ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]

pytestmark = pytest.mark.slow


def compiled(installed, source: Path, folder: Path, *flags: str, include: str | None = None) -> Path:
    """The program that a C file becomes; `include` stands for the installed headers."""
    headers = [f"-I{include or installed.include()}", f"-I{installed.run('-c', PYTHON_H, cwd=folder).strip()}"]
    program = folder / "program"
    ran(["cc", *WARNINGS, "-pthread", *headers, str(source), "-o", str(program), *flags], folder)
    return program


PYTHON_H = "import sysconfig; print(sysconfig.get_path('include'))"


def test_the_example_does_what_its_readme_says(installed, libpython, tmp_path):
    readme = (EXAMPLES / "embed_c" / "README.md").read_text(encoding="utf-8")
    wanted = [line.strip() for line in readme.split("prints\n")[1].splitlines() if line.startswith("    ")]
    program = compiled(installed, EXAMPLES / "embed_c" / "scheduler.c", tmp_path, *libpython)
    assert ran([str(program)], tmp_path, PYTHONPATH=installed.path()).splitlines() == wanted


def test_what_a_program_gets_wrong_is_refused(installed, libpython, tmp_path):
    """NULL, counts, sizes, text and handles: `.ci/sanitize` runs the same program on a core with sanitizers."""
    program = compiled(installed, Path(__file__).parent / "wrong.c", tmp_path, *libpython)
    assert ran([str(program)], tmp_path, PYTHONPATH=installed.path()) == "all refused\n"


CONSUMER = """
#include <Python.h>
#include <binwright/binwright.h>
#include <stdio.h>
int main(void)
{
    const char *names[] = {"cpu"};
    bw_fleet_spec spec = {.size = sizeof spec, .resource_count = 1, .resources = names};
    int64_t cells[] = {4, 4}, demand[] = {3}, hosts[3];
    const int64_t *capacity[] = {cells};
    bw_class asked = {.size = sizeof asked, .demand = demand};
    bw_fleet *fleet;
    int32_t number;
    Py_Initialize();
    const bw_api *api = bw_import();
    if (!api) { PyErr_Print(); return 1; }
    if (api->fleet_new(&spec, &fleet) || api->hosts_add(fleet, 2, capacity, NULL, NULL)
        || api->class_new(fleet, &asked, &number) || api->place(fleet, number, 3, hosts, NULL, NULL, NULL)) return 2;
    printf("%d of %d: %d %d %d\\n", (int)sizeof(bw_api), api->size, (int)hosts[0], (int)hosts[1], (int)hosts[2]);
    api->fleet_free(fleet);
    return Py_FinalizeEx();
}
"""


def header(installed, folder: Path, *changes: tuple[str, str]) -> str:
    """A copy of the installed header as another version of it would read; returns its include folder."""
    text = (Path(installed.include()) / "binwright" / "binwright.h").read_text(encoding="utf-8")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    (folder / "binwright").mkdir()
    (folder / "binwright" / "binwright.h").write_text(text, encoding="utf-8")
    return str(folder)


def test_a_consumer_of_a_newer_abi_is_refused(installed, libpython, tmp_path):
    newer = header(
        installed, tmp_path,
        ("#define BW_ABI_VERSION 1", "#define BW_ABI_VERSION 2"),
        ("} bw_api;", "    int (*something_new)(bw_fleet *fleet);\n} bw_api;"),
    )  # fmt: skip
    (tmp_path / "consumer.c").write_text(CONSUMER, encoding="utf-8")
    program = compiled(installed, tmp_path / "consumer.c", tmp_path, *libpython, include=newer)
    with pytest.raises(AssertionError) as failure:
        ran([str(program)], tmp_path, PYTHONPATH=installed.path())
    said = "it offers ABI 1, needed is ABI 2 (pip install --upgrade binwright)"
    assert said in str(failure.value)
    assert "ImportError: the installed binwright is older than the one" in str(failure.value)


def test_a_consumer_of_an_older_abi_works(installed, libpython, tmp_path):
    """One that knows a smaller table and a smaller class: members are only ever added at the end."""
    text = (Path(installed.include()) / "binwright" / "binwright.h").read_text(encoding="utf-8")
    table_end = text[text.index("    /* What place() would decide now") : text.index("} bw_api;")]
    class_end = text[text.index("    int32_t counter_count;   /*") : text.index("} bw_class;")]
    older = header(installed, tmp_path, (table_end, ""), (class_end, ""))
    (tmp_path / "consumer.c").write_text(CONSUMER, encoding="utf-8")
    program = compiled(installed, tmp_path / "consumer.c", tmp_path, *libpython, include=older)
    sizes, hosts = ran([str(program)], tmp_path, PYTHONPATH=installed.path()).strip().split(": ")
    known, offered = map(int, sizes.split(" of "))
    assert known < offered
    assert hosts == "0 1 -1"
