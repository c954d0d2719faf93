"""The plan of one Kubernetes cluster of the sample: its nodes over the cloud's servers or hosts, its pods on nodes.

Pods are put where their own rules allow, and what claims to be spread over hostnames is truly spread over physical
hosts, unless ``hazards`` bends it. Knows the cloud plan; knows nothing of JSON.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from binwright.sample import catalogue, hazards
from binwright.sample.cloud_plan import CloudPlan, Host, Server
from binwright.sample.dice import Dice, suffix_of, uuid_of
from binwright.sample.workloads import POOL_TAINTS, ClusterSpec, Workload

# Static pods of a control-plane node, with kubeadm's requests: (name, millicores, MiB).
STATIC_PODS = (
    ("etcd", 100, 100),
    ("kube-apiserver", 250, 0),
    ("kube-controller-manager", 200, 0),
    ("kube-scheduler", 100, 0),
)
CONTROL_LABEL = "node-role.kubernetes.io/control-plane"
CORDONED_NODE = "build-worker-az3-2"
TERMINATING = ("build", "runner-linux", 5)  # cluster, workload, ordinal of a pod that is being deleted
# The kubelet of a hypervisor offers pods these millicores, and of the memory that Nova leaves alone all but these MiB.
COMPUTE_NODE_CPU_M, COMPUTE_NODE_KEEPS_MB = 4000, 4096
UNDER_CONTROL_RACKS = ("r11", "r21", "r31")


@dataclass
class Node:
    """``cpu_m`` and ``memory_mb`` are allocatable; capacity is that of the flavor or the host."""

    name: str
    uid: str
    role: str
    pool: str | None
    server: Server | None
    host: Host | None
    zone: str
    ip: str
    instance_type: str
    capacity_cpu_m: int
    capacity_memory_mb: int
    disk_gb: int
    cpu_m: int
    memory_mb: int
    age_hours: float
    gpus: int = 0
    provider_id: str | None = None
    ready: bool = True
    cordoned: bool = False
    labels: dict[str, str] = field(default_factory=dict)
    taints: list[tuple[str, str | None, str]] = field(default_factory=list)
    pods: list[Pod] = field(default_factory=list)

    @property
    def metal(self) -> Host:
        """The physical host of a node that has one; the node of a deleted server has none."""
        assert self.host is not None, self.name
        return self.host

    def free(self) -> tuple[int, int, int]:
        """(millicores, MiB, GPUs) that no pod here requests."""
        loads = [pod.workload for pod in self.pods if pod.phase == "Running"]
        return (
            self.cpu_m - sum(load.cpu for load in loads),
            self.memory_mb - sum(load.memory for load in loads),
            self.gpus - sum(load.gpus for load in loads),
        )


@dataclass
class Pod:
    name: str
    uid: str
    workload: Workload
    ordinal: int
    node: Node | None
    age_hours: float
    phase: str = "Running"
    terminating: bool = False
    volume_uid: str | None = None  # of its claim; the persistent volume and the Cinder volume are named after it

    @property
    def on(self) -> Node:
        """The node of a pod that has one."""
        assert self.node is not None, self.name
        return self.node

    @property
    def ready(self) -> bool:
        return self.phase == "Running" and self.on.ready


class ClusterPlan:
    """Nodes and pods of one cluster, in the order in which they are written."""

    def __init__(self, seed: int, spec: ClusterSpec, cloud: CloudPlan) -> None:
        self.name = spec.name
        self.seed = seed
        self.cloud = cloud
        self.host_id_label = spec.host_id_label
        self.nodes: dict[str, Node] = {}
        static = tuple(
            Workload("kube-system", name, 0, cpu, memory, kind="Node", pool="control", load="control", burst=0,
                     priority="system-node-critical")
            for name, cpu, memory in STATIC_PODS
        )  # fmt: skip
        self.workloads = static + spec.workloads
        self._dice = Dice(seed, f"pods of {spec.name}")
        if spec.workers:
            self._add_server_nodes()
        else:
            self._add_host_nodes()
        self._pods: dict[tuple[str, str], list[Pod]] = {(w.namespace, w.name): [] for w in self.workloads}
        self._place_all()

    @property
    def pods(self) -> list[Pod]:
        return [pod for pods in self._pods.values() for pod in pods]

    def pods_of(self, workload: Workload) -> list[Pod]:
        return self._pods[workload.namespace, workload.name]

    # nodes -----------------------------------------------------------------------------------------------------
    def pool_label(self, pool: str) -> tuple[str, str]:
        """The label that the pods of a pool select."""
        if self.name == "under":
            return ("openstack-control-plane" if pool == "control" else "openstack-compute-node", "enabled")
        return (CONTROL_LABEL, "") if pool == "control" else ("pool", pool)

    def pool_taint(self, pool: str | None) -> tuple[str, str, str] | None:
        if self.name == "under":
            return ("openstack-compute-node", "enabled", "NoSchedule") if pool == "compute" else None
        if pool == "control":
            return (CONTROL_LABEL, "", "NoSchedule")
        taint = POOL_TAINTS.get(pool) if pool else None
        return (*taint, "NoSchedule") if taint else None

    def _add_server_nodes(self) -> None:
        for server in self.cloud.servers:
            if server.is_node and server.project == self.name:
                self._add_node(server.name, self._pool_of(server), server, server.host, server.metal.zone, server.ip)
        if self.name == hazards.DANGLING_CLUSTER:
            zone, flavor = hazards.DANGLING_ZONE, catalogue.FLAVORS["k8s.large"]
            gone = Server(hazards.DANGLING_NODE, uuid_of(self.seed, "deleted server"), self.name, flavor, None,
                          f"{self.name}-net", "10.99.0.77", catalogue.NODE_IMAGE, 900.0)  # fmt: skip
            node = self._add_node(gone.name, None, gone, None, zone, gone.ip)
            node.server, node.ready = None, False
            node.labels[self.host_id_label] = self.cloud.host_id_at(self.name, self.cloud.hosts["cmp-r11-04"])
            node.taints += [("node.kubernetes.io/unreachable", None, effect) for effect in ("NoSchedule", "NoExecute")]
        if CORDONED_NODE in self.nodes:
            self.nodes[CORDONED_NODE].cordoned = True
            self.nodes[CORDONED_NODE].taints.append(("node.kubernetes.io/unschedulable", None, "NoSchedule"))
        if hazards.STALE_NODE in self.nodes:
            server = next(server for server in self.cloud.servers if server.name == hazards.STALE_NODE)
            stale_id = self.cloud.host_id_at(self.name, self.cloud.stale_host(server))
            self.nodes[hazards.STALE_NODE].labels[self.host_id_label] = stale_id

    def _pool_of(self, server: Server) -> str | None:
        if "-cp-" in server.name:
            return "control"
        if server.flavor.name == "bm.large":
            return "baremetal"
        pool = server.name.split("-")[1]
        return None if pool == "worker" else pool

    def _add_node(self, name: str, pool: str | None, server: Server, host: Host | None, zone: str, ip: str) -> Node:
        flavor = server.flavor
        cpu_reserved, memory_reserved = catalogue.kube_reserved(flavor.vcpus, flavor.ram_mb)
        node = Node(
            name=name,
            uid=uuid_of(self.seed, "node", self.name, name),
            pool=pool,
            role="control-plane" if pool == "control" else "worker",
            server=server,
            host=host,
            zone=zone,
            ip=ip,
            instance_type=flavor.name,
            capacity_cpu_m=flavor.vcpus * 1000,
            capacity_memory_mb=flavor.ram_mb,
            disk_gb=flavor.disk_gb,
            cpu_m=flavor.vcpus * 1000 - cpu_reserved,
            memory_mb=flavor.ram_mb - memory_reserved,
            age_hours=server.age_hours - 0.1,
            gpus=1 if flavor.name == "k8s.gpu" else 0,
            provider_id=f"openstack:///{server.uuid}",
        )
        if host is not None:
            node.labels[self.host_id_label] = self.cloud.host_id(server)
            if host.kind != "ironic":
                node.labels["topology.cinder.csi.openstack.org/zone"] = zone
        return self._register(node)

    def _add_host_nodes(self) -> None:
        """The physical hosts as nodes: no providerID, the node's name is the hypervisor's."""
        for host in self.cloud.hosts.values():
            host_class = catalogue.HOST_CLASSES[host.kind]
            threads, memory = host_class.threads, host_class.memory_mb
            if host.is_hypervisor:
                pool, cpu_m, memory_mb = "compute", COMPUTE_NODE_CPU_M, host_class.reserved_mb - COMPUTE_NODE_KEEPS_MB
            else:
                cpu_reserved, memory_reserved = catalogue.kube_reserved(threads, memory)
                pool, cpu_m, memory_mb = "control", threads * 1000 - cpu_reserved, memory - memory_reserved
            role = "control-plane" if pool == "control" and host.rack in UNDER_CONTROL_RACKS else "worker"
            node = Node(
                name=host.name,
                uid=uuid_of(self.seed, "node", self.name, host.name),
                role=role,
                pool=pool,
                server=None,
                host=host,
                zone=host.zone,
                ip=host.ip,
                instance_type=f"metal.{host.kind}",
                capacity_cpu_m=threads * 1000,
                capacity_memory_mb=memory,
                disk_gb=host_class.disk_gb,
                cpu_m=cpu_m,
                memory_mb=memory_mb,
                age_hours=26000.0,
            )
            node.labels["rack"] = host.rack
            self._register(node)

    def _register(self, node: Node) -> Node:
        if node.pool:
            key, value = self.pool_label(node.pool)
            node.labels[key] = value
        if node.role == "control-plane":
            node.labels[CONTROL_LABEL] = ""
        taint = self.pool_taint(node.pool)
        if taint:
            node.taints.append(taint)
        self.nodes[node.name] = node
        return node

    # pods ------------------------------------------------------------------------------------------------------
    def _place_all(self) -> None:
        """Node-bound pods first, then those with claims, then the rest, large before small."""
        rank = {"Node": 0, "DaemonSet": 1}
        order = sorted(
            self.workloads,
            key=lambda w: (rank.get(w.kind, 2), w.pending is not None, w.claim is None, -w.memory, w.namespace, w.name),
        )
        for workload in order:
            if workload.kind in rank:
                for ordinal, node in enumerate(self._nodes_bound(workload)):
                    self._add_pod(workload, ordinal, node)
            else:
                for ordinal in range(workload.replicas):
                    runs = workload.pending is None
                    self._add_pod(workload, ordinal, self._choose(workload, ordinal) if runs else None)
                if workload.claim:
                    self._age_in_order(workload)

    def _age_in_order(self, workload: Workload) -> None:
        """Replicas that keep apart came one after another, as they were placed: each was allowed in its turn."""
        pods = self.pods_of(workload)
        for pod, age in zip(pods, sorted((pod.age_hours for pod in pods), reverse=True)):
            pod.age_hours = age

    def _nodes_bound(self, workload: Workload) -> list[Node]:
        if workload.kind == "Node":
            return [node for node in self.nodes.values() if node.role == "control-plane"]
        if workload.pool:
            return [node for node in self.nodes.values() if node.pool == workload.pool]
        return list(self.nodes.values())

    def _choose(self, workload: Workload, ordinal: int) -> Node:
        pinned = hazards.pinned_node(self.name, workload.namespace, workload.name, ordinal)
        if pinned:
            return self.nodes[pinned]
        others = [pod.on for pod in self.pods_of(workload)]
        zones = [node.zone for node in others]
        hosts = {node.metal.name for node in others}
        best: tuple[float, Node] | None = None
        for node in self.nodes.values():
            cpu, memory, gpus = node.free()
            if not node.ready or node.pool != workload.pool or (node.pool is None and node.role == "control-plane"):
                continue
            if cpu < workload.cpu or memory < workload.memory or gpus < workload.gpus:
                continue
            if workload.claim in ("spread", "anti", "soft") and node.metal.name in hosts:
                continue
            fill = 1 - memory / node.memory_mb + self._dice.fraction(0, 0.12)
            if workload.claim:
                fill += 10 * zones.count(node.zone) + (node.metal.name in hosts)
            if best is None or fill < best[0]:
                best = (fill, node)
        if best is None:
            raise AssertionError(f"no room for {self.name}/{workload.namespace}/{workload.name} number {ordinal}")
        return best[1]

    def pod_template_hash(self, workload: Workload) -> str:
        return suffix_of(9, self.seed, self.name, workload.namespace, workload.name)

    def _add_pod(self, workload: Workload, ordinal: int, node: Node | None) -> None:
        suffix = suffix_of(5, self.seed, self.name, workload.namespace, workload.name, ordinal)
        name = {
            "Node": f"{workload.name}-{node.name if node else ''}",
            "StatefulSet": f"{workload.name}-{ordinal}",
            "Deployment": f"{workload.name}-{self.pod_template_hash(workload)}-{suffix}",
        }.get(workload.kind, f"{workload.name}-{suffix}")
        uid = uuid_of(self.seed, "pod", self.name, workload.namespace, name)
        if node is None:
            age = 0.75 - ordinal / 60 if workload.placeable else self._dice.between(2, 40) - ordinal / 60
        else:
            age = self._dice.between(1, 60) if workload.load == "batch" else self._dice.between(24, 900)
            age = min(node.age_hours - 1, age)
        pod = Pod(name, uid, workload, ordinal, node, max(age, 0.1))
        if node is None:
            pod.phase = "Pending"
        elif workload.kind == "Job":
            pod.phase = "Failed" if ordinal == workload.replicas - 1 else "Succeeded"
        pod.terminating = (self.name, workload.name, ordinal) == TERMINATING
        if workload.volume_gb and node is not None and node.server is not None:
            pod.volume_uid = uuid_of(self.seed, "claim", self.name, workload.namespace, name)
            self.cloud.attach(f"pvc-{pod.volume_uid}", workload.volume_gb, node.server)
        self.pods_of(workload).append(pod)
        if node is not None:
            node.pods.append(pod)
