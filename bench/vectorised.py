"""Counts the kernel loops that the compiler vectorised, per instruction-set copy, against bench/vectorised.json.

    python bench/vectorised.py            compare; exit 1 if a copy lost a loop, or won one that is not stored
    python bench/vectorised.py --update   store what is found

Instruction counts and tests do not see a loop that fell back to scalar code; only the compiler's report does. Numbers
are stored per machine and major version of GCC; under another key the report is printed and nothing is compared.
Reads setup.py's own extension list, so the flags are those of the wheel. Needs GCC.
"""

import argparse
import json
import os
import platform
import re
import runpy
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).parents[1]
STORE = Path(__file__).with_suffix(".json")
SOURCE_COMMENT = re.compile(r'/\* "(?:binwright/)?(?:_core/)?(kernels\w*\.pxi)":(\d+)$')
FUNCTION = re.compile(r"^(?:cdef|cpdef) .*?(\w+)\(")
LOOP = re.compile(r"^\s+for \w+ in range\(BW_(?:BLOCK|FAN)\):")
Place = tuple[str, int]  # a file and a line of it
REPORT = re.compile(r":(\d+):\d+: optimized: +loop vectorized")


def kernel_extensions() -> list:
    """The kernel extensions as setup.py builds them, their C generated."""
    with mock.patch("setuptools.setup") as setup:
        runpy.run_path(str(ROOT / "setup.py"))
    modules = setup.call_args.kwargs["ext_modules"]
    return [module for module in modules if module.name.rpartition(".")[2].startswith("_kernels_")]


def loops_of_source() -> dict[Place, str]:
    """Place of each loop over a block in kernels*.pxi -> "function", "function #2" ..."""
    result: dict[Place, str] = {}
    for source in sorted((ROOT / "_core").glob("kernels*.pxi")):
        function, number = "", 0
        for line, text in enumerate(source.read_text(encoding="utf-8").splitlines(), 1):
            if found := FUNCTION.match(text):
                function, number = found[1], 0
            elif LOOP.match(text):
                number += 1
                result[source.name, line] = function if number == 1 else f"{function} #{number}"
    return result


def source_lines(generated: Path) -> list[Place]:
    """For each line of generated C, the last line of kernels*.pxi named before it ("", 0: none)."""
    current: Place = ("", 0)
    result = []
    for text in generated.read_text(encoding="utf-8").splitlines():
        if found := SOURCE_COMMENT.search(text):
            current = (found[1], int(found[2]))
        result.append(current)
    return result


def vectorised(extension) -> set[Place]:
    """The loops in kernels*.pxi that the compiler vectorised in this copy, wherever it inlined them."""
    generated = next(Path(source) for source in extension.sources if source.endswith(".c"))
    with tempfile.TemporaryDirectory() as scratch:
        command = [
            *(os.environ.get("CC") or "gcc").split(),
            *("-c", str(generated), "-o", f"{scratch}/kernels.o", "-fPIC", "-fwrapv", "-DNDEBUG"),
            *(f"-I{folder}" for folder in (*extension.include_dirs, sysconfig.get_path("include"))),
            *extension.extra_compile_args,
            "-fopt-info-vec-optimized",
        ]
        report = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stderr
    lines = source_lines(ROOT / generated)
    reported = {lines[int(number) - 1] for number in REPORT.findall(report)}
    loops = sorted(loops_of_source())
    # The report names a line inside of the loop or its head: the loop is the last one that starts at or before it.
    before = ([loop for loop in loops if loop[0] == file and loop[1] <= line] for file, line in reported)
    return {found[-1] for found in before if found}


def compiler_key() -> str:
    command = [*(os.environ.get("CC") or "gcc").split(), "-dumpversion"]
    version = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split(".")[0].strip()
    return f"{platform.machine()}-gcc-{version}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--update", action="store_true", help="store the counts of this machine and compiler")
    update = parser.parse_args().update
    os.chdir(ROOT)
    names = loops_of_source()
    found = {}
    for extension in kernel_extensions():
        copy = extension.name.rpartition("_")[2]
        done = vectorised(extension)
        found[copy] = len(done)
        missing = ", ".join(name for place, name in names.items() if place not in done)
        print(f"{copy}: {len(done)} of {len(names)} loops vectorised; not: {missing or 'none'}")
    stored = json.loads(STORE.read_text(encoding="utf-8")) if STORE.exists() else {}
    key = compiler_key()
    if update:
        stored[key] = found
        STORE.write_text(json.dumps(stored, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        return 0
    if key not in stored:
        print(f"{key}: no numbers stored in {STORE.name}, nothing compared")
        return 0
    if stored[key] != found:
        print(f"{key}: stored {stored[key]}, found {found}: mend the loop, or run with --update and say why")
        return 1
    print(f"{key}: as stored")
    return 0


if __name__ == "__main__":
    sys.exit(main())
