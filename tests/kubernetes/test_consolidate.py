"""Consolidation of small clusters checked by hand: which nodes are candidates, which go, where the pods land."""

from fractions import Fraction

import pytest

from binwright.errors import InputError
from binwright.kubernetes.consolidate import ConsolidateFlags, consolidate, read_source
from binwright.kubernetes.place import Options
from binwright.kubernetes.reader import read_dicts
from binwright.stack.node_bound import least_hosts
from tests.kubernetes.made import node_dict
from tests.kubernetes.test_drain import EMPTY_DIR, MIRROR, budget, moves_of, owned, running


def consolidated(*objects, **flags):
    return consolidate("c", read_dicts(objects, "c"), ConsolidateFlags(**flags))


def held_of(found):
    return [(one.kind, one.name, one.host, one.reason) for one in found.evacuated.held]


def test_the_emptier_node_is_emptied_and_two_are_needed():
    found = consolidated(
        node_dict("a"), node_dict("b"), node_dict("c"),
        running("p", "a", "3"), running("q", "b", "1"), running("r", "c", "2"),
    )  # fmt: skip
    assert found.evacuated.emptied == ["b"]
    assert moves_of(found.evacuated) == [("q", "b", "c", 1)]
    bound = least_hosts(found.needs)
    assert (bound.hosts, bound.fixed, bound.proof) == (2, 0, "volume")


def test_pods_of_daemon_sets_and_mirror_pods_take_room_on_every_node_and_go_with_theirs():
    found = consolidated(
        node_dict("a", cpu="4"), node_dict("b", cpu="4"),
        running("d0", "a", "1", meta=owned("DaemonSet")), running("d1", "b", "1", meta=owned("DaemonSet")),
        running("static", "b", "1", meta=MIRROR), running("p", "a", "1"), running("q", "b", "1"),
    )  # fmt: skip
    assert found.evacuated.emptied == ["a"]
    assert moves_of(found.evacuated) == [("p", "a", "b", 1)]
    assert least_hosts(found.needs).hosts == 1


def test_room_that_daemon_sets_take_is_room_that_the_bound_does_not_count():
    found = consolidated(
        node_dict("a", cpu="4"), node_dict("b", cpu="4"),
        running("d0", "a", "2", meta=owned("DaemonSet")), running("d1", "b", "2", meta=owned("DaemonSet")),
        running("p", "a", "2"), running("q", "b", "1"),
    )  # fmt: skip
    assert found.evacuated.emptied == []
    assert least_hosts(found.needs).hosts == 2


STAY = {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}
SAFE = {"cluster-autoscaler.kubernetes.io/safe-to-evict": "true"}
KARPENTER = {"karpenter.sh/do-not-disrupt": "true"}


@pytest.mark.parametrize(
    ("pod", "reason"),
    [
        (running("p", "a", meta=owned(annotations=STAY)), "doNotEvict"),
        (running("p", "a", meta=owned(annotations=KARPENTER)), "doNotEvict"),
        (running("p", "a", meta={"labels": {}}), "unmanaged"),
        (running("p", "a", **EMPTY_DIR), "localStorage"),
        (running("p", "a", tolerations=[{"operator": "Exists"}]), "comesBack"),
    ],
)
def test_a_pod_that_may_not_go_keeps_its_node(pod, reason):
    found = consolidated(node_dict("a"), node_dict("b"), pod, running("q", "b"))
    assert held_of(found) == [("Pod", "p", "a", reason)]
    assert found.evacuated.emptied == ["b"]
    assert least_hosts(found.needs).fixed == 1


@pytest.mark.parametrize("one", [budget(allowed=0), budget(metadata={"generation": 2})])
def test_a_budget_that_allows_nothing_keeps_the_node(one):
    found = consolidated(node_dict("a"), node_dict("b"), one, running("p", "a"))
    assert held_of(found) == [("Pod", "p", "a", "budget")]
    assert found.evacuated.emptied == ["b"]


def test_two_budgets_keep_the_node():
    found = consolidated(node_dict("a"), node_dict("b"), budget(), budget("other"), running("p", "a"))
    assert held_of(found) == [("Pod", "p", "a", "budget")]


@pytest.mark.parametrize(
    ("node", "reason"),
    [
        (node_dict("a", labels={"node-role.kubernetes.io/control-plane": ""}), "controlPlane"),
        (node_dict("a", labels={"node-role.kubernetes.io/master": ""}), "controlPlane"),
        ({**node_dict("a"), "metadata": {"name": "a", "annotations": KARPENTER}}, "doNotEvict"),
        (
            {
                **node_dict("a"),
                "metadata": {
                    "name": "a",
                    "annotations": {"cluster-autoscaler.kubernetes.io/scale-down-disabled": "true"},
                },
            },
            "doNotEvict",
        ),
    ],
)
def test_some_nodes_stay_whatever_they_run(node, reason):
    found = consolidated(node, node_dict("b"))
    assert held_of(found) == [("Node", "a", "a", reason)]
    assert (found.evacuated.emptied, found.idle) == (["b"], ["b"])
    assert "1 of the emptied nodes run nothing, or pods of daemon sets only, such as b" in found.evacuated.notes[0]


def test_local_storage_moves_when_it_may():
    pods = [running("p", "a", "1", **EMPTY_DIR), running("q", "b", "2")]
    assert consolidated(node_dict("a"), node_dict("b"), *pods).evacuated.emptied == ["b"]
    assert consolidated(node_dict("a"), node_dict("b"), *pods, delete_emptydir_data=True).evacuated.emptied == ["a"]
    pods[0] = running("p", "a", "1", meta=owned(annotations=SAFE), **EMPTY_DIR)
    assert consolidated(node_dict("a"), node_dict("b"), *pods).evacuated.emptied == ["a"]


def test_budgets_are_kept_over_rounds():
    pods = [running(f"p{number}", "a", "500m") for number in range(4)]
    found = consolidated(node_dict("a"), node_dict("b", cpu="8"), running("q", "b", "4"), budget(allowed=2), *pods)
    assert [number for *_, number in moves_of(found.evacuated)] == [1, 1, 2, 2]
    assert [(one.moves, one.rounds) for one in found.evacuated.budgets] == [(4, 2)]


def test_large_pods_leave_first():
    pods = [running("small", "a", "100m"), running("large", "a", "2"), running("q", "b", "3")]
    found = consolidated(node_dict("a"), node_dict("b", cpu="8"), *pods)
    assert moves_of(found.evacuated) == [("large", "a", "b", 1), ("small", "a", "b", 1)]


def test_spread_keeps_what_its_rule_needs():
    """One pod a node is all that the spread allows, so nobody can go though all would fit on one node."""
    spread = [
        {
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": {"matchLabels": {"app": "web"}},
            "minDomains": 3,
        }
    ]
    nodes = [node_dict(name, labels={"kubernetes.io/hostname": name}) for name in "abc"]
    pods = [running(name, name, "100m", topologySpreadConstraints=spread) for name in "abc"]
    found = consolidated(*nodes, *pods)
    assert found.evacuated.emptied == []
    assert least_hosts(found.needs).hosts == 1


def test_an_overcommitted_node_does_not_raise_the_bound_above_the_truth():
    found = consolidated(
        node_dict("a", cpu="1"), node_dict("b", cpu="1"),
        running("p", "a", "1"), running("q", "a", "1"), running("r", "a", "1"),
    )  # fmt: skip
    assert found.evacuated.emptied == ["b"]
    assert least_hosts(found.needs).hosts == 1


def test_a_cluster_of_one_full_node_has_nothing_to_empty():
    found = consolidated(node_dict("a"), running("p", "a"))
    assert (found.evacuated.emptied, found.evacuated.moves, found.evacuated.rounds) == ([], [], 0)
    assert least_hosts(found.needs).hosts == 1


TYPED = {"node.kubernetes.io/instance-type": "dear"}, {"node.kubernetes.io/instance-type": "cheap"}
PRICES = {"dear": Fraction("1.5"), "cheap": Fraction("0.25")}


def test_with_prices_the_dear_node_goes_though_more_has_to_move():
    objects = [
        node_dict("a", labels=TYPED[0]), node_dict("b", labels=TYPED[1]), node_dict("c", labels=TYPED[1]),
        running("p", "a", "3"), running("q", "b", "2"), running("r", "c", "500m"),
    ]  # fmt: skip
    counted = consolidated(*objects)
    assert (counted.evacuated.emptied, counted.prices) == (["c"], None)
    priced = consolidated(*objects, prices=PRICES)
    assert priced.evacuated.emptied == ["a"]
    assert priced.prices == (Fraction(2), Fraction("0.5"))
    bound = least_hosts(priced.needs, priced=True)
    assert (bound.hosts, bound.price) == (2, Fraction("0.5"))


def test_a_node_that_stays_anyway_needs_no_price():
    """The control plane is of no kind in the catalogue: it is in no sum, in the bound neither, and that is said."""
    control = {"node-role.kubernetes.io/control-plane": "", "node.kubernetes.io/instance-type": "odd"}
    objects = [
        node_dict("cp", labels=control), node_dict("a", labels=TYPED[0]), node_dict("b", labels=TYPED[1]),
        running("p", "a", "1"), running("q", "b", "1"),
    ]  # fmt: skip
    found = consolidated(*objects, prices=PRICES)
    assert (found.evacuated.emptied, found.prices) == (["a", "b"], (Fraction("1.75"), 0))
    assert least_hosts(found.needs, priced=True).price == 0
    assert [note for note in found.evacuated.notes if "catalogue" in note] == [
        "1 of the nodes that must stay are of no kind in the catalogue, such as cp; their price is in none of the sums"
    ]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({}, "Node a: no label node.kubernetes.io/instance-type, so it has no price"),
        (
            {"beta.kubernetes.io/instance-type": "odd"},
            "Node a: label node.kubernetes.io/instance-type: 'odd' is not in the catalogue",
        ),
    ],
)
def test_a_node_without_a_price_is_refused(labels, message):
    with pytest.raises(InputError) as error:
        consolidated(node_dict("a", labels=labels), prices=PRICES)
    assert str(error.value) == message


def test_the_bound_knows_taints_and_selectors():
    """By amounts alone one node would be enough; the tainted one is needed for p, another for q."""
    taint = {"key": "gpu", "effect": "NoSchedule"}
    tied = {"tolerations": [{"key": "gpu", "operator": "Exists"}], "nodeSelector": {"gpu": "yes"}}
    objects = [
        node_dict("a", labels={"gpu": "yes"}, taints=[taint]), node_dict("b"), node_dict("c"),
        running("p", "a", "500m", **tied), running("q", "b", "500m"), running("r", "c", "500m"),
    ]  # fmt: skip
    found = consolidated(*objects)
    assert len(found.evacuated.emptied) == 1
    assert least_hosts(found.needs).hosts == 2


def test_a_pod_that_would_not_be_let_onto_its_node_may_be_anywhere_to_the_bound():
    taint = {"key": "new", "effect": "NoSchedule"}
    found = consolidated(node_dict("a", taints=[taint]), node_dict("b", taints=[taint]), running("p", "a"))
    assert found.evacuated.emptied == ["b"]
    assert least_hosts(found.needs).hosts == 1


def test_pods_of_nodes_that_are_not_in_the_input_are_left_out():
    found = consolidated(node_dict("a"), running("p", "elsewhere", meta={"labels": {}}), running("q", "a"))
    assert held_of(found) == []
    assert found.evacuated.notes == ["nothing is used by 1 pod bound to nodes that are not in the input"]


def test_an_input_without_nodes_is_refused():
    with pytest.raises(InputError, match=r"^c: no Node in the input"):
        read_source("c", [], Options())
