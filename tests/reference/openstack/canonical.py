"""When are two Placement answers the same? The comparison rules of the vectors' README, for placement/ suites.

Compares JSON with JSON; computes nothing.
"""

from __future__ import annotations

import json
from collections import Counter


def canonical(request: dict) -> str:
    """One allocation request as a string: lists inside `mappings` are sets, key order does not matter."""
    allocations = request["allocations"]
    if isinstance(allocations, list):  # below 1.12
        allocations = sorted(allocations, key=lambda row: row["resource_provider"]["uuid"])
    shape = {**request, "allocations": allocations}
    if "mappings" in request:
        shape["mappings"] = {suffix: sorted(providers) for suffix, providers in request["mappings"].items()}
    return json.dumps(shape, sort_keys=True)


def summaries(body: dict) -> dict:
    """The provider summaries with `traits` as sets."""
    return {
        uuid: {**summary, **({"traits": sorted(summary["traits"])} if "traits" in summary else {})}
        for uuid, summary in body["provider_summaries"].items()
    }


def with_sets(body: dict | None) -> dict | None:
    """A body whose `traits`, `aggregates` and `links` lists are compared as sets."""
    if body is None:
        return None
    lists = {key: sorted(body[key], key=str) for key in ("traits", "aggregates") if key in body}
    if "links" in body:
        lists["links"] = sorted(body["links"], key=lambda link: link["rel"])
    return {**body, **lists}


def answer_differences(expected: dict, got: dict) -> list[str]:
    """`compare: equal`: allocation requests as a set, summaries as a dict."""
    want, have = ({canonical(r) for r in body["allocation_requests"]} for body in (expected, got))
    found = [f"missing candidate {r}" for r in sorted(want - have)]
    found += [f"surplus candidate {r}" for r in sorted(have - want)]
    want_summaries, have_summaries = summaries(expected), summaries(got)
    for uuid in sorted(want_summaries.keys() | have_summaries.keys()):
        if want_summaries.get(uuid) != have_summaries.get(uuid):
            found.append(f"summary of {uuid}: {want_summaries.get(uuid)} != {have_summaries.get(uuid)}")
    return found


def subset_differences(expected: dict, got: dict) -> list[str]:
    """`compare: subset`: so many distinct candidates of the superset, and the summaries of the trees they use."""
    found = []
    superset = expected["superset"]
    count = expected.get("count_if_repaired", expected["count"])
    have = [canonical(r) for r in got["allocation_requests"]]
    if len(have) != count:
        found.append(f"{len(have)} candidates, expected {count}")
    if len(set(have)) != len(have):
        found.append("a candidate occurs twice")
    for surplus in sorted(set(have) - {canonical(r) for r in superset["allocation_requests"]}):
        found.append(f"candidate is not in the superset: {surplus}")
    all_summaries = summaries(superset)
    roots = {
        all_summaries[uuid]["root_provider_uuid"]
        for request in got["allocation_requests"]
        for uuid in request["allocations"]
        if uuid in all_summaries
    }
    wanted = {uuid: s for uuid, s in all_summaries.items() if s["root_provider_uuid"] in roots}
    if summaries(got) != wanted:
        found.append(f"summaries: {sorted(wanted)} != {sorted(got['provider_summaries'])}, or their contents differ")
    return found


def error_differences(expected: dict, got: dict) -> list[str]:
    """Errors: the code must match; below 1.23 and at 404 it may be absent, then in both. Texts are not compared."""
    want, have = (body["errors"][0].get("code") for body in (expected, got))
    return [] if want == have else [f"error code {want} != {have}"]


def uneven_anchors(got: list[str], anchors: dict[str, set[str]]) -> list[str]:
    """Breadth-first: counts per anchor differ by at most 1 unless an anchor is exhausted.

    `anchors` maps every canonical candidate to its anchors; silent when some candidate has several.
    """
    if any(len(owners) > 1 for owners in anchors.values()):
        return []
    total = Counter(next(iter(owners)) for owners in anchors.values())
    served = Counter(next(iter(anchors[c])) for c in got)
    most = max(served.values(), default=0)
    return [
        f"anchor {anchor} was served {served[anchor]} times, another {most}"
        for anchor in sorted(total)
        if served[anchor] < min(total[anchor], most - 1)
    ]
