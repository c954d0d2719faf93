"""Replays every recorded Placement and Nova case through the reference; each must be exact."""

import copy
import gzip
import json
from pathlib import Path

import pytest

from tests.reference.openstack.replay import COMPARE, RUN, differences, run_case

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "openstack"
FILES = sorted(VECTORS.glob("*/*.public.json.gz"))

pytestmark = pytest.mark.vectors

if not FILES:
    pytest.skip("the recorded vectors (../shared/vectors/openstack) are absent", allow_module_level=True)


def load(path):
    with gzip.open(path) as stream:
        return json.load(stream)


def suite_of(path):
    return f"{path.parent.name}/{path.name.split('.')[0]}"


NAMES = load(VECTORS / "placement" / "standard_names.json.gz")


@pytest.mark.parametrize("path", FILES, ids=suite_of)
def test_every_case_is_exact(path):
    suite, cases = suite_of(path), load(path)["cases"]
    inexact = {}
    for case in cases:
        found = differences(suite, case, run_case(suite, case, NAMES), NAMES)
        if found:
            inexact[case["id"]] = found[:5]
    assert cases
    assert inexact == {}


def test_every_suite_is_recorded():
    assert {suite_of(path) for path in FILES} == set(RUN) == set(COMPARE)


@pytest.mark.parametrize("path", FILES, ids=suite_of)
def test_a_replay_leaves_the_case_as_it_was(path):
    suite, case = suite_of(path), load(path)["cases"][0]
    before = copy.deepcopy(case)
    differences(suite, case, run_case(suite, case, NAMES), NAMES)
    assert case == before


def leaves(value, path=()):
    """Paths of all leaves; an empty list or object is a leaf."""
    if isinstance(value, (dict, list)) and value:
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from leaves(value[key], (*path, key))
    else:
        yield path


# texts are not compared; titles belong to the status; pinning has its own test
UNCOMPARED = {"detail", "title", "cpu_pinning", "cpuset_reserved", "pinned_cpus"}


@pytest.mark.parametrize("path", FILES, ids=suite_of)
def test_differences_sees_a_change_of_any_leaf_of_an_answer(path):
    suite, case = suite_of(path), min(load(path)["cases"], key=lambda case: len(json.dumps(case)))
    got = json.loads(json.dumps(run_case(suite, case, NAMES)))
    assert differences(suite, case, got, NAMES) == []
    paths = [leaf for leaf in leaves(got) if not UNCOMPARED & set(leaf)]
    if suite.startswith("placement/"):  # (status, body): the status of an error stands in its body once more
        paths = [leaf for leaf in paths if "errors" not in leaf or leaf[-1] == "code"]
    assert paths
    for leaf in paths:
        changed = copy.deepcopy(got)
        owner = changed
        for key in leaf[:-1]:
            owner = owner[key]
        if suite.startswith("placement/") and (owner[leaf[-1]] in ({}, []) or leaf[1:] == (1,)):
            continue  # the shape of a Placement answer is taken for granted
        owner[leaf[-1]] = "changed"
        assert differences(suite, case, changed, NAMES), leaf


def numa_case(predicate):
    for case in load(VECTORS / "nova" / "numa_fit.public.json.gz")["cases"]:
        got = run_case("nova/numa_fit", case, NAMES)
        if got.get("fit") and predicate(case, got["fit"]["cells"][0]):
            return case, json.loads(json.dumps(got))
    raise AssertionError("no such case")


def repinned(got, swap):
    """The answer with the first cell's pinning changed, and the host's pinned CPUs with it."""
    cell = got["fit"]["cells"][0]
    old = set(cell["cpu_pinning"].values())
    cell["cpu_pinning"] = swap(cell["cpu_pinning"])
    for host_cell in got["host_after"]["cells"]:
        if host_cell["id"] == cell["id"]:
            host_cell["pinned_cpus"] = sorted(set(host_cell["pinned_cpus"]) - old | set(cell["cpu_pinning"].values()))
    return got


def test_another_pinning_as_good_as_the_recorded_one_is_accepted():
    case, got = numa_case(lambda case, cell: len(cell["cpu_pinning"]) > 1)
    turned = repinned(got, lambda pinning: dict(zip(pinning, reversed(list(pinning.values())))))
    assert differences("nova/numa_fit", case, turned, NAMES) == []


def test_a_pinning_onto_a_taken_cpu_is_not():
    def taken(case, cell):
        host = next(h for h in case["host"]["cells"] if h["id"] == cell["id"])
        return len(cell["cpu_pinning"]) > 1 and host["pinned_cpus"]

    case, got = numa_case(taken)
    cell = got["fit"]["cells"][0]
    host = next(h for h in case["host"]["cells"] if h["id"] == cell["id"])
    wrong = repinned(got, lambda pinning: {**pinning, "0": host["pinned_cpus"][0]})
    assert differences("nova/numa_fit", case, wrong, NAMES)
