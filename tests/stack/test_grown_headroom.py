"""How many more with new nodes, by hand; and that what is added is let by the reference-checked layers."""

import jsonschema
import pytest

from binwright.errors import InputError
from binwright.formats.files import Blob
from binwright.packing.catalogue import read_catalogue
from binwright.schemas import schema
from binwright.stack.grown_headroom import grown_headroom
from binwright.stack.grown_headroom_result import to_dict
from binwright.stack.join import join
from binwright.stack.new_nodes import find_pools
from tests.stack.made import apart, cloud, cluster, flavor, group, hypervisor, node, pod, server

TYPE = {"node_kubernetes_io__instance-type": "m1"}


def sandwich(pods=(), *, groups=(), used=(16, 16), flavors=(), taints=(), hosts=("h1", "h2"), extra=()):
    """Cluster k: nodes n0, n1 of 8 CPUs on servers s0@h1, s1@h2 of 8 vCPUs and 16 GiB; hosts of 64 GiB."""
    nodes = [node(f"n{i}", provider=f"id-s{i}", **TYPE) for i in range(2)]
    for one in nodes:
        one["spec"]["taints"] = list(taints)
    servers = [server("s0", "h1"), server("s1", "h2"), *extra]
    rows = [hypervisor(name, used_gib=gib) for name, gib in zip(hosts, (*used, *[0] * len(hosts)))]
    made = cloud(servers, rows, flavors=[flavor(), *flavors], server_groups=list(groups))
    return {"k": cluster(*nodes, *pods)}, made


def room(clusters, made, shape="cpu=3", flavors=(), **more):
    result = grown_headroom(join(clusters, {"north": made}), [shape], flavors, **more)
    jsonschema.validate(to_dict(result), schema("StackHeadroomResult"))
    return result.shapes[0]


def test_new_nodes_bring_what_one_of_them_takes():
    """48 GiB are free on each host: three servers of 16 GiB each; two pods of 3 CPUs fit a node of 8."""
    (one,) = room(*sandwich()).clusters
    (pool,) = one.pools
    assert (one.as_is, pool.servers, pool.per_node, pool.pods) == (4, 6, 2, 12)
    assert (one.alone_nodes, one.alone, one.together_nodes, one.together) == (6, 16, 6, 16)
    assert pool.hosts == {"h1": 3, "h2": 3}
    assert (pool.stopped.fragmented, pool.stopped.hole) == (2, {"MEMORY_MB": 0})


def test_pods_of_daemon_sets_stand_on_new_nodes_too():
    daemons = [pod(f"ds-{i}", f"n{i}", "ds", ("DaemonSet", "ds"), cpu="3") for i in range(2)]
    (one,) = room(*sandwich(daemons)).clusters
    assert (one.as_is, one.pools[0].per_node, one.alone) == (2, 1, 2 + 6)


def test_clusters_share_the_room_of_their_cloud_in_turn():
    """j's own node takes 16 GiB of h1, so five servers are left: j, k, j, k, j."""
    clusters, made = sandwich(used=(32, 16), extra=[server("s2", "h1")])
    clusters["j"] = cluster(node("m0", provider="id-s2", **TYPE))
    found = room(clusters, made)
    told = [(one.cluster, one.as_is, one.alone_nodes, one.together_nodes, one.together) for one in found.clusters]
    assert told == [("j", 2, 5, 3, 8), ("k", 4, 5, 2, 8)]
    assert (found.as_is, found.new_nodes, found.together) == (6, 5, 16)


def test_the_server_group_of_the_workers_is_kept():
    """Anti-affinity, and a member on h1 and h2: one more on h3, then nothing."""
    rule = [group("workers", "anti-affinity", "s0", "s1")]
    (one,) = room(*sandwich(groups=rule, hosts=("h1", "h2", "h3"))).clusters
    (pool,) = one.pools
    assert (pool.hosts, pool.pods, pool.stopped.shut_out, pool.stopped.fragmented) == ({"h3": 1}, 2, 3, 0)


def test_what_the_dump_does_not_tell_is_listed():
    clusters, made = sandwich()
    made.flavors = cloud([], [], flavors=[flavor("m1", **{"trait:CUSTOM_FAST": "required"})]).flavors
    result = grown_headroom(join(clusters, {"north": made}), ["cpu=3"])
    told = {one.rule: one.objects for source, entries in result.not_evaluated for one in entries if source == "north"}
    assert told["required and forbidden traits: the input has no traits/"] == 1
    assert told["quota of projects (no row of quotas.json tells it)"] == 1


def test_a_taint_of_the_pool_is_why_new_nodes_take_nothing():
    (one,) = room(*sandwich(taints=[{"key": "gpu", "effect": "NoSchedule"}])).clusters
    assert (one.as_is, one.pools[0].unfit) == (0, "TaintToleration: node(s) had untolerated taint {gpu: }")
    assert one.pools[0].servers == 0


def test_pods_that_keep_apart_count_one_a_node():
    """The shape is the next pod of web, which wants to be alone on its node; n0 has one."""
    clusters, made = sandwich([pod("web-1", "n0", "web", **apart("web"))])
    (one,) = room(clusters, made, shape="web-1").clusters
    assert (one.as_is, one.alone) == (1, 1 + 6)


def test_a_flavor_without_a_node_is_the_plainest_worker_in_another_size():
    """16 vCPUs less nothing that is kept: five pods of 3 CPUs; 32 GiB: one on each host of 48 GiB free."""
    (one,) = room(*sandwich(flavors=[flavor("big", 16, 32)]), flavors=["big"]).clusters
    (pool,) = one.pools
    assert (pool.pool.derived, pool.servers, pool.per_node, pool.pods) == (True, 2, 5, 10)


def test_what_kubelet_keeps_is_taken_off_or_told_by_the_catalogue():
    clusters, made = sandwich(flavors=[flavor("big", 16, 32)])
    nodes = [node(f"n{i}", provider=f"id-s{i}", **TYPE) for i in range(2)]
    for one in nodes:
        one["status"]["allocatable"] = {"cpu": "7", "memory": "30Gi", "pods": "110"}
    clusters["k"] = cluster(*nodes)
    pools = find_pools(join(clusters, {"north": made}), ["big"])
    allocatable = pools.all()[0].mould.node.status.allocatable
    assert (allocatable["cpu"], allocatable["memory"]) == ("15000m", str(30 << 30))
    text = (
        b"name,vcpus,memory_mb,price,max_pods,kube_reserved_cpu_m,kube_reserved_memory_mb\nbig,16,32768,1,50,500,1024\n"
    )
    pools = find_pools(join(clusters, {"north": made}), ["big"], read_catalogue(Blob("c.csv", text)))
    allocatable = pools.all()[0].mould.node.status.allocatable
    assert (allocatable["cpu"], allocatable["memory"], allocatable["pods"]) == ("15500m", str(31 << 30), "50")


def test_a_cluster_that_is_no_servers_says_so():
    clusters, made = sandwich()
    clusters["metal"] = cluster(node("h9"))
    found = room(clusters, made).clusters[1]
    assert (found.cluster, found.together) == ("metal", 2)
    assert found.note == "none of its workers is a server of a cloud in the input"


def test_half_of_the_files_missing_is_told_and_the_rest_answered():
    clusters, made = sandwich()
    made.hypervisors, made.present = [], made.present - {"hypervisors"}
    clusters["empty"] = cluster()
    result = grown_headroom(join(clusters, {"north": made}), ["cpu=3"])
    (one,) = result.shapes[0].clusters
    assert (one.as_is, one.together, one.pools) == (4, 4, [])
    assert one.note.startswith("its cloud cannot be asked: north: hypervisors.json: missing")
    assert result.notes == ["empty: not asked, no Node in the input"]


def test_without_a_cluster_there_is_nothing_to_ask():
    with pytest.raises(InputError, match="no cluster with a Node in the input"):
        room({}, sandwich()[1])


def test_asking_changes_nothing_and_twice_is_the_same():
    clusters, made = sandwich()
    before = (len(made.servers), [one.memory_mb_used for one in made.hypervisors])
    first, second = room(clusters, made), room(clusters, made)
    assert (first.together, second.together) == (16, 16)
    assert (len(made.servers), [one.memory_mb_used for one in made.hypervisors]) == before


@pytest.mark.parametrize(
    ("shape", "flavors", "line"),
    [
        ("nobody", (), "--pod nobody: no such file, and no object of this name in the input"),
        ("cpu=1", ("m9",), "--flavor m9: no cloud of the input has a flavor of this name"),
    ],
)
def test_what_is_not_there_is_one_line(shape, flavors, line):
    with pytest.raises(InputError) as refusal:
        room(*sandwich(), shape, flavors)
    assert str(refusal.value) == line
