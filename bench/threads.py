"""One decision on several threads against one: requests that bounds decide, the same ones in the same state.

    python -m bench.threads [--hosts N ...] [--threads N] [--seconds S] [--results FILE]

Batches of a few decisions run on one thread and on several in turn, each from the state where the other began; both
must decide the same. Printed are microseconds a decision, wall clock, best and median batch, and processor time of all
threads (helpers look for work between decisions, which is in it): on a machine with free processors the medians count,
on a busy one the best at most. --results appends a JSON line a case, raw samples included.
"""

import argparse
import json
import statistics
import time
from array import array
from collections.abc import Iterator
from typing import Any

from bench import machine
from bench.index_workloads import Indexed, make
from binwright._core import crew, place
from binwright.bench.workloads import Answers

HOSTS = (20_000, 50_000, 100_000, 200_000, 1_000_000)
WORK = ("index_turns_2000", "index_different")
BATCH_HOSTS = 2_000_000  # of the decisions of a batch, 16 at most: it shall keep its processors on a busy machine too
SECONDS = 4.0  # of a case


def batches(unit: Indexed, batch: int) -> Iterator[Any]:
    """Slices of the unit's queue, round and round."""
    while True:
        for first in range(0, unit.decisions - batch + 1, batch):
            yield array("q", unit.queue[first : first + batch])


def measured(name: str, hosts: int, threads: int, seconds: float) -> dict[str, Any]:
    """Seconds a decision by number of threads, one sample a batch."""
    unit = make(name, hosts)
    assert isinstance(unit, Indexed)
    unit.run()  # columns of all selectors, potentials
    state, scan = unit.state, unit.state.scan
    samples: dict[int, list[tuple[float, float]]] = {1: [], threads: []}
    batch = min(max(2, BATCH_HOSTS // hosts), 16)
    helped, read = crew.helped(), dict.fromkeys(samples, 0)
    end = time.perf_counter() + seconds
    for number, queue in enumerate(batches(unit, batch)):
        if time.perf_counter() > end and number >= 5:
            break
        decided = []
        for turn, count in enumerate(sorted(samples, reverse=bool(number % 2))):
            scan.threads = count
            token, answers, before = state.checkpoint(), Answers(batch), state.indexes.filter.read
            cpu, wall = time.process_time(), time.perf_counter()
            place.place_queue(state, queue, *answers.columns())
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            samples[count].append((wall / batch, cpu / batch))
            read[count] += state.indexes.filter.read - before
            decided.append((answers.hosts, answers.scores, answers.verdicts))
            if turn == 0:
                state.rollback(token)
            else:
                state.keep(token)
        assert decided[0] == decided[1]
    decisions = batch * len(samples[1])
    scan.threads = 1
    unit.reset()
    unit.run()
    unit.check()
    return {
        "work": name,
        "hosts": hosts,
        "threads": threads,
        "blocks_read": {str(count): read[count] / decisions for count in samples},
        "pieces_of_helpers": (crew.helped() - helped) / decisions,
        "wall": {str(count): [round(wall, 9) for wall, _ in kept] for count, kept in samples.items()},
        "cpu": {str(count): [round(cpu, 9) for _, cpu in kept] for count, kept in samples.items()},
    }


def line_of(found: dict[str, Any]) -> str:
    """A row of the table."""
    one, more = found["wall"]["1"], found["wall"][str(found["threads"])]
    best, median = [1e6 * min(kept) for kept in (one, more)], [1e6 * statistics.median(kept) for kept in (one, more)]
    cpu = [1e6 * statistics.median(found["cpu"][count]) for count in ("1", str(found["threads"]))]
    return (
        f"{found['work']:<18}{found['hosts']:>9,}{found['blocks_read']['1']:>8,.0f}{found['pieces_of_helpers']:>8.1f}"
        f"{best[0]:>10.1f}{best[1]:>8.1f}{best[0] / best[1]:>6.2f}{median[0]:>10.1f}{median[1]:>8.1f}"
        f"{median[0] / median[1]:>6.2f}{cpu[0]:>10.1f}{cpu[1]:>8.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.threads", description=__doc__.splitlines()[0])
    parser.add_argument("--hosts", type=int, nargs="+", default=HOSTS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--results")
    given = parser.parse_args()
    print(f"us a decision, 1 and {given.threads} threads: best batch, ratio; median, ratio; processor time, median")
    print(
        f"{'work':<18}{'hosts':>9}{'blocks':>8}{'helped':>8}{'best':>10}{'':>8}{'':>6}{'median':>10}{'':>14}{'cpu':>10}"
    )
    for name in WORK:
        for hosts in given.hosts:
            found = measured(name, hosts, given.threads, given.seconds)
            print(line_of(found), flush=True)
            if given.results:
                with open(given.results, "a", encoding="utf-8") as out:
                    out.write(json.dumps({**found, "machine": machine.described("-")}) + "\n")


if __name__ == "__main__":
    main()
