"""An audit of its own finds in the sample what the manifest lists, the hazards and what is pending, and no more."""

import re
from collections import Counter

from tests.unit.sample_files import (
    HOST_ID_LABELS,
    HOSTNAME,
    VM_CLUSTERS,
    ZONE,
    Claims,
    host_id,
    key_of,
    name_of,
    quantity,
    requests,
    selects,
    tolerates,
)


def claims_hostname_spread(pod: dict) -> bool:
    spec = pod["spec"]
    terms = spec.get("affinity", {}).get("podAntiAffinity", {})
    required = terms.get("requiredDuringSchedulingIgnoredDuringExecution", [])
    preferred = [one["podAffinityTerm"] for one in terms.get("preferredDuringSchedulingIgnoredDuringExecution", [])]
    return any(
        one["topologyKey"] == HOSTNAME for one in [*spec.get("topologySpreadConstraints", []), *required, *preferred]
    )


def test_spread_hazard_and_no_other(sample):
    found = []
    claimed = 0
    for cluster in sample.clusters.values():
        for (kind, namespace, name), pods in cluster.groups().items():
            hosts = [sample.host_of(cluster.nodes[pod["spec"]["nodeName"]]) for pod in pods]
            if claims_hostname_spread(pods[0]):
                claimed += 1
                assert len({pod["spec"]["nodeName"] for pod in pods}) == len(pods)  # the claim holds over nodes
                if len(set(hosts)) < len(pods):
                    found.append((cluster.name, kind, namespace, name, len(pods), len(set(hosts))))
            for constraint in pods[0]["spec"].get("topologySpreadConstraints", []):
                if constraint["topologyKey"] == ZONE:
                    zones = Counter({"az1": 0, "az2": 0, "az3": 0})
                    zones.update(sample.racks[host][1] for host in hosts)
                    assert max(zones.values()) - min(zones.values()) <= 1, name
    assert claimed > 40
    hazard = next(one for one in sample.manifest["hazards"] if one["kind"] == "spread")
    assert found == [("shop", "Deployment", "checkout", "checkout", 3, 2)]
    assert hazard["objects"][0] == {"source": "shop", "kind": "Deployment", "namespace": "checkout", "name": "checkout"}
    assert (hazard["claimed"], hazard["actual"]) == (3, 2)


def test_stale_label_and_no_other(sample):
    service_host = {}  # Ironic's compute service of a zone is what Nova hashes for its nodes
    for row in sample.table("hypervisors"):
        name = row["Hypervisor Hostname"]
        service_host[name] = f"ironic-compute-{sample.racks[name][1]}" if row["Hypervisor Type"] == "ironic" else name
    found = []
    for name in VM_CLUSTERS:
        for node in sample.clusters[name].nodes.values():
            labels = [
                node["metadata"]["labels"][label] for label in HOST_ID_LABELS if label in node["metadata"]["labels"]
            ]
            assert len(labels) == 1
            server = sample.servers.get(node["spec"]["providerID"].removeprefix("openstack:///"))
            if server and labels != [host_id(server["Project ID"], service_host[server["Host"]])]:
                found.append((name_of(node), labels[0], host_id(server["Project ID"], service_host[server["Host"]])))
                other = [one for one in service_host.values() if host_id(server["Project ID"], one) == labels[0]]
                assert len(other) == 1  # it does name a host, another one
    hazard = next(one for one in sample.manifest["hazards"] if one["kind"] == "staleLabel")
    assert found == [(hazard["objects"][0]["name"], hazard["claimed"], hazard["actual"])]


def test_quorum_on_one_host_and_no_other(sample):
    found = []
    sets = 0
    for cluster in sample.clusters.values():
        groups = {
            key: pods for key, pods in cluster.groups().items() if key[0] == "StatefulSet" and len(pods) in (3, 5, 7)
        }
        groups["etcd"] = [pod for pod in cluster.running() if pod["metadata"]["labels"].get("component") == "etcd"]
        assert len(groups["etcd"]) == 3
        for name, pods in groups.items():
            sets += 1
            hosts = Counter(sample.host_of(cluster.nodes[pod["spec"]["nodeName"]]) for pod in pods)
            if max(hosts.values()) > (len(pods) - 1) // 2:
                found.append((cluster.name, name, hosts))
    hazard = next(one for one in sample.manifest["hazards"] if one["kind"] == "quorum")
    hosts = [one["name"] for one in hazard["objects"] if one["kind"] == "Hypervisor"]
    assert found == [("build", "etcd", {hosts[0]: 3})]
    assert sets > 15


def test_dangling_provider_id_and_no_other(sample):
    found = []
    for name in VM_CLUSTERS:
        cluster = sample.clusters[name]
        for node in cluster.nodes.values():
            if sample.host_of(node) is None:
                found.append((name, name_of(node), node["spec"]["providerID"]))
                addresses = {
                    one for server in sample.servers.values() for ips in server["Networks"].values() for one in ips
                }
                assert node["status"]["addresses"][0]["address"] not in addresses
                assert name_of(node) not in {server["Name"] for server in sample.servers.values()}
                kinds = {
                    cluster.workload(pod)["kind"]
                    for pod in cluster.pods
                    if pod["spec"].get("nodeName") == name_of(node)
                }
                assert kinds == {"DaemonSet"}
            else:
                assert node["status"]["conditions"][0]["status"] == "True"
    hazard = next(one for one in sample.manifest["hazards"] if one["kind"] == "unjoined")
    assert found == [(hazard["objects"][0]["source"], hazard["objects"][0]["name"], hazard["claimed"])]
    assert all(node in sample.racks for node in sample.clusters["under"].nodes)


def test_manifest_names_four_hazards_and_real_objects(sample):
    assert [one["kind"] for one in sample.manifest["hazards"]] == ["spread", "staleLabel", "quorum", "unjoined"]
    clouds = {row["Hypervisor Hostname"] for row in sample.table("hypervisors")} | {
        s["Name"] for s in sample.servers.values()
    }
    for entry in sample.manifest["hazards"] + sample.manifest["notHazards"]:
        assert entry["explanation"]
        for thing in entry["objects"]:
            if thing["source"] == "north":
                assert thing["name"] in clouds
            else:
                keys = {key_of(one) for one in sample.clusters[thing["source"]].kinds[thing["kind"]]}
                assert (thing.get("namespace", ""), thing["name"]) in keys


def test_services_have_two_hosts_below_them(sample):
    """No single-replica service, and none whose endpoints share one host: the manifest lists neither."""
    for cluster in sample.clusters.values():
        for service in cluster.kinds["Service"]:
            selector = service["spec"]["selector"].items()
            pods = [
                pod
                for pod in cluster.running()
                if pod["metadata"]["namespace"] == service["metadata"]["namespace"]
                and selector <= pod["metadata"]["labels"].items()
            ]
            assert len({sample.host_of(cluster.nodes[pod["spec"]["nodeName"]]) for pod in pods}) >= 2, name_of(service)


def test_same_host_id_of_ironic_nodes_is_no_hazard(sample):
    entry = sample.manifest["notHazards"][0]
    names = [thing["name"] for thing in entry["objects"]]
    servers = [server for server in sample.servers.values() if server["Name"] in names]
    nodes = [sample.clusters["data"].nodes[name]["metadata"]["labels"] for name in names]
    assert len({labels[HOST_ID_LABELS[0]] for labels in nodes}) == 1
    assert len({server["Host"] for server in servers}) == len(names) == 2


# pending -----------------------------------------------------------------------------------------------------------
def test_pending_pods_are_as_the_manifest_says(sample):
    for cluster in sample.clusters.values():
        entries = [one for one in sample.manifest["pending"]["pods"] if one["source"] == cluster.name]
        assert any(one["placeable"] for one in entries)
        assert sum(not one["placeable"] for one in entries) >= 2
        pending = {key_of(pod): pod for pod in cluster.pending()}
        assert set(pending) == {(one["namespace"], name) for one in entries for name in one["pods"]}
        free = {
            name: Counter({key: quantity(text) for key, text in node["status"]["allocatable"].items()})
            for name, node in cluster.nodes.items()
        }
        for pod in cluster.running():
            free[pod["spec"]["nodeName"]].subtract(requests(pod) + Counter(pods=1000))
        for entry in sorted(entries, key=lambda one: one["placeable"]):
            for name in entry["pods"]:
                pod = pending[entry["namespace"], name]
                assert "nodeName" not in pod["spec"]
                plain = pod["spec"]["schedulerName"] == "default-scheduler" and "schedulingGates" not in pod["spec"]
                assert plain == entry["asked"]
                if not plain:
                    continue
                wanted = requests(pod) + Counter(pods=1000)
                nodes = [
                    node
                    for node in cluster.nodes
                    if selects(pod, cluster.nodes[node])
                    and tolerates(pod, cluster.nodes[node])
                    and all(amount <= free[node][resource] for resource, amount in wanted.items())
                ]
                assert bool(nodes) == entry["placeable"], (sample.seed, cluster.name, name)
                if nodes:
                    free[nodes[0]].subtract(wanted)
    whys = " ".join(one["why"] for one in sample.manifest["pending"]["pods"])
    for word in ("nodeSelector", "taint", "largest node", "fit an empty", "GPU", "gate", "scheduler", "zone"):
        assert word in whys


def test_empty_nodes_would_take_the_pods_that_only_lack_room(sample):
    for entry in sample.manifest["pending"]["pods"]:
        cluster = sample.clusters[entry["source"]]
        pods = [pod for pod in cluster.pending() if name_of(pod) in entry["pods"]]
        biggest = {
            resource: max(quantity(node["status"]["allocatable"].get(resource, "0")) for node in cluster.nodes.values())
            for resource in ("cpu", "memory", "nvidia.com/gpu")
        }
        too_large = any(amount > biggest[resource] for pod in pods for resource, amount in requests(pod).items())
        assert too_large == bool(re.search(r"asks \d+ (CPU|GPU)s, ", entry["why"])), entry
        if "empty" in entry["why"]:
            assert not too_large


def test_pending_servers_and_requests_are_as_the_manifest_says(sample):
    claims = Claims(sample)
    waiting = {server["Name"]: server for server in sample.servers.values() if server["Status"] == "BUILD"}
    entries = sample.manifest["pending"]["servers"]
    assert set(waiting) == {entry["name"] for entry in entries}
    assert {entry["placeable"] for entry in entries} == {True, False}
    for entry in entries:
        server = waiting[entry["name"]]
        assert server["Host"] is None
        group = (server["Scheduler Hints"].get("group") or [None])[0]
        placed = claims.place(server["Flavor"], server["Pinned Availability Zone"], group)
        assert bool(placed) == entry["placeable"], (sample.seed, entry, placed)
    wishes = {wish["name"]: wish for wish in sample.table("requests")}
    assert set(wishes) == {entry["name"] for entry in sample.manifest["pending"]["requests"]}
    for entry in sample.manifest["pending"]["requests"]:
        wish = wishes[entry["name"]]
        assert wish["count"] == entry["count"]
        group = wish.get("scheduler_hints", {}).get("group")
        placed = [claims.place(wish["flavor"], wish.get("availability_zone"), group) for _ in range(wish["count"])]
        assert sum(map(bool, placed)) == entry["placeable"], (sample.seed, entry, placed)
    others = Counter(server["Status"] for server in sample.servers.values() if server["Host"] is None)
    assert others == {"BUILD": len(waiting), "ERROR": 1, "SHELVED_OFFLOADED": 1}


def test_every_hazard_can_be_repaired(sample):
    """Room for the repairs that an audit will propose: a pod or a server that moves, rules of both layers kept."""
    cluster = sample.clusters["shop"]
    free = {
        name: Counter({key: quantity(text) for key, text in node["status"]["allocatable"].items()})
        for name, node in cluster.nodes.items()
    }
    for pod in cluster.running():
        free[pod["spec"]["nodeName"]].subtract(requests(pod))
    hazard = next(one for one in sample.manifest["hazards"] if one["kind"] == "spread")
    taken = {one["name"] for one in hazard["objects"] if one["kind"] == "Hypervisor"}
    pod = next(pod for pod in cluster.running() if pod["metadata"]["labels"].get("app") == "checkout")
    better = [
        name
        for name, node in cluster.nodes.items()
        if tolerates(pod, node)
        and sample.host_of(node) not in taken
        and all(amount <= free[name][resource] for resource, amount in requests(pod).items())
    ]
    assert better, sample.seed
    claims = Claims(sample)
    group = next(group["ID"] for group in claims.groups.values() if group["Name"] == "build-control-plane")
    claims.groups[group]["Policy"] = "anti-affinity"
    assert all(claims.place("k8s.cp", "az2", group) for _ in range(2))
