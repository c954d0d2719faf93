"""Imports point one way: cli -> stack -> {kubernetes openstack packing} -> face -> _core, and inside _core too."""

from tests.house.sources import CORE, PACKAGE, ROOT, core_files, cython_imports, python_files, python_imports

# Rooms by height; rooms on the same height may not see each other, unless they are one room.
FACE = "face"
ROOMS = {
    "_core": (0, "_core"),
    **dict.fromkeys(
        (
            "fleet",
            "request",
            "profile",
            "result",
            "explain",
            "units",
            "errors",
            "formats",
            "outcome",
            "schemas",
            "arrays",
        ),
        (1, FACE),
    ),
    "kubernetes": (2, "kubernetes"),
    "openstack": (2, "openstack"),
    "packing": (2, "packing"),
    "sample": (2, "sample"),
    "stack": (3, "stack"),
    "cli": (4, "cli"),
}
CORE_FLOORS = (
    ("kernels", "_kernels_base", "_kernels_v3", "_kernels_v4", "_kernels_sve"),
    ("journal", "columns", "items", "fleet", "hostset", "domains", "devices", "numa", "request", "terms"),
    ("scan", "index", "undo", "state"),
    ("place", "evict", "candidates", "pack", "bounds", "pricing"),
)


def room(path):
    """Top-level name of a module below src/binwright."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def wrong_arrow(source: str, target: str) -> str | None:
    """Why a module of room `source` may not import binwright.`target`."""
    if target not in ROOMS:
        return None if target[:1].isupper() or target == "*" else "is no room of tests/house/test_imports.py"
    (height, name), (target_height, target_name) = ROOMS[source], ROOMS[target]
    if name == target_name or height > target_height:
        return None
    return "is sideways" if height == target_height else "is upward"


def test_every_room_is_known():
    rooms = {room(path) for path in python_files(PACKAGE)} - {"__init__"}
    assert rooms <= set(ROOMS)


def test_python_imports_point_down():
    problems = []
    for path in python_files(PACKAGE):
        source = room(path)
        for line, name in python_imports(path):
            where = f"{path.relative_to(ROOT)}:{line}: {name}"
            if name.startswith("."):
                problems.append(f"{where} is relative")
            if source == "__init__" or not name.startswith("binwright."):
                continue
            why = wrong_arrow(source, name.split(".")[1])
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
    assert wrong_arrow("units", "stack") == "is upward"
    assert wrong_arrow("cli", "stack") is None
    assert wrong_arrow("stack", "Fleet") is None
    assert (CORE / "kernels.pyx").exists()
