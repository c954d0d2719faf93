"""Losing hosts, by hand: what breaks, what finds another node, and that nothing is left changed."""

import jsonschema
import pytest

from binwright.errors import InputError
from binwright.schemas import schema
from binwright.stack.blast import blast
from binwright.stack.join import join
from binwright.stack.racks import Seat
from tests.stack.made import cloud, cluster, node, pod, server

SEATS = [
    Seat("h1", "r1", "az1", "racks.yaml"),
    Seat("h2", "r1", "az1", "racks.yaml"),
    Seat("h3", "r2", "az1", "racks.yaml"),
]


def sandwich(*pods, cpu="8", budgets=()):
    """Nodes n0, n1 on h1, n2 on h2, n3 on h3."""
    nodes = [node(f"n{i}", provider=f"id-s{i}", cpu=cpu) for i in range(4)]
    servers = [server(f"s{i}", host) for i, host in enumerate(["h1", "h1", "h2", "h3"])]
    return join({"k": cluster(*nodes, *pods, *budgets)}, {"north": cloud(servers, ["h1", "h2", "h3"])}, SEATS)


def lost(made, level="host", name="h1"):
    result = blast(made, [(level, name)])
    jsonschema.validate(result.to_dict(), schema("BlastResult"))
    return result.blasts[0]


def budget(app, needed, healthy):
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": f"{app}-budget", "namespace": "default"},
        "spec": {"minAvailable": needed, "selector": {"matchLabels": {"app": app}}},
        "status": {"desiredHealthy": needed, "currentHealthy": healthy, "disruptionsAllowed": healthy - needed},
    }


def told(one):
    return [(each.kind, each.object.name, each.had, each.left, each.needed) for each in one.breaks]


def test_a_host_takes_its_servers_nodes_and_pods_with_it():
    one = lost(sandwich(pod("a", "n0", "a"), pod("b", "n1", "b"), pod("c", "n2", "c")))
    assert (one.name, one.servers, one.nodes, one.lost, one.placed, one.ended) == ("north/h1", 2, 2, 2, 2, 0)


def test_what_has_room_elsewhere_goes_there_one_after_another():
    pods = [pod(f"a-{i}", "n0", "a", cpu="4") for i in range(2)] + [
        pod("full", "n2", "f", cpu="5"),
        pod("x", "n3", "x", cpu="3"),
    ]
    one = lost(sandwich(*pods))
    assert (one.placed, [str(ref) for ref, _ in one.homeless]) == (1, ["Pod k/default/a-1"])
    assert one.homeless[0][1] == (
        "0/4 nodes are available: 2 Insufficient cpu, 2 node(s) had untolerated taint "
        "{node.kubernetes.io/unreachable: }."
    )


def test_what_has_no_controller_or_belongs_to_its_node_ends_with_it():
    bare = pod("bare", "n0", "x")
    del bare["metadata"]["ownerReferences"]
    one = lost(sandwich(bare, pod("ds", "n0", "ds", ("DaemonSet", "ds")), pod("static", "n0", "s", ("Node", "n0"))))
    assert (one.lost, one.placed, one.ended, one.homeless) == (3, 0, 3, [])


def test_a_service_is_gone_when_all_its_pods_are():
    pods = [pod("a-0", "n0", "a", ("ReplicaSet", "a")), pod("a-1", "n1", "a", ("ReplicaSet", "a"))]
    others = [pod("b-0", "n0", "b", ("ReplicaSet", "b")), pod("b-1", "n2", "b", ("ReplicaSet", "b"))]
    assert told(lost(sandwich(*pods, *others))) == [("service", "a", 2, 0, 1)]


def test_a_quorum_breaks_below_its_majority():
    on = ["n0", "n1", "n2"]
    pods = [pod(f"etcd-{i}", name, "e", ("StatefulSet", "etcd")) for i, name in enumerate(on)]
    assert told(lost(sandwich(*pods))) == [("quorum", "etcd", 3, 1, 2)]
    assert told(lost(sandwich(*pods), name="h2")) == []


def test_a_budget_breaks_when_fewer_are_healthy_than_it_promises():
    pods = [pod(f"a-{i}", name, "a", ("ReplicaSet", "a")) for i, name in enumerate(["n0", "n1", "n2"])]
    assert told(lost(sandwich(*pods, budgets=[budget("a", 2, 3)]))) == [("budget", "a-budget", 3, 1, 2)]
    assert told(lost(sandwich(*pods, budgets=[budget("a", 1, 3)]))) == []


def test_racks_and_zones_are_all_their_hosts():
    made = sandwich(pod("a", "n0", "a"), pod("b", "n2", "b"), pod("c", "n3", "c"))
    rack = lost(made, "rack", "r1")
    assert (rack.hosts, rack.nodes, rack.lost, rack.placed) == (["north/h1", "north/h2"], 3, 2, 2)
    zone = lost(made, "zone", "az1")
    assert (len(zone.hosts), zone.nodes, zone.placed, len(zone.homeless)) == (3, 4, 0, 3)


def test_every_host_is_asked_about_and_the_worst_comes_first():
    pods = [pod(f"etcd-{i}", name, "e", ("StatefulSet", "etcd")) for i, name in enumerate(["n0", "n1", "n2"])]
    result = blast(sandwich(*pods, pod("a", "n3", "a")), any_level="host")
    assert [one.name for one in result.blasts] == ["north/h1", "north/h3", "north/h2"]


def test_one_loss_does_not_change_the_answer_about_another():
    pods = [pod(f"a-{i}", f"n{i % 4}", "a", cpu="2") for i in range(12)]
    made = sandwich(*pods)
    together = blast(made, any_level="host").blasts
    alone = [blast(made, [("host", one.name)]).blasts[0] for one in together]
    assert [(one.name, one.weight, one.placed) for one in together] == [
        (one.name, one.weight, one.placed) for one in alone
    ]


@pytest.mark.parametrize(
    ("level", "name", "line"),
    [
        ("host", "h9", "--lose host=h9: no host of this name"),
        ("row", "r1", "--lose row=r1: no such level (there are host, rack, zone)"),
    ],
)
def test_what_is_not_there_is_one_line(level, name, line):
    with pytest.raises(InputError) as refusal:
        blast(sandwich(), [(level, name)])
    assert str(refusal.value) == line
