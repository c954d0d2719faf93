"""Instructions per run of each workload, counted by callgrind, against a stored baseline: the gate on speed.

Each workload runs at two loop counts in an interpreter without numpy, hash seeds or address randomisation; the
difference over the loops is the count, the same to the last instruction every time. The AVX2 copy of the kernels is
forced, because valgrind knows no AVX-512. Counts are kept per (Python, compiler of the core, copy). Needs valgrind and
setarch.
"""

import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from binwright.bench.workloads import WORKLOADS
from binwright.errors import BinwrightError, InputError

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
            *(sys.executable, "-S", "-P", str(Path(__file__).with_name("bare.py")), str(core), name),
            # Equally long, so that both processes are alike up to the loop.
            *(f"{loops:04d}", str(HOSTS), str(RESOURCES), str(DECISIONS)),
        ]
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            "BINWRIGHT_KERNELS": copy,
            # What Python's own allocator leaves to malloc gets pages of its own: what malloc reuses and merges depends
            # on all that came before, the length of PATH included (it moved `build` by 2 %).
            "GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=513",
        }
        done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, env=environment, check=False)
        if done.returncode:
            raise BinwrightError(f"instructions: {name} failed: {done.stderr.strip()[-2000:]}")
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


def gate(names: Sequence[str], baseline: str | os.PathLike[str] | None, update: bool) -> int:
    """Count, compare with the baseline, print; 1 if a workload takes over 1 % more, or nothing is stored for this
    Python and compiler. update: store what is found instead. Without a baseline counts are printed alone.

    Raises InputError without valgrind, for a name of no workload, and for a baseline that is none.
    """
    for name in names:
        if name not in WORKLOADS:
            raise InputError(f"instructions: no workload {name!r} (there are {', '.join(WORKLOADS)})")
    if shutil.which("valgrind") is None:
        raise InputError("instructions: valgrind is not installed (Debian, Ubuntu: apt-get install valgrind)")
    core, copy = core_folder(), copy_to_force()
    key = key_of(core, copy)
    stored = {} if baseline is None else read_baseline(baseline)
    print(f"{key}: instructions a run; {HOSTS} hosts, {RESOURCES} resources, {DECISIONS} decisions where it places")
    found = counts(list(names or WORKLOADS), core, copy)
    failed = False
    for name, count in found.items():
        text, fails = verdict(count, stored.get(key, {}).get(name))
        failed |= fails and not update
        print(f"{name:10} {count:12,}  {'' if baseline is None else text}".rstrip())
    if baseline is None:
        return 0
    if update:
        stored.setdefault(key, {}).update(found)
        Path(baseline).write_text(json.dumps(stored, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    elif key not in stored:
        print(f"nothing is stored for this Python and compiler in {baseline}: record a baseline with --update")
        return 1
    return int(failed)


def read_baseline(path: str | os.PathLike[str]) -> dict[str, dict[str, int]]:
    """Counts by key and workload; empty where there is no such file yet. Raises InputError for another file."""
    if not Path(path).exists():
        return {}
    try:
        stored = json.loads(Path(path).read_text(encoding="utf-8"))
        return {key: {name: int(count) for name, count in counts.items()} for key, counts in stored.items()}
    except (ValueError, AttributeError, TypeError):
        raise InputError(f"{path}: not a baseline of `python -m binwright.bench instructions`") from None
