"""What runs, or waits, in the sample's clusters: one table a cluster, data only.

A row states what its owner asked for. Where its pods land is planned in ``cluster_plan``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Workload:
    """One controller. ``cpu`` in millicores and ``memory`` in MiB per pod.

    ``claim``: spread (topologySpreadConstraints over hostname), anti or soft (required or preferred anti-affinity over
    hostname), zone (topologySpreadConstraints over zone). ``burst``: limits as a multiple of the requests, 1 makes the
    pod Guaranteed, 0 sets no limits. ``pending``: why all its pods wait; ``placeable``: whether a node takes them now.
    """

    namespace: str
    name: str
    replicas: int
    cpu: int
    memory: int
    kind: str = "Deployment"
    claim: str | None = None
    pdb: tuple[str, int] | None = None
    service: bool = False
    volume_gb: int = 0
    pool: str | None = None
    gpus: int = 0
    priority: str | None = None
    load: str = "web"
    burst: int = 2
    selector: tuple[tuple[str, str], ...] = ()
    scheduler: str = "default-scheduler"
    gate: str | None = None
    pending: str | None = None
    placeable: bool = False


W = Workload
MIN1, MIN2, MIN4, MAX1 = ("minAvailable", 1), ("minAvailable", 2), ("minAvailable", 4), ("maxUnavailable", 1)

PRIORITIES = {
    "system-node-critical": 2000001000,
    "system-cluster-critical": 2000000000,
    "business": 100000,
    "batch": -10,
}

# Pools of nodes set apart: label pool=NAME, a taint with the key and value given here.
POOL_TAINTS: dict[str, tuple[str, str]] = {
    "cdn": ("dedicated", "cdn"),
    "baremetal": ("dedicated", "baremetal"),
    "gpu": ("nvidia.com/gpu", "present"),
}


def _daemon(name: str, cpu: int, memory: int, namespace: str = "kube-system", pool: str | None = None) -> Workload:
    return W(namespace, name, 0, cpu, memory, kind="DaemonSet", pool=pool, load="system", burst=0,
             priority="system-node-critical")  # fmt: skip


_COMMON = (
    W("kube-system", "coredns", 2, 100, 70, claim="soft", pdb=MIN1, service=True, burst=0, load="system",
      priority="system-cluster-critical"),
    W("kube-system", "metrics-server", 2, 100, 200, claim="anti", pdb=MIN1, service=True, burst=0, load="system",
      priority="system-cluster-critical"),
    W("kube-system", "cilium-operator", 2, 100, 256, claim="anti", burst=0, load="system",
      priority="system-cluster-critical"),
    W("monitoring", "prometheus", 2, 1000, 6144, kind="StatefulSet", claim="anti", pdb=MIN1, service=True,
      volume_gb=200, load="steady"),
    W("monitoring", "kube-state-metrics", 1, 100, 256, load="idle"),
    _daemon("cilium", 100, 300),
    _daemon("csi-cinder-nodeplugin", 60, 128),
    _daemon("node-exporter", 50, 64, namespace="monitoring"),
    _daemon("openstack-cloud-controller-manager", 100, 128, pool="control"),
)  # fmt: skip

_SHOP = (
    W("storefront", "storefront", 30, 300, 1536, pdb=("minAvailable", 24), service=True),
    W("storefront", "catalogue", 22, 500, 2560, pdb=("minAvailable", 16), service=True),
    W("storefront", "search", 9, 1000, 6144, claim="zone", pdb=MIN4, service=True),
    W("storefront", "media", 12, 400, 3072, service=True),
    W("checkout", "checkout", 3, 500, 2048, claim="spread", pdb=MIN2, service=True, priority="business"),
    W("checkout", "payment", 6, 400, 2048, claim="spread", pdb=MIN4, service=True, priority="business"),
    W("checkout", "cart", 18, 300, 1536, pdb=("minAvailable", 12), service=True, priority="business"),
    W("checkout", "fraud-check", 5, 800, 4096, claim="soft", service=True),
    W("orders", "orders", 16, 400, 2560, pdb=("minAvailable", 10), service=True, priority="business"),
    W("orders", "pricing", 12, 500, 3072, service=True),
    W("orders", "inventory", 12, 300, 2048, service=True),
    W("orders", "shipping", 8, 250, 1536, service=True),
    W("orders", "customer", 12, 300, 2560, service=True),
    W("orders", "invoice-mailer", 4, 100, 768, load="idle"),
    W("orders", "rabbitmq", 3, 1000, 4096, kind="StatefulSet", claim="anti", pdb=MAX1, service=True, volume_gb=50,
      load="steady", burst=1),
    W("cache", "redis", 6, 500, 8192, kind="StatefulSet", claim="spread", pdb=MAX1, service=True, load="steady",
      burst=1),
    W("recommend", "recommend", 14, 900, 5120, claim="zone", service=True),
    W("ingress", "ingress-nginx", 6, 500, 1024, claim="anti", pdb=MIN4, service=True, priority="business"),
    W("promo", "banner", 3, 500, 512, pending="just created, room on most nodes", placeable=True),
    W("recommend", "retrain", 1, 12000, 24576, load="batch", pending="asks 12 CPUs, the largest node has 8",
      priority="batch"),
    W("orders", "legacy-bridge", 2, 250, 512, selector=(("disktype", "ssd"),),
      pending="nodeSelector disktype=ssd matches no node"),
    W("cache", "warmup", 2, 500, 27648, pending="27 GiB fit an empty node, no node has that much left"),
)  # fmt: skip

_DATA = (
    W("postgres", "orders-db", 3, 6000, 40960, kind="StatefulSet", claim="anti", pdb=MAX1, service=True, volume_gb=500,
      load="steady", burst=1, priority="business"),
    W("postgres", "crm-db", 3, 4000, 32768, kind="StatefulSet", claim="anti", pdb=MAX1, service=True, volume_gb=300,
      load="steady", burst=1, priority="business"),
    W("postgres", "pgbouncer", 6, 500, 1024, claim="spread", pdb=MIN4, service=True),
    W("kafka", "kafka", 6, 3000, 32768, kind="StatefulSet", claim="spread", pdb=MAX1, service=True, volume_gb=800,
      load="steady", burst=1),
    W("kafka", "kafka-controller", 3, 1000, 6144, kind="StatefulSet", claim="anti", pdb=MAX1, service=True,
      volume_gb=40, load="steady", burst=1),
    W("kafka", "schema-registry", 3, 300, 2048, claim="soft", service=True),
    W("search", "es-data", 9, 4000, 49152, kind="StatefulSet", claim="zone", pdb=MAX1, service=True, volume_gb=600,
      load="steady", burst=1),
    W("search", "es-master", 3, 1000, 6144, kind="StatefulSet", claim="anti", pdb=MAX1, service=True, volume_gb=20,
      load="steady", burst=1),
    W("cassandra", "cassandra", 9, 3000, 40960, kind="StatefulSet", claim="spread", pdb=MAX1, service=True,
      volume_gb=700, load="steady", burst=1),
    W("cache", "redis", 6, 1000, 16384, kind="StatefulSet", claim="spread", pdb=MAX1, service=True, load="steady",
      burst=1),
    W("airflow", "airflow-worker", 14, 800, 6144, load="batch"),
    W("airflow", "airflow-scheduler", 2, 500, 2048, claim="anti"),
    W("analytics", "clickhouse", 8, 8000, 98304, kind="StatefulSet", pool="baremetal", pdb=MAX1, service=True,
      load="batch", burst=1),
    W("analytics", "trino-worker", 8, 6000, 57344, pool="baremetal", service=True, load="batch", burst=1),
    W("analytics", "superset", 4, 500, 3072, service=True),
    W("airflow", "airflow-dag", 3, 500, 2048, load="batch", pending="just created, room on several nodes",
      placeable=True),
    W("analytics", "clickhouse-replica", 1, 8000, 122880, pool="baremetal", burst=1,
      pending="120 GiB fit an empty bare-metal node, none has that much left"),
    W("analytics", "trino-spill", 2, 2000, 8192, selector=(("pool", "baremetal"),),
      pending="selects the bare-metal pool without tolerating its taint"),
    W("search", "es-frozen", 1, 2000, 16384, selector=(("topology.kubernetes.io/zone", "az4"),),
      pending="asks zone az4, which has no node"),
)  # fmt: skip

_BUILD = (
    W("ci", "runner-linux", 150, 350, 2816, load="batch", burst=3),
    W("ci", "runner-java", 48, 900, 6144, load="batch", burst=2),
    W("ci", "build-cache", 4, 1500, 16384, claim="spread", pdb=MAX1, service=True, load="steady"),
    W("ci", "controller", 2, 500, 2048, claim="anti", pdb=MIN1, service=True),
    W("registry", "registry", 4, 500, 6144, claim="spread", pdb=MIN2, service=True),
    W("registry", "artifacts", 4, 1000, 16384, kind="StatefulSet", claim="soft", pdb=MAX1, service=True, volume_gb=400,
      load="steady"),
    W("quality", "sonar", 3, 1000, 8192, claim="soft", service=True),
    W("quality", "scanner", 12, 500, 4096, load="batch"),
    W("git", "gitea", 4, 800, 4096, claim="soft", pdb=MIN2, service=True),
    W("git", "mirror", 8, 200, 1024, load="idle"),
    W("ci", "nightly", 12, 1000, 3072, kind="Job", load="batch"),
    W("ci", "runner-burst", 6, 350, 2560, load="batch", burst=3, pending="just created, room on several nodes",
      placeable=True),
    W("ci", "runner-windows", 3, 1000, 4096, load="batch", selector=(("kubernetes.io/os", "windows"),),
      pending="nodeSelector kubernetes.io/os=windows matches no node"),
    W("ci", "link-everything", 1, 14000, 57344, load="batch", priority="batch",
      pending="14 CPUs and 56 GiB fit an empty node, no node has that much left"),
    W("ci", "gated-suite", 2, 500, 2048, load="batch", gate="kueue.x-k8s.io/admission",
      pending="held by a scheduling gate"),
    W("ci", "mpi-suite", 2, 500, 2048, load="batch", scheduler="volcano", pending="belongs to the scheduler volcano"),
)  # fmt: skip

_EDGE = (
    W("gateway", "api-gateway", 28, 400, 1536, pdb=("minAvailable", 20), service=True, priority="business"),
    W("gateway", "auth", 9, 400, 2560, claim="zone", pdb=MIN4, service=True, priority="business"),
    W("gateway", "rate-limit", 6, 200, 512, claim="spread", pdb=MIN4, service=True),
    W("gateway", "ingress-nginx", 6, 400, 1024, claim="anti", pdb=MIN4, service=True, priority="business"),
    W("web", "frontend", 36, 250, 1024, pdb=("minAvailable", 24), service=True),
    W("web", "websocket", 22, 350, 2560, service=True),
    W("web", "comments", 12, 250, 1536, service=True),
    W("web", "notify", 10, 150, 1024, load="idle"),
    W("web", "suggest", 6, 500, 4096, claim="soft", service=True),
    W("web", "geo", 6, 600, 5120, claim="spread", pdb=MIN2, service=True),
    W("web", "profile", 14, 300, 2048, service=True),
    W("web", "feature-flags", 3, 100, 512, claim="spread", pdb=MIN2, service=True),
    W("media", "image-resize", 18, 500, 2048, load="batch", service=True),
    W("media", "cdn-origin", 12, 700, 7168, pool="cdn", pdb=("minAvailable", 8), service=True),
    W("media", "cdn-purge", 12, 100, 2048, pool="cdn", load="idle"),
    W("cache", "redis", 6, 500, 6144, kind="StatefulSet", claim="spread", pdb=MAX1, service=True, load="steady",
      burst=1),
    W("cache", "nats", 3, 300, 2048, kind="StatefulSet", claim="anti", pdb=MAX1, service=True, volume_gb=20,
      load="steady", burst=1),
    W("web", "preview", 4, 200, 512, pending="just created, room on most nodes", placeable=True),
    W("media", "cdn-logs", 2, 250, 512, selector=(("pool", "cdn"),),
      pending="selects the cdn pool without tolerating its taint"),
    W("media", "transcode", 2, 6000, 20480, load="batch", pending="6 CPUs and 20 GiB fit an empty node, no node has "
      "that much left"),
    W("web", "arm-canary", 1, 100, 256, selector=(("kubernetes.io/arch", "arm64"),),
      pending="nodeSelector kubernetes.io/arch=arm64 matches no node"),
)  # fmt: skip

_LAB = (
    W("jupyter", "hub", 2, 500, 1024, claim="anti", service=True),
    W("jupyter", "notebook", 46, 500, 6144, load="idle", burst=2),
    W("mlflow", "mlflow", 3, 500, 4096, claim="soft", pdb=MIN2, service=True),
    W("features", "feature-store", 6, 1500, 16384, claim="spread", pdb=MAX1, service=True, load="steady"),
    W("ray", "ray-worker", 14, 1500, 10240, load="batch"),
    W("ray", "ray-gcs", 3, 500, 4096, kind="StatefulSet", claim="anti", pdb=MAX1, service=True, load="steady"),
    W("train", "trainer", 4, 8000, 65536, pool="gpu", gpus=1, load="batch", burst=1),
    W("train", "data-loader", 16, 400, 2048, load="batch"),
    W("train", "gpu-exporter", 4, 100, 512, pool="gpu", load="idle"),
    W("jupyter", "classroom", 4, 500, 2048, load="idle", pending="just created, room on several nodes",
      placeable=True),
    W("train", "trainer-wide", 1, 8000, 32768, pool="gpu", gpus=2, load="batch",
      pending="asks 2 GPUs, every GPU node has 1"),
    W("train", "trainer-next", 2, 4000, 16384, pool="gpu", gpus=1, load="batch",
      pending="every GPU is taken"),
    W("ray", "ray-large", 1, 4000, 49152, load="batch",
      pending="48 GiB fit an empty node, no node has that much left"),
)  # fmt: skip


def _api(name: str, replicas: int = 3, cpu: int = 500, memory: int = 2048, claim: str = "spread") -> Workload:
    pdb = MAX1 if replicas > 2 else MIN1
    return W(
        "openstack", name, replicas, cpu, memory, claim=claim, pdb=pdb, service=True, pool="control", load="steady"
    )


def _worker(name: str, replicas: int = 3, cpu: int = 500, memory: int = 2048, claim: str | None = "soft") -> Workload:
    return W("openstack", name, replicas, cpu, memory, claim=claim, pool="control", load="steady")


def _quorum(name: str, cpu: int, memory: int) -> Workload:
    return W("openstack", name, 3, cpu, memory, kind="StatefulSet", claim="anti", pdb=MAX1, service=True,
             pool="control", load="steady", burst=1)  # fmt: skip


_UNDER = (
    W("kube-system", "coredns", 2, 100, 70, claim="soft", pdb=MIN1, service=True, burst=0, load="system",
      pool="control", priority="system-cluster-critical"),
    _daemon("kube-proxy", 50, 64),
    _daemon("libvirt", 100, 512, namespace="openstack", pool="compute"),
    _daemon("nova-compute", 200, 1024, namespace="openstack", pool="compute"),
    _daemon("ovn-controller", 200, 1024, namespace="openstack", pool="compute"),
    _quorum("mariadb", 4000, 24576),
    _quorum("rabbitmq", 2000, 12288),
    _quorum("ovn-nb", 1000, 4096),
    _quorum("ovn-sb", 1000, 8192),
    _api("memcached", cpu=500, memory=4096),
    _api("keystone-api"),
    _api("glance-api"),
    _api("placement-api"),
    _api("nova-api", memory=4096),
    _api("nova-metadata"),
    _worker("nova-scheduler"),
    _worker("nova-conductor", cpu=1000, memory=4096),
    _worker("nova-compute-ironic-az1", 1, claim=None),
    _worker("nova-compute-ironic-az2", 1, claim=None),
    _worker("nova-compute-ironic-az3", 1, claim=None),
    _api("neutron-server", cpu=1000, memory=6144),
    _api("cinder-api"),
    _worker("cinder-scheduler"),
    _worker("cinder-volume"),
    _api("ironic-api"),
    _worker("ironic-conductor", claim="soft"),
    _api("heat-api"),
    _worker("heat-engine"),
    _api("octavia-api"),
    _api("horizon", replicas=2),
    W("openstack", "skyline", 2, 500, 1024, pool="control", pending="just created, room on every controller",
      placeable=True),
    W("openstack", "ceilometer-central", 1, 500, 2048, selector=(("openstack-telemetry", "enabled"),),
      pending="nodeSelector openstack-telemetry=enabled matches no node"),
    W("openstack", "gnocchi-rebuild", 1, 4000, 8192, selector=(("openstack-compute-node", "enabled"),), load="batch",
      pending="selects the compute nodes, whose taint it does not tolerate and whose room is Nova's"),
)  # fmt: skip


@dataclass(frozen=True)
class ClusterSpec:
    """A cluster: its workers as (flavor, per zone, pool) rows; ``under`` has none, its nodes are physical hosts."""

    name: str
    workers: tuple[tuple[str, tuple[int, int, int], str | None], ...]
    workloads: tuple[Workload, ...]
    host_id_label: str = "topology.openstack.org/host-id"


CLUSTERS = (
    ClusterSpec("shop", (("k8s.std", (7, 7, 7), None),), _COMMON + _SHOP),
    ClusterSpec("data", (("k8s.mem", (5, 5, 5), None),), _COMMON + _DATA),
    ClusterSpec("build", (("k8s.large", (7, 7, 6), None),), _COMMON + _BUILD,
                host_id_label="topology.scs.openstack.org/host-id"),
    ClusterSpec("edge", (("k8s.std", (5, 5, 4), None), ("k8s.std", (2, 2, 2), "cdn")), _COMMON + _EDGE),
    ClusterSpec("lab", (("k8s.large", (4, 4, 4), None), ("k8s.gpu", (2, 1, 1), "gpu")), _COMMON + _LAB),
)  # fmt: skip
UNDER = ClusterSpec("under", (), _UNDER)
IRONIC_CLUSTER = "data"  # the cluster that the used Ironic nodes belong to, as pool baremetal
