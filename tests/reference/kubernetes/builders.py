"""Small manifests for tests of the reference, and short ways to read its results."""

import itertools

from tests.reference.kubernetes.cluster import Cluster
from tests.reference.kubernetes.quirks import Quirks

HOST = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"
_names = (f"pod-{i}" for i in itertools.count())


def make_node(name, *, labels=None, taints=None, cpu="4", memory="8Gi", pods="110", **spec):
    allocatable = {"cpu": cpu, "memory": memory, "pods": pods}
    return {
        "metadata": {"name": name, "labels": {HOST: name, **(labels or {})}},
        "spec": {"taints": taints or [], **spec},
        "status": {"allocatable": allocatable},
    }


def make_pod(name=None, *, node=None, labels=None, requests=None, namespace="default", status=None, meta=None, **spec):
    if node is not None:
        spec["nodeName"] = node
    container = {"name": "c", "image": "x", "resources": {"requests": requests or {}}}
    return {
        "metadata": {"name": name or next(_names), "namespace": namespace, "labels": labels or {}, **(meta or {})},
        "spec": {"containers": [container], **spec},
        "status": status or {},
    }


def make_cluster(nodes, pods=(), configuration=None, quirks=Quirks(), **objects):  # noqa: B008 - frozen
    cluster = Cluster(configuration, quirks=quirks, objects={"nodes": nodes, **objects})
    for pod in pods:
        cluster.add_bound_pod(pod)
    return cluster


def plugin_arguments(name, **arguments):
    return {"profiles": [{"pluginConfig": [{"name": name, "args": arguments}]}]}


def score_of(result, plugin, part="raw"):
    return result["score"][part][result["score"]["plugins"].index(plugin)]


def reasons_of(result, i):
    return result["filter"][i]["code"], result["filter"][i]["reasons"]
