"""When are two Nova answers the same? The comparison rules of the vectors' README, for nova/ suites.

Compares JSON with JSON; computes nothing.
"""

from __future__ import annotations

from collections import Counter
from typing import Any


def differences(expected: Any, got: Any, path: str = "") -> list[str]:
    """One line for each place where two JSON values differ; floats with 1e-9 relative, error messages not at all."""
    if isinstance(expected, dict) and isinstance(got, dict):
        keys = [key for key in expected if not (key == "message" and "error" in expected)]
        keys += [key for key in got if key not in expected and not (key == "message" and "error" in got)]
        return [
            line for key in keys for line in differences(expected.get(key, "-"), got.get(key, "-"), f"{path}.{key}")
        ]
    if isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        pairs = enumerate(zip(expected, got))
        return [line for i, (one, other) in pairs for line in differences(one, other, f"{path}[{i}]")]
    numbers = (int, float)
    if isinstance(expected, numbers) and isinstance(got, numbers) and type(expected) is not bool is not type(got):
        same = abs(expected - got) <= 1e-9 * max(abs(expected), abs(got))
    else:
        same = expected == got
    return [] if same else [f"{path}: {expected!r} != {got!r}"]


def numa_differences(case: dict, expected: dict, got: dict) -> list[str]:
    """Everything exactly, except that a pinning that is as good as the recorded one is accepted (spec 6.3)."""
    found = differences(expected, got)
    both = expected.get("fit") and got.get("fit") and len(expected["fit"]["cells"]) == len(got["fit"]["cells"])
    if not found or not both or not all(map(_as_good, *_placed(case, expected, got))):
        return found
    return differences(_without_pinning(expected), _without_pinning(got))


def _placed(case: dict, expected: dict, got: dict) -> tuple[list, list, list]:
    hosts = {cell["id"]: cell for cell in case["host"]["cells"]}
    cells = expected["fit"]["cells"]
    return [hosts[cell["id"]] for cell in cells], cells, got["fit"]["cells"]


def _as_good(host: dict, expected: dict, got: dict) -> bool:
    """Same host cell, guest CPUs, threads per core and count, onto free CPUs, none twice."""

    def cpus(cell: dict) -> list[int]:
        return [*cell["cpu_pinning"].values(), *cell["cpuset_reserved"]]

    def spread(cell: dict) -> Counter[int]:
        return Counter(len(set(threads) & set(cpus(cell))) for threads in host["siblings"])

    free = set(host["pcpuset"]) - set(host["pinned_cpus"])
    return (
        expected["id"] == got["id"]
        and expected["cpu_pinning"].keys() == got["cpu_pinning"].keys()
        and len(set(cpus(got))) == len(cpus(got)) == len(cpus(expected))
        and set(cpus(got)) <= free
        and spread(expected) == spread(got)
    )


def _without_pinning(value: Any) -> Any:
    """The answer with pinned CPUs as mere counts."""
    if isinstance(value, list):
        return [_without_pinning(item) for item in value]
    if not isinstance(value, dict):
        return value
    counted = ("cpu_pinning", "cpuset_reserved", "pinned_cpus")
    return {key: len(item) if key in counted else _without_pinning(item) for key, item in value.items()}
