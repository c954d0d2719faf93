"""The C header, its Cython declaration and the documented table name the same functions, in the same order."""

import re

from tests.house.sources import ROOT

HEADER = (ROOT / "_core" / "include" / "binwright" / "binwright.h").read_text(encoding="utf-8")
DECLARED = (ROOT / "_core" / "abi.pxd").read_text(encoding="utf-8")
TABLE = (ROOT / "_core" / "capi.pyx").read_text(encoding="utf-8")
FACE = (ROOT / "src" / "binwright" / "api.pxd").read_text(encoding="utf-8")
DOCS = (ROOT / "docs" / "embedding.md").read_text(encoding="utf-8")


def functions(text):
    """The functions of bw_api."""
    start = text.index("struct bw_api")
    return re.findall(r"\(\*(\w+)\)\(", text[start:])


def test_the_header_and_its_declaration_are_one_table():
    assert functions(HEADER) == functions(DECLARED)
    assert len(functions(HEADER)) > 20


def test_the_table_is_filled_with_each_function_once():
    filled = re.findall(r"set_function\(&table\.(\w+), <void\*>(\w+)\)", TABLE)
    assert [name for name, _ in filled] == [function for _, function in filled] == functions(HEADER)


def test_the_documentation_has_a_line_for_each_function():
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in DOCS.splitlines() if line.endswith("| 1 |")]
    named = [name for row in cells for name in re.findall(r"`(\w+)(?:\(\))?`", row[0])]
    assert sorted(name for name in named if not name.startswith("bw_")) == sorted(functions(HEADER))
    enums = re.findall(r"^enum (\w+) {", HEADER, re.M)
    assert [name for name in named if name.startswith("bw_")] == ["bw_import", "bw_unfit", *enums]
    assert {row[3] for row in cells if row[0].strip("`") in functions(HEADER)} <= {"held", "takes it", "free"}


def test_the_cython_face_calls_every_function():
    called = set(re.findall(r"bw_table\.(\w+)\(", FACE))
    assert set(functions(HEADER)) - called == {"explain", "external_free"}  # Python explains and frees
