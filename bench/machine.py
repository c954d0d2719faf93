"""What a measurement was made on: processor, system, versions, commit, load. Reads only."""

import datetime
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

from binwright._core import kernels
from binwright.bench.results import processor

ROOT = Path(__file__).parents[1]


def commit() -> str:
    """Abbreviated commit, with "+" where tracked sources differ from it; "unknown" outside of a clone."""
    command = ["git", "describe", "--always", "--exclude=*", "--abbrev=12"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        return "unknown"
    changed = subprocess.run(
        ["git", "diff", "--quiet", "HEAD", "--", "_core", "src", "bench", "setup.py"], cwd=ROOT, check=False
    )
    return done.stdout.strip() + ("+" if changed.returncode else "")


def described(compiler: str) -> dict[str, Any]:
    """Everything that a reader needs to repeat a measurement; `compiler` built the core."""
    versions = {name: metadata.version(name) for name in ("binwright", "numpy", "pytest-benchmark")}
    return {
        "date": datetime.date.today().isoformat(),
        "commit": commit(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "load_average": os.getloadavg()[0],
        "kernels": kernels.current(),
        "versions": {"python": platform.python_version(), "compiler": compiler, **versions},
    }
