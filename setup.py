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

# BINWRIGHT_LIMITED_API=3.11: one wheel for that CPython and every later one, at 1.25 times the price of a call.
LIMITED_API = os.environ.get("BINWRIGHT_LIMITED_API", "")
LIMITED_VERSION = tuple(map(int, LIMITED_API.split("."))) if LIMITED_API else None
WINDOWS = sysconfig.get_platform().startswith("win")

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


def spelled(flags):
    """The flags as the compiler wants them: clang-cl takes GCC's behind a prefix."""
    return [f"/clang:{flag}" for flag in flags] if WINDOWS else flags


def limited():
    """What an extension says to keep within the Limited API, if it shall."""
    if LIMITED_VERSION is None:
        return {}
    version = "0x{:02X}{:02X}0000".format(*LIMITED_VERSION)
    # Functions for the macros that only the full API has.
    functions = [("PyBytes_AS_STRING", "PyBytes_AsString"), ("PyBytes_GET_SIZE", "PyBytes_Size")]
    return {"define_macros": [("Py_LIMITED_API", version), *functions], "py_limited_api": True}


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
                extra_compile_args=spelled(flags + EXTRA_FLAGS),
                **limited(),
            )
        )
    shared = Extension(
        "binwright._core._cyutility",
        ["_core/_cyutility.c"],
        extra_compile_args=spelled(COMMON_FLAGS + EXTRA_FLAGS),
        **limited(),
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
        if self.compiler.compiler_type == "msvc":
            self.use_clang_cl()
        elif shutil.which(program := self.compiler.compiler[0]) is None:
            raise SystemExit(
                f"binwright: building from source needs a C compiler, and {program!r} was not found "
                "(Debian, Ubuntu: apt-get install gcc; Fedora: dnf install gcc; macOS: xcode-select --install)"
            )
        super().build_extensions()

    def use_clang_cl(self):
        """Microsoft's linker and libraries, but clang: the kernels are written for GCC's and clang's vectorisers."""
        program = shutil.which("clang-cl")
        if program is None:
            raise SystemExit("binwright: building on Windows needs Visual Studio and LLVM's clang-cl")
        self.compiler.initialize()
        self.compiler.cc = program
        self.compiler.compile_options.remove("/GL")  # Microsoft's own link-time code


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
    options={
        "build_ext": {"parallel": 2},
        **({"bdist_wheel": {"py_limited_api": "cp{}{}".format(*LIMITED_VERSION)}} if LIMITED_VERSION else {}),
    },
)
