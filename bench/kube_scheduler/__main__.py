"""binwright beside the real kube-scheduler, which `bench/peers/kube_scheduler` runs in one process (its README builds
it; KUBE_SCHEDULER names the program if it is elsewhere).

    python -m bench.kube_scheduler replay FILE...      recorded cases through the peer: does it decide as is recorded?
    python -m bench.kube_scheduler compare             1,000 random pods of each of three fresh seeds through both
    python -m bench.kube_scheduler record [DIR]        our own cases, with the peer's results, to tests/conformance

Differences go to stderr and make the exit code 1. How fast both are: `bench.kube_scheduler.speed`.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.kube_scheduler.families import FAMILIES, drawn
from bench.kube_scheduler.peer import PEER, ROOT, answered, release
from binwright.kubernetes.conformance import replay

RECORDED = ROOT / "tests" / "conformance"
PATCHED = "interpod-nsfix"
"""The suite that was recorded with a repaired scheduler."""
DRAWN, KEPT = 150, {"sampling": 6, "mixed": 14, "preemption": 26}
"""Cases drawn for each recorded file, and kept (of the others: 22), those that show most that is new."""

Json = dict[str, Any]


def decided(case: Json) -> bool:
    """Whether the peer came to a decision on every pod; an error of its own is none."""
    return "refused" not in case and all(one["outcome"] != "error" for one in case["expected"])


def told(differences: list[str]) -> None:
    for line in differences[:20]:
        print(line, file=sys.stderr)


# ---- recorded cases through the peer -----------------------------------------------------------------------------


def pruned(value: Any) -> Any:
    """Without what is empty: empty and absent mean the same."""
    if isinstance(value, dict):
        kept = {key: pruned(one) for key, one in value.items()}
        return {key: one for key, one in kept.items() if one not in (None, [], {})}
    return [pruned(one) for one in value] if isinstance(value, list) else value


def replayed(paths: list[Path]) -> bool:
    """Print how many cases of each file the peer decides as recorded; whether all."""
    total = equal = 0
    for path in paths:
        with gzip.open(path) as text:
            document = json.load(text)
        if document.get("suite") == PATCHED:
            print(f"{path.name}: recorded with a repaired scheduler, left out")
            continue
        cases, wrong = document["cases"], []
        for case, now in zip(cases, answered(cases), strict=True):
            if pruned(case["expected"]) != pruned(now.get("expected")):
                wrong.append(f"{case['name']}: {now.get('refused', 'decided otherwise than recorded')}")
        print(f"{path.name}: cases {len(cases)} equal {len(cases) - len(wrong)}")
        told(wrong)
        total, equal = total + len(cases), equal + len(cases) - len(wrong)
    print(f"total: cases {total} equal {equal}")
    return total == equal


# ---- random cases through both -----------------------------------------------------------------------------------


def compared(seed: int, pods: int) -> bool:
    """Draw cases of all families in turn until there are that many pods; print how many both decide alike."""
    cases: list[Json] = []
    families = list(FAMILIES)
    while sum(len(case["pending"]) for case in cases) < pods:
        cases.append(drawn(families[len(cases) % len(families)], seed * 10_000 + len(cases)))
    counts = dict.fromkeys(("pods", "bound", "unschedulable", "preempting", "not decided by the peer", "different"), 0)
    differences: list[str] = []
    for case in answered(cases):
        if not decided(case):
            counts["not decided by the peer"] += len(case["pending"])
            continue
        found = replay({"cases": [case]}).differences
        counts["pods"] += len(case["expected"])
        counts["different"] += len({line.split(": ")[1] for line in found})
        for one in case["expected"]:
            counts[one["outcome"]] += 1
        differences += found
    print(f"seed {seed}: cases {len(cases)}, " + ", ".join(f"{name} {count}" for name, count in counts.items()))
    told(differences)
    return not differences


# ---- our own recordings ------------------------------------------------------------------------------------------


def signs(case: Json) -> set[tuple[Any, ...]]:
    """What a case shows, in coarse words: which rule did what, and beside which other."""
    return {sign for one in case["expected"] for sign in result_signs(one)}


def result_signs(result: Json) -> Iterator[tuple[Any, ...]]:
    before = result.get("preFilter") or {}
    yield result["outcome"], bool(result.get("viaNominated")), len(result.get("max") or ()) > 1
    yield "before", before.get("plugin"), "nodes" in before, tuple(before.get("reasons") or ())[:1]
    yield "skip", tuple(before.get("skip") or ())
    for status in filter(None, result.get("filter") or ()):
        yield status.get("plugin"), status["code"], len(status["reasons"]), status["reasons"][0].split("{")[0]
        yield "all", tuple(status.get("all") or ())
    if "score" in result:
        yield "scored", tuple(result["score"]["plugins"]), tuple(result["score"].get("skip") or ())
        for plugin, raw in zip(result["score"]["plugins"], result["score"]["raw"], strict=True):
            yield plugin, "raw", len(set(raw)) > 1, min(raw) < 0, min(raw) == 0
    preempted = result.get("preemption") or {}
    victims = len(preempted.get("victims") or ())
    yield "preempts", len(preempted.get("candidates") or ()) > 1, len(preempted.get("ties") or ()) > 1, victims
    yield "budgets", any(one["pdbViolations"] for one in preempted.get("candidates") or ())
    yield "cleared", bool(preempted.get("clearedNominations")), result.get("postFilterError")
    if "retry" in result:
        yield "again", result["retry"]["outcome"]


def chosen(family: str) -> list[Json]:
    """The cases of a family that show most, each beside those taken before it."""
    open_cases = [one for one in answered([drawn(family, seed) for seed in range(DRAWN)]) if decided(one)]
    shown = {one["name"]: signs(one) for one in open_cases}
    seen: set[tuple[Any, ...]] = set()
    kept = []
    for _ in range(KEPT.get(family, 22)):
        best = max(open_cases, key=lambda one: len(shown[one["name"]] - seen))
        open_cases.remove(best)
        seen |= shown[best["name"]]
        kept.append(best)
    return sorted(kept, key=lambda one: int(one["name"].rpartition("-")[2]))


def record(folder: Path) -> bool:
    """Write a file of cases for each family; whether binwright decides all of them alike."""
    differences: list[str] = []
    for family in FAMILIES:
        cases = chosen(family)
        for case in cases:
            differences += replay({"cases": [case]}).differences
            named = case.pop("sensitiveTo")
            if replay({"cases": [case]}).differences:
                case["sensitiveTo"] = named
        suite = f"peer-{family.replace('_', '-')}"
        source = f"kube-scheduler {release()}, drawn by bench/kube_scheduler/families.py"
        text = json.dumps({"suite": suite, "source": source, "cases": cases}, separators=(",", ":")).encode()
        path = folder / f"{suite}.json.gz"
        path.write_bytes(gzip.compress(text, 9, mtime=0))
        pods = sum(len(case["pending"]) for case in cases)
        print(f"{path.name}: cases {len(cases)}, pods {pods}, bytes {path.stat().st_size}")
    told(differences)
    return not differences


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("replay").add_argument("files", nargs="+", type=Path)
    comparing = commands.add_parser("compare")
    comparing.add_argument("--pods", type=int, default=1_000)
    comparing.add_argument("--seeds", type=int, nargs="+", help="default: three fresh ones")
    commands.add_parser("record").add_argument("folder", nargs="?", type=Path, default=RECORDED)
    options = parser.parse_args()
    if not PEER.exists():
        parser.error(f"{PEER} is not there: bench/peers/kube_scheduler/README.md builds it")
    if options.command == "replay":
        return not replayed(options.files)
    if options.command == "record":
        return not record(options.folder)
    print(f"kube-scheduler {release()}")
    seeds = options.seeds or random.SystemRandom().sample(range(2**31), 3)
    alike = [compared(seed, options.pods) for seed in seeds]
    return not all(alike)


if __name__ == "__main__":
    sys.exit(main())
