"""Replays every recorded kube-scheduler case through the reference; each must be exact."""

import copy
import gzip
import json
from pathlib import Path

import pytest

from tests.reference.kubernetes.replay import differences, run_case

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "kubernetes"
FILES = sorted(VECTORS.glob("*.public.json.gz"))

pytestmark = pytest.mark.vectors

if not FILES:
    pytest.skip("the recorded vectors (../shared/vectors/kubernetes) are absent", allow_module_level=True)


def load(path):
    with gzip.open(path) as stream:
        return json.load(stream)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name.split(".")[0])
def test_every_case_is_exact(path):
    recorded = load(path)
    inexact = {}
    for case in recorded["cases"]:
        found = differences(case["expected"], run_case(case, recorded["suite"]))
        if found:
            inexact[case["name"]] = found[:5]
    assert recorded["cases"]
    assert inexact == {}


def leaves(value, path=()):
    if isinstance(value, dict):
        for key in value:
            yield from leaves(value[key], (*path, key))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from leaves(item, (*path, i))
    else:
        yield path


def test_differences_sees_a_change_of_any_recorded_leaf():
    case = next(c for c in load(VECTORS / "preemption.public.json.gz")["cases"] if len(c["expected"]) < 12)
    expected = case["expected"]
    paths = [path for path in leaves(expected) if path[-1] != "candidates"]  # null and absent mean the same
    assert len(paths) > 100
    for path in paths:
        changed = copy.deepcopy(expected)
        owner = changed
        for key in path[:-1]:
            owner = owner[key]
        owner[path[-1]] = "changed"
        assert len(differences(expected, changed)) == 1, path


def test_a_replay_leaves_the_case_as_it_was():
    recorded = load(VECTORS / "volumes.public.json.gz")
    case = recorded["cases"][0]
    before = copy.deepcopy(case)
    run_case(case, recorded["suite"])
    assert case == before
