"""Instructions per run of each workload, counted by callgrind, against bench/instructions.json: the gate on speed.

    python -m bench.instructions [NAME ...]     compare; exit 1 if a workload takes over 1 % more than is stored
    python -m bench.instructions --update       store what is found

Each workload runs at two loop counts in an interpreter without numpy, hash seeds or address randomisation; the
difference over the loops is the count, the same to the last instruction every time. The AVX2 copy of the kernels is
forced, because valgrind knows no AVX-512; lost vectorisation of the other copies is bench/vectorised.py's affair.
Counts are kept per (Python, compiler of the core, copy); under another key they are printed and nothing is compared.
Needs valgrind (exit 2 without it) and setarch.
"""

import argparse
import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[1]
STORE = Path(__file__).with_suffix(".json")
HOSTS, RESOURCES, DECISIONS = 1_000, 4, 10
LOOPS = (5, 85)
TOLERANCE = 1  # percent
SUMMARY = re.compile(r"^(?:summary|totals): (\d+)", re.MULTILINE)
COMPILER = re.compile(rb"(GCC|clang version|Apple clang)(?:: \([^)]*\))? ?(\d+\.\d+\.\d+)")


def core_folder() -> Path:
    """Where binwright._core is, found in the interpreter that has it."""
    found = importlib.util.find_spec("binwright._core")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent


def key_of(core: Path, copy: str) -> str:
    """What the counts depend on: Python, the compiler that the core was built with, the copy of the kernels."""
    scan = next(core.glob("scan.*.so")).read_bytes()
    compiler = COMPILER.search(scan)
    built = "unknown compiler" if compiler is None else b" ".join(compiler.groups()).decode().lower()
    return f"python {sys.version_info[0]}.{sys.version_info[1]}, {built}, {copy}"


def copy_to_force() -> str:
    return "v3" if platform.machine() == "x86_64" else "base"


def counted(name: str, loops: int, core: Path, copy: str) -> int:
    """Instructions of a process that runs one workload `loops` times."""
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "callgrind.out"
        command = [
            *("setarch", "-R", "valgrind", "--tool=callgrind", f"--callgrind-out-file={out}"),
            *(sys.executable, "-S", str(Path(__file__).with_name("bare.py")), str(core), name),
            # Equally long, so that both processes are alike up to the loop.
            *(f"{loops:04d}", str(HOSTS), str(RESOURCES), str(DECISIONS)),
        ]
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            "BINWRIGHT_KERNELS": copy,
            # Blocks of hosts get pages of their own: what malloc reuses would depend on all that came before.
            "GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=16384",
        }
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment, check=False)
        if done.returncode:
            raise SystemExit(f"instructions: {name} failed\n{done.stderr}")
        found = SUMMARY.search(out.read_text(encoding="utf-8"))
        assert found is not None
        return int(found[1])


def counts(names: list[str], core: Path, copy: str) -> dict[str, int]:
    """Instructions of one run of each workload; two processes at a time."""
    few, many = LOOPS
    with ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        pairs = {name: [pool.submit(counted, name, loops, core, copy) for loops in LOOPS] for name in names}
        try:
            return {name: round((b.result() - a.result()) / (many - few)) for name, (a, b) in pairs.items()}
        finally:
            pool.shutdown(cancel_futures=True)


def verdict(found: int, stored: int | None) -> tuple[str, bool]:
    """What to print beside a count, and whether it fails."""
    if stored is None:
        return "not stored", False
    change = f"{found / stored - 1:+.2%}"
    if found * 100 > stored * (100 + TOLERANCE):
        return f"{change} of {stored}: slower, mend it or store it with --update and say why", True
    if found * 100 < stored * (100 - TOLERANCE):
        return f"{change} of {stored}: faster, store it with --update", False
    return change, False


def main() -> int:
    from bench.workloads import WORKLOADS

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(WORKLOADS)}; default: all")
    parser.add_argument("--update", action="store_true", help="store the counts under this machine's key")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(WORKLOADS)
    if unknown:
        parser.error(f"no workload {', '.join(sorted(unknown))}")
    if shutil.which("valgrind") is None:
        print("instructions: valgrind is not installed (Debian, Ubuntu: apt-get install valgrind)", file=sys.stderr)
        return 2
    core, copy = core_folder(), copy_to_force()
    key = key_of(core, copy)
    stored = json.loads(STORE.read_text(encoding="utf-8")) if STORE.exists() else {}
    print(f"{key}: instructions a run; {HOSTS} hosts, {RESOURCES} resources, {DECISIONS} decisions where it places")
    found = counts(arguments.names or list(WORKLOADS), core, copy)
    failed = False
    for name, count in found.items():
        text, fails = verdict(count, stored.get(key, {}).get(name))
        failed |= fails and not arguments.update
        print(f"{name:10} {count:12,}  {text}")
    if arguments.update:
        stored.setdefault(key, {}).update(found)
        STORE.write_text(json.dumps(stored, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    elif key not in stored:
        print(f"nothing is stored for this key in {STORE.name}: reported only")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
