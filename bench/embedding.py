"""What embedding costs: a decision by each interface, one external term in three languages, two threads on two forks.

    python -m bench.embedding [--out FILE]      needs binwright from a wheel (not editable), Cython, setuptools, cc

CPU time of the thread, the best of several rounds; the threads' speed-up is wall time and wants a quiet machine. Every
figure comes with a check that the decisions were the same.
"""

import argparse
import importlib
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import binwright
from bench import machine

HERE = Path(__file__).parent
HOSTS = 10_000
ROUNDS = 5
SETUP = """
import binwright
from Cython.Build import cythonize
from setuptools import Extension, setup
include = [binwright.get_include()]
setup(name="bench", py_modules=[], ext_modules=[
    *cythonize([Extension(name, [name + ".pyx"], include_dirs=include) for name in ("embed_loop", "heat_cython")]),
    Extension("heat_c", ["heat_c.c"], include_dirs=include)])
"""


def build(folder: Path) -> None:
    """Compile the loop and the example's terms; they can be imported then."""
    shutil.copytree(HERE.parent / "examples" / "own_terms", folder, dirs_exist_ok=True)
    shutil.copy(HERE / "embed_loop.pyx", folder)
    (folder / "setup.py").write_text(SETUP, encoding="utf-8")
    subprocess.run([sys.executable, "setup.py", "-q", "build_ext", "--inplace"], cwd=folder, check=True)
    sys.path.insert(0, str(folder))


def best(work: Callable[[], Any], clock: Callable[[], float] = time.thread_time) -> tuple[float, Any]:
    """(seconds of the quickest round, what the last one returned)."""
    seconds = []
    for _ in range(ROUNDS):
        start = clock()
        answer = work()
        seconds.append(clock() - start)
    return min(seconds), answer


def fleet(profile: binwright.Profile | None = None) -> binwright.Fleet:
    cells = np.random.default_rng(7).integers(16, 129, HOSTS)
    return binwright.Fleet({"cpu": cells, "memory": cells * 4}, profile=profile)


def interfaces(count: int) -> dict[str, float]:
    """Nanoseconds of one decision among 10,000 hosts, by index: single calls and a batch."""
    loop = importlib.import_module("embed_loop")
    base = fleet()
    job = base.request({"cpu": 2, "memory": 3})
    base.place(job)

    def singly() -> int:
        mine = base.fork()
        return sum(int(mine.place(job).hosts[0]) for _ in range(count))

    def batch() -> int:
        return int(base.fork().place(job, count).hosts.sum())

    def cython() -> int:
        return loop.Loop(base).run(job.index, count)

    found = {}
    sums = set()
    for name, work in (
        ("python, call a decision", singly),
        ("python, batch", batch),
        ("cython, call a decision", cython),
    ):
        seconds, total = best(work)
        found[name] = seconds / count * 1e9
        sums.add(total)
    assert len(sums) == 1, sums
    return found


def own_terms(count: int) -> dict[str, float]:
    """Nanoseconds of one decision with the example's term, which is asked anew every time."""
    rules = (binwright.Rule("heat"), binwright.Rule("fit", "fit"))
    profile = binwright.Profile(rules=rules, scores=(binwright.static_score("cool", normalise="max"),))
    found, sums = {}, set()
    for language in ("python", "cython", "c"):
        module = importlib.import_module(f"heat_{language}")
        base = fleet(profile)
        job = base.request({"cpu": 2}, external=[module.heat(1000, 300)])

        def work(base: binwright.Fleet = base, job: binwright.Request = job) -> int:
            return int(base.fork().place(job, count).hosts.sum())

        seconds, total = best(work)
        found[language] = seconds / count * 1e9
        sums.add(total)
    assert len(sums) == 1, sums
    return found


def two_threads(count: int) -> dict[str, float]:
    """Wall time of two forks one after the other, over that of both at once in two threads; median of the rounds."""
    loop = importlib.import_module("embed_loop")
    base = fleet(binwright.Profile(scores=(binwright.least_allocated({"cpu": 1}), binwright.static_score("s"))))
    job = base.request({"cpu": 1}, raw={"s": np.arange(HOSTS) % 7})

    def both(work: list[Callable[[], Any]], together: bool) -> float:
        threads = [threading.Thread(target=one) for one in work]
        start = time.perf_counter()
        for thread in threads:
            thread.start()
            if not together:
                thread.join()
        for thread in threads:
            thread.join()
        return time.perf_counter() - start

    def batches(each: Callable[[], Any]) -> float:
        ratios = []
        for _ in range(ROUNDS):
            apart = both([each(), each()], together=False)
            ratios.append(apart / both([each(), each()], together=True))
        return statistics.median(ratios)

    def python() -> Callable[[], Any]:
        mine = base.fork()
        return lambda: mine.place(job, count)

    def cython() -> Callable[[], Any]:
        mine = loop.Loop(base)
        return lambda: mine.run(job.index, count)

    return {"python, batch": batches(python), "cython, call a decision": batches(cython)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="write the figures there, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder))
        found = {
            "what": "embedding",
            "machine": machine.described(""),
            "hosts": HOSTS,
            "nanoseconds a decision": interfaces(20_000),
            "nanoseconds a decision with an external term": own_terms(1_000),
            "speed-up of two threads on two forks": two_threads(200_000),
        }
    for title, figures in found.items():
        if isinstance(figures, dict) and title != "machine":
            print(title)
            for name, figure in figures.items():
                print(f"  {name:24} {figure:12,.2f}")
    if options.out:
        options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
