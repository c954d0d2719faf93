"""Workloads as the pods that their controllers would still make."""

import re

import pytest

from binwright.errors import InputError
from binwright.kubernetes.place import Options, place_dicts
from binwright.kubernetes.reader import read_dicts
from binwright.outcome import NotEvaluated
from binwright.verdict import Verdict
from tests.kubernetes.made import node_dict, pod_dict

TEMPLATE = {
    "metadata": {"labels": {"app": "web"}},
    "spec": {"containers": [{"name": "c", "resources": {"limits": {"cpu": "1"}}}]},
}
SELECTOR = {"matchLabels": {"app": "web"}}


def workload(kind, version="apps/v1", name="web", namespace="shop", owner=None, labels=None, uid=None, **spec):
    references = None if owner is None else [{"kind": owner[0], "name": owner[1], "controller": True}]
    meta = {"name": name, "namespace": namespace, "ownerReferences": references, "labels": labels, "uid": uid}
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": meta,
        "spec": {"selector": SELECTOR, "template": TEMPLATE, **spec},
    }


def owned(name, kind, owner, node="n1", phase="Running", labels=None, **meta):
    reference = {"apiVersion": "apps/v1", "kind": kind, "name": owner, "controller": True}
    more = {"uid": name, "labels": labels or {"app": "web"}, "ownerReferences": [reference], **meta}
    return pod_dict(name, cpu="1", node=node, namespace="shop", status={"phase": phase}, meta=more)


def made(*objects):
    """Pods that were made, and what each is for."""
    found = read_dicts([node_dict("n1"), *objects])
    pods = [pod for pod in found.pods if pod.key in found.arrivals.expanded]
    return pods, list(found.arrivals.expanded.values())


def names(*objects):
    return [pod.metadata.name for pod in made(*objects)[0]]


def owner_of(pod):
    (reference,) = pod.metadata.owner_references
    assert reference.controller
    return reference.api_version, reference.kind, reference.name


def test_a_deployment_alone():
    pods, words = made(workload("Deployment", replicas=3))
    assert words == ["Deployment shop/web"] * 3
    hashes = {
        re.fullmatch(r"web-([a-z0-9]{8,10})-[bcdfghjklmnpqrstvwxz2456789]{5}", one.metadata.name)[1] for one in pods
    }
    (generation,) = hashes
    assert len({one.metadata.name for one in pods}) == 3
    for pod in pods:
        assert pod.metadata.labels == {"app": "web", "pod-template-hash": generation}
        assert owner_of(pod) == ("apps/v1", "ReplicaSet", f"web-{generation}")
        assert pod.spec.containers[0].resources.requests == {"cpu": "1"}, "they are admitted"
        assert len(pod.spec.tolerations) == 2
    assert names(workload("Deployment", replicas=3)) == [one.metadata.name for one in pods], "names are always the same"
    assert len(names(workload("Deployment"))) == 1
    assert names(workload("Deployment", replicas=0)) == []


def test_only_what_is_missing():
    """Pods of all replica sets count, old ones too; the newest makes the rest."""
    sets = [
        workload(
            "ReplicaSet", name="web-old", owner=("Deployment", "web"), replicas=1, labels={"pod-template-hash": "old"}
        ),
        workload(
            "ReplicaSet", name="web-new", owner=("Deployment", "web"), replicas=3, labels={"pod-template-hash": "new"}
        ),
    ]
    sets[0]["metadata"]["creationTimestamp"], sets[1]["metadata"]["creationTimestamp"] = (
        "2026-01-01T00:00:00Z",
        "2026-02",
    )
    there = [
        owned("a", "ReplicaSet", "web-old"),
        owned("b", "ReplicaSet", "web-new"),
        owned("c", "ReplicaSet", "web-new", node=None, phase="Pending"),
        owned("d", "ReplicaSet", "web-new", phase="Failed"),
        owned("e", "ReplicaSet", "web-new", deletionTimestamp="2026-11-16T08:00:18Z"),
        owned("f", "ReplicaSet", "other-1", labels={"app": "other"}),
    ]
    pods, words = made(workload("Deployment", replicas=6), *sets, *there)
    assert words == ["Deployment shop/web"] * 2
    assert all(one.metadata.name.startswith("web-new-") for one in pods)
    assert [one.metadata.labels["pod-template-hash"] for one in pods] == ["new", "new"]
    assert names(workload("Deployment", replicas=4), *sets, *there) == []


def test_pods_of_replica_sets_that_are_not_in_the_input_count():
    deployment = workload("Deployment", replicas=2)
    assert names(deployment, owned("a", "ReplicaSet", "web-7f"), owned("b", "ReplicaSet", "web-7f")) == []
    assert len(names(deployment, owned("a", "ReplicaSet", "web-7f"))) == 1


def test_pods_without_a_controller_are_adopted():
    orphan = pod_dict("a", namespace="shop", node="n1", meta={"uid": "1", "labels": {"app": "web"}})
    for one in (workload("Deployment", replicas=2), workload("ReplicaSet", replicas=2)):
        assert len(names(one, orphan)) == 1
    stranger = pod_dict("a", namespace="other", node="n1", meta={"uid": "1", "labels": {"app": "web"}})
    assert len(names(workload("ReplicaSet", replicas=2), stranger)) == 2


def test_replica_sets_and_replication_controllers_of_their_own():
    (pod,) = made(workload("ReplicaSet", replicas=1))[0]
    assert re.fullmatch(r"web-[a-z0-9]{5}", pod.metadata.name)
    assert owner_of(pod) == ("apps/v1", "ReplicaSet", "web")
    (pod,) = made(workload("ReplicationController", "v1", replicas=1, selector={"app": "web"}))[0]
    assert owner_of(pod) == ("v1", "ReplicationController", "web")
    owned_set = workload("ReplicaSet", name="web-1", owner=("Deployment", "web"), replicas=5)
    assert len(names(owned_set)) == 5, "its deployment is not in the input"
    assert len(names(owned_set, workload("Deployment", replicas=2))) == 2, "its deployment says how many"


def test_openshifts_deployment_config():
    config = workload("DeploymentConfig", "apps.openshift.io/v1", replicas=2, selector={"app": "web"})
    pods, words = made(config)
    assert words == ["DeploymentConfig shop/web"] * 2
    assert all(re.fullmatch(r"web-1-[a-z0-9]{5}", one.metadata.name) for one in pods)
    assert owner_of(pods[0]) == ("v1", "ReplicationController", "web-1")
    assert pods[0].metadata.labels == {"app": "web", "deployment": "web-1", "deploymentconfig": "web"}
    controller = workload(
        "ReplicationController",
        "v1",
        name="web-4",
        owner=("DeploymentConfig", "web"),
        replicas=2,
        selector={"app": "web"},
    )
    assert [one[:6] for one in names(config, controller, owned("a", "ReplicationController", "web-4"))] == ["web-4-"]


def test_a_stateful_set_has_numbers_and_claims():
    claims = [{"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": "1Gi"}}}}]
    some = workload("StatefulSet", name="db", replicas=3, volumeClaimTemplates=claims, ordinals={"start": 5})
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    storage = [
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": "fast", "annotations": default},
        },
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data-db-5", "namespace": "shop"}},
    ]
    found = read_dicts([node_dict("n1"), some, *storage, owned("db-6", "StatefulSet", "db")])
    pods = [pod for pod in found.pods if pod.key in found.arrivals.expanded]
    assert [one.metadata.name for one in pods] == ["db-5", "db-7"]
    assert pods[1].metadata.labels == {
        "app": "web", "apps.kubernetes.io/pod-index": "7", "statefulset.kubernetes.io/pod-name": "db-7",
    }  # fmt: skip
    (volume,) = pods[1].spec.volumes
    assert (volume.name, volume.persistent_volume_claim.claim_name) == ("data", "data-db-7")
    there = {one.metadata.name: one for one in found.related.all("PersistentVolumeClaim")}
    assert set(there) == {"data-db-5", "data-db-7"}
    assert there["data-db-7"].spec.storage_class_name == "fast"
    assert there["data-db-5"].spec.storage_class_name is None, "what is there stays"
    blind = read_dicts([node_dict("n1"), some])
    assert not blind.related.stated("PersistentVolumeClaim"), "an input without claims says nothing of claims"


@pytest.mark.parametrize(
    ("spec", "status", "there", "expected"),
    [
        ({}, None, [], 1),
        ({"parallelism": 3}, None, [], 3),
        ({"completions": 5, "parallelism": 3}, None, [], 3),
        ({"completions": 5}, None, [], 1),
        ({"completions": 5, "parallelism": 3}, {"succeeded": 4}, [], 1),
        ({"completions": 5, "parallelism": 3}, None, ["Running", "Succeeded", "Failed"], 2),
        ({"parallelism": 3}, {"succeeded": 1}, [], 0),
        ({"parallelism": 3, "suspend": True}, None, [], 0),
        ({"completions": 2}, {"conditions": [{"type": "Complete", "status": "True"}]}, [], 0),
        ({"completions": 2}, {"conditions": [{"type": "Complete", "status": "False"}]}, [], 1),
    ],
)
def test_a_job_makes_what_would_run_now(spec, status, there, expected):
    job = workload("Job", "batch/v1", name="load", **spec) | {"status": status}
    pods = [owned(f"p{number}", "Job", "load", phase=phase) for number, phase in enumerate(there)]
    found = names(job, *pods)
    assert len(found) == expected
    assert all(re.fullmatch(r"load-[a-z0-9]{5}", one) for one in found)


def test_an_indexed_job_makes_the_free_indexes():
    job = workload("Job", "batch/v1", name="load", completions=4, parallelism=3, completionMode="Indexed")
    key = "batch.kubernetes.io/job-completion-index"
    there = [
        owned("a", "Job", "load", labels={key: "1"}),
        owned("b", "Job", "load", phase="Succeeded", labels={key: "0"}),
    ]
    pods = made(job, *there)[0]
    assert [(one.metadata.name[:7], one.metadata.labels[key]) for one in pods] == [("load-2-", "2"), ("load-3-", "3")]
    assert pods[0].metadata.labels["job-name"] == "load"


def test_cron_jobs_are_listed():
    cron = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly", "namespace": "shop"}}
    outcome = place_dicts("demo", [node_dict("n1"), cron])
    assert outcome.not_evaluated == [NotEvaluated("CronJob (not expanded)", 1, "CronJob shop/nightly")]
    assert (outcome.placed, outcome.unplaced, outcome.skipped_kinds) == ([], [], {})


def test_machine_sets_are_listed_while_nodes_are_missing():
    def machines(name, replicas, ready):
        meta = {"name": name, "namespace": "openshift-machine-api"}
        return {
            "apiVersion": "machine.openshift.io/v1beta1", "kind": "MachineSet", "metadata": meta,
            "spec": {"replicas": replicas}, "status": {"readyReplicas": ready},
        }  # fmt: skip

    outcome = place_dicts(
        "demo", [node_dict("n1"), machines("a", 2, 2), machines("b", 3, None), machines("c", 0, None)]
    )
    assert outcome.not_evaluated == [
        NotEvaluated("MachineSet (nodes that are not ready yet)", 1, "MachineSet openshift-machine-api/b")
    ]


def test_a_daemon_set_goes_to_the_nodes_that_suit_it():
    hard = [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]
    cordoned = [{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}]
    nodes = [
        node_dict("plain", labels={"os": "linux"}),
        node_dict("windows", labels={"os": "windows"}),
        node_dict("tainted", labels={"os": "linux"}, taints=hard),
        node_dict("cordoned", labels={"os": "linux"}, taints=cordoned, unschedulable=True),
        node_dict("soft", labels={"os": "linux"}, taints=[{"key": "k", "effect": "PreferNoSchedule"}]),
        node_dict("taken", labels={"os": "linux"}),
        node_dict("awaited", labels={"os": "linux"}),
    ]
    terms = {
        "nodeSelectorTerms": [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["awaited"]}]}]
    }
    waiting = owned("w", "DaemonSet", "agent", node=None, phase="Pending")
    waiting["spec"]["affinity"] = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {**TEMPLATE["spec"], "nodeSelector": {"os": "linux"}, "hostNetwork": True},
    }
    some = workload("DaemonSet", name="agent", template=template)
    objects = [*nodes, some, owned("t", "DaemonSet", "agent", node="taken"), waiting]
    outcome = place_dicts("demo", objects)
    own = [one for one in outcome.placed if one.expanded_from == "DaemonSet shop/agent"]
    assert sorted(one.host for one in own) == ["cordoned", "plain", "soft"]
    assert all(re.fullmatch(r"agent-[a-z0-9]{5}", one.name) for one in own)
    assert outcome.unplaced == []
    pods = read_dicts(objects).pods
    keys = [one.key for one in pods[-1].spec.tolerations]
    assert keys == [
        f"node.kubernetes.io/{name}"
        for name in (
            "not-ready", "unreachable", "disk-pressure", "memory-pressure", "pid-pressure", "unschedulable",
            "network-unavailable",
        )
    ]  # fmt: skip


def test_outcomes_say_what_they_were_made_for():
    objects = [
        node_dict("n1", cpu="2"),
        workload("Deployment", replicas=3),
        pod_dict("own", cpu="500m", meta={"uid": "u"}),
    ]
    outcome = place_dicts("demo", objects)
    assert sorted(str(one.expanded_from) for one in outcome.placed) == ["Deployment shop/web", "None"]
    assert [one.expanded_from for one in outcome.unplaced] == ["Deployment shop/web"] * 2
    assert outcome.notes == ["3 pods stand for what workloads still want: Deployment shop/web"]


def test_expanded_pods_spread_by_default_as_their_replica_set_selects():
    """The deployment's replica set is not in the input, but it would be in the cluster."""
    nodes = [node_dict(name, labels={"kubernetes.io/hostname": name}) for name in ("a", "b")]
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"selector": None}}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c"}]}}
    outcome = place_dicts("demo", [*nodes, service, workload("Deployment", replicas=2, template=template)])
    assert sorted(one.host for one in outcome.placed) == ["a", "b"]
    assert outcome.not_evaluated == []


def test_what_the_api_server_refuses_is_an_error():
    some = pod_dict("p", priorityClassName="high")
    classes = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "low"}, "value": 1}
    (refused,) = place_dicts("demo", [node_dict("n1"), some, classes]).unplaced
    assert refused.verdict is Verdict.ERROR
    assert refused.message == 'pods "p" is forbidden: no PriorityClass with name high was found'
    assert place_dicts("demo", [node_dict("n1"), some], Options(complete=True)).unplaced[0].verdict is Verdict.ERROR
    outcome = place_dicts("demo", [node_dict("n1"), some])
    assert outcome.not_evaluated == [NotEvaluated("PriorityClass high", 1, "Pod default/p")]


@pytest.mark.parametrize("how", [{"uid": "1"}, {"creationTimestamp": "2026-01-01T00:00:00Z"}])
def test_stored_pods_are_never_touched(how):
    stored = pod_dict("p", meta=how, containers=[{"name": "c", "resources": {"limits": {"cpu": "1"}}}])
    (pod,) = read_dicts([stored]).pods
    assert pod.spec.containers[0].resources.requests is None
    assert pod.spec.tolerations is None
    (pod,) = read_dicts([stored | {"metadata": {"name": "p"}}]).pods
    assert pod.spec.containers[0].resources.requests == {"cpu": "1"}


def test_bad_workloads():
    with pytest.raises(InputError, match=r"Deployment shop/web: spec\.replicas: -1 is not in 0\.\.100000"):
        made(workload("Deployment", replicas=-1))
    with pytest.raises(InputError, match=r"Job shop/web: spec\.parallelism: 1000000 is not in"):
        made(workload("Job", "batch/v1", parallelism=10**6, completions=10**6))
    with pytest.raises(InputError, match=r"objects: Deployment shop/web: spec\.replicas: expected `?int"):
        made(workload("Deployment", replicas="3"))


def test_workloads_that_were_cut_down():
    """Without a template nothing can be made, which is said where pods are missing."""
    kinds = ["Deployment", "ReplicaSet", "StatefulSet"]
    for kind in (*kinds, "DaemonSet"):
        assert place_dicts("demo", [node_dict("n1"), workload(kind, template=None)]).not_evaluated == []
    for kind in kinds:
        cut = workload(kind, replicas=1, template=None)
        outcome = place_dicts("demo", [node_dict("n1"), cut])
        assert outcome.not_evaluated == [NotEvaluated("workload without pod template", 1, f"{kind} shop/web")]
    there = owned("a", "ReplicaSet", "web")
    assert (
        place_dicts("demo", [node_dict("n1"), workload("ReplicaSet", replicas=1, template=None), there]).not_evaluated
        == []
    )
    assert names(workload("ReplicaSet", replicas=0, template=None)) == []
