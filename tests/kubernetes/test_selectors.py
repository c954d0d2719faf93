"""Node selectors, kubernetes spec 2."""

import msgspec
import pytest

from binwright.kubernetes import selectors
from binwright.kubernetes.nodes import NodeTable
from binwright.kubernetes.objects import NodeSelector, NodeSelectorTerm
from tests.kubernetes.made import expression, make_node

NODES = NodeTable(
    [
        make_node("a", labels={"zone": "x", "n": "5", "disk": ""}),
        make_node("b", labels={"zone": "y", "n": "007"}),
        make_node("c", labels={"zone": "x", "n": "-3"}),
        make_node("d", labels={"zone": "z", "n": "9223372036854775808"}),
        make_node("e"),
    ]
)


def matching(term):
    found = selectors.term(msgspec.convert(term, NodeSelectorTerm), NODES)
    return "".join(name for name, one in zip(NODES.names, found) if one)


@pytest.mark.parametrize(
    ("operator", "key", "values", "expected"),
    [
        ("In", "zone", ["x"], "ac"),
        ("In", "zone", ["y", "z", "nowhere"], "bd"),
        ("In", "zone", [], ""),
        ("NotIn", "zone", ["x"], "bde"),
        ("NotIn", "zone", [], ""),
        ("NotIn", "missing", ["x"], "abcde"),
        ("Exists", "disk", [], "a"),
        ("Exists", "disk", ["x"], ""),
        ("DoesNotExist", "disk", [], "bcde"),
        ("DoesNotExist", "disk", ["x"], ""),
        ("Gt", "n", ["5"], "b"),
        ("Gt", "n", ["4"], "ab"),
        ("Lt", "n", ["7"], "ac"),
        ("Lt", "n", ["007"], "ac"),
        ("Lt", "n", ["+7"], ""),
        ("Gt", "n", ["-7"], ""),
        ("NotIn", "n", ["a b"], ""),
        ("NotIn", "n", ["x" * 63], "abcde"),
        ("NotIn", "n", ["x" * 64], ""),
        ("NotIn", "n", [""], "abcde"),
        ("DoesNotExist", "-x", [], ""),
        ("DoesNotExist", "x.example/y", [], "abcde"),
        ("DoesNotExist", "x_example/y", [], ""),
        ("DoesNotExist", "Example/y", [], ""),
        ("DoesNotExist", "x/", [], ""),
        ("DoesNotExist", "x..y/z", [], ""),
        ("Gt", "n", ["x"], ""),
        ("Gt", "n", ["1_0"], ""),
        ("Gt", "n", ["-9223372036854775809"], ""),
        ("Gt", "n", [], ""),
        ("Gt", "n", ["1", "2"], ""),
        ("Gt", "zone", ["0"], ""),
        ("in", "zone", ["x"], ""),
        ("", "zone", [], ""),
    ],
)
def test_expression(operator, key, values, expected):
    assert matching(expression(key, operator, *values)) == expected


def test_expressions_and_fields_of_a_term_are_anded():
    in_x, with_disk = expression("zone", "In", "x"), expression("disk", "Exists")
    assert matching({"matchExpressions": in_x["matchExpressions"] + with_disk["matchExpressions"]}) == "a"
    field = {"key": "metadata.name", "operator": "NotIn", "values": ["a"]}
    assert matching({**expression("zone", "In", "x"), "matchFields": [field]}) == "c"


def test_one_malformed_part_makes_the_term_match_nothing():
    good = expression("zone", "In", "x")["matchExpressions"]
    assert matching({"matchExpressions": [*good, *expression("zone", "Like", "x")["matchExpressions"]]}) == ""
    field = {"key": "metadata.uid", "operator": "In", "values": ["a"]}
    assert matching({"matchExpressions": good, "matchFields": [field]}) == ""


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ({"key": "metadata.name", "operator": "In", "values": ["b"]}, "b"),
        ({"key": "metadata.name", "operator": "NotIn", "values": ["b"]}, "acde"),
        ({"key": "metadata.name", "operator": "In", "values": ["nobody"]}, ""),
        ({"key": "metadata.name", "operator": "In", "values": ["a", "b"]}, ""),
        ({"key": "metadata.name", "operator": "In"}, ""),
        ({"key": "metadata.name", "operator": "Exists"}, ""),
        ({"key": "spec.x", "operator": "NotIn", "values": ["b"]}, ""),
    ],
)
def test_field(field, expected):
    assert matching({"matchFields": [field]}) == expected


def test_an_empty_term_and_an_empty_list_of_terms_match_nothing():
    assert matching({}) == ""
    assert matching({"matchExpressions": [], "matchFields": []}) == ""
    assert not selectors.required_terms(NodeSelector(()), NODES).any()
    assert not selectors.required_terms(NodeSelector(), NODES).any()


def test_terms_are_ored():
    selector = msgspec.convert(
        {"nodeSelectorTerms": [expression("zone", "In", "y"), expression("zone", "Bad"), expression("disk", "Exists")]},
        NodeSelector,
    )
    assert selectors.required_terms(selector, NODES).tolist() == [True, True, False, False, False]


def test_node_selector_pairs_are_anded():
    assert selectors.node_selector({"zone": "x", "n": "5"}, NODES).tolist() == [True, False, False, False, False]
    assert selectors.node_selector({"zone": "x", "none": ""}, NODES).sum() == 0
    assert selectors.node_selector({"disk": ""}, NODES).tolist() == [True, False, False, False, False]
    assert selectors.node_selector({}, NODES).all()


def test_preferred_weights_add_up():
    terms = [
        (5, msgspec.convert(expression("zone", "In", "x"), NodeSelectorTerm)),
        (2, msgspec.convert(expression("disk", "Exists"), NodeSelectorTerm)),
        (0, msgspec.convert(expression("zone", "Exists"), NodeSelectorTerm)),
        (9, NodeSelectorTerm()),
    ]
    assert selectors.preferred(terms, NODES).tolist() == [7, 0, 5, 0, 0]


def names(*terms):
    fields = [[{"key": "metadata.name", "operator": "In", "values": values} for values in term] for term in terms]
    selector = {"nodeSelectorTerms": [{"matchFields": listed} for listed in fields]}
    return selectors.name_set(msgspec.convert(selector, NodeSelector))


def test_name_set():
    assert names([["a"]]) == {"a"}
    assert names([["a"]], [["b", "zz"]]) == {"a", "b", "zz"}
    assert names([["a", "b"], ["b", "c"]]) == {"b"}
    assert names([["a"], ["b"]]) == set()
    assert names([["a"]], []) is None
    assert selectors.name_set(NodeSelector(())) is None
    assert selectors.name_set(NodeSelector()) is None
