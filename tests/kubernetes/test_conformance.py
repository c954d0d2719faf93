"""The replay of recorded decisions: the recorded suites exactly, and that it notices every kind of difference."""

import copy
import gzip
import json
from pathlib import Path

import pytest

from binwright.errors import InputError
from binwright.kubernetes.conformance import replay, replay_case
from tests.kubernetes.made import node_dict, pod_dict, required

VECTORS = Path(__file__).parents[2].parent / "shared" / "vectors" / "kubernetes"
SUITES = {
    "order": 16, "resources": 60, "strategies": 40, "taints": 40, "nodeaffinity": 40, "images": 40, "hostports": 40,
    "topologyspread": 44, "interpod": 54, "interpod-nsfix": 18, "volumes": 42, "preemption": 44, "sampling": 6,
    "mixed": 11,
}  # fmt: skip


def suite(name):
    path = VECTORS / f"{name}.public.json.gz"
    if not path.exists():
        pytest.skip(f"the recorded vectors are not beside the project ({path})")
    return json.loads(gzip.decompress(path.read_bytes()))


@pytest.mark.vectors
@pytest.mark.parametrize("name", SUITES)
def test_recorded_suites_are_exact(name):
    report = replay(suite(name))
    assert report.differences == []
    assert (report.cases, report.exact) == (SUITES[name], SUITES[name])


def small_case():
    nodes = [
        node_dict("a", cpu="2"),
        node_dict("b", cpu="4", labels={"disk": "ssd"}),
        node_dict("c", cpu="4", taints=[{"key": "k", "effect": "NoSchedule"}]),
    ]
    names = [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": [name]}]} for name in ("a", "zz")]
    case = {
        "name": "small",
        "objects": {"nodes": nodes},
        "pods": [pod_dict("old", cpu="1", memory="1Gi", node="a")],
        "pending": [
            pod_dict("spread", cpu="1", memory="1Gi"),
            pod_dict("named", affinity=required(*names)),
            pod_dict("huge", cpu="3500m", tolerations=[{"operator": "Exists"}], nodeSelector={"disk": "ssd"}),
        ],
    }
    case["expected"] = list(replay_case(case))
    return case


def test_a_result_has_the_schema_of_the_recordings():
    spread, named, huge = small_case()["expected"]
    skip = ["DynamicResources", "InterPodAffinity", "NodeAffinity", "NodePorts", "NodeVolumeLimits"]
    skip += ["PodTopologySpread", "VolumeBinding", "VolumeRestrictions", "VolumeZone"]
    untolerated = {"code": "UnschedulableAndUnresolvable", "reasons": ["node(s) had untolerated taint {k: }"]}
    assert spread["preFilter"] == {"code": "Success", "nodes": [], "skip": skip}
    assert spread["filter"] == [None, None, {"plugin": "TaintToleration", **untolerated}]
    assert (spread["outcome"], spread["feasible"], spread["max"], spread["chosen"]) == ("bound", [0, 1], [1], "b")
    assert spread["score"]["plugins"] == [
        "TaintToleration", "NodeResourcesFit", "NodeResourcesBalancedAllocation", "ImageLocality",
    ]  # fmt: skip
    assert spread["score"]["weights"] == [3, 1, 1, 1]
    assert spread["score"]["skip"] == ["InterPodAffinity", "NodeAffinity", "PodTopologySpread", "VolumeBinding"]
    # a: cpu 2 of 2, memory 2 of 8 GiB; b: cpu 1 of 4, memory 1 of 8 GiB
    assert spread["score"]["raw"] == [[0, 0], [(0 + 75) // 2, (75 + 87) // 2], [62, 93], [0, 0]]
    assert spread["score"]["norm"] == [[100, 100], [37, 81], [62, 93], [0, 0]]
    assert spread["score"]["total"] == [399, 474]
    absent = {
        "code": "UnschedulableAndUnresolvable",
        "reasons": ["node(s) didn't satisfy plugin(s) [NodeAffinity]"],
        "absent": True,
    }
    assert named["preFilter"]["nodes"] == ["a", "zz"]
    assert named["filter"] == [None, absent, absent]
    assert (named["feasible"], named["chosen"]) == ([0], "a")
    assert "score" not in named
    assert "max" not in named
    selector = "node(s) didn't match Pod's node affinity/selector"
    assert huge["outcome"] == "unschedulable"
    assert huge["filter"][0] == {
        "plugin": "NodeAffinity", "code": "UnschedulableAndUnresolvable", "reasons": [selector],
        "all": {
            "NodeAffinity": {"code": "UnschedulableAndUnresolvable", "reasons": [selector]},
            "NodeResourcesFit": {"code": "UnschedulableAndUnresolvable", "reasons": ["Insufficient cpu"]},
        },
    }  # fmt: skip
    assert huge["filter"][1]["code"] == "Unschedulable"
    assert huge["fitError"] == f"0/3 nodes are available: 1 Insufficient cpu, 2 {selector}."
    assert huge["message"] == (
        f"{huge['fitError']} no new claims to deallocate, preemption: 0/3 nodes are available: "
        "1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling."
    )
    assert huge["preemption"] == {"eligible": True}


def test_conflicting_names_end_before_the_filters():
    fields = [{"key": "metadata.name", "operator": "In", "values": [name]} for name in "ab"]
    case = {"objects": {"nodes": [node_dict("a")]}, "pending": [pod_dict(affinity=required({"matchFields": fields}))]}
    (result,) = replay_case(case)
    text = "0/1 nodes are available: pod affinity terms conflict."
    assert result["message"] == f"{text} not found"
    assert result["fitError"] == text
    assert result["postFilterError"] is True
    assert result["preFilter"]["plugin"] == "NodeAffinity"
    assert "filter" not in result


def changes():
    """Every leaf of a result, changed: (what, how)."""

    def walk(value, path):
        if isinstance(value, dict):
            for key in value:
                yield from walk(value[key], (*path, key))
        elif isinstance(value, list):
            for number in range(len(value)):
                yield from walk(value[number], (*path, number))
        elif value is not None:
            yield path

    return [(number, path) for number, result in enumerate(small_case()["expected"]) for path in walk(result, ())]


@pytest.mark.parametrize(("number", "path"), changes(), ids=lambda value: str(value).replace("'", ""))
def test_every_difference_is_noticed(number, path):
    case = copy.deepcopy(small_case())
    *way, last = path
    target = case["expected"][number]
    for step in way:
        target = target[step]
    value = target[last]
    target[last] = "other" if isinstance(value, str) else not value if isinstance(value, bool) else value + 1
    report = replay({"cases": [case]})
    assert (report.cases, report.exact) == (1, 0)
    (difference,) = report.differences
    assert difference.startswith("small: ")
    if path != ("pod",):
        assert path[0] in difference


def test_empty_and_absent_mean_the_same():
    case = small_case()
    for result in case["expected"]:
        result["preFilter"].setdefault("nodes", [])
        result["victims"] = []
    del case["expected"][0]["preFilter"]["nodes"]
    assert replay({"cases": [case]}).exact == 1


def test_a_missing_result_is_a_difference():
    case = small_case()
    case["expected"].pop()
    assert replay({"cases": [case]}).differences == ["small: 2 results recorded, 3 pods pending"]


def test_a_case_that_cannot_be_replayed_is_a_difference_and_the_others_go_on():
    broken, good = small_case(), small_case()
    broken["objects"]["nodes"][0]["status"]["allocatable"]["cpu"] = "x"
    report = replay({"cases": [broken, good]})
    assert (report.cases, report.exact) == (2, 1)
    assert report.differences[0].startswith("small: Node a: status.allocatable.cpu: 'x' is not a quantity")


def test_a_preemption_is_told_with_its_candidates():
    case = small_case()
    case["pending"][2]["spec"].update(priority=9, nodeSelector={})
    case["pending"][2]["spec"]["containers"][0]["resources"]["requests"]["cpu"] = "2"
    case["objects"]["nodes"] = case["objects"]["nodes"][:1]
    case["pending"] = case["pending"][2:]
    (result,) = replay_case(case)
    assert result["outcome"] == "preempting"
    assert result["message"] == result["fitError"] == "0/1 nodes are available: 1 Insufficient cpu."
    candidate = {"node": "a", "victims": ["default/old"], "pdbViolations": 0}
    assert result["preemption"] == {
        "eligible": True, "candidates": [candidate], "ties": ["a"], "nominated": "a", "victims": ["default/old"],
        "clearedNominations": [],
    }  # fmt: skip
    assert (result["retry"]["viaNominated"], result["retry"]["chosen"]) == (True, "a")


def test_the_namespace_switch_follows_case_and_suite():
    affinity = {
        "podAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [
                {
                    "topologyKey": "zone",
                    "labelSelector": {},
                    "namespaceSelector": {"matchExpressions": [{"key": "x", "operator": "DoesNotExist"}]},
                }
            ]
        }
    }
    case = {
        "name": "c",
        "sensitiveTo": ["nsSelectorEmptyLabels"],
        "objects": {
            "nodes": [node_dict("a", labels={"zone": "x"}), node_dict("b", labels={"zone": "y"})],
            "namespaces": [{"metadata": {"name": "other", "labels": {"x": "1"}}}],
        },
        "pods": [pod_dict("old", node="a", namespace="other")],
        "pending": [pod_dict("p", affinity=affinity)],
    }
    (broken,), (mended,) = replay_case(case), replay_case(case, repaired=True)
    assert broken["feasible"] == [0]
    assert mended["feasible"] == []
    for suite_name, result in (("interpod", broken), ("interpod-nsfix", mended)):
        assert replay({"suite": suite_name, "cases": [{**case, "expected": [result]}]}).exact == 1


@pytest.mark.parametrize("document", [{}, {"cases": 5}, {"cases": [5]}])
def test_a_file_of_another_shape(document):
    with pytest.raises(InputError, match="cases: expected a list of objects"):
        replay(document)
