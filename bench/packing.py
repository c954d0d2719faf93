"""Bin packing on the public instances: one JSON line an instance, a table per class beside the best known values.

`python bench/packing.py [--sets bp1d_selection,triplet:0.1,...] [--time-limit S] [--resume] [--jobs N]`
appends to bench/results/packing.jsonl; `--table` prints the table of what is there (those of docs/packing.md).
The limit is seconds of processor time, so that what else the machine does changes nothing (`--wall`: of the clock on
the wall). A set may carry a fraction, which is drawn with a fixed seed per class; `--most-items N` leaves out the
larger ones. Every answer is checked: packing and certificate by the package's own checker, value and bound against the
best known ones. The instances are read from ../shared beside the repository.
"""

import argparse
import datetime
import json
import lzma
import random
import statistics
import sys
import time
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from machine import commit

from binwright.packing import Items, pack

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "packing"
SETS = {
    "bp1d_selection": "bp1d/bp1d_selection",
    "bpplib_full": "bp1d/bpplib_full",
    "panigrahy": "vbp/panigrahy",
    "new": "vbp/new",
    "triplet": "vbp/triplet",
    "caprara_toth_2d": "vbp/caprara_toth_2d",
}
DEFAULT = "bp1d_selection,panigrahy:0.1,new:0.1,triplet:0.1,caprara_toth_2d:0.1"
SEED = 2026
SMALL = 120  # items up to which vector instances have a row of their own


def path_of(name):
    """The file of a set."""
    return DATA / f"{SETS[name]}.jsonl.xz"


def listed(name):
    """The instances of a set, in the order of its file."""
    with lzma.open(path_of(name), "rt") as lines:
        return [json.loads(line) for line in lines]


def instances(text):
    """(set, instance) of a list like "bp1d_selection,new:0.1"."""
    for part in text.split(","):
        name, _, share = part.partition(":")
        if not path_of(name).exists():
            sys.exit(f"bench/packing.py: {path_of(name)} is not there")
        classes = defaultdict(list)
        for instance in listed(name):
            classes[class_of(instance)].append(instance)
        for key, members in classes.items():
            random.Random(f"{SEED} {key}").shuffle(members)
            for instance in members[: max(round(float(share or 1) * len(members)), 1)]:
                yield name, instance


def class_of(instance):
    """Family, class and, for vectors, the number of resources."""
    family = instance["family"]
    if family in ("ai", "ani"):
        return f"{family} {instance['name'].split('_')[0]}"
    if instance.get("cls"):
        return f"{family} {instance['cls']}"
    return family


def measure(job):
    """Pack one instance; its line. A wrong answer is an error of the line, which the table shows."""
    name, instance, limit, wall, version = job
    rows = np.array(instance["items"])
    known = instance.get("ub", instance.get("opt"))
    line = {"set": name, "class": class_of(instance), "name": instance["name"], "n": instance["n"],
            "resources": rows.shape[1] - 1, "types": len(rows), "knownBound": instance.get("lb"), "known": known,
            "heuristic2024": instance.get("best_heuristic_2024"), "timeLimit": limit, "wall": wall,
            "date": datetime.date.today().isoformat(), "commit": version}  # fmt: skip
    start, cpu = time.perf_counter(), time.process_time()
    try:
        clock = time.perf_counter if wall else time.process_time
        result = pack(Items(rows[:, :-1], rows[:, -1]), instance["capacity"], time_limit=limit, clock=clock)
        result.verify()
    except Exception as error:
        return line | {"error": f"{type(error).__name__}: {error}"}
    line |= {
        "value": result.value, "bound": result.bound, "status": result.status, "proof": proof_kind(result),
        "iterations": result.iterations, "seconds": round(result.seconds, 3),
        "cpuSeconds": round(time.process_time() - cpu, 3), "wallSeconds": round(time.perf_counter() - start, 3),
        "notes": result.notes,
    }  # fmt: skip
    optimum = known if instance.get("status", "optimal") == "optimal" else None
    if (optimum is not None and not result.bound <= optimum <= result.value) or (
        instance.get("lb") is not None and result.value < instance["lb"]
    ):
        line["error"] = "contradicts the best known values"
    return line


def proof_kind(result):
    """How the bound is proven; of a proof by cases, how many."""
    kind = result.to_dict()["proof"]["kind"]
    return kind if result.cases is None else f"{kind} ({result.cases.cases})"


def table(path):
    """The table per class of a results file, as docs/packing.md has it; larger vector instances have their own rows."""
    classes = defaultdict(list)
    for text in path.read_text().splitlines():
        line = json.loads(text)
        classes[row_of(line["set"], line["class"], line["n"])].append(line)
    there = instances_there({name for name, _, _ in classes})
    print("| set | class | items | run of | proven | value = best known | bound >= best known "
          "| better than 2024 heuristics | median s | max s | limit s | date | commit | errors |\n"
          + "|---" * 14 + "|")  # fmt: skip
    for (name, key, items), lines in sorted(classes.items()):
        good = [line for line in lines if "error" not in line]
        times = [line["cpuSeconds"] for line in good] or [0]
        print(f"| {name} | {key} | {items} | {len(lines)} of {there.get((name, key, items), '?')} "
              f"| {sum(line['status'] == 'optimal' for line in good)} "
              f"| {share(good, 'known', lambda line: line['value'] <= line['known'])} "
              f"| {share(good, 'knownBound', lambda line: line['bound'] >= line['knownBound'])} "
              f"| {share(good, 'heuristic2024', lambda line: line['value'] < line['heuristic2024'])} "
              f"| {statistics.median(times):.2f} | {max(times):.1f} | {all_of(lines, 'timeLimit')} "
              f"| {all_of(lines, 'date')} | {all_of(lines, 'commit')} | {len(lines) - len(good)} |")  # fmt: skip
    print("\nSeconds are of the processor.")


def row_of(name, key, items):
    """The row of the table that an instance belongs to."""
    if SETS[name].startswith("bp1d"):
        return name, key, "any"
    return name, key, f"more than {SMALL}" if items > SMALL else f"up to {SMALL}"


def instances_there(names):
    """How many instances each row of these sets could have; nothing for sets that are absent."""
    there = Counter()
    for name in sorted(names):
        if path_of(name).exists():
            there.update(row_of(name, class_of(each), each["n"]) for each in listed(name))
    return there


def all_of(lines, field):
    """What a field holds in these lines, each once."""
    return ", ".join(sorted({f"{line[field]:g}" if field == "timeLimit" else line.get(field, "-") for line in lines}))


def share(lines, field, holds):
    """ "hits of those where the field is known"."""
    known = [line for line in lines if line[field] is not None]
    return f"{sum(map(holds, known))} of {len(known)}" if known else "-"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", default=DEFAULT)
    parser.add_argument("--time-limit", type=float, default=60.0, help="seconds of processor time an instance")
    parser.add_argument("--wall", action="store_true", help="the limit is of wall time")
    parser.add_argument("--resume", action="store_true", help="leave out what the results file has")
    parser.add_argument("--most-items", type=int, default=10**9, help="leave out instances with more items")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--results", type=Path, default=ROOT / "bench" / "results" / "packing.jsonl")
    parser.add_argument("--table", action="store_true", help="only print the table")
    options = parser.parse_args()
    if not options.table:
        done, version = set(), commit()
        if options.resume and options.results.exists():
            done = {json.loads(text)["name"] for text in options.results.read_text().splitlines()}
        jobs = [
            (name, each, options.time_limit, options.wall, version)
            for name, each in instances(options.sets)
            if each["name"] not in done and each["n"] <= options.most_items
        ]
        options.results.parent.mkdir(exist_ok=True)
        with options.results.open("a") as out, ProcessPoolExecutor(options.jobs) as pool:
            for line in pool.map(measure, jobs):
                out.write(json.dumps(line) + "\n")
                out.flush()
    table(options.results)


if __name__ == "__main__":
    main()
