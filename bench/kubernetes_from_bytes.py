"""From JSON bytes to node names: how long a queue of 100,000 pods takes on one core, and where the time goes.

    python -m bench.kubernetes_from_bytes [--pods 100000] [--shapes 2000] [--nodes 5000] [--rounds 3]

The input is `kubectl_dump.waiting` as the API server writes it: about 2 KB a pod, siblings mixed at random, so that the
next pod is hardly ever of the same shape. CPU time, and that of the garbage collector is in it. Decisions of a sample
are repeated by the plain scan, in a fleet that was brought to that moment by claims.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from unittest import mock

import numpy as np

from bench.kubectl_dump import waiting
from bench.table import grid, short
from binwright import Fleet
from binwright.formats.files import Blob
from binwright.kubernetes import place
from binwright.kubernetes.compile import Cluster
from binwright.kubernetes.pending import sort_out
from binwright.kubernetes.reader import read_blobs
from binwright.outcome import SourceOutcome

Clock = dict[str, float]
STAGES = {
    "read": "bytes to objects",
    "queue": "who waits, in which order",
    "nodes": "pods told apart, nodes as columns",
    "classes": "shapes compiled",
    "decide": "decisions",
    "names": "names, rules that are not evaluated",
}


def text(pods: int, shapes: int, nodes: int) -> bytes:
    """The input: one List, without white space."""
    items = list(waiting(pods, shapes, nodes))
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, separators=(",", ":")).encode()


def measured(data: bytes) -> tuple[Clock, SourceOutcome]:
    """Seconds of CPU by stage, and the answer."""
    spent: Clock = dict.fromkeys(STAGES, 0.0)
    gc.collect()
    start = time.process_time()
    with ExitStack() as patches:
        for thing, name, stage in (
            (place, "sort_out", "queue"),
            (Cluster, "__init__", "nodes"),
            (Cluster, "request", "classes"),
            (Fleet, "place_many", "decide"),
        ):
            patches.enter_context(mock.patch.object(thing, name, timed(getattr(thing, name), spent, stage)))
        objects = read_blobs([Blob("bench", data)])
        spent["read"] = time.process_time() - start
        outcome = place.place_read("bench", objects)
    whole = time.process_time() - start
    spent["names"] = whole - sum(spent.values())
    return spent, outcome


def timed(method: Callable[..., Any], spent: Clock, stage: str) -> Callable[..., Any]:
    """The same method, which adds to the clock what it takes; an inner call belongs to the outer one."""

    def measuring(*arguments: Any, **named: Any) -> Any:
        start = time.process_time()
        result = method(*arguments, **named)
        spent[stage] += time.process_time() - start
        return result

    return measuring


def check(data: bytes, outcome: SourceOutcome, sample: int, seed: int = 1) -> None:
    """Repeat some decisions by the plain scan. Raises AssertionError for any other host or score."""
    objects = read_blobs([Blob("bench", data)])
    queue = sort_out(objects.pods).pending
    cluster = Cluster(objects.nodes, queue)
    told = {(one.namespace, one.name): one for one in (*outcome.placed, *outcome.unplaced)}
    answers = [told[pod.metadata.namespace or "default", pod.metadata.name or ""] for pod in queue]
    hosts = np.array([-1 if one.host is None else cluster.nodes.index[one.host] for one in answers])
    requests = [cluster._sought(pod, False) for pod in queue]  # each pod read by itself
    done = 0
    for moment in sorted(random.Random(seed).sample(range(len(queue)), sample)):
        placed = [number for number in range(done, moment) if hosts[number] >= 0]
        if placed:
            cluster.fleet.claim_many(*distinct([requests[number] for number in placed]), hosts[placed])
        done = moment
        look = cluster.fleet.explain(requests[moment], live=True)
        assert (look.host if look.host is not None else -1) == hosts[moment], queue[moment].key
        assert look.host is None or look.score == answers[moment].score, queue[moment].key


def distinct(requests: list[Any]) -> tuple[list[Any], np.ndarray]:
    position = {request: number for number, request in enumerate(dict.fromkeys(requests))}
    return list(position), np.array([position[request] for request in requests], np.int64)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pods", type=int, default=100_000)
    parser.add_argument("--shapes", type=int, default=2_000)
    parser.add_argument("--nodes", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    data = text(options.pods, options.shapes, options.nodes)
    rounds = []
    for _ in range(options.rounds):
        spent, outcome = measured(data)
        rounds.append(spent)
    check(data, outcome, 50)
    best = min(rounds, key=lambda spent: sum(spent.values()))
    rows = [[caption, f"{best[stage]:.2f}"] for stage, caption in STAGES.items()]
    sizes = f"{options.pods:,} pods of {options.shapes:,} shapes, {options.nodes:,} nodes, {len(data) / 1e6:.0f} MB"
    print(grid([sizes, "seconds"], [*rows, ["together", f"{sum(best.values()):.2f}"]]))
    print(f"\n{short(len(outcome.placed) / sum(best.values()))} pods a second; {len(outcome.placed):,} placed")


if __name__ == "__main__":
    main()
