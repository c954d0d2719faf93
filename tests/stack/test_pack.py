"""Pods and servers as items: what counts, what every bin holds besides, what is listed as not evaluated."""

import json

import pytest

from binwright.errors import InputError
from binwright.formats.files import Blob
from binwright.packing import pack
from binwright.packing.catalogue import read_catalogue
from binwright.stack.pack import demands, problem_of

CATALOGUE = b"""name,vcpus,memory_mb,price,stock,max_pods,labels
small,4,8192,1,,3,disk=ssd
large,8,16384,1.5,1,10,
"""


def pod(name, cpu, memory, **more):
    spec = {"containers": [{"name": "main", "resources": {"requests": {"cpu": cpu, "memory": memory}}}]}
    meta = {"name": name, "namespace": "shop", "uid": name}
    if more.pop("daemon", False):
        meta["ownerReferences"] = [{"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "agent", "controller": True}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec | more}


@pytest.fixture
def cluster(tmp_path):
    """Six pods of one core, a daemon set of half a core on two nodes, one pod with a selector, one finished."""
    pods = [pod(f"web-{number}", "1", "1Gi") for number in range(6)]
    pods += [pod(f"agent-{number}", "500m", "256Mi", daemon=True, nodeName=f"n{number}") for number in range(2)]
    pods.append(pod("fast", "1", "1Gi", nodeSelector={"disk": "ssd"}, nodeName="n0"))
    pods.append(pod("done", "8", "1Gi") | {"status": {"phase": "Succeeded"}})
    path = tmp_path / "pods.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": pods}))
    return str(path)


def test_pods_daemon_sets_and_selectors(cluster):
    catalogue = read_catalogue(Blob("bins.csv", CATALOGUE))
    (demand,) = demands([cluster], "auto")
    assert sorted(item.name for item in demand.items) == ["shop/fast", *(f"shop/web-{n}" for n in range(6))]
    assert (demand.overhead["cpu"], demand.overhead_items) == (500, 1)
    instance, left_out = problem_of(demand, catalogue)
    assert left_out == []
    assert instance.resources[:2] == ("cpu", "memory")
    assert instance.bins.capacity[0, 0] == 3500
    assert instance.bins.capacity[1, 1] == (16384 - 256) * 2**20
    assert instance.bins.max_items.tolist() == [2, 9]
    result = pack(instance.items, instance.bins, iterations=100)
    # one large bin takes all six of web, the pod with the selector needs a small one
    assert (result.value, result.bound, result.status) == (2.5, 2.5, "optimal")


def test_selectors_without_labels_are_listed(cluster):
    catalogue = read_catalogue(Blob("bins.csv", CATALOGUE.replace(b"disk=ssd", b"")))
    (demand,) = demands([cluster], "kubectl")
    _, left_out = problem_of(demand, catalogue)
    assert [(entry.rule, entry.objects, entry.example) for entry in left_out] == [
        ("nodeSelector (no labels in the catalogue)", 1, "shop/fast")
    ]


def test_a_catalogue_without_the_resources_is_refused(cluster):
    catalogue = read_catalogue(Blob("bins.csv", b"name,gpus\nbox,4\n"))
    (demand,) = demands([cluster], "kubectl")
    with pytest.raises(InputError, match=r"bins\.csv: no column for cpu, memory"):
        problem_of(demand, catalogue)


def test_servers_and_anti_affinity(tmp_path):
    cloud = tmp_path / "clouds" / "north"
    cloud.mkdir(parents=True)
    flavors = [{"ID": "1", "Name": "m1", "RAM": 2048, "Disk": 0, "VCPUs": 2}]
    servers = [{"ID": f"s{n}", "Name": f"db-{n}", "Status": "ACTIVE", "Host": "h0", "Flavor": "m1"} for n in range(3)]
    groups = [{"ID": "g", "Name": "dbs", "Policy": "anti-affinity", "Members": ["s0", "s1", "s2"]}]
    for name, table in (("flavors", flavors), ("servers", servers), ("server_groups", groups)):
        (cloud / f"{name}.json").write_text(json.dumps(table))
    (demand,) = demands([str(tmp_path)], "auto")
    assert [dict(item.amounts) for item in demand.items] == [{"VCPU": 2, "MEMORY_MB": 2048}] * 3
    assert demand.at_most == [([0, 1, 2], 1)]
    instance, _ = problem_of(demand, read_catalogue(Blob("bins.csv", CATALOGUE)))
    result = pack(instance.items, instance.bins, iterations=100)
    assert (result.value, result.status) == (3, "optimal")
