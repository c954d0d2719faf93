"""The C header, its Cython declarations, the facade and docs/embedding.md name the same functions and members."""

import re

from tests.house.sources import CORE, PACKAGE, ROOT

HEADER = (CORE / "include" / "binwright" / "binwright.h").read_text(encoding="utf-8")
ABI = (CORE / "abi.pxd").read_text(encoding="utf-8")
FACADE = (PACKAGE / "api.pxd").read_text(encoding="utf-8")
DOCS = (ROOT / "docs" / "embedding.md").read_text(encoding="utf-8")


def members(struct: str) -> list[str]:
    """Names of the members of a struct of the header, in order."""
    body = re.search(rf"typedef struct {struct} \{{(.*?)\}} {struct};", HEADER, re.DOTALL)[1]
    body = re.sub(r"/\*.*?\*/", "", body, flags=re.DOTALL)
    named = re.findall(r"\(\*(\w+)\)\(|(\w+);", body)
    return [function or plain for function, plain in named]


def declared(struct: str) -> list[str]:
    """The same of abi.pxd."""
    body = re.search(rf"ctypedef struct {struct}:\n(.*?)(?=\n\n|\Z)", ABI, re.DOTALL)[1]
    named = re.findall(r"^ {8}(?=\w).*?(?:\(\*(\w+)\)\(|\b(\w+)$)", body, re.MULTILINE)
    return [function or plain for function, plain in named]


def test_cython_declares_what_the_header_has():
    structs = re.findall(r"^typedef struct (\w+) \{", HEADER, re.MULTILINE)
    assert len(structs) == 9
    for struct in structs:
        found = [name for name in declared(struct) if name]
        assert found == members(struct), struct


def test_every_function_of_the_table_is_documented():
    functions = [name for name in members("bw_api") if name not in ("abi_version", "size", "version")]
    assert len(functions) == 24
    rows = "\n".join(line for line in DOCS.splitlines() if line.endswith(" | 1 |"))
    named = re.findall(r"`(\w+)`", rows)
    assert set(functions) <= set(named)
    assert f"now **{re.search('BW_ABI_VERSION ([0-9]+)', HEADER)[1]}**" in DOCS


def test_every_function_of_the_facade_is_documented():
    functions = re.findall(r"^cdef inline [\w ]+?\*? ?(\w+)\(", FACADE, re.MULTILINE)
    assert len(functions) > 25
    assert [name for name in functions if not name.startswith("bw_") and f"`{name}" not in DOCS] == []
