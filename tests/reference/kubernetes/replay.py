"""Replays a recorded case through the reference, and compares results (the vectors' README; contracts, Conformance)."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.reference.kubernetes.cluster import Cluster
from tests.reference.kubernetes.pods import Pod
from tests.reference.kubernetes.quirks import Quirks

Json = dict[str, Any]

FIRST_START = datetime(2026, 1, 2, tzinfo=UTC)  # a bound pod starts at this time plus its index in pending, seconds
SUITE_WITH_NAMESPACES_REPAIRED = "interpod-nsfix"


def case_quirks(case: Json, suite: str) -> Quirks:
    """1.34.1 as recorded; suite interpod-nsfix was recorded with the namespace quirk repaired."""
    sensitive = "nsSelectorEmptyLabels" in (case.get("sensitiveTo") or ())
    return Quirks(nsSelectorEmptyLabels=sensitive and suite != SUITE_WITH_NAMESPACES_REPAIRED)


def build_cluster(case: Json, suite: str) -> Cluster:
    """The cluster of a case before its first pending pod."""
    cluster = Cluster(
        case.get("config"),
        quirks=case_quirks(case, suite),
        percentage=case.get("percentageOfNodesToScore"),
        objects=case["objects"],
    )
    for manifest in case.get("pods") or ():
        cluster.add_bound_pod(manifest)
    for manifest in case.get("nominated") or ():
        cluster.nominate(manifest)
    return cluster


def run_case(case: Json, suite: str) -> list[Json]:
    """One result per pending pod, in the vectors' schema."""
    cluster = build_cluster(case, suite)
    results = []
    for index, manifest in enumerate(case.get("pending") or ()):
        start_time = (FIRST_START + timedelta(seconds=index)).isoformat()
        pod = Pod(manifest)
        result = cluster.schedule_one(pod, start_time)
        if result["outcome"] == "preempting":
            result["retry"] = cluster.schedule_one(pod, start_time)
            cluster.withdraw_nomination(pod)  # in the recordings it counts only until the retry (spec 8.2)
        results.append(without_all(result) if case.get("nominated") else result)
    return results


def without_all(result: Json) -> Json:
    """Cases with ``nominated`` record only the first rejecting plugin."""
    nodes = result.get("filter")
    if nodes is None:
        return result
    trimmed = [node and {key: value for key, value in node.items() if key != "all"} for node in nodes]
    return {**result, "filter": trimmed}


# --- comparing ----------------------------------------------------------------------------------------------------


def _is_absent(value: Any) -> bool:
    return value is None or value == []


def _compare(path: str, expected: Any, got: Any, found: list[str]) -> None:
    if isinstance(expected, dict) and isinstance(got, dict):
        for key in sorted({*expected, *got}):
            mine, theirs = got.get(key), expected.get(key)
            if not (_is_absent(mine) and _is_absent(theirs)):  # empty lists and absent keys mean the same
                _compare(f"{path}.{key}", theirs, mine, found)
    elif isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        for i, (theirs, mine) in enumerate(zip(expected, got, strict=True)):
            _compare(f"{path}[{i}]", theirs, mine, found)
    elif type(expected) is not type(got) or expected != got:
        found.append(f"{path}: expected {expected!r}, got {got!r}")


def differences(expected: list[Json], got: list[Json]) -> list[str]:
    """One line for each place where the results differ; a case is exact when there is none."""
    found: list[str] = []
    if len(expected) != len(got):
        found.append(f"results: expected {len(expected)}, got {len(got)}")
    for i, (theirs, mine) in enumerate(zip(expected, got, strict=False)):
        _compare(f"[{i}] {theirs.get('pod')}", theirs, mine, found)
    return found
