"""The seeded hazards: where the plan is bent, and the manifest entries that say so.

Each hazard is a few names here that the planners look up, so that the plan stays one plan. Everything else in the
sample is meant to be free of findings; what only looks like one is listed too, under ``notHazards``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from binwright.sample.cloud_plan import CloudPlan
    from binwright.sample.cluster_plan import ClusterPlan

# spread: the pods of shop's checkout stand on three nodes, of which the first two share a hypervisor.
SPREAD = ("shop", "checkout", "checkout")
SPREAD_NODES = ("shop-worker-az1-1", "shop-worker-az1-2", "shop-worker-az3-4")
# quorum: the control plane of build was evacuated onto one hypervisor.
QUORUM_CLUSTER = "build"
QUORUM_ZONE = "az2"
# staleLabel: this server was live-migrated; the node still carries the host-id of where it was.
STALE_NODE = "edge-worker-az3-2"
# unjoined: the server of this node was deleted, the node object was not.
DANGLING_CLUSTER, DANGLING_NODE, DANGLING_ZONE = "lab", "lab-worker-az1-5", "az1"

SHARED_HOSTS = (SPREAD_NODES[:2],)  # servers that must share one hypervisor


def pinned_node(cluster: str, namespace: str, name: str, ordinal: int) -> str | None:
    """The node that a hazard prescribes for this pod, or None."""
    return SPREAD_NODES[ordinal] if (cluster, namespace, name) == SPREAD else None


def _object(source: str, kind: str, name: str, namespace: str | None = None) -> dict[str, Any]:
    entry = {"source": source, "kind": kind, "namespace": namespace, "name": name}
    return {key: value for key, value in entry.items() if value is not None}


def manifest_hazards(cloud: CloudPlan, clusters: dict[str, ClusterPlan]) -> list[dict[str, Any]]:
    """The four hazards as they stand in the finished plan."""
    return [
        _spread(cloud, clusters[SPREAD[0]]),
        _stale(cloud, clusters),
        _quorum(cloud, clusters[QUORUM_CLUSTER]),
        _dangling(clusters[DANGLING_CLUSTER]),
    ]


def _spread(cloud: CloudPlan, cluster: ClusterPlan) -> dict[str, Any]:
    source, namespace, name = SPREAD
    pods = [pod for pod in cluster.pods if (pod.workload.namespace, pod.workload.name) == (namespace, name)]
    hosts = [pod.on.metal.name for pod in pods]
    return {
        "id": "checkout-on-two-hosts",
        "kind": "spread",
        "objects": [_object(source, "Deployment", name, namespace)]
        + [_object(source, "Pod", pod.name, namespace) for pod in pods]
        + [_object(source, "Node", pod.on.name) for pod in pods]
        + [_object(cloud.name, "Hypervisor", host) for host in dict.fromkeys(hosts)],
        "claimed": len(pods),
        "actual": len(set(hosts)),
        "explanation": f"{name} spreads {len(pods)} pods over kubernetes.io/hostname with maxSkew 1, DoNotSchedule; "
        f"nodes {pods[0].on.name} and {pods[1].on.name} are servers on the same hypervisor {hosts[0]}.",
    }


def _stale(cloud: CloudPlan, clusters: dict[str, ClusterPlan]) -> dict[str, Any]:
    cluster = next(plan for plan in clusters.values() if STALE_NODE in plan.nodes)
    node = cluster.nodes[STALE_NODE]
    server = next(server for server in cloud.servers if server.name == STALE_NODE)
    return {
        "id": "host-id-label-from-before-a-migration",
        "kind": "staleLabel",
        "objects": [
            _object(cluster.name, "Node", node.name),
            _object(cloud.name, "Server", server.name),
            _object(cloud.name, "Hypervisor", server.metal.name),
        ],
        "claimed": node.labels[cluster.host_id_label],
        "actual": cloud.host_id(server),
        "explanation": f"label {cluster.host_id_label} names hypervisor {cloud.stale_host(server).name}, where "
        f"the server was before its live migration; the server list says {server.metal.name}.",
    }


def _quorum(cloud: CloudPlan, cluster: ClusterPlan) -> dict[str, Any]:
    members = [pod for pod in cluster.pods if pod.workload.name == "etcd" and pod.workload.kind == "Node"]
    host = members[0].on.metal.name
    return {
        "id": "etcd-on-one-host",
        "kind": "quorum",
        "objects": [_object(cluster.name, "Pod", pod.name, "kube-system") for pod in members]
        + [_object(cluster.name, "Node", pod.on.name) for pod in members]
        + [_object(cloud.name, "Hypervisor", host)],
        "claimed": len(members),
        "actual": len({pod.on.metal.name for pod in members}),
        "explanation": f"all {len(members)} etcd members of cluster {cluster.name} run in VMs on hypervisor {host}; "
        "losing it loses the quorum. Their server group is only soft-anti-affinity.",
    }


def _dangling(cluster: ClusterPlan) -> dict[str, Any]:
    node = cluster.nodes[DANGLING_NODE]
    return {
        "id": "node-without-a-server",
        "kind": "unjoined",
        "objects": [_object(cluster.name, "Node", node.name)],
        "claimed": node.provider_id,
        "actual": None,
        "explanation": "spec.providerID names a server that is not in the server list, and neither the node's name nor "
        "its addresses match another; the node is NotReady and holds only its DaemonSet pods.",
    }


def not_hazards(cloud: CloudPlan) -> list[dict[str, Any]]:
    """What looks like a hazard and is none."""
    by_host: dict[str, list[str]] = {}
    for server in cloud.servers:
        if server.host is not None and server.host.kind == "ironic":
            by_host.setdefault(server.host.service_host, []).append(server.name)
    service, names = next((host, names) for host, names in by_host.items() if len(names) > 1)
    return [
        {
            "id": "ironic-nodes-share-a-host-id",
            "kind": "staleLabel",
            "objects": [_object(cloud.name, "Server", name) for name in names],
            "explanation": f"these bare-metal servers are run by one nova-compute service, {service}, so Nova gives "
            "them the same hostId; each is a host of its own, as the Host column (the Ironic node) shows.",
        },
        {
            "id": "nodes-without-a-provider-id",
            "kind": "unjoined",
            "objects": [_object("under", "Node", name) for name in ("cmp-r11-01", "ctl-r11-01")],
            "explanation": "the nodes of the cluster below the cloud are the physical hosts themselves and join to "
            "hypervisors and racks by name.",
        },
    ]
