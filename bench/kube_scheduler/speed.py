"""Pods per second: the real kube-scheduler beside binwright, on the same objects in the same run.

    python -m bench.kube_scheduler.speed [--nodes 100,1000,5000] [--results FILE] [--workloads NAME,...]
    python -m bench.kube_scheduler.speed --from FILE      the table of an earlier run

The workloads are those of upstream's scheduler_perf as ../shared/vectors/kubernetes/workloads.py has them, with as
many waiting pods as the nodes hold. The peer decides the first of them only (`FIRST`), every node scored and with its
own sampling; binwright decides the same first ones, and all. Both count what they placed, which must be equal. "From
objects" adds building the state, and every pod's outcome by name, to the time of the decisions; "from JSON" reading
the files, too. Ten minutes on two idle cores.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from bench import machine
from bench.kube_scheduler.peer import PEER, release
from bench.table import RESULTS, grid, short
from binwright import Fleet
from binwright.bench import instructions
from binwright.formats.files import read_path
from binwright.kubernetes.place import place_read
from binwright.kubernetes.reader import read_blobs

WORKLOADS = machine.ROOT.parent / "shared" / "vectors" / "kubernetes" / "workloads.py"
FIRST = {100: (4_000, 4_000), 1_000: (600, 1_500), 5_000: (120, 500)}
"""Nodes -> how many pods the peer decides: every node scored, and with its own sampling."""
ON_A_NODE = 40
"""Pods that a node of the workloads holds: 4 cpu, 100m each."""
ROUNDS = 3

Json = dict[str, Any]


# ---- the objects -------------------------------------------------------------------------------------------------


def expand(workload: str, nodes: int, folder: Path, most: int | None = None) -> int:
    """Write the objects of a workload, one JSON list a kind; returns how many pods wait."""
    spec = importlib.util.spec_from_file_location("workloads", WORKLOADS)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.MEASURE = {nodes: ON_A_NODE * nodes}
    found, init, pods, others = module.build(workload, nodes)
    room = nodes if workload == "SchedulingPodAntiAffinity" else ON_A_NODE * nodes
    pods = pods[: room - len(init)]
    if len(pods) < room - len(init):  # workloads.py cuts those that repel each other
        pods += [module.W[workload][2](f"m-{at:05d}", "sched-1") for at in range(len(pods), room - len(init))]
    pods = pods[:most]
    folder.mkdir(exist_ok=True)
    for name, kind, objects in (
        ("nodes", "Node", found), ("init", "Pod", init), ("pods", "Pod", pods),
        ("namespaces", "Namespace", others["namespaces"]),
    ):  # fmt: skip
        listed = [{"apiVersion": "v1", "kind": kind, **one} for one in objects]
        (folder / f"{name}.json").write_text(json.dumps(listed, separators=(",", ":")), encoding="utf-8")
    return len(pods)


# ---- the two -----------------------------------------------------------------------------------------------------


def peer(folder: Path, pods: int, percentage: int) -> Json:
    """One run of the real scheduler; percentage 0 adapts."""
    command = [PEER, "speed", folder, "-percentage", str(percentage), "-pods", str(pods)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def binwright(folder: Path, rounds: int) -> Json:
    """Best of some rounds: `fromJson` from the files to every pod's outcome, of it `fromObjects` from what was read,
    and `seconds` in the core.
    """
    best: Json = {}
    for _ in range(rounds):
        gc.collect()
        core: list[float] = []
        with mock.patch.object(Fleet, "place_many", timed(Fleet.place_many, core)):
            start = time.perf_counter()
            objects = read_blobs(read_path(str(folder)))
            read = time.perf_counter() - start
            outcome = place_read("speed", objects)
            whole = time.perf_counter() - start
        found = {"fromJson": whole, "fromObjects": whole - read, "seconds": sum(core), "placed": len(outcome.placed)}
        best = {key: min(value, best.get(key, value)) for key, value in found.items()}
    return best


def timed(method: Callable[..., Any], spent: list[float]) -> Callable[..., Any]:
    """The same method, which notes how long it took."""

    def measuring(*arguments: Any, **named: Any) -> Any:
        start = time.perf_counter()
        result = method(*arguments, **named)
        spent.append(time.perf_counter() - start)
        return result

    return measuring


def measured(workload: str, nodes: int) -> Json:
    """Both on one workload."""
    every, sampled = FIRST[nodes]
    with tempfile.TemporaryDirectory() as scratch:
        first, full = Path(scratch) / "first", Path(scratch) / "full"
        expand(workload, nodes, first, every)
        waiting = expand(workload, nodes, full)
        record: Json = {"workload": workload, "nodes": nodes, "waiting": waiting}
        record["peer"] = peer(first, every, 100)
        record["peerSampling"] = peer(full, sampled, 0)
        record["binwright"] = binwright(first, ROUNDS)
        record["binwrightAll"] = binwright(full, ROUNDS)
    assert record["peer"]["placed"] == record["binwright"]["placed"], f"{workload}: {record}"
    return record


# ---- the table ---------------------------------------------------------------------------------------------------


def rates(record: Json) -> Iterator[str]:
    """The cells of one row."""
    theirs, sampled, same, full = (record[key] for key in ("peer", "peerSampling", "binwright", "binwrightAll"))
    yield record["workload"].removeprefix("Scheduling")
    yield f"{record['nodes']:,}"
    yield short(theirs["placed"] / theirs["seconds"])
    yield short(sampled["placed"] / sampled["seconds"])
    yield short(same["placed"] / same["seconds"])
    yield short(full["placed"] / full["seconds"])
    yield short(full["placed"] / full["fromObjects"]) if "fromObjects" in full else ""
    yield short(theirs["placed"] / (theirs["readSeconds"] + theirs["buildSeconds"] + theirs["seconds"]))
    yield short(same["placed"] / same["fromJson"])
    yield short(full["placed"] / full["fromJson"])
    yield f"{theirs['placed']:,} / {sampled['placed']:,} / {full['placed']:,}"


def table(found: Json) -> str:
    """The markdown; everything in it comes from a run."""
    head = (
        *("pods per second", "nodes", "kube-scheduler", "with its sampling", "binwright, the same pods"),
        *("binwright, all pods", "from objects: binwright, all", "from JSON: kube-scheduler", "binwright, the same"),
        *("binwright, all", "pods placed"),
    )
    on = found["machine"]
    origin = (
        f"{on['date']}, {on['processor']}, {on['cores']} cores, load average {on['load_average']:.1f} at the start, "
        f"kube-scheduler {found['release']} (16 workers on all cores) and commit {on['commit']} (one core). The peer "
        "decides the first pods only, every node scored or with its own sampling; binwright scores every node. The "
        "last column has the pods placed by the peer, by the peer with sampling, by binwright until the nodes are full."
    )
    return origin + "\n\n" + grid(head, [list(rates(record)) for record in found["runs"]])


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--nodes", default=",".join(map(str, FIRST)))
    parser.add_argument("--workloads", default="")
    parser.add_argument("--results", type=Path)
    parser.add_argument("--from", dest="earlier", type=Path)
    options = parser.parse_args()
    if options.earlier:
        print(table(json.loads(options.earlier.read_text(encoding="utf-8"))))
        return 0
    if not PEER.exists() or not WORKLOADS.exists():
        parser.error(f"{PEER} (bench/peers/kube_scheduler/README.md builds it) and {WORKLOADS} are needed")
    names = (
        options.workloads.split(",")
        if options.workloads
        else list(json.loads(WORKLOADS.with_suffix(".json").read_text())["workloads"])
    )
    compiler = instructions.key_of(instructions.core_folder(), instructions.copy_to_force()).split(", ")[1]
    found: Json = {"what": "kube-scheduler", "machine": machine.described(compiler), "release": release(), "runs": []}
    for nodes in map(int, options.nodes.split(",")):
        for name in names:
            record = measured(name, nodes)
            found["runs"].append(record)
            print(*rates(record), sep="  ", file=sys.stderr, flush=True)
    RESULTS.mkdir(exist_ok=True)
    path = options.results or RESULTS / f"{found['machine']['date']}-{found['what']}.json"
    runs = ",\n".join(json.dumps(record) for record in found.pop("runs"))
    path.write_text(json.dumps(found)[:-1] + f', "runs": [\n{runs}\n]}}\n', encoding="utf-8")
    print(table(json.loads(path.read_text(encoding="utf-8"))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
