"""The merged result: sums over sources, the envelope against its schema, filtering, names."""

import jsonschema
import pytest

from binwright import schemas
from binwright.errors import InputError
from binwright.outcome import Outcome, ResourceUse
from binwright.stack.names import find_named, full_name
from binwright.stack.place_result import PlaceResult, merge_resources
from binwright.verdict import Verdict
from tests.cli.made import cluster, made_result


def test_the_envelope_holds_what_the_contract_names_and_keeps_its_schema():
    envelope = made_result().to_dict()
    jsonschema.validate(envelope, schemas.schema("PlaceResult"))
    assert envelope["apiVersion"] == "binwright.io/v1alpha1"
    assert envelope["summary"] == {"hosts": 84, "requested": 8, "placed": 4, "unplaced": 4, "elapsedSeconds": 0.3125}
    assert envelope["placed"][0] == {
        "source": "region",
        "kind": "Server",
        "namespace": None,
        "name": "legacy-1",
        "uid": "s1",
        "host": "compute-7",
        "score": 1.25,
        "devices": [],
        "victims": [],
    }
    assert envelope["unplaced"][1]["verdict"] == "unschedulable"
    assert envelope["unplaced"][1]["reasons"][0] == {
        "rule": "NodeResourcesFit",
        "hosts": 21,
        "text": "Insufficient cpu",
    }
    assert envelope["unplaced"][1]["smallestChange"]["have"] == 1500
    assert envelope["unplaced"][3]["smallestChange"] is None
    assert envelope["resources"][2] == {"name": "cpu", "capacity": 96000, "usedBefore": 58500, "usedAfter": 63000}
    assert envelope["skippedKinds"] == {"ConfigMap": 2, "Service": 3}
    assert envelope["seed"] is None
    assert envelope["notEvaluated"] == [
        {"rule": "PodTopologySpread", "objects": 12, "example": "alpha: Pod web/front-1"}
    ]


def test_equal_resources_of_several_sources_add_up_beyond_int64():
    merged = merge_resources(
        [ResourceUse("cpu", 2**62, 1, 2), ResourceUse("pods", 5, 0, 0), ResourceUse("cpu", 2**62, 3, 4)]
    )
    assert merged == [ResourceUse("cpu", 2**63, 4, 6), ResourceUse("pods", 5, 0, 0)]


def test_only_filters_objects_and_keeps_the_hosts():
    result = made_result().only(lambda outcome: outcome.namespace == "batch")
    assert [outcome.name for outcome in result.unplaced] == ["render-1", "render-2"]
    assert result.placed == []
    assert result.hosts == 84
    assert len(made_result().unplaced) == 4


def test_an_empty_result_is_an_envelope_too():
    jsonschema.validate(PlaceResult([]).to_dict(), schemas.schema("PlaceResult"))


@pytest.mark.parametrize("kind", schemas.kinds())
def test_every_schema_is_a_schema(kind):
    jsonschema.Draft202012Validator.check_schema(schemas.schema(kind))
    assert schemas.schema(kind)["properties"]["kind"] == {"const": kind}


def test_an_unknown_kind_has_no_schema():
    with pytest.raises(KeyError):
        schemas.schema("../PlaceResult")


def named(source, namespace, name, uid=None):
    return Outcome(source, "Pod", namespace, name, uid, Verdict.PLACED)


def test_full_names_leave_out_an_absent_namespace():
    assert full_name(named("a", "b", "c")) == "a/b/c"
    assert full_name(named("a", None, "c")) == "a/c"


@pytest.mark.parametrize("name", ["alpha/web/front-1", "web/front-1", "front-1", "p1"])
def test_the_shortest_unambiguous_suffix_or_the_uid_names_an_object(name):
    assert find_named(cluster(3).placed, name).uid == "p1"


def test_a_full_name_wins_over_a_longer_one_that_ends_in_it():
    short, long = named("b", "c", "d"), named("a/b", "c", "d")
    assert find_named([long, short], "b/c/d") is short


def test_an_ambiguous_or_unknown_name_is_refused():
    objects = [named(source, "ns", "x") for source in "abcd"]
    with pytest.raises(InputError, match=r"^ns/x: ambiguous, could be a/ns/x, b/ns/x, c/ns/x and 1 more$"):
        find_named(objects, "ns/x")
    with pytest.raises(InputError, match=r"^y: no pending object of this name"):
        find_named(objects, "y", "pending object")
    with pytest.raises(InputError, match="no object"):
        find_named([named("a", "b", "front-1")], "ront-1")
