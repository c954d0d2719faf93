"""Meta's Rebalancer on one packing problem, in a Python that it installs in (3.12 or newer, Linux x86-64).

Reads {"weights", "capacity", "start", "limit"} as JSON from standard input, `start` the bin of each item; writes the
bin of each item. The model: local search with single moves and swaps from `start`, capacities as constraints, the
number of used containers as the goal.
"""

import json
import os
import sys


def main():
    given = json.load(sys.stdin)
    answer = os.dup(1)
    os.dup2(2, 1)  # the library writes to standard output
    from rebalancer import ProblemSolver

    weights, capacity, start = given["weights"], given["capacity"], given["start"]
    bins = {f"b{number}": [] for number in range(max(start) + 1)}
    for item, number in enumerate(start):
        bins[f"b{number}"].append(f"i{item}")
    solver = ProblemSolver("binwright", "bench")
    solver.set_object_name("item").set_container_name("bin").set_assignment(bins)
    for r, room in enumerate(capacity):
        solver.add_object_dimension(f"r{r}", {f"i{item}": float(row[r]) for item, row in enumerate(weights)})
        solver.add_container_dimension(f"r{r}", dict.fromkeys(bins, float(room)))
        solver.add_constraint({"capacitySpec": {"name": f"room {r}", "scope": "bin", "dimension": f"r{r}"}})
    solver.add_goal({"minimizeContainersSpec": {"name": "bins", "scope": "bin", "dimension": "r0"}})
    moves = [{"singleMoveTypeSpec": {}}, {"swapMoveTypeSpec": {}}]
    solver.add_solver({"localSearchSolverSpec": {"solveTime": int(given["limit"]), "moveTypeList": moves}})
    solution = solver.solve()
    result = [int(solution["assignment"][f"i{item}"][1:]) for item in range(len(weights))]
    os.write(answer, json.dumps(result).encode())


if __name__ == "__main__":
    main()
