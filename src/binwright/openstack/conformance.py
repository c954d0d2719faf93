"""Replays recorded decisions of Placement, Nova, Cinder and Heat through this layer, and compares everything recorded.

Only chooses, by the document's suite, who replays a case and which parts a case must have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from binwright.conformance_report import ConformanceReport
from binwright.errors import BinwrightError, InputError
from binwright.openstack.cinder.replay import REPLAYS as CINDER
from binwright.openstack.heat.replay import REPLAYS as HEAT
from binwright.openstack.nova.replay import REPLAYS as NOVA
from binwright.openstack.placement import replay as placement
from binwright.units import shown

__all__ = ["replay"]

Case = Mapping[str, Any]
Differences = Callable[[Case], Iterable[str]]

CANDIDATE_SUITES = (
    "bandwidth",
    "baremetal",
    "errors",
    "flat",
    "generation",
    "microversions",
    "nested",
    "pci",
    "random",
    "sharing",
)
# (peer, suite): who replays a case of it, and what a case must have.
SUITES: dict[tuple[str, str], tuple[Differences, tuple[tuple[str, type], ...]]] = {
    **{
        ("placement", suite): (placement.candidate_differences, (("cloud", dict), ("queries", list)))
        for suite in CANDIDATE_SUITES
    },
    ("placement", "claims"): (placement.claims_differences, (("steps", list),)),
    **{("nova", suite): (differences, (("expected", dict),)) for suite, differences in NOVA.items()},
    **{("cinder", suite): rest for suite, rest in CINDER.items()},
    **{("heat", suite): rest for suite, rest in HEAT.items()},
}


def replay(document: Mapping[str, Any]) -> ConformanceReport:
    """Replay a file of recorded cases (the recordings' README has the schema).

    Raises InputError for a suite that there is not and for cases of another shape.
    """
    cases = document.get("cases")
    if not isinstance(cases, list):
        raise InputError("cases: expected a list of objects")
    peer = str(document.get("peer", "")).removeprefix("openstack-").partition(" ")[0]
    suite = document.get("suite")
    if not isinstance(suite, str) or (peer, suite) not in SUITES:
        raise InputError(f"suite: no suite {shown(suite)} of {shown(peer)} is known")
    differences, parts = SUITES[peer, suite]
    report = ConformanceReport()
    for number, case in enumerate(cases):
        if not isinstance(case, dict):
            raise InputError(f"cases[{number}]: expected an object")
        for part, kind in parts:
            if not isinstance(case.get(part), kind):
                raise InputError(f"cases[{number}].{part}: expected {'an object' if kind is dict else 'a list'}")
        report.count(_named(case, number, differences))
    return report


def _named(case: Case, number: int, differences: Differences) -> Iterator[str]:
    """The differences of one case, each with the case's name."""
    name = case.get("id", number)
    try:
        for line in differences(case):
            yield f"{name}: {line}"
    except BinwrightError as problem:
        yield f"{name}: {problem}"
    except (AttributeError, IndexError, KeyError, TypeError) as problem:
        raise InputError(f"cases[{number}]: not as recorded: {type(problem).__name__}: {problem}") from problem
