"""What `import binwright` costs beyond `import numpy`: fresh interpreters, one after another.

Wall-clock and processor seconds; the second does not see who else is busy. Times inform; what may be loaded at all is a
list in the tests.
"""

import subprocess
import sys
from dataclasses import dataclass
from statistics import median

from binwright.errors import BinwrightError

RUNS = 20
# numpy first, so that what is timed after it is binwright's alone.
CHILD = """
from time import perf_counter, process_time
start = perf_counter(), process_time()
import numpy
between = perf_counter(), process_time()
import binwright
end = perf_counter(), process_time()
print(*(b - a for a, b in zip(start, between)), *(b - a for a, b in zip(between, end)))
"""
ROWS = ("numpy, wall clock", "numpy, processor", "binwright beyond it, wall clock", "binwright beyond it, processor")


@dataclass(frozen=True)
class ImportTime:
    """What one import took. best, middling: seconds of the fastest run and of the median one."""

    name: str
    best: float
    middling: float


def imports(runs: int = RUNS) -> list[ImportTime]:
    """Time both imports in so many fresh interpreters, after one that fills the caches; a row of ROWS each."""
    found = [once() for _ in range(runs + 1)][1:]
    return [ImportTime(name, min(taken), median(taken)) for name, taken in zip(ROWS, zip(*found))]


def once() -> list[float]:
    """Seconds of the four rows in one fresh interpreter. Raises BinwrightError where the import fails."""
    child = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=False)
    if child.returncode:
        raise BinwrightError(f"import: {child.stderr.strip().splitlines()[-1]}")
    return [float(word) for word in child.stdout.split()]


def show(found: list[ImportTime], runs: int) -> None:
    """The table."""
    print(f"{'import':34} {'best':>9} {'median':>9}   of {runs} interpreters")
    for one in found:
        print(f"{one.name:34} {one.best * 1e3:6.1f} ms {one.middling * 1e3:6.1f} ms")
