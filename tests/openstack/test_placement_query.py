"""The candidate query: what each parameter becomes, and every recorded refusal with its status and code."""

import pytest

from binwright.openstack.placement.faults import Fault
from binwright.openstack.placement.microversion import LATEST, parse_microversion
from binwright.openstack.placement.query import parse_query
from tests.openstack.placement_vectors import SUITES, VECTORS, cases

AGG_1 = "26168b3d-5da8-4385-be92-2662e13da30e"
AGG_2 = "17039601-963a-407e-98fe-661f2e2d03a1"


def test_groups_in_the_order_of_their_first_parameter():
    query = parse_query("resources2=VCPU:1&required=A&resources=VCPU:2,MEMORY_MB:512&resources1=X:3&group_policy=none")
    assert list(query.groups) == ["2", "", "1"]
    assert query.groups[""].resources == {"VCPU": 2, "MEMORY_MB": 512}
    assert query.groups[""].required == [frozenset("A")]
    assert query.group_policy == "none"
    assert query.classes() == {"VCPU", "MEMORY_MB", "X"}


def test_traits_are_clauses():
    group = parse_query("resources=VCPU:1&required=A,!B,!!C, D &required=in:E,F&required=!G").groups[""]
    assert group.required == [frozenset("A"), frozenset("D"), frozenset("EF")]
    assert group.forbidden == frozenset("BCG")


def test_before_1_39_only_the_last_required_counts():
    group = parse_query("resources=VCPU:1&required=A&required=B", (1, 38)).groups[""]
    assert group.required == [frozenset("B")]


def test_member_of():
    group = parse_query(
        f"resources=VCPU:1&member_of=in:{AGG_1},{AGG_2}&member_of={AGG_1}&member_of=!{AGG_2}&member_of=!in:{AGG_1}"
    ).groups[""]
    assert group.member_of == [frozenset([AGG_1, AGG_2]), frozenset([AGG_1])]
    assert group.forbidden_aggregates == frozenset([AGG_1, AGG_2])


def test_the_last_resources_and_in_tree_count_and_the_first_limit_and_policy():
    query = parse_query(
        f"resources=VCPU:1&resources=X:2&in_tree={AGG_1}&in_tree={AGG_2}&limit=5&limit=1"
        "&group_policy=isolate&group_policy=none&resources1=VCPU:1"
    )
    assert query.groups[""].resources == {"X": 2}
    assert query.groups[""].in_tree == AGG_2
    assert (query.limit, query.group_policy) == (5, "isolate")


def test_duplicate_class_in_one_value_the_last_wins():
    assert parse_query("resources=VCPU:1,VCPU:3").groups[""].resources == {"VCPU": 3}


def test_spellings_that_the_service_accepts():
    query = parse_query(
        "&resources=VCPU%3A1;resources1%0A=X:2&required=in: A,B &group_policy&group_policy=none&limit=0&limit=7"
    )
    assert query.groups[""].required == [frozenset("AB")]
    assert query.groups["1"].resources == {"X": 2}
    assert (query.group_policy, query.limit) == (None, None)
    assert parse_query("resources=VCPU:1&required= in:A,! B").groups[""].required == [frozenset(["in:A"])]
    with pytest.raises(Fault, match="can't decode byte 0xff"):
        parse_query("resources=VCPU:1&required=%FF")


@pytest.mark.parametrize(("text", "amount"), [("%2B1", 1), (" 2", 2), ("1_0", 10), ("%D9%A1", 1)])
def test_amounts_are_what_int_reads(text, amount):
    assert parse_query(f"resources=VCPU:{text}").groups[""].resources == {"VCPU": amount}


def test_root_required_and_same_subtree():
    query = parse_query(
        "resources=VCPU:1&root_required=A,!B&required_N=C&resources1=X:1&same_subtree=_N, 1&group_policy=none"
    )
    assert (query.root_required, query.root_forbidden) == (frozenset("A"), frozenset("B"))
    assert query.same_subtrees == [frozenset(["_N", "1"])]
    assert query.groups["_N"].resources == {}


@pytest.mark.parametrize(
    ("text", "version", "status", "code"),
    [
        ("resources=VCPU:1", (1, 9), 404, None),
        ("limit=1", (1, 16), 400, None),
        ("resources=VCPU:1&limit=1", (1, 15), 400, None),
        ("resources=VCPU:1&required1=A&resources2=X:1", (1, 30), 400, "placement.undefined_code"),
        ("resources=VCPU:1&resources0=VCPU:1", (1, 32), 400, "placement.undefined_code"),
        ("limit=a&limit=1&resources=VCPU:1", LATEST, 400, "placement.undefined_code"),
        ("", (1, 35), 400, "placement.undefined_code"),
        ("", (1, 36), 400, "placement.query.missing_value"),
        ("member_of1=" + AGG_1, (1, 33), 400, "placement.undefined_code"),
        ("in_tree1=" + AGG_1, (1, 33), 400, "placement.undefined_code"),
        ("resources=VCPU:1&root_required=A,!A", LATEST, 400, "placement.query.bad_value"),
        ("resources=VCPU:1&root_required=A&root_required=A", LATEST, 400, "placement.query.duplicate_key"),
    ],
)
def test_refusals(text, version, status, code):
    with pytest.raises(Fault) as caught:
        parse_query(text, version)
    (error,) = caught.value.to_dict(version, "req-1")["errors"]
    assert (error["status"], error.get("code"), error["request_id"]) == (status, code, "req-1")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("text", "status"), [("1.40", 406), ("2.0", 406), ("one", 400), ("1", 400)])
def test_microversions_there_are_not(text, status):
    with pytest.raises(Fault) as caught:
        parse_microversion(text)
    assert caught.value.status == status
    assert parse_microversion("latest") == parse_microversion("1.39") == (1, 39)


@pytest.mark.vectors
@pytest.mark.skipif(not VECTORS.exists(), reason=f"{VECTORS} is absent")
@pytest.mark.parametrize("suite", SUITES)
def test_every_recorded_query_is_parsed_or_refused_as_the_service_did(suite):
    """Names that do not exist are the search's to find: such queries must parse."""
    for case in cases(suite):
        for query in case["queries"]:
            version = parse_microversion(query["microversion"])
            error = query["error"]["errors"][0] if query["compare"] == "error" else None
            if error is None or "No such" in error["detail"]:
                parse_query(query["query"], version)
                continue
            with pytest.raises(Fault) as caught:
                parse_query(query["query"], version)
            (own,) = caught.value.to_dict(version)["errors"]
            told = (case["id"], query["query"], str(caught.value))
            assert (own["status"], own.get("code"), own["title"]) == (
                error["status"],
                error.get("code"),
                error["title"],
            ), told
            if "Failed validating" not in error["detail"] and not query.get("message_order_varies"):
                assert " ".join(own["detail"].split()) == " ".join(error["detail"].split()), told
