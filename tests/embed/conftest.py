"""An installed wheel to build consumers against: the one that runs the tests, or one made of this tree."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Installed:
    """An interpreter with binwright from a wheel, Cython and setuptools."""

    python: str

    def run(self, *arguments: object, cwd: Path, **environment: str) -> str:
        """Output of the interpreter; a failure is the test's, with all that was said."""
        return ran([self.python, *map(str, arguments)], cwd, **environment)

    def path(self) -> str:
        """PYTHONPATH for a program that embeds Python."""
        return self.run("-c", "import os, sys; print(os.pathsep.join(sys.path[1:]))", cwd=Path("/")).strip()

    def include(self) -> str:
        return self.run("-c", "import binwright; print(binwright.get_include())", cwd=Path("/")).strip()

    def build(self, source: Path, folder: Path, *modules: str) -> Path:
        """Compile Cython sources of a folder, in a copy of it; returns the copy."""
        shutil.copytree(source, folder, dirs_exist_ok=True)
        if modules:
            (folder / "setup.py").write_text(SETUP.format(modules=modules), encoding="utf-8")
        self.run("setup.py", "-q", "build_ext", "--inplace", cwd=folder)
        return folder


SETUP = """
import binwright
from Cython.Build import cythonize
from setuptools import Extension, setup
made = [Extension(name, [name + ".pyx"], include_dirs=[binwright.get_include()]) for name in {modules!r}]
setup(name="consumer", py_modules=[], ext_modules=cythonize(made))
"""


def ran(command: list[str], cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def installed(tmp_path_factory) -> Installed:
    pytest.importorskip("Cython", reason="consumers are built with Cython")
    pytest.importorskip("setuptools", reason="consumers are built with setuptools")
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    probe = "import binwright, pathlib; print((pathlib.Path(binwright.__file__).parent / '_core' / 'abi.pxd').exists())"
    if ran([sys.executable, "-c", probe], Path("/")).strip() == "True":
        return Installed(sys.executable)
    if not (ROOT / "setup.py").exists():
        pytest.skip("neither a wheel is installed nor are the sources here")
    return wheel_installed(tmp_path_factory.mktemp("wheel"))


def wheel_installed(scratch: Path) -> Installed:
    """A wheel of a copy of this tree, in a venv of its own that borrows all other packages from this one."""
    with tarfile.open(scratch / "tree.tar", "w") as tar:  # keeps times
        tar.add(ROOT, "tree", filter=lambda entry: None if skipped(entry.name) else entry)
    with tarfile.open(scratch / "tree.tar") as tar:
        tar.extractall(scratch, filter="data")
    compiled = scratch / "tree/build" / f"lib.{sysconfig.get_platform()}-{sys.implementation.cache_tag}/binwright/_core"
    compiled.mkdir(parents=True, exist_ok=True)
    for module in (ROOT / "_core").glob("*.so"):  # what is newer than its sources is not compiled again
        shutil.copy2(module, compiled)
    pip = ["-m", "pip", "--disable-pip-version-check", "-q"]
    alone = ["--no-index", "--no-deps"]
    ran([sys.executable, *pip, "wheel", *alone, "--no-build-isolation", "-w", str(scratch), "./tree"], scratch)
    ran([sys.executable, "-m", "venv", "--without-pip", str(scratch / "venv")], scratch)
    folder = next((scratch / "venv" / "lib").glob("python*/site-packages"))
    (folder / "borrowed.pth").write_text("\n".join(p for p in sys.path if p.endswith("site-packages")) + "\n")
    ran([sys.executable, *pip, "install", *alone, "--target", str(folder), str(next(scratch.glob("*.whl")))], scratch)
    return Installed(str(scratch / "venv" / "bin" / "python"))


def skipped(name: str) -> bool:
    return name.startswith(("tree/.git", "tree/bench", "tree/tests")) or name.endswith((".so", "__pycache__"))


@pytest.fixture(scope="session")
def libpython() -> list[str]:
    """What links a program that embeds this Python; skips where there is no library of it."""
    folder, library = sysconfig.get_config_var("LIBDIR"), sysconfig.get_config_var("LDLIBRARY")
    if not library or not (Path(folder) / library).exists() or not library.startswith("libpython"):
        pytest.skip("this Python has no library to link with")
    name = library.removeprefix("lib").split(".so")[0].removesuffix(".a")
    rest = f"{sysconfig.get_config_var('LIBS')} {sysconfig.get_config_var('SYSLIBS')}".split()
    return [f"-L{folder}", f"-Wl,-rpath,{folder}", f"-l{name}", *rest]
