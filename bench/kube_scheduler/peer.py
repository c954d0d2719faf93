"""The real kube-scheduler as a program: where it is, and what it answers. `bench/peers/kube_scheduler` builds it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PEER = Path(os.environ.get("KUBE_SCHEDULER", ROOT / "build" / "kube_scheduler"))

Json = dict[str, Any]


def answered(cases: list[Json]) -> list[Json]:
    """The cases with the peer's results in `expected`, or why the scheduler refuses a case in `refused`."""
    text = json.dumps({"cases": cases}).encode()
    done = subprocess.run([PEER, "verdicts"], input=text, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)["cases"]


def release() -> str:
    return subprocess.run([PEER, "version"], capture_output=True, text=True, check=True).stdout.strip()
