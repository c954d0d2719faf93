"""What `import binwright` loads beyond NumPy: a list, since a time would depend on the day. `python -m binwright.bench
import` measures the time."""

import subprocess
import sys

# Of the standard library and NumPy. Nothing that takes milliseconds: no pathlib, hashlib, enum of flags, json, inspect.
OTHERS = {"array", "atexit", "copy", "dataclasses", "numpy._typing._add_docstring", "numpy.typing"}
# Python modules of the package; the compiled ones are all loaded by the fleet.
OWN = {
    *("arguments", "arrays", "arrow", "cells", "counting", "errors", "eviction", "explain", "external", "fleet"),
    *("float_scores", "groups", "hosting", "labels", "lazy", "pools", "profile", "request", "result", "rows"),
    *("smallest_change", "terms", "transaction", "turns", "verdict"),
}
CYTHON = ("_cython_", "_cyutility", "cython_runtime")  # made by its modules, not found on disk
LISTED = """
import sys
import numpy
before = set(sys.modules)
import binwright
print(*sorted(set(sys.modules) - before), sep="\\n")
"""


def loaded(code: str) -> set[str]:
    """The names that the code prints in a fresh interpreter."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_import_loads_what_is_listed_and_nothing_else():
    found = {name for name in loaded(LISTED) if not name.startswith(CYTHON)}
    own = {name.removeprefix("binwright.") for name in found if name.split(".")[0] == "binwright"} - {"binwright"}
    compiled = {name for name in own if name.split(".")[0] == "_core"}
    assert len(compiled) > 20
    assert own - compiled == OWN
    assert {name for name in found if name.split(".")[0] != "binwright"} <= OTHERS


def test_nothing_but_numpy_is_imported_from_site_packages():
    """The one requirement: no extra is loaded, even where it is installed."""
    roots = loaded("import binwright, sys; print(*{name.split('.')[0] for name in sys.modules})")
    assert not roots & {"yaml", "msgspec", "rich", "pyarrow", "highspy", "kubernetes", "openstack", "pandas", "dask"}
