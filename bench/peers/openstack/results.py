"""Writes what a comparison with the real services found, with the machine and the versions. Nothing else."""

import datetime
import json
import os
import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.machine import commit, processor


def write_results(path: Path, peers: Iterable[str], found: dict[str, Any]) -> None:
    """One JSON object; the load tells how busy the machine was with other things."""
    machine = {
        "date": datetime.date.today().isoformat(),
        "commit": commit(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "load_average": [round(load, 1) for load in os.getloadavg()],
        "note": "wall-clock times on a machine that others use too, see load_average; peers and binwright in one run",
        "versions": {name: version(name) for name in ("binwright", "numpy", "SQLAlchemy", *peers)}
        | {"python": platform.python_version()},
    }
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"machine": machine, **found}, indent=1) + "\n")
    print(f"written: {path}")
