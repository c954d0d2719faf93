"""Placing through the layers, by hand; and no plan breaks a rule of a layer, whatever the demand."""

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binwright.cli.stack_words import no_host_text
from binwright.errors import InputError
from binwright.formats.files import Blob
from binwright.kubernetes.place import Options
from binwright.kubernetes.verify import verify_objects
from binwright.openstack.verify import verify_cloud
from binwright.packing.catalogue import read_catalogue
from binwright.schemas import schema
from binwright.stack.commands import create_server
from binwright.stack.join import join
from binwright.stack.joint_place import joint_place
from binwright.verified import PAST
from tests.stack.made import apart, cloud, cluster, flavor, group, hypervisor, node, pod, server, spread

TYPE = {"node_kubernetes_io__instance-type": "m1"}


def waiting(number, cpu="5", app="web", **spec):
    return [pod(f"{app}-{i}", None, app, ("ReplicaSet", app), cpu=cpu, **spec) for i in range(number)]


def sandwich(
    pods=(), *, on=("h1", "h2"), hosts=("h1", "h2"), used=16, groups=(), flavors=(), taints=(), more=None, quotas=()
):
    """Cluster k: nodes n0.. of 8 CPUs on servers s0.. of 16 GiB; hosts of 64 GiB, `used` of which are taken."""
    nodes = [node(f"n{i}", provider=f"id-s{i}", **TYPE) for i in range(len(on))]
    for one in nodes:
        one["spec"]["taints"] = list(taints)
    servers = [server(f"s{i}", host) for i, host in enumerate(on)]
    made = cloud(
        servers,
        [hypervisor(name, used_gib=used[name] if isinstance(used, dict) else used) for name in hosts],
        flavors=[flavor(), *flavors],
        server_groups=list(groups),
        quotas=list(quotas),
    )
    return join({"k": cluster(*nodes, *pods), **(more or {})}, {"north": made})


def place(made, flavors=(), **wishes):
    plan = joint_place(made, flavors, **wishes)
    jsonschema.validate(plan.to_dict(), schema("StackPlaceResult"))
    return plan


def where(plan):
    return {one.name: one.host for one in plan.placed}


def test_what_fits_on_the_nodes_needs_no_new_ones():
    plan = place(sandwich(waiting(2)))
    assert (plan.complete, plan.nodes, set(where(plan).values())) == (True, [], {"n0", "n1"})


def test_what_does_not_fit_gets_new_nodes_with_hosts():
    """A node takes one pod of 5 CPUs: two are there, three are made, the hosts have room for three each."""
    plan = place(sandwich(waiting(5)))
    assert plan.complete
    assert [one.name for one in plan.nodes] == ["k-new-0", "k-new-1", "k-new-2"]
    assert sorted(one.grown.host for one in plan.nodes) in (["h1", "h1", "h2"], ["h1", "h2", "h2"])
    assert sorted(where(plan).values()) == ["k-new-0", "k-new-1", "k-new-2", "n0", "n1"]
    assert [one.pods for one in plan.nodes] == [[f"default/{name}"] for name in sorted(where(plan))[2:]]
    (bought,) = plan.bought
    assert (bought.nodes, bought.value, bought.bound, bought.status) == (3, 3, 3, "optimal")


def test_all_or_nothing_and_which_layer_stops_it():
    """Six servers fit, so eight of ten pods; the hosts' holes are used up."""
    made = sandwich(waiting(10))
    plan = place(made)
    assert (plan.complete, plan.nodes, plan.placed, plan.after, len(plan.stops)) == (False, [], [], None, 2)
    (stop,) = plan.stops[0].pools
    assert (stop.pool, stop.layer, stop.no_host.fragmented, stop.no_host.hole) == (
        "m1",
        "openstack",
        2,
        {"MEMORY_MB": 0},
    )
    some = place(made, partial=True)
    assert (len(some.nodes), len(some.placed), len(some.stops)) == (6, 8, 2)


def test_the_smallest_change_may_be_at_the_lower_layer():
    """The third pod finds the nodes full. 16 CPUs instead of 8 on a node, or 80 GiB instead of 64 on a host."""
    plan = place(sandwich(waiting(3, cpu="8"), used=64))
    (stop,) = plan.stops
    assert (stop.change_layer, stop.change["kind"], stop.change["have"], stop.change["need"]) == (
        "openstack",
        "host",
        65536,
        81920,
    )


def test_a_taint_stops_it_at_the_upper_layer():
    plan = place(sandwich(waiting(1), taints=[{"key": "gpu", "effect": "NoSchedule"}]))
    (stop,) = plan.stops
    assert [(one.layer, one.text) for one in stop.pools] == [
        ("kubernetes", "TaintToleration: node(s) had untolerated taint {gpu: }")
    ]
    assert (stop.change_layer, stop.change["rule"]) == ("kubernetes", "TaintToleration")


def test_the_server_group_of_the_workers_stops_it():
    rule = [group("workers", "anti-affinity", "s0", "s1")]
    made = sandwich(waiting(4), groups=rule, hosts=("h1", "h2", "h3"))
    plan = place(made, partial=True)
    assert [(one.grown.host, one.pool.group) for one in plan.nodes] == [("h3", "id-workers")]
    (stop,) = plan.stops
    assert (stop.pools[0].layer, stop.pools[0].no_host.shut_out) == ("openstack", 3)


def test_a_quota_stops_it():
    """Two servers are there, the project may have four: four pods of six."""
    row = {"project_id": "p", "instances": {"limit": 4, "in_use": 2, "reserved": 0}, "cores": -1, "ram": -1}
    made = sandwich(waiting(6), quotas=[row])
    plan = place(made, partial=True)
    assert (len(plan.nodes), len(plan.placed)) == (2, 4)
    (stop,) = plan.stops[0].pools
    assert (stop.layer, stop.text) == ("openstack", "quota: project p may have 4 instances, has 4 and asks for 1 more")
    assert [one.rule for _, entries in plan.not_evaluated for one in entries if "quota" in one.rule] == []
    assert no_host_text("m1", stop.no_host) == f"no further m1: {stop.text}"


def test_the_cheapest_set_by_price():
    """Four pods beyond two: a big node holds three for 1.5, so big and small for 2.5, not four small for 4."""
    text = b"name,vcpus,memory_mb,price\nm1,8,16384,1\nbig,16,32768,1.5\n"
    catalogue = read_catalogue(Blob("prices.csv", text))
    plan = place(sandwich(waiting(6), flavors=[flavor("big", 16, 32)]), catalogue=catalogue)
    assert plan.complete
    assert sorted(one.pool.flavor.name for one in plan.nodes) == ["big", "m1"]
    assert (plan.price, plan.bought[0].value, plan.bought[0].bound) == (2.5, 2.5, 2)


def test_what_the_cloud_has_no_host_for_is_chosen_anew():
    """One hole of 32 GiB, two of 16: one big node at most, the rest small ones."""
    text = b"name,vcpus,memory_mb,price\nm1,8,16384,1\nbig,16,32768,1\n"
    made = sandwich(waiting(8), flavors=[flavor("big", 16, 32)], used=32)
    plan = place(made, catalogue=read_catalogue(Blob("prices.csv", text)))
    assert sorted(one.pool.flavor.name for one in plan.nodes) == ["big", "big"]
    more = place(
        sandwich(waiting(9), flavors=[flavor("big", 16, 32)], used=48),
        catalogue=read_catalogue(Blob("p.csv", text)),
        partial=True,
    )
    assert sorted(one.pool.flavor.name for one in more.nodes) == ["m1", "m1"]


def test_daemon_sets_are_counted_on_new_nodes():
    """A daemon pod of 4 CPUs leaves 4: pods of 5 fit no node, new or old; pods of 4 do."""
    daemons = [pod(f"ds-{i}", f"n{i}", "ds", ("DaemonSet", "ds"), cpu="4") for i in range(2)]
    assert len(place(sandwich([*daemons, *waiting(1)])).stops) == 1
    plan = place(sandwich([*daemons, *waiting(3, cpu="4")]))
    assert (plan.complete, len(plan.nodes)) == (True, 1)


def test_pods_that_keep_apart_get_a_node_each():
    plan = place(sandwich(waiting(4, cpu="1", **apart("web"))))
    assert (plan.complete, len(plan.nodes), plan.bought[0].value) == (True, 2, 2)


def test_clusters_share_the_cloud_and_nothing_is_sold_twice():
    """Six servers in all: j takes four, k gets two of its four."""
    other = cluster(node("m0", provider="id-s0x", **TYPE), *waiting(5))
    made = sandwich(waiting(6), more={"j": other})
    made = join(
        {
            "j": cluster(node("m0", provider="id-s1", **TYPE), *waiting(5)),
            "k": cluster(node("n0", provider="id-s0", **TYPE), *waiting(5)),
        },
        made.clouds,
    )
    plan = place(made, partial=True)
    assert [one.pool.cluster for one in plan.nodes] == ["j"] * 4 + ["k"] * 2
    assert [str(one.outcome.source) for one in plan.stops] == ["k", "k"]


def test_spread_over_real_hosts_where_asked():
    """n0 and n1 are both on h1, n2 on h2 is fuller: the scheduler alone takes n0 and n1, one host."""
    full = [pod("full", "n2", "full", cpu="2")]
    made = sandwich([*full, *waiting(2, cpu="1")], on=("h1", "h1", "h2"))
    assert set(where(place(made)).values()) == {"n0", "n1"}
    plan = place(made, spread="host")
    assert len(set(where(plan).values()) - {"n0", "n1"}) == 1


def test_new_nodes_are_spread_too_and_their_hosts_asked_for_where_nova_would_take_others():
    """Both nodes are on h1 and full. h1 is Nova's best host for a third one, too."""
    full = [pod(f"full-{i}", f"n{i}", "full", cpu="8") for i in range(2)]
    made = sandwich([*full, *waiting(1)], on=("h1", "h1"), used={"h1": 16, "h2": 48})
    assert [(one.grown.host, one.grown.requested) for one in place(made).nodes] == [("h1", False)]
    apart = place(made, spread="host")
    (node,) = apart.nodes
    assert (node.grown.host, node.grown.requested, apart.complete) == ("h2", True, True)
    assert [one["requested"] for one in apart.to_dict()["nodes"]] == [True]
    assert create_server(node)[1].endswith(" --host h2 k-new-0")


def test_pods_may_name_the_lower_layer_themselves():
    wish = {"nodeSelector": {"binwright.io/host": "north.h2"}}
    assert where(place(sandwich(waiting(1, cpu="1", **wish)))) == {"web-0": "n1"}


def test_a_zone_where_a_new_node_does_not_help_is_left_for_another():
    """web has a pod in az1 and none in az2, and both nodes are full: the next may stand in az2 only."""
    nodes = [node(f"n{i}", provider=f"id-s{i}", **TYPE, topology_kubernetes_io__zone=f"az{i + 1}") for i in range(2)]
    wish = spread("web", topologyKey="topology.kubernetes.io/zone")
    pods = [pod("web-1", "n0", "web", cpu="1", **wish), pod("a", "n0", "a", cpu="7"), pod("b", "n1", "b", cpu="8")]
    zones = [
        {"ID": i, "UUID": f"00000000-0000-0000-0000-00000000000{i}", "Name": f"az{i}", "Availability Zone": f"az{i}",
         "Properties": {}, "Hosts": [f"h{i}"]}
        for i in (1, 2)
    ]  # fmt: skip
    made = cloud(
        [server("s0", "h1"), server("s1", "h2")],
        [hypervisor("h1", used_gib=16), hypervisor("h2", used_gib=16)],
        zones,
        flavors=[flavor()],
    )
    plan = place(join({"k": cluster(*nodes, *pods, *waiting(1, cpu="1", **wish))}, {"north": made}))
    assert [(one.pool.name, one.grown.host, one.pods) for one in plan.nodes] == [("m1 az2", "h2", ["default/web-0"])]


def test_planning_changes_nothing_and_twice_is_the_same():
    made = sandwich(waiting(5))
    before = (len(made.clouds["north"].servers), len(made.nodes), len(made.clusters["k"].pods))
    assert place(made).to_dict()["nodes"] == place(made).to_dict()["nodes"]
    assert (len(made.clouds["north"].servers), len(made.nodes), len(made.clusters["k"].pods)) == before


def test_what_comes_after_has_the_new_nodes_at_every_layer():
    plan = place(sandwich(waiting(5)))
    after = plan.after
    assert len(after.clouds["north"].servers) == 5
    for one in plan.nodes:
        place_of = after.nodes["k", one.name]
        assert place_of.at("host") == f"north/{one.grown.host}"
        assert place_of.node.metadata.labels["binwright.io/host"] == f"north.{one.grown.host}"
    used = {one.hostname: one.memory_mb_used for one in after.clouds["north"].hypervisors}
    assert sum(used.values()) == 1024 * (16 + 16 + 3 * 16)


def test_nothing_is_planned_on_a_cloud_that_does_not_tell_its_capacity():
    made = join(
        {"k": cluster(node("n0", provider="id-s0", **TYPE), *waiting(2))},
        {"north": cloud([server("s0", "h1")], ["h1"])},
    )
    made.clouds["north"].flavors = cloud([], [], flavors=[flavor()]).flavors
    (stop,) = place(made).stops
    assert stop.note.startswith("its cloud cannot be asked: north: ")


def test_without_a_cluster_there_is_nothing_to_place():
    with pytest.raises(InputError, match="no cluster in the input"):
        joint_place(join({}, {"north": cloud([], ["h1"])}))


demand = st.lists(st.tuples(st.sampled_from(["1", "2", "3500m", "5", "8", "9"]), st.booleans()), max_size=14)


@settings(max_examples=20, deadline=None)
@given(demand, st.integers(0, 4), st.sampled_from([None, "anti-affinity", "soft-anti-affinity"]), st.booleans())
def test_no_plan_breaks_a_rule_of_any_layer(asked, steps, policy, over_hosts):
    """Summed up here again, without the planner: amounts of nodes and hosts, one host a member, pods apart; and every
    placement replayed by both layers.
    """
    pods = []
    for number, (cpu, alone) in enumerate(asked):
        pods += [
            pod(
                f"p{number}",
                None,
                f"a{number % 2}",
                ("ReplicaSet", "a"),
                cpu=cpu,
                **(apart(f"a{number % 2}") if alone else {}),
            )
        ]
    groups = [group("workers", policy, "s0", "s1")] if policy else []
    made = sandwich(pods, hosts=("h1", "h2", "h3"), used=16 * steps, groups=groups)
    plan = place(made, partial=True, spread="host" if over_hosts else None)
    assert len(plan.placed) + len(plan.stops) == len(asked)
    on = where(plan)
    for name in set(on.values()):
        mine = [one for one in pods if on.get(one["metadata"]["name"]) == name]
        cpus = [one["spec"]["containers"][0]["resources"]["requests"]["cpu"] for one in mine]
        assert sum(int(text[:-1]) if text.endswith("m") else 1000 * int(text) for text in cpus) <= 8000
        for one in mine:
            if "affinity" in one["spec"]:
                assert sum(other["metadata"]["labels"] == one["metadata"]["labels"] for other in mine) == 1
    hosts = [one.grown.host for one in plan.nodes]
    for host in set(hosts):
        assert 16 * steps + 16 * hosts.count(host) <= 64
    if policy == "anti-affinity":
        assert hosts in ([], ["h3"])
    assert over_hosts or all(one.pods for one in plan.nodes)
    every = place(made, spread="host" if over_hosts else None)
    assert every.complete == plan.complete
    assert every.complete or (every.nodes, every.placed) == ([], [])
    assert [one for one in verify_cloud(plan.after.clouds["north"]).findings if one.kind != PAST] == []
    found = [one for one in verify_objects("k", plan.after.clusters["k"], Options()).findings if one.kind != PAST]
    rules = {told.rule for one in found for told in one.rejected_by}
    assert rules <= ({"PodTopologySpread"} if over_hosts else set())  # a host that came later is one more domain


@pytest.mark.parametrize("level", ["rack", "zone"])
def test_a_level_that_no_node_tells_places_nothing(level):
    plan = place(sandwich(waiting(1, cpu="1")), spread=level)
    assert len(plan.stops) == 1
    assert "topology spread constraints (missing required label)" in plan.stops[0].outcome.message
