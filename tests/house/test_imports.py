"""Imports point one way: cli -> stack -> {kubernetes openstack packing} -> face -> _core, and inside _core too."""

from tests.house.sources import CORE, PACKAGE, ROOT, core_files, cython_imports, python_files, python_imports

# Rooms by height; rooms on the same height may not see each other. Every module directly in the package is the face.
HEIGHTS = {
    "_core": 0,
    **dict.fromkeys(("face", "formats", "schemas"), 1),
    **dict.fromkeys(("kubernetes", "openstack", "packing", "sample", "bench"), 2),
    "stack": 3,
    "serve": 4,
    "cli": 5,
}
ONE_ROOM = {"formats": "face", "schemas": "face"}
CORE_FLOORS = (
    (
        *("abi", "arrow", "leaves", "memory", "crew"),
        *("kernels", "_kernels_base", "_kernels_v3", "_kernels_v4", "_kernels_sve"),
    ),
    (
        *("journal", "columns", "items", "fleet", "hostset", "domains", "counters", "domain_terms", "spread"),
        *("devices", "numa", "request", "terms", "overlays", "pools", "budgets", "externals", "windows", "decided"),
        *("clauses", "whole", "matching", "rowtable", "groups", "host_rows", "search", "row_claims", "float_scores"),
    ),
    (
        *("scan", "float_index", "index", "index_hosts", "index_choice", "indexes", "undo", "state"),
        *("block_columns", "block_statics", "block_potentials", "block_filter"),
    ),
    (
        *("place", "ranking", "evict", "candidates", "candidate_list", "texts", "pack", "firstfit", "grouping"),
        *("pricing", "natives", "handles", "batches", "capi"),
    ),
)


def room(name: str) -> str:
    """The room of binwright.NAME: a folder, or the face for a module or a public name of the package."""
    return name if (PACKAGE / name).is_dir() or name == "_core" else "face"


def wrong_arrow(source: str, target: str) -> str | None:
    """Why a module of room `source` may not import from room `target`."""
    if ONE_ROOM.get(source, source) == ONE_ROOM.get(target, target) or HEIGHTS[source] > HEIGHTS[target]:
        return None
    return "is sideways" if HEIGHTS[source] == HEIGHTS[target] else "is upward"


def test_every_room_is_known():
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders <= set(HEIGHTS)


def test_python_imports_point_down():
    problems = []
    for path in python_files(PACKAGE):
        inside = path.relative_to(PACKAGE).parts
        source = room(inside[0].removesuffix(".py"))
        for line, name in python_imports(path):
            where = f"{path.relative_to(ROOT)}:{line}: {name}"
            if name.startswith("."):
                problems.append(f"{where} is relative")
            if not name.startswith("binwright."):
                continue
            why = wrong_arrow(source, room(name.split(".")[1]))
            if why:
                problems.append(f"{where} {why}")
    assert not problems, "\n".join(problems)


def test_core_imports_nothing_of_the_python_side():
    problems = []
    files = core_files(".pyx", ".pxd", ".pxi", ".py", ".pyi")
    for path in files:
        for line, name in cython_imports(path):
            if name.startswith("binwright") and not name.startswith("binwright._core"):
                problems.append(f"{path.relative_to(ROOT)}:{line}: {name}")
    assert files
    assert not problems, "\n".join(problems)


def test_core_floors():
    """place, evict ... -> index, scan, undo -> terms, request, fleet ... -> kernels."""
    floor = {name: height for height, names in enumerate(CORE_FLOORS) for name in names}
    problems = []
    for path in core_files(".pyx", ".pxd"):
        if path.stem == "__init__":
            continue
        assert path.stem in floor, f"{path.name}: on which floor of tests/house/test_imports.py does it live?"
        for line, name in cython_imports(path):
            target = name.removeprefix("binwright._core.").split(".")[0]
            if name.startswith("binwright._core.") and floor.get(target, 0) > floor[path.stem]:
                problems.append(f"{path.relative_to(ROOT)}:{line}: {name} is upward")
    assert not problems, "\n".join(problems)


def test_reference_imports_nothing_of_binwright():
    """The reference would not be independent otherwise."""
    files = python_files(ROOT / "tests" / "reference")
    assert files
    for path in files:
        for line, name in python_imports(path):
            where = f"{path.relative_to(ROOT)}:{line}: {name}"
            assert name.split(".")[0] not in ("binwright", "numpy", "importlib"), where
            assert not name.startswith("tests.") or name.startswith("tests.reference"), where


def test_the_readers_see_imports(tmp_path):
    """This file's own reading works: upward, sideways and lazy imports are found."""
    module = tmp_path / "module.py"
    module.write_text(
        "import binwright.cli\ndef f():\n    from binwright.openstack import nova, cinder\nfrom .. import x\n"
    )
    assert sorted(python_imports(module)) == [
        (1, "binwright.cli"), (3, "binwright.openstack.cinder"), (3, "binwright.openstack.nova"), (4, "...x"),
    ]  # fmt: skip
    module.write_text("from binwright._core.fleet cimport Fleet  # why\ncimport binwright.units\n")
    assert sorted(cython_imports(module)) == [(1, "binwright._core.fleet.Fleet"), (2, "binwright.units")]
    assert wrong_arrow("kubernetes", "openstack") == "is sideways"
    assert wrong_arrow(room("units"), room("stack")) == "is upward"
    assert wrong_arrow("cli", "stack") is None
    assert wrong_arrow("stack", room("Fleet")) is None
    assert wrong_arrow("formats", room("units")) is None
    assert (CORE / "kernels.pyx").exists()
