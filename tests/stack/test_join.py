"""Joining, by hand: by which name each thing is found, what joins nothing, and that order means nothing."""

import json
import random

import pytest

from binwright.errors import InputError
from binwright.formats.files import Blob
from binwright.stack.join import host_id, join
from binwright.stack.racks import Seat, read_racks
from tests.stack.made import cloud, cluster, node, pod, server


def where(sandwich):
    """(cluster, node) -> (host key, how)."""
    return {key: (place.host.key if place.host else None, place.how) for key, place in sandwich.nodes.items()}


def test_a_node_is_found_by_provider_id_then_name_then_address():
    nodes = [node("a", provider="id-s1"), node("s2"), node("c", addresses=["10.0.0.3"])]
    servers = [
        server("s1", "h1"),
        server("s2", "h2"),
        server("s3", "h3", Networks={"net": ["10.0.0.3", "10.0.0.4"]}),
    ]
    made = join({"k": cluster(*nodes)}, {"north": cloud(servers, ["h1", "h2", "h3"])})
    assert where(made) == {
        ("k", "a"): ("north/h1", "providerID"),
        ("k", "s2"): ("north/h2", "name"),
        ("k", "c"): ("north/h3", "address"),
    }
    assert made.unjoined == []


def test_the_provider_id_may_name_a_region_and_wins_over_the_name():
    one = node("s2", provider="x")
    one["spec"]["providerID"] = "openstack://RegionOne/id-s1"
    made = join({"k": cluster(one)}, {"north": cloud([server("s1", "h1"), server("s2", "h2")], ["h1", "h2"])})
    assert where(made) == {("k", "s2"): ("north/h1", "providerID")}


def test_a_provider_id_that_leads_nowhere_is_told_though_the_name_leads_somewhere():
    """The server was made anew, or the node is another cloud's."""
    made = join({"k": cluster(node("s1", provider="gone"))}, {"north": cloud([server("s1", "h1")], ["h1"])})
    assert where(made) == {("k", "s1"): ("north/h1", "name")}
    assert [(one.source, one.name, one.claimed, one.why) for one in made.unjoined] == [
        ("k", "s1", "openstack:///gone", "no server has this id; taken for server north/s1 by its name")
    ]


def test_a_name_that_two_servers_have_joins_nothing():
    servers = [server("s", "h1"), server("s", "h2") | {"ID": "other"}]
    made = join({"k": cluster(node("s"))}, {"north": cloud(servers, ["h1", "h2"])})
    assert where(made) == {("k", "s"): (None, "none")}
    assert [(one.kind, one.name) for one in made.unjoined] == [("Node", "s")]


def test_two_nodes_of_a_cluster_in_one_server_are_told_and_of_two_clusters_are_not():
    """A virtual cluster shows the nodes of the cluster that it lies in."""
    clouds = {"north": cloud([server("s1", "h1"), server("s2", "h1")], ["h1"])}
    twice = [node("a", provider="id-s1"), node("b", provider="id-s1"), node("c", provider="id-s2")]
    made = join({"k": cluster(*twice), "inner": cluster(twice[2])}, clouds)
    assert [(one.source, one.name, one.claimed) for one in made.unjoined] == [
        ("k", "a", "openstack:///id-s1"),
        ("k", "b", "openstack:///id-s1"),
    ]
    assert where(made)["k", "b"] == ("north/h1", "providerID")


@pytest.mark.parametrize(("listed", "told"), [("h1", "h1.example.org"), ("h1.example.org", "h1")])
def test_full_and_short_names_of_a_host_are_one(listed, told):
    made = join({}, {"north": cloud([server("s1", told)], [listed])})
    assert made.servers["north", "id-s1"].host.name == listed
    assert (list(made.hosts), made.unjoined) == ([f"north/{listed}"], [])


def test_what_dangles_is_named_with_what_it_claims():
    servers = [server("lost", None), server("built", None, Status="BUILD"), server("odd", "h9")]
    made = join({"k": cluster(node("n", provider="gone"))}, {"north": cloud(servers, ["h1"])})
    assert [(one.source, one.kind, one.name, one.claimed) for one in made.unjoined] == [
        ("north", "Server", "lost", None),
        ("north", "Server", "odd", "h9"),
        ("k", "Node", "n", "openstack:///gone"),
    ]
    assert made.servers["north", "id-odd"].host.key == "north/h9"


def test_a_tenant_sees_which_nodes_share_a_host_without_its_name():
    servers = [server(name, None, hostId="aa" if name != "s3" else "bb") for name in ("s1", "s2", "s3")]
    made = join({"k": cluster(*(node(name) for name in ("s1", "s2", "s3")))}, {"north": cloud(servers)})
    hosts = [made.nodes["k", name].at("host") for name in ("s1", "s2", "s3")]
    assert hosts == ["north/hostId aa", "north/hostId aa", "north/hostId bb"]


def test_a_host_id_is_resolved_where_the_names_are_known():
    one = server("s1", None, hostId=host_id("p", "h1"))
    made = join({}, {"north": cloud([one], ["h1", "h2"])})
    assert made.servers["north", "id-s1"].host.key == "north/h1"


def test_short_and_full_names_of_a_hypervisor_are_one_host():
    made = join({"k": cluster(node("h1"))}, {"north": cloud([server("s", "h1")], ["h1.example.org"])})
    assert made.servers["north", "id-s"].host is made.nodes["k", "h1"].host
    assert where(made) == {("k", "h1"): ("north/h1.example.org", "host name")}


def test_nodes_without_a_cloud_are_hosts_or_what_the_label_says():
    objects = cluster(node("a", topology_openstack_org__host_id="x"), node("b"))
    objects.nodes[0].metadata.labels["topology.openstack.org/host-id"] = "x"
    made = join({"k": objects}, {})
    assert where(made) == {("k", "a"): ("k/hostId x", "host-id label"), ("k", "b"): ("k/b", "a host of its own")}


def test_a_provider_that_nobody_tells_about_is_said_and_is_no_hazard():
    one = node("a")
    one["spec"]["providerID"] = "aws:///eu-1/i-1"
    made = join({"k": cluster(one)}, {})
    assert where(made) == {("k", "a"): (None, "provider aws, whose hosts nobody tells")}
    assert made.unjoined == []


def test_a_cloud_in_a_cloud_lies_on_the_hosts_of_the_lower_one():
    lower = cloud([server("nested-1", "metal-1")], ["metal-1"], name="lower")
    upper = cloud([server("vm", "nested-1")], ["nested-1"], name="upper")
    made = join({"k": cluster(node("vm"))}, {"lower": lower, "upper": upper})
    assert made.nodes["k", "vm"].at("host") == "lower/metal-1"


def test_layers_that_lie_on_each_other_are_reported_and_end():
    one = cloud([server("b-host", "a-host")], ["a-host"], name="a")
    two = cloud([server("a-host", "b-host")], ["b-host"], name="b")
    made = join({}, {"a": one, "b": two})
    assert [(one.kind, one.name) for one in made.unjoined] == [("Hypervisor", "b-host")]
    assert {host.physical().key for host in made.hosts.values()} == {"b/b-host"}


def test_racks_and_zones_come_from_the_file_first_and_contradictions_are_kept():
    aggregates = [
        {"ID": 1, "Name": "az1", "Availability Zone": "az1", "Hosts": ["h1", "h2"], "Properties": {}},
        {"ID": 2, "Name": "r9", "Hosts": ["h1"], "Properties": {"rack": "r9"}},
    ]
    seats = [Seat("h1", "r1", "az1", "racks.yaml"), Seat("nobody", "r1", None, "racks.yaml")]
    made = join({}, {"north": cloud([], ["h1", "h2"], aggregates)}, seats)
    assert [(host.name, host.rack, host.zone) for host in made.hosts.values()] == [
        ("h1", "r1", "az1"),
        ("h2", None, "az1"),
    ]
    assert [(one.host.name, one.what, one.told) for one in made.conflicts] == [
        ("h1", "rack", (("r1", "racks.yaml"), ("r9", "aggregate r9")))
    ]
    assert [(one.kind, one.name) for one in made.unjoined] == [("Host", "nobody")]


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_the_input_means_nothing(seed):
    servers = [server(f"s{i}", f"h{i % 3}") for i in range(9)]
    nodes = [node(f"n{i}", provider=f"id-s{i}") for i in range(9)] + [node("dangling", provider="none")]
    pods = [pod(f"p{i}", f"n{i}", "web") for i in range(9)]
    seats = [Seat(f"h{i}", f"r{i}", "az", "racks.yaml") for i in range(3)]
    dice = random.Random(seed)

    def shuffled(items):
        return dice.sample(items, len(items))

    def seen(made):
        return where(made), made.unjoined, [(host.key, host.rack) for _, host in sorted(made.hosts.items())]

    plain = join({"k": cluster(*nodes, *pods)}, {"north": cloud(servers, ["h0", "h1", "h2"])}, seats)
    mixed = join(
        {"k": cluster(*shuffled(nodes), *shuffled(pods))},
        {"north": cloud(shuffled(servers), shuffled(["h0", "h1", "h2"]))},
        shuffled(seats),
    )
    assert seen(plain) == seen(mixed)


@pytest.mark.parametrize(
    ("data", "line"),
    [
        ({"rack": []}, "racks.yaml: the document: object contains unknown field rack"),
        ({"racks": [{"name": "r"}]}, "racks.yaml: racks[0]: object missing required field hosts"),
        ({"racks": [{"name": "r", "hosts": [1]}]}, "racks.yaml: racks[0].hosts[0]: expected str, got int"),
    ],
)
def test_a_broken_rack_file_is_one_line(data, line):
    with pytest.raises(InputError) as refusal:
        read_racks([Blob("racks.yaml", json.dumps(data).encode())])
    assert str(refusal.value) == line
