"""The API's JSON: every recorded answer written again from its candidates, and the older shapes."""

import json

import pytest

from binwright.openstack.placement.answer import Candidate, candidates_answer
from binwright.openstack.placement.inventory import Inventory
from binwright.openstack.placement.microversion import LATEST, parse_microversion
from binwright.openstack.placement.query import parse_query
from binwright.openstack.placement.tree import Forest, Provider
from tests.openstack.placement_vectors import SUITES, VECTORS, candidates_of, canonical, cases, forest_of


def small_forest():
    return Forest(
        [
            Provider(
                "r", "r", inventories={"VCPU": Inventory(8), "DISK_GB": Inventory(9)}, traits=frozenset(["B", "A"])
            ),
            Provider("c", "c", "r", inventories={"VGPU": Inventory(4, reserved=1)}, used={"VGPU": 2}),
            Provider("x", "x", inventories={"VCPU": Inventory(2)}),
        ]
    )


ON_ROOT = Candidate({"r": {"VCPU": 1}}, {"": ["r"]})
ON_BOTH = Candidate({"c": {"VGPU": 1}, "r": {"VCPU": 1}}, {"": ["r", "c"]})


def test_the_newest_shape():
    answer = candidates_answer([ON_BOTH], parse_query("resources=VCPU:1,VGPU:1"), small_forest())
    assert answer == {
        "allocation_requests": [
            {
                "allocations": {"c": {"resources": {"VGPU": 1}}, "r": {"resources": {"VCPU": 1}}},
                "mappings": {"": ["c", "r"]},
            }
        ],
        "provider_summaries": {
            "r": {
                "resources": {"DISK_GB": {"capacity": 9, "used": 0}, "VCPU": {"capacity": 8, "used": 0}},
                "traits": ["A", "B"],
                "parent_provider_uuid": None,
                "root_provider_uuid": "r",
            },
            "c": {
                "resources": {"VGPU": {"capacity": 3, "used": 2}},
                "traits": [],
                "parent_provider_uuid": "r",
                "root_provider_uuid": "r",
            },
        },
    }


@pytest.mark.parametrize(
    ("version", "request_keys", "summary_keys", "classes"),
    [
        ((1, 11), {"allocations"}, {"resources"}, {"VCPU"}),
        ((1, 12), {"allocations", "mappings"}, {"resources"}, {"VCPU"}),
        ((1, 17), {"allocations", "mappings"}, {"resources", "traits"}, {"VCPU"}),
        ((1, 27), {"allocations", "mappings"}, {"resources", "traits"}, {"VCPU", "DISK_GB"}),
    ],
)
def test_older_shapes(version, request_keys, summary_keys, classes):
    answer = candidates_answer([ON_ROOT, ON_BOTH], parse_query("resources=VCPU:1", version), small_forest())
    (request,) = answer["allocation_requests"]
    assert request.keys() == request_keys
    assert answer["provider_summaries"].keys() == {"r"}
    assert answer["provider_summaries"]["r"].keys() == summary_keys
    assert answer["provider_summaries"]["r"]["resources"].keys() == classes
    assert isinstance(request["allocations"], list) is (version < (1, 12))
    assert request.get("mappings", {}) == {}


def test_a_tree_that_only_a_resourceless_group_names_adds_no_summary():
    one = Candidate({"r": {"VCPU": 1}}, {"": ["r"], "_N": ["x"]})
    answer = candidates_answer([one], parse_query("resources=VCPU:1"), small_forest())
    assert answer["provider_summaries"].keys() == {"r", "c"}
    assert answer["allocation_requests"][0]["mappings"] == {"": ["r"], "_N": ["x"]}


@pytest.mark.vectors
@pytest.mark.skipif(not VECTORS.exists(), reason=f"{VECTORS} is absent")
@pytest.mark.parametrize("suite", [suite for suite in SUITES if suite != "generation"])
def test_recorded_answers_are_written_again(suite):
    for case in cases(suite):
        forest = forest_of(case["cloud"])
        newest = {}
        for query in case["queries"]:
            version = parse_microversion(query["microversion"])
            if query["compare"] == "equal" and version >= (1, 36):
                newest[query["query"]] = query["response"]
        compared = 0
        for query in case["queries"]:
            version = parse_microversion(query["microversion"])
            if query["compare"] != "equal" or query["query"] not in newest:
                continue
            if version < (1, 39) and query["query"].count("required=") > 1:
                continue  # asks for something else since 1.39
            answer = candidates_answer(
                candidates_of(newest[query["query"]]), parse_query(query["query"], version), forest
            )
            assert canonical(answer) == canonical(query["response"]), (
                case["id"],
                query["microversion"],
                query["query"],
            )
            json.dumps(answer)
            compared += 1
        assert compared > 1, case["id"]
    assert LATEST == (1, 39)
