"""The core's arrays: at most 64 bytes a host, and 16 for each of its resources (docs/index.md, section 3), the block
filter's columns, which are made when requests differ, among them.
"""

import ctypes
import json
import subprocess
import sys

import pytest

from bench.memory import ROOT

HOSTS = 100_000
FIXED = 100_000  # bytes of a fleet whatever its size


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="malloc tells nothing before glibc 2.33")
@pytest.mark.parametrize("resources", [4, 8])
def test_a_fleet_that_has_decided_holds_no_more(resources):
    command = [sys.executable, "-m", "bench.memory", "--core", str(HOSTS), str(resources)]
    found = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
    assert found["filter_bytes_per_host"] > 4 * resources
    assert found["core_bytes_per_host"] <= 64 + 16 * resources + FIXED / HOSTS
