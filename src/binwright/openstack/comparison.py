"""When a recorded answer of a service and ours are the same: the comparison rules of the recordings, JSON with JSON.

Every function gives one line a difference. Decides nothing and computes no answer.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = [
    "answer_differences",
    "body_differences",
    "canonical_request",
    "error_differences",
    "subset_differences",
    "uneven_turns",
    "value_differences",
]

RELATIVE = 1e-9
SHOWN = 200
SETS = ("traits", "aggregates", "links")


def value_differences(wanted: Any, got: Any, path: str = "") -> Iterator[str]:
    """Two JSON values, floats within 1e-9 of each other; of errors the messages are not compared."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        for key in sorted(wanted.keys() | got.keys(), key=str):
            if key == "message" and "error" in wanted and "error" in got:
                continue
            if key not in wanted or key not in got:
                yield f"{path}.{key}: {'not recorded' if key in got else 'missing'}"
            else:
                yield from value_differences(wanted[key], got[key], f"{path}.{key}")
    elif isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        for number, (one, other) in enumerate(zip(wanted, got)):
            yield from value_differences(one, other, f"{path}[{number}]")
    elif not _same(wanted, got):
        yield f"{path}: recorded {_text(wanted)}, got {_text(got)}"


def _same(wanted: Any, got: Any) -> bool:
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (wanted, got))
    if numbers:
        return bool(abs(wanted - got) <= RELATIVE * max(abs(wanted), abs(got)))
    return bool(wanted == got and isinstance(wanted, bool) is isinstance(got, bool))


def _text(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."


def canonical_request(request: Mapping[str, Any]) -> str:
    """An allocation request as text that does not depend on the order of anything in it."""
    shape = dict(request)
    if isinstance(shape["allocations"], list):
        shape["allocations"] = sorted(shape["allocations"], key=lambda row: str(row["resource_provider"]["uuid"]))
    if "mappings" in shape:
        shape["mappings"] = {suffix: sorted(uuids) for suffix, uuids in shape["mappings"].items()}
    return json.dumps(shape, sort_keys=True)


def _with_sets(body: Any) -> Any:
    """A body whose lists without an order are sorted."""
    if not isinstance(body, dict):
        return body
    return {key: sorted(value, key=_text) if key in SETS else value for key, value in body.items()}


def _summaries(body: Mapping[str, Any]) -> dict[str, Any]:
    return {uuid: _with_sets(summary) for uuid, summary in body["provider_summaries"].items()}


def answer_differences(wanted: Mapping[str, Any], got: Mapping[str, Any]) -> Iterator[str]:
    """Two answers about candidates: the requests as a set, none twice, and all summaries."""
    requests = [canonical_request(request) for request in got["allocation_requests"]]
    recorded = {canonical_request(request) for request in wanted["allocation_requests"]}
    if len(set(requests)) < len(requests):
        yield "a candidate occurs twice"
    for request in sorted(recorded - set(requests)):
        yield f"missing candidate {request}"
    for request in sorted(set(requests) - recorded):
        yield f"surplus candidate {request}"
    yield from value_differences(_summaries(wanted), _summaries(got), "provider_summaries")


def subset_differences(count: int, superset: Mapping[str, Any], got: Mapping[str, Any]) -> Iterator[str]:
    """`count` different candidates out of all there are, and the summaries of the trees that they use."""
    requests = [canonical_request(request) for request in got["allocation_requests"]]
    if len(requests) != count:
        yield f"{len(requests)} candidates, recorded {count}"
    if len(set(requests)) < len(requests):
        yield "a candidate occurs twice"
    known = {canonical_request(request) for request in superset["allocation_requests"]}
    for request in sorted(set(requests) - known):
        yield f"surplus candidate {request}"
    summaries = _summaries(superset)
    roots = {
        summaries[uuid]["root_provider_uuid"]
        for request in got["allocation_requests"]
        for uuid in request["allocations"]
        if uuid in summaries
    }
    wanted = {uuid: summary for uuid, summary in summaries.items() if summary["root_provider_uuid"] in roots}
    yield from value_differences(wanted, _summaries(got), "provider_summaries")


def uneven_turns(served: Mapping[str, str], anchors: Mapping[str, str]) -> Iterator[str]:
    """Roots in turn: none has two candidates fewer than another while it has some left.

    served, anchors: canonical request -> root, of those that were answered and of all.
    """
    total = Counter(anchors.values())
    given = Counter(served.values())
    most = max(given.values(), default=0)
    for root, count in sorted(total.items()):
        if given[root] < min(count, most - 1):
            yield f"root {root} had {given[root]} of its {count} turns, another {most}"


def error_differences(wanted: Mapping[str, Any], got: Mapping[str, Any]) -> Iterator[str]:
    """The codes of two refusals; an old answer has none, then there must be none. Texts are not compared."""
    recorded, ours = (body["errors"][0].get("code") for body in (wanted, got))
    if recorded != ours:
        yield f"recorded code {recorded}, got {ours}"


def body_differences(wanted: Any, got: Any) -> Iterator[str]:
    """Two bodies of any other call; an empty one and none are the same."""
    yield from value_differences(_with_sets(wanted or None), _with_sets(got or None), "body")
