"""Findings, by hand: each kind once where it is, and once where it only looks like it."""

import jsonschema
import pytest

from binwright.errors import InputError
from binwright.schemas import schema
from binwright.stack.audit import audit
from binwright.stack.blast import blast
from binwright.stack.join import host_id, join
from binwright.stack.ledger import ledger
from binwright.stack.racks import Seat
from binwright.stack.usage import Usage
from tests.stack.made import apart, cloud, cluster, node, pod, server, spread


def audited(objects, servers, hosts, seats=(), **more):
    """The result over one cluster "k" and one cloud "north"; its JSON is as the schema says."""
    result = audit(join({"k": cluster(*objects)}, {"north": cloud(servers, hosts, **more)}, seats))
    jsonschema.validate(result.to_dict(), schema("AuditResult"))
    return result


def nodes_on(hosts):
    """Nodes n0, n1, ... and their servers on these hosts."""
    nodes = [node(f"n{i}", provider=f"id-s{i}") for i in range(len(hosts))]
    return nodes, [server(f"s{i}", host) for i, host in enumerate(hosts)]


def kinds(result):
    return [one.kind for one in result.findings]


@pytest.mark.parametrize("wish", [spread("web"), apart("web")], ids=["spread", "apart"])
def test_three_nodes_on_two_hosts_are_no_threefold_spread(wish):
    nodes, servers = nodes_on(["h1", "h1", "h2", "h3"])
    pods = [pod(f"web-1-{i}", f"n{i}", "web", **wish) for i in range(3)]
    result = audited([*nodes, *pods], servers, ["h1", "h2", "h3"])
    assert kinds(result) == ["spread"]
    (found,) = result.findings
    assert (found.claimed, found.actual, found.severity) == (3, 2, "high")
    assert str(found.objects[0]) == "ReplicaSet k/default/web-1"
    assert {str(ref) for ref in found.objects[-2:]} == {"Host north/h1", "Host north/h2"}


@pytest.mark.parametrize("wish", [spread("web"), apart("web")], ids=["spread", "apart"])
def test_three_nodes_on_three_hosts_are_clean(wish):
    nodes, servers = nodes_on(["h1", "h2", "h3"])
    pods = [pod(f"web-1-{i}", f"n{i}", "web", **wish) for i in range(3)]
    assert kinds(audited([*nodes, *pods], servers, ["h1", "h2", "h3"])) == []


def test_others_of_the_selector_may_share_a_host_among_themselves_but_not_with_one_who_keeps_apart():
    nodes, servers = nodes_on(["h1", "h1", "h2"])
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchExpressions": [
        {"key": "app", "operator": "In", "values": ["db", "web"]}]}}  # fmt: skip
    keeps = {"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}}
    web = [pod(f"web-1-{i}", "n2", "web") for i in range(2)]
    away = pod("db-0", "n0", "db", ("StatefulSet", "db"), **keeps)
    assert kinds(audited([*nodes, away, *web], servers, ["h1", "h2"])) == []
    (found,) = audited([*nodes, away, *web, pod("web-1-9", "n1", "web")], servers, ["h1", "h2"]).findings
    assert (found.kind, found.claimed, found.actual) == ("spread", 2, 1)


def test_a_skew_that_the_labels_show_as_well_is_no_surprise_of_the_layers_below():
    """A node that came later, or was empty for a while: kube-scheduler sees it, and moves nothing."""
    nodes, servers = nodes_on(["h1", "h2", "h3"])
    pods = [pod(f"web-1-{i}", f"n{i % 2}", "web", **spread("web")) for i in range(4)]
    (found,) = audited([*nodes, *pods], servers, ["h1", "h2", "h3"]).findings
    assert (found.severity, found.claimed, found.actual) == ("medium", 2, 2)
    assert found.evidence.endswith("the labels show as much")
    nodes, servers = nodes_on(["h1", "h1", "h3"])
    (found,) = audited([*nodes, *pods], servers, ["h1", "h3"]).findings
    assert (found.severity, found.claimed, found.actual) == ("high", 2, 1)


def test_a_skew_that_is_allowed_and_a_wish_that_claims_nothing_are_clean():
    nodes, servers = nodes_on(["h1", "h1", "h2"])
    wide = [pod(f"a-{i}", f"n{i}", "a", ("ReplicaSet", "a"), **spread("a", maxSkew=2)) for i in range(3)]
    soft = [
        pod(f"b-{i}", f"n{i}", "b", ("ReplicaSet", "b"), **spread("b", whenUnsatisfiable="ScheduleAnyway"))
        for i in range(3)
    ]
    assert kinds(audited([*nodes, *wide, *soft], servers, ["h1", "h2"])) == []


def test_hosts_without_a_pod_of_the_workload_count_for_the_skew():
    nodes, servers = nodes_on(["h1", "h1", "h2"])
    pods = [pod(f"web-1-{i}", f"n{i}", "web", **spread("web")) for i in range(2)]
    (found,) = audited([*nodes, *pods], servers, ["h1", "h2"]).findings
    assert (found.claimed, found.actual) == (2, 1)


def test_zones_of_the_hosts_are_what_a_zone_claim_is_measured_by():
    nodes, servers = nodes_on(["h1", "h2"])
    for number, one in enumerate(nodes):
        one["metadata"]["labels"]["topology.kubernetes.io/zone"] = f"az{number}"
    pods = [pod(f"web-1-{i}", f"n{i}", "web", **apart("web", "topology.kubernetes.io/zone")) for i in range(2)]
    seats = [Seat("h1", "r1", "az0", "racks.yaml"), Seat("h2", "r1", "az0", "racks.yaml")]
    result = audited([*nodes, *pods], servers, ["h1", "h2"], seats)
    assert sorted(kinds(result)) == ["spread", "staleLabel"]
    assert [one.actual for one in result.findings] == [1, "az0"]


def test_a_member_on_an_unknown_host_leaves_the_claim_unjudged_and_says_so():
    nodes, servers = nodes_on(["h1", "h2"])
    nodes[1]["spec"]["providerID"] = "openstack:///gone"
    pods = [pod(f"web-1-{i}", f"n{i}", "web", **spread("web")) for i in range(2)]
    result = audited([*nodes, *pods], servers, ["h1", "h2"])
    assert kinds(result) == ["unjoined"]
    assert [(one.objects, one.example) for one in result.not_evaluated] == [(1, "k/default/web-1")]


@pytest.mark.parametrize(
    ("hosts", "found"),
    [
        (["h1", "h1", "h2"], ["quorum"]),
        (["h1", "h2", "h3"], []),
        (["h1", "h1", "h2", "h2", "h3"], []),
        (["h1", "h1", "h1", "h2", "h3"], ["quorum"]),
        (["h1", "h1"], []),
    ],
)
def test_a_quorum_is_lost_with_a_host_when_less_than_a_majority_is_left(hosts, found):
    nodes, servers = nodes_on(hosts)
    pods = [pod(f"etcd-{i}", f"n{i}", "x", ("StatefulSet", "etcd")) for i in range(len(hosts))]
    assert kinds(audited([*nodes, *pods], servers, sorted(set(hosts)))) == found


@pytest.mark.parametrize(
    ("name", "image", "found"),
    [
        ("server", "docker.io/bitnami/etcd:3.5", ["quorum"]),
        ("vault-agent", "hashicorp/vault:1.15", []),
        ("metrics", "kbudde/rabbitmq-exporter:v1.0", []),
    ],
)
def test_a_container_that_only_asks_a_voter_makes_no_quorum(name, image, found):
    nodes, servers = nodes_on(["h1", "h1", "h2"])
    pods = [pod(f"app-{i}", f"n{i}", "x", ("StatefulSet", "app")) for i in range(3)]
    for one in pods:
        one["spec"]["containers"].append({"name": name, "image": image})
    assert kinds(audited([*nodes, *pods], servers, ["h1", "h2"])) == found


def test_static_pods_of_etcd_are_one_group_over_their_nodes():
    nodes, servers = nodes_on(["h1", "h1", "h2"])
    pods = [pod(f"etcd-n{i}", f"n{i}", "x", ("Node", f"n{i}")) for i in range(3)]
    for one in pods:
        one["metadata"]["labels"]["component"] = "etcd"
    (found,) = audited([*nodes, *pods], servers, ["h1", "h2"]).findings
    assert (found.kind, found.severity, found.claimed, found.actual) == ("quorum", "critical", 3, 2)


def labelled(value):
    one = node("n0", provider="id-s0")
    one["metadata"]["labels"]["topology.openstack.org/host-id"] = value
    return one


@pytest.mark.parametrize(
    ("label", "found", "unknown"),
    [
        (host_id("p", "h1"), [], 0),
        (host_id("p", "h2"), ["staleLabel"], 0),
        ("0123", [], 1),
    ],
    ids=["fresh", "of another host", "of nobody"],
)
def test_a_host_id_label_is_stale_when_it_is_that_of_another_host(label, found, unknown):
    result = audited([labelled(label)], [server("s0", "h1")], ["h1", "h2"])
    assert kinds(result) == found
    assert sum(one.objects for one in result.not_evaluated) == unknown


def test_a_host_id_that_the_server_tells_is_the_truth():
    result = audited([labelled("old")], [server("s0", None, hostId="new")], [])
    assert [(one.claimed, one.actual) for one in result.findings] == [("old", "new")]


def test_bare_metal_servers_of_one_service_share_a_host_id_and_are_hosts_of_their_own():
    label = host_id("p", "ironic")
    nodes = [labelled(label), labelled(label)]
    nodes[1]["metadata"]["name"], nodes[1]["spec"]["providerID"] = "n1", "openstack:///id-s1"
    servers = [server(f"s{i}", f"metal-{i}") for i in range(2)]
    hosts = [
        {"ID": f"m{i}", "Hypervisor Hostname": f"metal-{i}", "Hypervisor Type": "ironic", "Service Host": "ironic"}
        for i in range(2)
    ]
    result = audited(nodes, servers, hosts)
    assert kinds(result) == []
    assert result.not_evaluated == []
    assert {place.at("host") for place in result.sandwich.nodes.values()} == {"north/metal-0", "north/metal-1"}


@pytest.mark.parametrize(("own", "found"), [("nova", []), ("az9", ["staleLabel"])])
def test_a_zone_label_that_nova_tells_of_the_server_is_not_stale(own, found):
    """racks.yaml may call zones by names of its own."""
    one = node("n0", provider="id-s0")
    one["metadata"]["labels"]["topology.kubernetes.io/zone"] = "nova"
    servers = [server("s0", "h1", **{"Availability Zone": own})]
    assert kinds(audited([one], servers, ["h1"], [Seat("h1", "r1", "dc1", "racks.yaml")])) == found


def test_a_budget_over_one_replica_is_a_promise_that_stops_every_drain():
    nodes, servers = nodes_on(["h1"])
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "b", "namespace": "default"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}},
        "status": {"desiredHealthy": 1, "currentHealthy": 1, "disruptionsAllowed": 0, "expectedPods": 1},
    }
    one = pod("web-1-0", "n0", "web")
    assert kinds(audited([*nodes, one, budget], servers, ["h1"])) == ["singleReplica"]
    assert kinds(audited([*nodes, one], servers, ["h1"])) == []


def test_promises_past_the_physical_host_are_overcommit():
    nodes, servers = nodes_on(["h1", "h1"])
    pods = [pod(f"web-1-{i}", f"n{i}", "web", cpu="6") for i in range(2)]
    hosts = [{"ID": "h1", "Hypervisor Hostname": "h1", "vCPUs": 8, "Memory MB": 65536}]
    (found,) = audited([*nodes, *pods], servers, hosts).findings
    assert (found.kind, found.claimed, found.actual) == ("overcommit", 8000, 12000)
    hosts[0]["vCPUs"] = 12
    assert kinds(audited([*nodes, *pods], servers, hosts)) == []


def test_a_host_in_two_racks_is_a_conflict():
    seats = [Seat("h1", "r1", None, "racks.yaml"), Seat("h1", "r2", None, "more.yaml")]
    (found,) = audited([], [], ["h1"], seats).findings
    assert (found.kind, found.claimed) == ("rackConflict", "r1, r2")


def test_ids_are_those_of_the_objects_not_of_their_order():
    nodes, servers = nodes_on(["h1", "h1", "h2"])
    pods = [pod(f"web-1-{i}", f"n{i}", "web", **spread("web")) for i in range(3)]
    one = audited([*nodes, *pods], servers, ["h1", "h2"])
    two = audited([*reversed(pods), *reversed(nodes)], servers[::-1], ["h2", "h1"])
    assert [found.id for found in one.findings] == [found.id for found in two.findings]


def test_lists_that_are_not_there_are_said_and_no_hazard():
    """Half of the files: no server list, so nothing says where nodes are; no nodes, so nothing says where pods are."""
    without_servers = audited([node("n0", provider="id-s0")], [], ["h1"])
    assert kinds(without_servers) == []
    assert [one.example for one in without_servers.not_evaluated] == ["k/n0"]
    without_nodes = audited([pod("a", "n0", "a", **spread("a"))], [server("s0", "h1")], ["h1"])
    assert kinds(without_nodes) == []
    assert {one.rule: one.objects for one in without_nodes.not_evaluated} == {
        "real spread (a host or the meaning of a topology key is not known)": 1,
        "pods on nodes that are not in the input": 1,
    }


def test_the_size_of_a_server_is_not_taken_for_that_of_its_host():
    nodes, servers = nodes_on(["h1"])
    result = audited([*nodes, pod("a", "n0", "a", cpu="9")], servers, ["h1"])
    assert kinds(result) == []


@pytest.mark.parametrize(
    "ask", [audit, lambda made: blast(made, any_level="host"), lambda made: ledger(made, Usage())],
    ids=["audit", "blast", "ledger"],
)  # fmt: skip
def test_a_bad_object_is_named_with_its_source(ask):
    clusters = {"k": cluster(node("n0")), "other": cluster(node("n0"), pod("p", "n0", "a", cpu="many"))}
    with pytest.raises(
        InputError, match=r"^other: Pod default/p: spec\.containers\[0\]\.resources\.requests\.cpu: 'many'"
    ):
        ask(join(clusters, {}))
