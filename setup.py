"""What pyproject.toml cannot say: the extension modules, their flags per instruction set, the cimport mirror."""

import os
import platform
import shutil
import sysconfig
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

HERE = Path(__file__).parent
CORE = HERE / "_core"
MIRROR = HERE / "build" / "cimport"

# Floating point must give the same bits on every CPU, so no fused multiply-add (house.md, Numbers).
COMMON_FLAGS = ["-O3", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-g0"]
EXTRA_FLAGS = os.environ.get("BINWRIGHT_CFLAGS", "").split()

# One kernel source, one module per instruction set; kernels.pyx chooses at import.
KERNEL_FLAGS = {
    "x86_64": {"base": [], "v3": ["-march=x86-64-v3"], "v4": ["-march=x86-64-v4", "-mprefer-vector-width=512"]},
    "aarch64": {"base": [], "sve": ["-march=armv8.2-a+sve"]},
}
MACHINE_NAMES = {"AMD64": "x86_64", "arm64": "aarch64"}


def target_machine():
    """Architecture that is compiled for; BINWRIGHT_TARGET names it when cross-compiling."""
    machine = os.environ.get("BINWRIGHT_TARGET", platform.machine())
    return MACHINE_NAMES.get(machine, machine)


def kernel_flags():
    """Instruction-set copies of the kernels and their flags on the target."""
    copies = KERNEL_FLAGS.get(target_machine(), {"base": []})
    if sysconfig.get_platform().startswith("macosx"):
        copies = {"base": copies["base"]}
    return copies


def mirror_declarations():
    """Put the .pxd and .pxi where Cython looks for package binwright._core: below its include path, not in _core/."""
    package = MIRROR / "binwright" / "_core"
    package.mkdir(parents=True, exist_ok=True)
    (MIRROR / "binwright" / "__init__.pxd").touch()
    for pattern in ("*.pxd", "*.pxi"):
        for source in CORE.glob(pattern):
            copy = package / source.name
            if not copy.exists() or copy.read_bytes() != source.read_bytes():
                shutil.copy2(source, copy)


def extensions():
    copies = kernel_flags()
    result = []
    for source in sorted(CORE.glob("*.pyx")):
        name = source.stem
        flags = list(COMMON_FLAGS)
        if name.startswith("_kernels_"):
            copy = name.removeprefix("_kernels_")
            if copy not in copies:
                continue
            flags += ["-DBW_BLOCKS", *copies[copy]]
        result.append(
            Extension(
                f"binwright._core.{name}",
                [f"_core/{source.name}"],
                include_dirs=["_core/include"],
                depends=[str(path.relative_to(HERE)) for path in sorted(CORE.glob("include/binwright/*.h"))],
                extra_compile_args=flags + EXTRA_FLAGS,
            )
        )
    shared = Extension(
        "binwright._core._cyutility", ["_core/_cyutility.c"], extra_compile_args=[*COMMON_FLAGS, *EXTRA_FLAGS]
    )
    return [*result, shared]


def cythonized():
    from Cython.Build import cythonize

    mirror_declarations()
    return cythonize(
        extensions(),
        build_dir="build/cython",
        include_path=[str(MIRROR)],
        shared_utility_qualified_name="binwright._core._cyutility",
        compiler_directives={
            "language_level": 3,
            "boundscheck": False,
            "wraparound": False,
            "initializedcheck": False,
            "cdivision": True,
            "binding": False,
            "embedsignature": True,
            "freethreading_compatible": True,
        },
    )


class BuildWithHelp(build_ext):
    """build_ext that says in one line what is missing when there is no C compiler."""

    def build_extensions(self):
        program = getattr(self.compiler, "compiler", ["cl"])[0]
        if shutil.which(program) is None:
            raise SystemExit(
                f"binwright: building from source needs a C compiler, and {program!r} was not found "
                "(Debian, Ubuntu: apt-get install gcc; Fedora: dnf install gcc; macOS: xcode-select --install)"
            )
        super().build_extensions()


setup(
    package_dir={"": "src", "binwright._core": "_core"},
    packages=[
        "binwright._core",
        *(
            ".".join(path.parent.relative_to(HERE / "src").parts)
            for path in sorted((HERE / "src" / "binwright").rglob("__init__.py"))
        ),
    ],
    package_data={
        "binwright._core": ["*.pxd", "*.pxi", "*.pyi", "include/binwright/*.h"],
        "binwright": ["py.typed", "*.pyi", "*.pxd", "**/*.json", "**/*.csv", "**/*.txt", "**/*.css", "**/*.html"],
    },
    ext_modules=cythonized(),
    cmdclass={"build_ext": BuildWithHelp},
    options={"build_ext": {"parallel": 2}},
)
