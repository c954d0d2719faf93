"""The extender under the real kube-scheduler: pods a second, and how long each call takes as the scheduler feels it.

    python -m bench.extender [--quick] [--results FILE]
    python -m bench.extender --from FILE       the table of an earlier run

`binwright serve extender` runs as a process of its own on loopback; the Go program of bench/peers/kube_scheduler calls
it by the scheduler's own HTTP client: 1,000 pods on 1,000 nodes are filtered, prioritized and bound through it, beside
the same scheduler without an extender; then 1 and 16 clients ask about all of 1,000 and 5,000 nodes, with names only
(nodeCacheCapable) and with whole nodes. What the service holds afterwards is held against what was placed. Raw samples
go to bench/results. Five minutes on two idle cores; the client's work is part of every time.
"""

from __future__ import annotations

import argparse
import json
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import machine
from bench.kube_scheduler.peer import PEER, release
from bench.kube_scheduler.speed import expand

WORKLOAD = "SchedulingBasic"
SIZES = (1_000, 5_000)
CALLS = {(True, 1): 300, (True, 16): 40, (False, 1): 40, (False, 16): 4}
"""(names only, clients) -> calls of each verb by each client; a quarter of it at 5,000 nodes with whole ones."""
PODS = {"none": 1_000, "names": 1_000, "nodes": 200}
"""How the nodes travel -> pods scheduled: fewer with whole ones, since a bound pod that nobody confirms expires."""

Json = dict[str, Any]


@contextmanager
def service(folder: Path) -> Iterator[str]:
    """A running service with the nodes and bound pods of a workload; gives its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = ["serve", "extender", "--complete", "--state", str(folder), "--port", str(port), "--max-body", "256Mi"]
    process = subprocess.Popen([sys.executable, "-m", "binwright.cli", *words], stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 120
        while not answers(f"{url}/readyz"):
            assert process.poll() is None, "the service ended"
            assert time.monotonic() < deadline, "the service did not become ready"
            time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False


def seen(url: str) -> Json:
    """What the service holds."""
    with urllib.request.urlopen(f"{url}/v1/overview", timeout=60) as answer:
        found = json.loads(answer.read())
    return {"pods": found["summary"]["pods"], "used": {one["name"]: one["used"] for one in found["resources"]}}


def spent(url: str) -> dict[str, float]:
    """Seconds of an average answer in the service itself, by verb."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=60) as answer:
        text = answer.read().decode()
    of_verb = r"binwright_plugin_execution_duration_seconds_{}{{extension_point=\"(\w+)\".*}} (\S+)"
    sums, counts = (dict(re.findall(of_verb.format(what), text)) for what in ("sum", "count"))
    return {verb: float(sums[verb]) / float(counts[verb]) for verb in sums}


def peer(*words: str) -> Json:
    done = subprocess.run([PEER, *words], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def scheduled(scratch: Path, nodes: int, travel: str, pods: int) -> Json:
    """The scheduler's own run over a workload; with an extender the service must hold just what was placed."""
    state, work = folders(scratch, nodes)
    common = ["speed", str(work), "-pods", str(pods), "-samples"]
    if travel == "none":
        return {"travel": travel, **peer(*common)}
    with service(state) as url:
        before = seen(url)
        found = peer(*common, "-extender", f"{url}/v1", f"-names={str(travel == 'names').lower()}")
        after = seen(url)
    assert found["placed"] == pods == after["pods"] - before["pods"], (found["placed"], after)
    assert after["used"]["cpu"] - before["used"]["cpu"] == pods * 100, "every pod asks for 100m"
    return {"travel": travel, **found}


def called(scratch: Path, nodes: int, names: bool, clients: int, quick: bool) -> Json:
    """Calls by some clients at once; the Go program checks that every node is answered for."""
    state, work = folders(scratch, nodes)
    count = CALLS[names, clients] // (4 if nodes > 1_000 and not names else 1) // (4 if quick else 1)
    with service(state) as url:
        found = peer(
            "calls", str(work), "-extender", f"{url}/v1", f"-names={str(names).lower()}",
            "-clients", str(clients), "-calls", str(max(count, 1)),
        )  # fmt: skip
        return found | {"serviceSeconds": spent(url)}


def folders(scratch: Path, nodes: int) -> tuple[Path, Path]:
    """(what the service begins with, what the scheduler reads) of a workload, made once."""
    state, work = scratch / f"state{nodes}", scratch / f"work{nodes}"
    if not work.exists():
        expand(WORKLOAD, nodes, work, 2_000)
        state.mkdir()
        for name in ("nodes", "init", "namespaces"):
            (state / f"{name}.json").write_bytes((work / f"{name}.json").read_bytes())
    return state, work


def measure(quick: bool) -> Json:
    found: Json = {"what": "extender", "machine": machine.described("of the wheel"), "release": release()}
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        found["scheduled"] = [
            scheduled(scratch, SIZES[0], travel, pods // (4 if quick else 1)) for travel, pods in PODS.items()
        ]
        for one in found["scheduled"]:
            del one["hosts"]
        found["calls"] = [
            called(scratch, nodes, names, clients, quick)
            for nodes in SIZES
            for names, clients in CALLS
        ]  # fmt: skip
    return found


def quantile(samples: list[float], share: float) -> float:
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def table(found: Json) -> Iterator[str]:
    """Milliseconds; p99 of fewer than a hundred samples is their largest."""
    yield f"kube-scheduler {found['release']}, {found['machine']['processor']}, {found['machine']['cores']} cores"
    yield "| scheduling | nodes | pods | pods/s | p50 ms | p99 ms |"
    yield "|---|---|---|---|---|---|"
    words = {"none": "without an extender", "names": "through it, names", "nodes": "through it, whole nodes"}
    for one in found["scheduled"]:
        times = [quantile(one["microseconds"], share) / 1000 for share in (0.5, 0.99)]
        rate = one["placed"] / one["seconds"]
        cells = f"{one['nodes']:,} | {one['placed']:,} | {rate:,.0f} | {times[0]:.2f} | {times[1]:.2f}"
        yield f"| {words[one['travel']]} | {cells} |"
    yield ""
    yield "| calls | nodes | clients | calls/s | filter p50 | p99 ms | prioritize p50 | p99 ms | in the service |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for one in found["calls"]:
        cells = [
            f"{quantile(one[verb], share) / 1000:.2f}"
            for verb in ("filterMicroseconds", "prioritizeMicroseconds")
            for share in (0.5, 0.99)
        ]
        travel = "names" if one["nodeCacheCapable"] else "whole nodes"
        cells.append(" / ".join(f"{one['serviceSeconds'][verb] * 1000:.2f}" for verb in ("filter", "prioritize")))
        rate = 2 * len(one["filterMicroseconds"]) / one["seconds"]
        yield f"| {travel} | {one['nodes']:,} | {one['clients']} | {rate:,.0f} | {' | '.join(cells)} |"


def main() -> None:
    reading = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reading.add_argument("--quick", action="store_true", help="a quarter of everything")
    reading.add_argument("--results", type=Path, help="where the raw samples go")
    reading.add_argument("--from", dest="earlier", type=Path, help="an earlier run's file")
    options = reading.parse_args()
    if options.earlier:
        found = json.loads(options.earlier.read_text(encoding="utf-8"))
    else:
        found = measure(options.quick)
        if options.results:
            options.results.write_text(json.dumps(found) + "\n", encoding="utf-8")
    print("\n".join(table(found)))


if __name__ == "__main__":
    main()
