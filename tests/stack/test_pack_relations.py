"""What may not share a bin is what the layers' references refuse; an answer of pack, placed for real, breaks no rule.

A drawn source follows from one number, which Hypothesis prints.
"""

import json
import random
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binwright.formats.files import Blob
from binwright.kubernetes.to_items import to_items as pods_of
from binwright.openstack.to_items import to_items as servers_of
from binwright.packing import pack
from binwright.packing.catalogue import read_catalogue
from binwright.stack.pack import problem_of
from tests.kubernetes.made import pod_dict
from tests.reference.kubernetes.cluster import Cluster
from tests.reference.kubernetes.pods import Pod
from tests.reference.openstack.filters import affinity, anti_affinity

CATALOGUE = b"name,vcpus,memory_mb,price,max_pods\nsmall,4,8192,1,4\nlarge,8,16384,1.7,10\n"
SPACES = {"a": {"team": "x"}, "b": {"team": "y"}}


def drawn_term(dice):
    term = {
        "topologyKey": "kubernetes.io/hostname",
        "labelSelector": {"matchLabels": {"app": dice.choice("uvw")}},
    }
    if dice.random() < 0.2:
        term["labelSelector"] = {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["u"]}]}
    if dice.random() < 0.3:
        term["namespaces"] = dice.sample(sorted(SPACES), dice.randint(1, 2))
    elif dice.random() < 0.3:
        term["namespaceSelector"] = dice.choice([{}, {"matchLabels": {"team": "x"}}])
    return term


def drawn_pods(dice, most):
    pods = []
    for number in range(dice.randint(2, most)):
        port = {"containerPort": 80, "hostPort": dice.choice([80, 81]), "protocol": dice.choice(["TCP", "UDP"])}
        if dice.random() < 0.5:
            port["hostIP"] = dice.choice(["0.0.0.0", "10.0.0.1", "10.0.0.2"])
        requests = {"cpu": f"{dice.randint(1, 20)}00m", "memory": f"{dice.randint(1, 30)}00Mi"}
        container = {"name": "c", "resources": {"requests": requests}}
        if dice.random() < 0.3:
            container["ports"] = [port]
        rule = "requiredDuringSchedulingIgnoredDuringExecution"
        terms = [drawn_term(dice) for _ in range(dice.choice([0, 0, 1, 2]))]
        made = {"podAntiAffinity": {rule: terms}} if terms else None
        meta = {"labels": {"app": dice.choice("uvw")}, "uid": str(number)}
        space = dice.choice(sorted(SPACES))
        pods.append(pod_dict(f"p{number}", namespace=space, meta=meta, containers=[container], affinity=made))
    return pods


def spaces():
    return [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
            for name, labels in SPACES.items()]  # fmt: skip


def node(name, cpu=100, memory_mb=1 << 20, pods=110):
    labels = {"kubernetes.io/hostname": name}
    room = {"cpu": str(cpu), "memory": f"{memory_mb}Mi", "pods": str(pods)}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}, "spec": {},
            "status": {"allocatable": room}}  # fmt: skip


def demand_of(objects):
    return pods_of("drawn", [Blob("pods.json", json.dumps(objects).encode())])


def forbidden_pairs(demand):
    pairs = set(demand.conflicts)
    return pairs | {(a, b) for some, most in demand.at_most if most == 1 for a in some for b in some if a < b}


@given(seed=st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_pods_are_apart_where_the_reference_refuses_the_second(seed):
    pods = drawn_pods(random.Random(seed), 6)
    demand = demand_of([*pods, *spaces()])
    assert demand.not_evaluated == []
    by_name = {f"{pod['metadata']['namespace']}/{pod['metadata']['name']}": pod for pod in pods}
    forbidden = forbidden_pairs(demand)
    for b, later in enumerate(demand.items):
        for a, first in enumerate(demand.items[:b]):
            cluster = Cluster(objects={"nodes": [node("n")], "namespaces": spaces()})
            cluster.node("n").add_pod(Pod(by_name[first.name]).bound_to("n", None))
            allowed = cluster.decide(by_name[later.name]).result["feasible"] == [0]
            assert allowed == ((a, b) not in forbidden), (first.name, later.name)


@given(seed=st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_pods_packed_and_placed_for_real_break_no_rule(seed):
    pods = drawn_pods(random.Random(seed), 14)
    instance, _ = problem_of(demand_of([*pods, *spaces()]), read_catalogue(Blob("bins.csv", CATALOGUE)))
    result = pack(instance.items, instance.bins, iterations=20)
    bin_of, kinds = result.assignment()
    sizes = [("small", 4, 8192, 4), ("large", 8, 16384, 10)]
    nodes = [node(f"n{at}", *sizes[kind][1:]) for at, kind in enumerate(kinds)]
    cluster = Cluster(objects={"nodes": nodes, "namespaces": spaces()})
    by_name = {f"{pod['metadata']['namespace']}/{pod['metadata']['name']}": pod for pod in pods}
    for name, at in zip(instance.items.names, bin_of.tolist(), strict=True):
        assert at in cluster.decide(by_name[name]).result["feasible"]
        cluster.node(f"n{at}").add_pod(Pod(by_name[name]).bound_to(f"n{at}", None))


def test_what_packing_does_not_know_of_pods_is_listed():
    rule = "requiredDuringSchedulingIgnoredDuringExecution"
    term = {"topologyKey": "zone", "labelSelector": {}}
    far = pod_dict("far", meta={"uid": "1"}, affinity={"podAntiAffinity": {rule: [term]}})
    near = pod_dict("near", meta={"uid": "2"}, affinity={"podAffinity": {rule: [term]}})
    blind = {
        "topologyKey": "kubernetes.io/hostname",
        "labelSelector": {},
        "namespaceSelector": {"matchLabels": {"a": "b"}},
    }
    asking = pod_dict("asking", meta={"uid": "3"}, affinity={"podAntiAffinity": {rule: [blind]}})
    owner = {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "agent", "controller": True}
    port = [{"name": "c", "ports": [{"containerPort": 80, "hostPort": 9100}]}]
    agent = pod_dict("agent", meta={"uid": "4", "ownerReferences": [owner]}, containers=port)
    taken = pod_dict("taken", meta={"uid": "5"}, containers=port)
    listed = {each.rule: each.objects for each in demand_of([far, near, asking, agent, taken]).not_evaluated}
    assert listed == {
        "podAntiAffinity (topologyKey zone)": 1,
        "podAffinity": 1,
        "podAntiAffinity (namespaceSelector)": 1,
        "hostPorts, podAntiAffinity against daemon sets": 1,
    }


def drawn_cloud(dice):
    """(flavors, servers, groups, wishes) tables of a dump."""
    flavors = [{"ID": str(n), "Name": f"f{n}", "RAM": 1024 * n, "Disk": 0, "VCPUs": n} for n in (1, 2)]
    servers = [{"ID": f"s{n}", "Name": f"s{n}", "Status": "ACTIVE", "Host": "h", "Flavor": dice.choice(["f1", "f2"])}
               for n in range(dice.randint(2, 9))]  # fmt: skip
    ids = [one["ID"] for one in servers]
    groups = []
    while ids and len(groups) < 3:
        members = dice.sample(ids, dice.randint(1, min(3, len(ids))))
        ids = [one for one in ids if one not in members]
        policy = dice.choice(["anti-affinity", "affinity"])
        rules = {"max_server_per_host": dice.randint(1, 2)} if policy == "anti-affinity" else {}
        groups.append({"ID": f"g{len(groups)}", "Name": f"g{len(groups)}", "Policy": policy, "Rules": rules,
                       "Members": members})  # fmt: skip
    return {"flavors": flavors, "servers": servers, "server_groups": groups}


@given(seed=st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_servers_packed_break_no_policy_of_their_groups(seed):
    tables = drawn_cloud(random.Random(seed))
    demand = servers_of("north", [Blob(f"{name}.json", json.dumps(rows).encode()) for name, rows in tables.items()])
    assert demand.not_evaluated == []
    instance, _ = problem_of(demand, read_catalogue(Blob("bins.csv", CATALOGUE)))
    result = pack(instance.items, instance.bins, iterations=20)
    bin_of, kinds = result.assignment()
    hosts = [SimpleNamespace(name=f"h{at}", instances=[]) for at in range(len(kinds))]
    for name, at in zip(instance.items.names, bin_of.tolist(), strict=True):
        for group in tables["server_groups"]:
            if name not in group["Members"]:
                continue
            there = [host.name for host in hosts if set(host.instances) & set(group["Members"])]
            seen = SimpleNamespace(policy=group["Policy"], members=group["Members"], hosts=there,
                                   max_server_per_host=group["Rules"].get("max_server_per_host", 1))  # fmt: skip
            request = SimpleNamespace(group=seen, instance=name)
            refused = [*anti_affinity(hosts, request, {}), *affinity(hosts, request, {})]
            assert hosts[at] not in refused, (name, group)
        hosts[at].instances.append(name)


@pytest.mark.parametrize("hint", ["g", "dbs", "other"])
def test_servers_that_are_only_wished_for_join_the_groups_that_they_name(hint):
    flavors = [{"ID": "1", "Name": "m1", "RAM": 2048, "Disk": 0, "VCPUs": 2}]
    groups = [{"ID": "g", "Name": "dbs", "Policy": "anti-affinity", "Members": []}]
    wishes = [{"name": "db", "flavor": "m1", "count": 3, "hints": {"group": hint}}]
    tables = {"flavors": flavors, "server_groups": groups, "requests": wishes, "servers": []}
    demand = servers_of("north", [Blob(f"{name}.json", json.dumps(rows).encode()) for name, rows in tables.items()])
    listed = [(each.rule, each.objects) for each in demand.not_evaluated]
    if hint == "other":
        assert (demand.at_most, listed) == ([], [("server group that is not in the dump", 1)])
    else:
        assert (demand.at_most, listed) == ([([0, 1, 2], 1)], [])
