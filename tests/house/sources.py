"""Finds and reads the project's source files for the tests of the house. Knows no rule."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
CORE = ROOT / "_core"
PACKAGE = ROOT / "src" / "binwright"

CYTHON_IMPORT = re.compile(r"^\s*(?:from\s+([\w.]+)\s+c?import\s+(.+)|c?import\s+([\w.]+))", re.MULTILINE)


def core_files(*suffixes: str) -> list[Path]:
    """Sources of the core, generated and compiled files left out."""
    files = (path for path in sorted(CORE.rglob("*")) if path.suffix in suffixes)
    return [path for path in files if not path.name.startswith("_cyutility")]


def python_files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*.py")) if "__pycache__" not in path.parts]


def python_imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of everything imported anywhere in a file; "." names are given as they are written."""
    for statement in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(statement, ast.Import):
            yield from ((statement.lineno, alias.name) for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            module = "." * statement.level + (statement.module or "")
            yield from ((statement.lineno, f"{module}.{alias.name}") for alias in statement.names)


def cython_imports(path: Path) -> Iterator[tuple[int, str]]:
    """The same for a .pyx, .pxd or .pxi, both import and cimport."""
    text = path.read_text(encoding="utf-8")
    for found in CYTHON_IMPORT.finditer(text):
        line = text.count("\n", 0, found.start(0)) + 1
        if found[3]:
            yield line, found[3]
        else:
            names = re.findall(r"\w+", found[2].split("#")[0]) or ["*"]
            yield from ((line, f"{found[1]}.{name}") for name in names)
