"""Nodes as a Fleet, pods as request classes: the columns, what is shared, what is refused."""

import pytest

from binwright.errors import InputError
from binwright.kubernetes.compile import Cluster
from binwright.kubernetes.configuration import SchedulerProfile
from binwright.kubernetes.plugins.node_resources_fit import FitArgs
from tests.kubernetes.made import expression, make_node, make_pod, preferred, required

GIB = 2**30


def column(cluster, name, part="used"):
    return getattr(cluster.fleet, part)[cluster.fleet.resources.index(name)].tolist()


def test_columns_of_a_fleet():
    nodes = [make_node("a", example_com__x="3"), make_node("b", cpu="1500m", memory="1Gi", pods="5", hugepages_2Mi="0")]
    pods = [make_pod(requests={"example.com/y": "1", "nonsense": "9"})]
    cluster = Cluster(nodes, pods)
    assert cluster.resources == ("pods", "cpu", "memory", "ephemeral-storage", "example-com/x", "example.com/y")
    assert cluster.fleet.resources == (*cluster.resources, "cpu.nonzero", "memory.nonzero")
    assert column(cluster, "cpu", "capacity") == [4000, 1500] == column(cluster, "cpu.nonzero", "capacity")
    assert column(cluster, "memory", "capacity") == [8 * GIB, GIB]
    assert column(cluster, "pods", "capacity") == [110, 5]
    assert column(cluster, "ephemeral-storage", "capacity") == [0, 0]
    assert column(cluster, "example-com/x", "capacity") == [3, 0]
    assert cluster.fleet.names == ["a", "b"]


def test_capacity_stands_in_for_an_absent_allocatable():
    bare = make_node("a")
    bare.status.allocatable, bare.status.capacity = None, {"cpu": "2"}
    empty = make_node("b")
    empty.status.allocatable, empty.status.capacity = {}, {"cpu": "2"}
    none = make_node("c")
    none.status = None
    assert column(Cluster([bare, empty, none], []), "cpu", "capacity") == [2000, 0, 0]


def test_bound_pods_take_their_amounts_with_defaults_for_the_scores():
    bound = [
        make_pod("a", cpu="1", memory="1Gi", node="n"),
        make_pod("b", node="n"),
        make_pod("c", cpu="1", node="gone"),
        make_pod("d", cpu="1", memory="1Gi", node="n"),
    ]
    cluster = Cluster([make_node("m"), make_node("n")], bound)
    assert [pod.metadata.name for pod in cluster.bind(bound)] == ["c"]
    assert column(cluster, "pods") == [0, 3]
    assert column(cluster, "cpu") == [0, 2000]
    assert column(cluster, "cpu.nonzero") == [0, 2100]
    assert column(cluster, "memory.nonzero") == [0, 2 * GIB + 200 * 2**20]


def test_a_bound_pod_may_overfill_its_node():
    bound = [make_pod(cpu="9", node="n")]
    cluster = Cluster([make_node("n")], bound)
    assert cluster.bind(bound) == []
    assert column(cluster, "cpu") == [9000]


def test_the_strategy_has_its_own_columns_for_other_resources():
    profile = SchedulerProfile(fit=FitArgs(resources={"cpu": 1, "example.com/x": 2}))
    pod = make_pod(requests={"example.com/x": "2"}, node="n")
    cluster = Cluster([make_node("n", example_com__x=4)], [pod], profile)
    assert cluster.fleet.resources[-1] == "example.com/x.fit"
    cluster.bind([pod])
    assert column(cluster, "example.com/x") == [2] == column(cluster, "example.com/x.fit")


def test_pods_that_agree_in_what_decides_are_one_class():
    alike = [
        make_pod("a", cpu="1", namespace="x", meta={"labels": {"app": "a"}}),
        make_pod("b", cpu="1000m"),
        make_pod("c", cpu="1", containers=[{"name": "z", "image": "unknown", "resources": {"requests": {"cpu": "1"}}}]),
        make_pod("d", cpu="1", tolerations=[{"key": "nothing-has-this", "operator": "Exists"}]),
        make_pod("e", cpu="1", nodeSelector={"zone": "x"}),
    ]
    different = [
        make_pod("f", cpu="2"),
        make_pod("g", cpu="1", memory="1"),
        make_pod("h", cpu="1", nodeSelector={"zone": "y"}),
        make_pod("i", cpu="1", node="n"),
        make_pod("j", cpu="1", affinity=preferred((1, expression("rack", "Exists")))),
        make_pod("k", cpu="1", tolerations=[{"operator": "Exists"}]),
        make_pod("l", cpu="1", priority=5),
    ]
    nodes = [
        make_node("n", labels={"zone": "x"}),
        make_node("m", labels={"zone": "x", "rack": "1"}, taints=[{"key": "t", "effect": "NoSchedule"}]),
    ]
    cluster = Cluster(nodes, alike + different)
    assert len({cluster.request(pod).index for pod in alike}) == 1
    assert len({cluster.request(pod).index for pod in alike + different}) == 1 + len(different)


def test_reasons_in_the_peers_words():
    nodes = [make_node("a", unschedulable=True), make_node("b", cpu="1", pods="0"), make_node("c", memory="1")]
    pod = make_pod(cpu="2", memory="1Gi")
    cluster = Cluster(nodes, [pod])
    look = cluster.fleet.explain(cluster.request(pod))
    assert {(cluster.rules.reason(one.rule, one.argument), one.hosts) for one in look.reasons} == {
        (("NodeUnschedulable", "node(s) were unschedulable"), 1),
        (("NodeResourcesFit", "Too many pods"), 1),
        (("NodeResourcesFit", "Insufficient cpu"), 1),
        (("NodeResourcesFit", "Insufficient memory"), 1),
    }


def test_a_pod_goes_where_its_names_allow():
    field = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["b"]}]}
    pod = make_pod(affinity=required(field))
    cluster = Cluster([make_node("a"), make_node("b")], [pod])
    assert cluster.fleet.place(cluster.request(pod)).hosts.tolist() == [1]


@pytest.mark.parametrize(
    ("nodes", "pods", "line"),
    [
        ([make_node("n", cpu="1x")], [], "Node n: status.allocatable.cpu: '1x' has an unknown unit 'x'"),
        ([make_node("n", memory="-1")], [], "Node n: status.allocatable.memory: '-1' is negative"),
        ([make_node("n", pods="1e30")], [], "Node n: status.allocatable.pods: '1e30' is past the int64 range"),
        ([make_node("n", memory="1Ei")], [], "Node n: status.allocatable: memory: 1152921504606846976 is more than"),
        ([make_node("n")], [make_pod(cpu="?")], "Pod default/p: spec.containers[0].resources.requests.cpu: '?' is not"),
    ],
)
def test_malformed_amounts_name_object_and_field(nodes, pods, line):
    with pytest.raises(InputError) as caught:
        Cluster(nodes, pods)
    assert str(caught.value).startswith(line)
