"""The peers of bin packing and binwright on the same instances in one run; one JSON line a peer and instance.

`python bench/peers/packing/run.py [--time-limit S] [--results FILE]` runs what is installed of: ortools (CP-SAT, the
textbook assignment model, 8 workers, first-fit packing as a hint), highspy (the same model), prtpy, binpacking; prtpy
and binpacking are one-dimensional. Rebalancer runs in a Python of its own: `--rebalancer-python PATH` (3.12 or newer,
`pip install rebalancer`). What is not installed is said. Every peer's packing is checked here before it counts.
"""

import argparse
import importlib.util
import json
import lzma
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[3]
DATA = ROOT.parent / "shared" / "data" / "packing"
INSTANCES = {
    "bp1d/bp1d_selection": (
        "Falkenauer_u120_16", "Falkenauer_t120_09", "N3C2W2_S", "N3W4B1R4", "HARD3", "Schwerin1_BPP91",
        "Waescher_TEST0082", "Hard28_BPP175", "Hard28_BPP785", "201_2500_DI_9", "201_2500_NR_4", "csAA125_10",
    ),
    "vbp/panigrahy": ("panigrahy/class1_120_3_0", "panigrahy/class5_120_3_1"),
    "vbp/triplet": ("triplet/classC_120_3_0",),
    "vbp/new": ("new/class2_120_3_0",),
}  # fmt: skip


def instances():
    """The chosen instances that are there: name, weights of single items, capacity, best known value."""
    for path, names in INSTANCES.items():
        with lzma.open(DATA / f"{path}.jsonl.xz", "rt") as lines:
            for line in lines:
                each = json.loads(line)
                if each["name"] in names:
                    rows = np.array(each["items"])
                    weights = np.repeat(rows[:, :-1], rows[:, -1], axis=0)
                    yield each["name"], weights, np.atleast_1d(each["capacity"]), each.get("ub", each.get("opt"))


def first_fit(weights, capacity):
    """First fit decreasing: the bin of each item."""
    order = np.argsort(-(weights / capacity).sum(axis=1), kind="stable")
    left: list = []
    bins = np.empty(len(weights), int)
    for item in order:
        number = next((at for at, room in enumerate(left) if (weights[item] <= room).all()), len(left))
        if number == len(left):
            left.append(capacity.copy())
        left[number] -= weights[item]
        bins[item] = number
    return bins


def binwright(weights, capacity, limit):
    from binwright.packing import pack

    result = pack(weights, capacity, time_limit=limit)
    return result.assignment()[0], result.bound


def cp_sat(weights, capacity, limit):
    from ortools.sat.python import cp_model

    hint = first_fit(weights, capacity)
    count = int(hint.max()) + 1
    model = cp_model.CpModel()
    inside = [[model.new_bool_var("") for _ in range(count)] for _ in weights]
    used = [model.new_bool_var("") for _ in range(count)]
    for item, row in enumerate(inside):
        model.add_exactly_one(row)
        for number, variable in enumerate(row):
            model.add_hint(variable, int(hint[item] == number))
    for number in range(count):
        for r, room in enumerate(capacity):
            model.add(sum(int(w) * row[number] for w, row in zip(weights[:, r], inside)) <= int(room) * used[number])
        if number:
            model.add(used[number] <= used[number - 1])
    model.minimize(sum(used))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = limit
    solver.parameters.num_workers = 8
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None, solver.best_objective_bound
    return np.array([[solver.value(v) for v in row].index(1) for row in inside]), solver.best_objective_bound


def highs(weights, capacity, limit):
    import highspy

    count = int(first_fit(weights, capacity).max()) + 1
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("time_limit", float(limit))
    inside = solver.addBinaries(len(weights), count)
    used = solver.addBinaries(count)
    for row in inside:
        solver.addConstr(solver.qsum(row) == 1)
    for number in range(count):
        for r, room in enumerate(capacity):
            load = solver.qsum(int(w) * row[number] for w, row in zip(weights[:, r], inside))
            solver.addConstr(load <= int(room) * used[number])
    solver.minimize(solver.qsum(used))
    values = np.array(solver.getSolution().col_value)
    bound = solver.getInfo().mip_dual_bound
    if not len(values) or solver.getInfo().primal_solution_status != 2:
        return None, bound
    return values[: len(weights) * count].reshape(len(weights), count).argmax(axis=1), bound


def prtpy(weights, capacity, limit):
    import prtpy as peer

    bins = peer.pack(algorithm=peer.packing.first_fit_decreasing, binsize=int(capacity[0]),
                     items={item: int(w) for item, w in enumerate(weights[:, 0])})  # fmt: skip
    return assigned(bins, len(weights)), None


def binpacking(weights, capacity, limit):
    import binpacking as peer

    bins = peer.to_constant_volume({item: int(w) for item, w in enumerate(weights[:, 0])}, int(capacity[0]))
    return assigned([list(each) for each in bins], len(weights)), None


def rebalancer(weights, capacity, limit):
    start = first_fit(weights, capacity)
    given = {"weights": weights.tolist(), "capacity": capacity.tolist(), "start": start.tolist(), "limit": limit}
    worker = Path(__file__).with_name("rebalancer_worker.py")
    ended = subprocess.run([REBALANCER[0], worker], input=json.dumps(given), text=True, capture_output=True)
    if ended.returncode:
        sys.exit(f"Rebalancer: {ended.stderr.splitlines()[-1]}")
    _, bins = np.unique(json.loads(ended.stdout), return_inverse=True)
    return bins, None


def assigned(bins, items):
    """The bin of each item from lists of items."""
    result = np.empty(items, int)
    for number, members in enumerate(bins):
        result[members] = number
    return result


PEERS = {"binwright": (binwright, "binwright", 64), "ortools CP-SAT": (cp_sat, "ortools", 64),
         "HiGHS assignment": (highs, "highspy", 64), "prtpy": (prtpy, "prtpy", 1),
         "binpacking": (binpacking, "binpacking", 1), "Rebalancer": (rebalancer, None, 64)}  # fmt: skip
REBALANCER = []  # the Python that has it


def there(peer):
    """Whether a peer can be run."""
    module = PEERS[peer][1]
    return REBALANCER[0] is not None if module is None else importlib.util.find_spec(module) is not None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--time-limit", type=float, default=20.0)
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--results", type=Path, default=ROOT / "bench" / "results" / "packing-peers.jsonl")
    parser.add_argument("--rebalancer-python", help="a Python 3.12 or newer with the package rebalancer")
    options = parser.parse_args()
    REBALANCER.append(options.rebalancer_python)
    for peer in options.peers.split(","):
        if not there(peer):
            print(f"{peer}: not installed, not run", file=sys.stderr)
    options.results.parent.mkdir(exist_ok=True)
    with options.results.open("w") as out:
        for name, weights, capacity, known in instances():
            for peer in options.peers.split(","):
                solve, _, most_resources = PEERS[peer]
                if not there(peer) or weights.shape[1] > most_resources:
                    continue
                start = time.perf_counter()
                bins, bound = solve(weights, capacity, options.time_limit)
                seconds = time.perf_counter() - start
                if bins is not None:
                    load = np.zeros((bins.max() + 1, weights.shape[1]), np.int64)
                    np.add.at(load, bins, weights)
                    assert (load <= capacity).all(), f"{peer} on {name}: a bin is overfull"
                line = {"instance": name, "peer": peer, "bins": None if bins is None else int(bins.max()) + 1,
                        "bound": None if bound is None or not np.isfinite(bound) else float(bound), "known": known,
                        "seconds": round(seconds, 2), "timeLimit": options.time_limit}  # fmt: skip
                out.write(json.dumps(line) + "\n")
                out.flush()
                print(json.dumps(line))


if __name__ == "__main__":
    main()
