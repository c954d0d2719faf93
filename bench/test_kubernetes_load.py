"""How long a cluster of 50,000 pods takes from bytes to a placed queue, and how much memory it takes.

Each stage runs in a fresh process, so that its peak memory is its own. The dump is `kubectl_dump.py`'s, made once a
run: about 370 MB, indented as kubectl does. Asserts the promise of the project (objects in under 2 s of CPU and under
10 times the file's size) and that what was read is what was written.
`python -m pytest bench/test_kubernetes_load.py -s` shows the numbers.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.kubectl_dump import write_dump
from bench.kubernetes_from_bytes import check, measured, text

pytestmark = pytest.mark.slow

PODS, NODES = 50_000, 1_000

STAGES = """
import json, sys, time
from binwright.formats.files import read_path
from binwright.kubernetes.compile import Cluster
from binwright.kubernetes.pending import sort_out
from binwright.kubernetes.reader import read_blobs

def peak():
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))

before, start, found = peak(), time.process_time(), {}
objects = read_blobs(read_path(sys.argv[1]))
found["load"] = time.process_time() - start
if sys.argv[2] == "load":
    found |= {"nodes": len(objects.nodes), "pods": len(objects.pods)}
else:
    queue = sort_out(objects.pods)
    cluster = Cluster(objects.nodes, [*queue.bound, *queue.pending])
    strays = cluster.bind(queue.bound)
    classes = {cluster.request(pod).index for pod in queue.pending}
    found |= {"compile": time.process_time() - start - found["load"], "bound": len(queue.bound) - len(strays)}
    found |= {"pending": len(queue.pending), "classes": len(classes)}
found["bytes"] = peak() - before
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def dump(tmp_path_factory):
    path = tmp_path_factory.mktemp("dump") / "cluster.json"
    write_dump(str(path), PODS, NODES)
    return path


def run(dump: Path, stage: str) -> dict:
    if not Path("/proc/self/status").exists():
        pytest.skip("peak memory is read from /proc")
    done = subprocess.run(
        [sys.executable, "-c", STAGES, str(dump), stage], capture_output=True, text=True, check=True, env=os.environ
    )
    found = json.loads(done.stdout)
    size = dump.stat().st_size
    print(f"\n{stage}: {size / 1e6:.0f} MB, {found}, {found['bytes'] / size:.1f} times the file's size")
    return found


def test_load(dump):
    found = run(dump, "load")
    assert (found["nodes"], found["pods"]) == (NODES, PODS)
    assert found["load"] < 2
    assert found["bytes"] < 10 * dump.stat().st_size


def test_compile_and_bind(dump):
    found = run(dump, "compile")
    assert found["bound"] + found["pending"] == PODS
    assert found["bytes"] < 10 * dump.stat().st_size


def test_from_bytes_to_node_names():
    """Shapes that are met again and again are decided as if each pod were read by itself, by the plain scan."""
    data = text(pods=5_000, shapes=100, nodes=300)
    _, outcome = measured(data)
    assert len(outcome.placed) + len(outcome.unplaced) == 5_000
    check(data, outcome, 200)
