"""Results of a run as JSON, read back, compared, gathered into a history."""

import datetime
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from binwright.bench.times import Timed
from binwright.errors import InputError

KIND = "BenchResult"
PAIRS = 5  # runs of each side where interpreters are compared, in turn


@dataclass(frozen=True)
class Change:
    """One workload of two results: times over calibration, and the second over the first."""

    work: str
    hosts: int
    resources: int
    before: float
    after: float

    @property
    def factor(self) -> float:
        """Above 1 is slower."""
        return self.after / self.before


def result(found: Iterable[Timed]) -> dict[str, Any]:
    """The document of a run: what it was made on, and each workload's raw samples."""
    from binwright import __version__
    from binwright._core import kernels

    return {
        "apiVersion": "binwright.io/v1alpha1",
        "kind": KIND,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "binwright": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "processor": processor(),
        "cores": os.cpu_count(),
        "kernels": kernels.current(),
        "records": [one.to_dict() for one in found],
    }


def processor() -> str:
    """Name of the processor as Linux gives it, else of its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """A result that was saved. Raises InputError for another file."""
    return _checked(os.fspath(path), Path(path).read_bytes())


def _checked(where: str, text: bytes) -> dict[str, Any]:
    try:
        document = json.loads(text)
        records(document)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InputError(f"{where}: not a result of `python -m binwright.bench`") from None
    return dict(document)


def records(document: dict[str, Any]) -> list[Timed]:
    """The workloads of a result."""
    if document["kind"] != KIND:
        raise ValueError(KIND)
    return [Timed(**{**one, "seconds": tuple(map(float, one["seconds"]))}) for one in document["records"]]


def compared(before: Sequence[Timed], after: Sequence[Timed]) -> list[Change]:
    """The workloads that both have, by the ratio to the calibration loop."""
    old = {(one.work, one.hosts, one.resources): one.ratio for one in before}
    return [
        Change(one.work, one.hosts, one.resources, old[key], one.ratio)
        for one in after
        if (key := (one.work, one.hosts, one.resources)) in old
    ]


def of_interpreters(first: str, second: str, options: Sequence[str]) -> tuple[list[Timed], list[Timed]]:
    """What two Pythons, each with its own binwright, take for the same: run in turn, the best of each."""
    sides: tuple[list[Timed], list[Timed]] = ([], [])
    for _ in range(PAIRS):
        for side, python in zip(sides, (first, second), strict=True):
            side += records(run_by(python, options))
    best = []
    for side in sides:
        fastest: dict[tuple[str, int, int], Timed] = {}
        for one in side:
            key = one.work, one.hosts, one.resources
            if key not in fastest or one.ratio < fastest[key].ratio:
                fastest[key] = one
        best.append(list(fastest.values()))
    return best[0], best[1]


def run_by(python: str, options: Sequence[str]) -> dict[str, Any]:
    """The result of `PYTHON -m binwright.bench times`."""
    command = [python, "-m", "binwright.bench", "times", "-o", "json", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise InputError(f"{python}: exit code {done.returncode}: {last}")
    return dict(json.loads(done.stdout))


def is_interpreter(name: str) -> bool:
    """Whether a side of a comparison is a Python rather than a saved result."""
    return name == sys.executable or (os.access(name, os.X_OK) and Path(name).is_file())


def append(path: str | os.PathLike[str], document: dict[str, Any]) -> None:
    """Add a result to a history, a JSON line each."""
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(document, separators=(",", ":")) + "\n")


def history(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """The results of a history, oldest first. Raises InputError naming the line."""
    lines = Path(path).read_bytes().splitlines()
    return [_checked(f"{path}: line {number}", text) for number, text in enumerate(lines, 1)]
