"""The clusters of the sample are sound: nodes from flavors, pods on nodes, budgets, volumes, usage series."""

from collections import Counter, defaultdict

from tests.unit.sample_files import VM_CLUSTERS, ZONE, key_of, name_of, quantity, requests, selects, tolerates


def test_nodes_are_servers_with_the_flavor_less_the_reserve(sample):
    for name in VM_CLUSTERS:
        for node in sample.clusters[name].nodes.values():
            server = sample.servers.get(node["spec"]["providerID"].removeprefix("openstack:///"))
            flavor = sample.flavors[node["metadata"]["labels"]["node.kubernetes.io/instance-type"]]
            capacity, allocatable = node["status"]["capacity"], node["status"]["allocatable"]
            assert quantity(capacity["cpu"]) == flavor["VCPUs"] * 1000
            assert quantity(capacity["memory"]) == flavor["RAM"] << 20
            # kube-reserved and eviction threshold of the sample
            assert quantity(capacity["cpu"]) - quantity(allocatable["cpu"]) == 80 + 10 * flavor["VCPUs"]
            assert quantity(capacity["memory"]) - quantity(allocatable["memory"]) == (612 + flavor["RAM"] // 25) << 20
            if server:
                assert server["Name"] == name_of(node)
                assert server["Flavor"] == flavor["Name"]
                assert [node["status"]["addresses"][0]["address"]] == server["Networks"][f"{name}-net"]
                assert node["metadata"]["labels"][ZONE] == server["Availability Zone"]
    for node in sample.clusters["under"].nodes.values():
        assert sample.racks[name_of(node)] == (node["metadata"]["labels"]["rack"], node["metadata"]["labels"][ZONE])


def test_pods_fit_their_nodes(sample):
    for cluster in sample.clusters.values():
        used: dict[str, Counter] = defaultdict(Counter)
        for pod in cluster.running():
            used[pod["spec"]["nodeName"]].update(requests(pod) + Counter(pods=1000))
        for name, total in used.items():
            allocatable = cluster.nodes[name]["status"]["allocatable"]
            for resource, amount in total.items():
                assert amount <= quantity(allocatable[resource]), (cluster.name, name, resource)
        for pod in cluster.running():
            node = cluster.nodes[pod["spec"]["nodeName"]]
            assert selects(pod, node), name_of(pod)
            static = cluster.workload(pod)["kind"] == "Node"  # the kubelet's own, no scheduler asked
            if not static and not node["spec"].get("unschedulable"):
                assert tolerates(pod, node), name_of(pod)


def test_pods_on_hypervisors_stay_within_what_nova_leaves_alone(sample):
    for provider in sample.providers.values():
        if "MEMORY_MB" in provider["inventory"]:
            node = sample.clusters["under"].nodes[provider["name"]]
            assert (
                quantity(node["status"]["allocatable"]["memory"]) < provider["inventory"]["MEMORY_MB"]["reserved"] << 20
            )


def test_objects_point_at_each_other(sample):
    for cluster in sample.clusters.values():
        uids = [thing["metadata"]["uid"] for things in cluster.kinds.values() for thing in things]
        assert len(uids) == len(set(uids))
        for kind, things in cluster.kinds.items():
            assert len({key_of(thing) for thing in things}) == len(things), kind
        namespaces = {name_of(thing) for thing in cluster.kinds["Namespace"]}
        priorities = {name_of(thing): thing["value"] for thing in cluster.kinds["PriorityClass"]}
        for pod in cluster.pods:
            assert pod["metadata"]["namespace"] in namespaces
            assert pod["spec"]["priority"] == priorities.get(pod["spec"].get("priorityClassName"), 0)
            top = cluster.workload(pod)
            if top["kind"] != "Node":
                labels = pod["metadata"]["labels"].items()
                assert top["spec"]["selector"]["matchLabels"].items() <= labels
        for kind in ("Deployment", "StatefulSet"):
            for top in cluster.kinds[kind]:
                owned = [pod for pod in cluster.pods if cluster.workload(pod) is top]
                assert len(owned) == top["spec"]["replicas"] == top["status"]["replicas"]
                ready = [pod for pod in owned if pod["status"]["phase"] == "Running"]
                assert top["status"].get("readyReplicas", 0) == len(ready)
    assert len({server["ID"] for server in sample.table("servers")}) == len(sample.table("servers"))
    assert len({server["Name"] for server in sample.table("servers")}) == len(sample.table("servers"))


def test_disruption_budgets_are_as_the_controller_would_write_them(sample):
    seen = 0
    for cluster in sample.clusters.values():
        for budget in cluster.kinds["PodDisruptionBudget"]:
            labels = budget["spec"]["selector"]["matchLabels"].items()
            pods = [
                pod
                for pod in cluster.running()
                if pod["metadata"]["namespace"] == budget["metadata"]["namespace"]
                and labels <= pod["metadata"]["labels"].items()
            ]
            healthy = sum("deletionTimestamp" not in pod["metadata"] for pod in pods)
            status = budget["status"]
            wanted = budget["spec"].get("minAvailable", len(pods) - budget["spec"].get("maxUnavailable", 0))
            assert (status["currentHealthy"], status["expectedPods"], status["desiredHealthy"]) == (
                healthy,
                len(pods),
                wanted,
            )
            assert status["disruptionsAllowed"] == max(0, healthy - wanted)
            assert status["disruptionsAllowed"] > 0, name_of(budget)
            seen += 1
    assert seen > 40


def test_volumes_are_attached_where_the_pod_runs(sample):
    volumes = {volume["ID"]: volume for volume in sample.table("volumes")}
    assert len(volumes) > 50
    for volume in volumes.values():
        assert [part["server_id"] in sample.servers for part in volume["Attached to"]] == [True]
    for cluster in sample.clusters.values():
        claims = {key_of(claim): claim for claim in cluster.kinds["PersistentVolumeClaim"]}
        persistent = {name_of(volume): volume for volume in cluster.kinds["PersistentVolume"]}
        for pod in cluster.pods:
            for part in pod["spec"].get("volumes", []):
                claim = claims.pop((pod["metadata"]["namespace"], part["persistentVolumeClaim"]["claimName"]))
                bound = persistent.pop(claim["spec"]["volumeName"])
                assert bound["spec"]["claimRef"]["uid"] == claim["metadata"]["uid"]
                cinder = volumes[bound["spec"]["csi"]["volumeHandle"]]
                node = cluster.nodes[pod["spec"]["nodeName"]]
                assert cinder["Attached to"][0]["server_id"] == node["spec"]["providerID"].removeprefix("openstack:///")
                term = bound["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"][0]["matchExpressions"][0]
                assert node["metadata"]["labels"][term["key"]] in term["values"]
                assert bound["spec"]["capacity"]["storage"] == f"{cinder['Size']}Gi"
        assert not claims
        assert not persistent


def test_usage_of_every_pod_and_server(sample):
    servers = {uuid: use for (uuid, _), use in sample.usage("north.servers.csv").items()}
    assert set(servers) == {uuid for uuid, server in sample.servers.items() if server["Host"]}
    for uuid, (cpu, memory) in servers.items():
        flavor = sample.flavors[sample.servers[uuid]["Flavor"]]
        assert max(cpu) <= flavor["VCPUs"] * 1000
        assert max(memory) <= flavor["RAM"], sample.servers[uuid]["Name"]
        if sample.servers[uuid]["Status"] != "ACTIVE":
            assert set(cpu + memory) == {0}
    for cluster in sample.clusters.values():
        series = sample.usage(f"{cluster.name}.pods.csv")
        on_server: dict[str, list[tuple[list[int], list[int]]]] = defaultdict(list)
        lost = {name for name, node in cluster.nodes.items() if node["status"]["conditions"][0]["status"] != "True"}
        pods = {key_of(pod): pod for pod in cluster.running() if pod["spec"]["nodeName"] not in lost}
        assert set(series) == set(pods)
        for key, (cpu, memory) in series.items():
            limits = pods[key]["spec"]["containers"][0]["resources"].get("limits")
            if limits:
                assert max(cpu) <= quantity(limits["cpu"])
                assert max(memory) <= quantity(limits["memory"]) >> 20
            provider = cluster.nodes[pods[key]["spec"]["nodeName"]]["spec"].get("providerID", "")
            on_server[provider.removeprefix("openstack:///")].append((cpu, memory))
        for uuid, uses in on_server.items():
            for kind in (0, 1) if uuid else ():
                for hour in range(24):
                    assert servers[uuid][kind][hour] >= sum(use[kind][hour] for use in uses)
