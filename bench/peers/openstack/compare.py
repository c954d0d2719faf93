"""binwright beside the real Placement on random clouds: candidates, then claims, moves and deletes; both in one run.

    V/bin/python bench/peers/openstack/compare.py [--questions 5000] [--seed 1] [--results FILE]

Every difference of an answer is asked again of the real service with one of its known defects mended (openstack spec
1.13), then with several: what takes the difference away is its name. One that stays is printed, and the exit code 1.
A known defect with an own name, the consumer that leaks, is what `Ledger(leaks_consumers=True)` repeats.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT)]

from real_placement import REPAIRS, RealPlacement, repaired  # noqa: E402

from bench.peers.openstack.results import write_results  # noqa: E402
from binwright.openstack.comparison import answer_differences, error_differences  # noqa: E402
from binwright.openstack.placement.faults import Fault  # noqa: E402
from binwright.openstack.placement.microversion import parse_microversion  # noqa: E402
from binwright.openstack.placement.query import parse_query  # noqa: E402
from binwright.openstack.placement.replay import read_forest  # noqa: E402
from binwright.openstack.placement.search import CandidateSearch  # noqa: E402
from binwright.openstack.placement.service import PlacementService  # noqa: E402
from tests.openstack import random_clouds  # noqa: E402

Json = dict[str, Any]
QUESTIONS_A_CLOUD = 12
CONSUMERS = 12
STEPS_A_CLOUD = 40


def ours(search: CandidateSearch, text: str, microversion: str) -> tuple[int, Json]:
    """binwright's answer."""
    version = parse_microversion(microversion)
    try:
        query = parse_query(text, version)
        return 200, json.loads(search.body(query))
    except Fault as fault:
        return fault.status, fault.to_dict(version)


def differences(theirs: tuple[int, Json], mine: tuple[int, Json]) -> list[str]:
    """What is not equal in two answers; candidates are compared as a set."""
    if theirs[0] != mine[0]:
        return [f"status {theirs[0]}, binwright {mine[0]}"]
    for request in theirs[1].get("allocation_requests", ()):
        if isinstance(request["allocations"], dict):
            request.setdefault("mappings", {})  # below 1.34 the recordings have it so, which binwright follows
    return list((answer_differences if mine[0] == 200 else error_differences)(theirs[1], mine[1]))


def cause(service: RealPlacement, text: str, microversion: str, mine: tuple[int, Json]) -> str | None:
    """The defects without which the service answers as binwright does, as few as possible; None if there are none."""
    for many in range(1, len(REPAIRS) + 1):
        for names in combinations(REPAIRS, many):
            with repaired(names):
                theirs = service.candidates(text, microversion)
            if not differences(theirs, mine):
                return " + ".join(names)
    return None


def compare_candidates(service: RealPlacement, questions: int, seed: int) -> Json:
    """Random queries on random clouds; the counts, and every difference that has no cause."""
    causes: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    unexplained: list[str] = []
    asked = clouds = 0
    while asked < questions:
        rng = random.Random(f"{seed} {clouds}")
        cloud = random_clouds.cloud(rng)
        service.fill(cloud)
        search = CandidateSearch(read_forest(cloud), cloud["extra_traits"], cloud["extra_resource_classes"])
        for _ in range(QUESTIONS_A_CLOUD):
            text, microversion = random_clouds.query(rng, len(cloud["resource_providers"]))
            mine, theirs = ours(search, text, microversion), service.candidates(text, microversion)
            kinds[_kind(mine)] += 1
            asked += 1
            lines = differences(theirs, mine)
            if lines:
                found = cause(service, text, microversion, mine)
                if found is None:
                    unexplained.append(f"seed {seed} cloud {clouds} {microversion} {text}: {lines[0]}")
                else:
                    causes[found] += 1
        clouds += 1
    return {
        "seed": seed,
        "clouds": clouds,
        "queries": asked,
        "answers": dict(sorted(kinds.items())),
        "equal": asked - sum(causes.values()) - len(unexplained),
        "defectsOfTheService": dict(sorted(causes.items())),
        "unexplained": unexplained,
    }


def _kind(answer: tuple[int, Json]) -> str:
    if answer[0] != 200:
        return f"refused with {answer[0]}"
    return "with candidates" if answer[1]["allocation_requests"] else "without candidates"


def compare_claims(service: RealPlacement, clouds: int, seed: int) -> Json:
    """Random claims, moves and deletes on both; every answer, then usages and allocations, then that nothing is left.

    What a step asks is made from binwright's state, which is checked to be the service's.
    """
    counts: Counter[str] = Counter()
    unexplained: list[str] = []
    for number in range(clouds):
        rng = random.Random(f"claims {seed} {number}")
        cloud = random_clouds.cloud(rng)
        cloud["allocations"] = {}
        service.fill(cloud)
        mine = PlacementService(leaks_consumers=True)
        _fill(mine, cloud)
        where = f"seed {seed} cloud {number}"
        for step, (method, path, body) in enumerate(_steps(rng, cloud, mine)):
            theirs = service.call(method, path, body)
            got = mine.call(method, path, body)
            counts[f"{method} {path.split('/')[1]} {theirs[0]}"] += 1
            if theirs[0] != got[0]:
                unexplained.append(f"{where} step {step} {method} {path}: {theirs[0]}, binwright {got[0]}")
        unexplained += [f"{where}: {line}" for line in _state_differences(service, mine, cloud)]
        for uuid in _consumers():
            service.call("DELETE", f"/allocations/{uuid}")
            mine.call("DELETE", f"/allocations/{uuid}")
        unexplained += [f"{where}, emptied: {line}" for line in _state_differences(service, mine, cloud)]
        unexplained += [f"{where}, emptied: {line}" for line in _left(mine, cloud)]
    return {"seed": seed, "clouds": clouds, "steps": dict(sorted(counts.items())), "unexplained": unexplained}


def _fill(service: PlacementService, cloud: Json) -> None:
    service.traits |= set(cloud["extra_traits"])
    service.classes |= set(cloud["extra_resource_classes"])
    service.providers.update(read_forest(cloud).providers)


def _consumers() -> list[str]:
    return [f"cccccccc-0000-4000-8000-{number:012d}" for number in range(CONSUMERS)]


def _steps(rng: random.Random, cloud: Json, mine: PlacementService) -> Iterator[tuple[str, str, Any]]:
    """Calls: PUT and POST of allocations (a new claim, a move, a resize, an empty one), DELETE, stale generations."""
    for _ in range(STEPS_A_CLOUD):
        consumer = rng.choice(_consumers())
        kind = rng.random()
        if kind < 0.2:
            yield "DELETE", f"/allocations/{consumer}", None
        elif kind < 0.8:
            yield "PUT", f"/allocations/{consumer}", _claim(rng, cloud, mine, consumer)
        else:
            several = rng.sample(_consumers(), 2)
            yield "POST", "/allocations", {one: _claim(rng, cloud, mine, one) for one in several}


def _claim(rng: random.Random, cloud: Json, mine: PlacementService, consumer: str) -> Json:
    """What a consumer is to have; sometimes nothing, sometimes with a generation that is not its own."""
    known = mine.ledger.consumers.get(consumer)
    generation = None if known is None else known.generation
    if rng.random() < 0.08:
        generation = rng.choice((None, 0, 1, 2, 7))
    rows: Json = {}
    stocked = [row for row in cloud["resource_providers"] if row["inventories"]]
    for row in rng.sample(stocked, min(len(stocked), rng.choice((0, 1, 1, 1, 2)))):
        names = rng.sample(sorted(row["inventories"]), rng.randint(1, len(row["inventories"])))
        rows[row["uuid"]] = {"resources": {name: rng.choice((1, 1, 2, 3)) for name in names}}
    return {
        "allocations": rows,
        "project_id": "project",
        "user_id": "user",
        "consumer_generation": generation,
        "consumer_type": "INSTANCE",
    }


def _state_differences(service: RealPlacement, mine: PlacementService, cloud: Json) -> Iterator[str]:
    """Every provider's usages and allocations, every consumer's allocations."""
    paths = [f"/allocations/{uuid}" for uuid in _consumers()]
    for row in cloud["resource_providers"]:
        paths += [f"/resource_providers/{row['uuid']}/{part}" for part in ("usages", "allocations")]
    for path in paths:
        status, text = service.call("GET", path)
        theirs, got = (status, json.loads(text)), mine.call("GET", path)
        if theirs != got:
            yield f"GET {path}: {theirs}, binwright {got}"


def _left(mine: PlacementService, cloud: Json) -> Iterator[str]:
    """What is in use when every consumer is gone."""
    for row in cloud["resource_providers"]:
        _, body = mine.call("GET", f"/resource_providers/{row['uuid']}/usages")
        if body is None or any(body["usages"].values()):
            yield f"{row['name']} still has {body}"


def main() -> int:
    """Compare, print, write; 1 where a difference has no known cause."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--questions", type=int, default=5000)
    parser.add_argument("--claim-clouds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--results", type=Path, default=ROOT / "bench" / "results" / "openstack-compare.json")
    options = parser.parse_args()
    service = RealPlacement()
    start = time.perf_counter()
    candidates = compare_candidates(service, options.questions, options.seed)
    print(json.dumps(candidates, indent=1), flush=True)
    claims = compare_claims(service, options.claim_clouds, options.seed)
    print(json.dumps(claims, indent=1))
    found = {"candidates": candidates, "claims": claims, "seconds": round(time.perf_counter() - start, 1)}
    write_results(options.results, ("openstack-placement",), found)
    return 1 if candidates["unexplained"] or claims["unexplained"] else 0


if __name__ == "__main__":
    sys.exit(main())
