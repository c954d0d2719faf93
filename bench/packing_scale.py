"""Bin packing at scale: real arrivals on three host sizes, virtual machine shapes by the million, all shapes different.

`python bench/packing_scale.py [--results FILE]`: one JSON line a case, wall and processor seconds from arrays in memory
to the checked result, grouping included; asserts that value is never below bound. Real arrivals: the Azure V1 trace in
../shared (CC BY 4.0, Cortez et al., SOSP 2017), left out when it is absent.
"""

import argparse
import csv
import json
import lzma
import time
from pathlib import Path

import numpy as np

from binwright.packing import pack

ROOT = Path(__file__).resolve().parents[1]
TRACE = ROOT.parent / "shared" / "data" / "traces" / "azure_v1_vm_arrivals" / "v1_train_arrivals.csv.xz"
SEED = 2026


def azure():
    """Arrivals as hundredths of a core and of a GB, (n, 2)."""
    with lzma.open(TRACE, "rt") as lines:
        reader = csv.reader(lines)
        head = next(reader)
        columns = head.index("vcpu"), head.index("mem_gb")
        return np.array([[round(100 * float(row[at])) for at in columns] for row in reader], np.int64)


def shapes(items):
    """`items` of 24 four-dimensional shapes with uneven shares: vCPUs, GB, GB of disk, network slots."""
    rng = np.random.default_rng(SEED)
    vcpus = rng.choice([1, 2, 4, 8, 16, 32], 24)
    table = np.stack(
        [vcpus, vcpus * rng.choice([1, 2, 4, 8], 24), rng.integers(1, 40, 24) * 10, rng.integers(1, 20, 24)], axis=1
    )
    return table[rng.choice(24, items, p=rng.dirichlet(np.full(24, 0.7)))].astype(np.int64)


def different(items):
    """`items` of independent uniform demands, 1 to 40 % of a bin in each of four resources."""
    return np.random.default_rng(SEED).integers(10_000, 400_000, (items, 4))


def measure(name, items, capacity, **limits):
    """One case as a dict."""
    start, cpu = time.perf_counter(), time.process_time()
    result = pack(items, capacity, **limits)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    assert result.bound <= result.value
    return {"case": name, "items": len(items), "types": result.problem.types, "limits": limits, "value": result.value,
            "bound": result.bound, "gap": result.gap, "status": result.status, "iterations": result.iterations,
            "seconds": round(seconds, 3), "cpuSeconds": round(cpu, 3)}  # fmt: skip


def cases():
    pack([1, 2], 3)  # imports
    pack(shapes(200), [128, 512, 2000, 200], iterations=20)
    if TRACE.exists():
        arrivals = azure()
        for cores, memory in ((64, 256), (48, 192), (96, 384)):
            yield measure(f"azure, hosts {cores}c/{memory}G", arrivals, [100 * cores, 100 * memory], time_limit=10)
    for items in (10_000, 100_000, 1_000_000):
        yield measure("24 shapes, 4 resources", shapes(items), [128, 512, 2000, 200], time_limit=10)
    yield measure("24 shapes, 4 resources, constructive", shapes(1_000_000), [128, 512, 2000, 200], iterations=0)
    for items in (100_000, 1_000_000):
        yield measure("all different, 4 resources, constructive", different(items), [1_000_000] * 4, iterations=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=ROOT / "bench" / "results" / "packing-scale.jsonl")
    options = parser.parse_args()
    options.results.parent.mkdir(exist_ok=True)
    with options.results.open("w") as out:
        for line in cases():
            print(json.dumps(line), flush=True)
            out.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
