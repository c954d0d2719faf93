"""The replay of recordings of Placement and Nova: every public case exactly, and that it notices every change."""

import copy
import gzip
import json
from pathlib import Path

import pytest

from binwright.errors import InputError
from binwright.openstack.conformance import SUITES, replay

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "openstack"
CASES = {
    "placement": {
        "bandwidth": 13,
        "baremetal": 8,
        "claims": 31,
        "errors": 4,
        "flat": 18,
        "generation": 35,
        "microversions": 6,
        "nested": 30,
        "pci": 8,
        "random": 75,
        "sharing": 19,
    },
    "nova": {"filters": 109, "numa_fit": 484, "pci": 148, "resource_request": 188, "schedule": 64, "weights": 97},
}
RECORDED = [(peer, suite) for peer, suites in CASES.items() for suite in suites]
NOT_COMPARED = {"detail", "message", "title", "request_id", "weigher_order"}


def load(peer, suite):
    path = VECTORS / peer / f"{suite}.public.json.gz"
    if not path.exists():
        pytest.skip(f"the recorded vectors are not beside the project ({path})")
    return json.loads(gzip.decompress(path.read_bytes()))


def test_every_recorded_suite_is_known():
    shipped = {("cinder", "volumes"), ("cinder", "expressions"), ("heat", "functions")}  # test_cinder, test_heat
    assert set(SUITES) == {*RECORDED, *shipped}


@pytest.mark.vectors
@pytest.mark.parametrize(("peer", "suite"), RECORDED)
def test_recorded_suites_are_exact(peer, suite):
    report = replay(load(peer, suite))
    assert report.differences == []
    assert report.cases == report.exact == CASES[peer][suite]


def leaves(value, path=()):
    """Paths of all leaves of JSON."""
    if isinstance(value, dict | list) and value:
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from leaves(value[key], (*path, key))
    else:
        yield path


def recorded_part(peer, case):
    """Where a case keeps an answer, as a path."""
    if peer == "nova":
        return ("expected",)
    kind = "steps" if "steps" in case else "queries"
    return next(
        (kind, number, "response")
        for number, row in enumerate(case[kind])
        if row["status"] == 200 and row.get("compare", "equal") == "equal" and len(json.dumps(row["response"])) > 80
    )


def at(value, path):
    for key in path:
        value = value[key]
    return value


@pytest.mark.vectors
@pytest.mark.parametrize(("peer", "suite"), [pair for pair in RECORDED if pair[1] not in ("errors", "generation")])
def test_a_change_of_anything_recorded_is_noticed(peer, suite):
    document = load(peer, suite)
    case = min(document["cases"], key=lambda case: len(json.dumps(case)))
    part = recorded_part(peer, case)
    paths = [path for path in leaves(at(case, part)) if not NOT_COMPARED & set(path)]
    assert paths
    for path in paths[:150]:
        changed = copy.deepcopy(case)
        owner = at(changed, (*part, *path[:-1]))
        owner[path[-1]] = ["changed"] if isinstance(owner[path[-1]], list) else "changed"
        try:
            report = replay({**document, "cases": [changed]})
        except InputError:
            continue  # what is compared is no longer a recording
        assert report.exact == 0, path


def document(**changes):
    return {"peer": "openstack-placement 16.0.0", "suite": "flat", "cases": []} | changes


@pytest.mark.parametrize(
    ("broken", "line"),
    [
        (document(cases=3), "cases: expected a list of objects"),
        (document(cases=[3]), "cases[0]: expected an object"),
        (document(cases=[{"cloud": {}}]), "cases[0].queries: expected a list"),
        (document(cases=[{"cloud": [], "queries": []}]), "cases[0].cloud: expected an object"),
        (document(suite="round"), "suite: no suite 'round' of 'placement' is known"),
        (document(peer="nova 34.0.0"), "suite: no suite 'flat' of 'nova' is known"),
        (document(cases=[{"cloud": {}, "queries": []}]), "cases[0]: not as recorded: KeyError: 'resource_providers'"),
    ],
)
def test_what_is_no_recording_is_one_line(broken, line):
    with pytest.raises(InputError) as caught:
        replay(broken)
    assert str(caught.value) == line


def test_a_difference_names_case_and_query():
    provider = {
        "uuid": "u",
        "name": "n",
        "parent_provider_uuid": None,
        "inventories": {},
        "traits": [],
        "aggregates": [],
    }
    query = {"query": "resources=VCPU:1", "microversion": "1.39", "status": 404, "compare": "equal"}
    case = {"id": "c-1", "cloud": {"resource_providers": [provider], "allocations": {}}, "queries": [query]}
    report = replay(document(cases=[case]))
    assert (report.cases, report.exact) == (1, 0)
    assert report.differences == ["c-1: 1.39 resources=VCPU:1: recorded status 404, got 200"]
