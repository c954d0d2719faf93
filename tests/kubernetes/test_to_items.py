"""What there is to pack of manifests: workloads as the pods that they want, daemon sets as overhead of every node."""

import json

from binwright.formats.files import Blob
from binwright.kubernetes.to_items import to_items
from binwright.outcome import NotEvaluated
from tests.kubernetes.made import node_dict, pod_dict


def items(*objects):
    return to_items("demo", [Blob("f.json", json.dumps(objects).encode())])


def workload(kind, version="apps/v1", **spec):
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "c", "resources": {"limits": {"cpu": "500m"}}}]},
    }
    meta = {"name": "web", "namespace": "shop"}
    selector = {"matchLabels": {"app": "web"}}
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": meta,
        "spec": {"selector": selector, "template": template, **spec},
    }


def test_workloads_are_the_pods_that_they_want():
    demand = items(workload("Deployment", replicas=3), pod_dict("single", cpu="1"))
    assert [one.amounts["cpu"] for one in demand.items] == [1000, 500, 500, 500]
    assert demand.notes == ["3 pods stand for what workloads still want: Deployment shop/web"]
    cron = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly"}}
    assert items(cron).not_evaluated == [NotEvaluated("CronJob (not expanded)", 1, "CronJob default/nightly")]


def test_daemon_sets_are_overhead_with_and_without_nodes():
    daemon = workload("DaemonSet")
    for objects in ([daemon], [daemon, node_dict("n1"), node_dict("n2")]):
        demand = items(*objects)
        assert (demand.items, demand.overhead, demand.overhead_items) == ([], {"cpu": 500}, 1)
