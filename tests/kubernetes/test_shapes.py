"""What `capacity --pod` means: amounts, files, objects of the input, each as the cluster would store it."""

import json

import pytest

from binwright.errors import InputError
from binwright.kubernetes.reader import read_dicts
from binwright.kubernetes.requests import Requests
from binwright.kubernetes.shapes import Shapes, split
from tests.kubernetes.made import node_dict, pod_dict


@pytest.mark.parametrize(
    ("texts", "shapes"),
    [
        (["cpu=1"], [(1, "cpu=1")]),
        (["cpu=500m,memory=1Gi"], [(1, "cpu=500m,memory=1Gi")]),
        (["cpu=1,memory=1Gi,cpu=2"], [(1, "cpu=1,memory=1Gi"), (1, "cpu=2")]),
        (["cpu=1,2:memory=1Gi,nvidia.com/gpu=1"], [(1, "cpu=1"), (2, "memory=1Gi,nvidia.com/gpu=1")]),
        (["cpu=1", "memory=1Gi"], [(1, "cpu=1"), (1, "memory=1Gi")]),
        (["deploy/web,cpu=1,3:shop/db-0"], [(1, "deploy/web"), (1, "cpu=1"), (3, "shop/db-0")]),
        (["a.yaml,b.json"], [(1, "a.yaml"), (1, "b.json")]),
    ],
)
def test_commas_separate_shapes_and_join_amounts(texts, shapes):
    assert split(texts) == shapes


@pytest.mark.parametrize("text", ["", "cpu=1,", ",cpu=1", "a,,b"])
def test_an_empty_shape_is_refused(text):
    with pytest.raises(InputError, match=r"an empty shape$"):
        split([text])


def shapes_of(text, *items, namespace=None):
    """(the shapes, those that are unknown) in a cluster of these objects."""
    shapes = Shapes(read_dicts([node_dict("n"), *items], "demo"), namespace)
    return shapes.read([text]), shapes.unknown


def asked(pod):
    return dict(Requests().of(pod).fit)


def workload(kind, name, cpu="1", namespace="shop", version="apps/v1", **spec):
    labels = {"app": name}
    inner = pod_dict(cpu=cpu)["spec"]
    del inner["nodeName"]
    spec = {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": inner}, **spec}
    metadata = {"name": name, "namespace": namespace, "uid": name}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}


def test_amounts_are_a_pod_of_the_namespace_with_its_limit_range():
    limits = {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "l", "namespace": "shop"},
        "spec": {"limits": [{"type": "Container", "defaultRequest": {"cpu": "2", "memory": "1Gi"}}]},
    }
    (shape,), _ = shapes_of("cpu=500m", limits, namespace="shop")
    assert asked(shape.pod) == {"cpu": 500, "memory": 1 << 30}
    assert (shape.name, shape.pod.metadata.namespace) == ("cpu=500m", "shop")
    (shape,), _ = shapes_of("cpu=500m", limits)
    assert asked(shape.pod) == {"cpu": 500}
    assert {one.key for one in shape.pod.spec.tolerations} == {
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
    }


def test_a_pod_of_the_input_without_node_status_and_gates():
    pod = pod_dict("p", cpu="1", node="n", namespace="shop", status={"nominatedNodeName": "n", "phase": "Running"})
    gated = pod_dict("g", cpu="2", schedulingGates=[{"name": "x"}], meta={"uid": "g"})
    for name in ("p", "shop/p", "pod/p", "po/shop/p"):
        (shape,), _ = shapes_of(name, pod, gated)
        assert (shape.pod.spec.node_name, shape.pod.status, asked(shape.pod)) == (None, None, {"cpu": 1000})
    (shape,), _ = shapes_of("g", pod, gated)
    assert shape.pod.spec.scheduling_gates is None


def test_the_next_pod_of_a_workload_is_like_its_youngest():
    """The template says one core, the youngest pod has two: it is what the controller last made."""
    owner = {"ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-1", "controller": True}]}
    owner["labels"] = {"app": "web", "pod-template-hash": "1"}
    pods = [
        pod_dict(
            f"web-{day}", cpu=cpu, namespace="shop", meta={**owner, "creationTimestamp": f"2026-01-0{day}T00:00:00Z"}
        )
        for day, cpu in ((1, "1"), (3, "2"), (2, "3"))
    ]
    other = [{"apiVersion": "batch/v1", "kind": "Job", "name": "x", "controller": True}]
    stranger = pod_dict("x", cpu="9", namespace="shop", meta={
        "labels": {"app": "web"}, "uid": "x", "creationTimestamp": "2026-02-01T00:00:00Z", "ownerReferences": other,
    })  # fmt: skip
    for name in ("deploy/web", "deployments/shop/web", "deployment.apps/web"):
        (shape,), _ = shapes_of(name, workload("Deployment", "web", replicas=0), *pods, stranger)
        assert asked(shape.pod) == {"cpu": 2000}
    (shape,), _ = shapes_of("deploy/web", workload("Deployment", "web", replicas=0), stranger)
    assert asked(shape.pod) == {"cpu": 1000}
    assert shape.pod.metadata.labels.keys() == {"app", "pod-template-hash"}
    assert shape.pod.metadata.owner_references[0].kind == "ReplicaSet"


@pytest.mark.parametrize(
    ("text", "kind", "version"),
    [
        ("rs/w", "ReplicaSet", "apps/v1"),
        ("sts/w", "StatefulSet", "apps/v1"),
        ("job/w", "Job", "batch/v1"),
        ("rc/w", "ReplicationController", "v1"),
    ],
)
def test_kinds_by_kubectl_s_names(text, kind, version):
    one = workload(kind, "w", version=version, replicas=0)
    if kind == "ReplicationController":
        one["spec"]["selector"] = {"app": "w"}
    if kind == "Job":
        one["spec"] |= {"suspend": True}
    (shape,), unknown = shapes_of(text, one)
    assert (asked(shape.pod), unknown) == ({"cpu": 1000}, [])
    assert shapes_of(text.replace("/w", "/v"), one) == ([], [text.replace("/w", "/v")])


def test_a_workload_without_template_and_pods_is_refused():
    bare = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "w", "uid": "u"},
        "spec": {"replicas": 0},
    }
    with pytest.raises(InputError) as caught:
        shapes_of("deploy/w", bare)
    message = "--pod deploy/w: Deployment default/w: spec.template: missing, and no pod of it is in the input"
    assert str(caught.value) == message


def test_an_unknown_name_is_collected_and_an_ambiguous_one_refused():
    pods = [pod_dict("p", cpu="1", namespace=name, meta={"uid": name}) for name in "abcde"]
    assert shapes_of("x/p,q,deploy/p", *pods) == ([], ["x/p", "q", "deploy/p"])
    with pytest.raises(InputError, match=r"^--pod p: ambiguous, could be a/p, b/p, c/p and 2 more$"):
        shapes_of("p", *pods)
    (shape,), _ = shapes_of("p", *pods, namespace="c")
    assert shape.pod.metadata.namespace == "c"


def write(path, *documents):
    path.write_text("---\n".join(json.dumps(one) + "\n" for one in documents))
    return str(path)


def test_a_file_with_pods_and_workloads(tmp_path):
    pod = pod_dict("p", requests={}, containers=[{"name": "c", "resources": {"limits": {"cpu": "3"}}}])
    items = {"kind": "List", "apiVersion": "v1", "items": [pod, workload("Deployment", "web", cpu="2")]}
    path = write(tmp_path / "shapes.yaml", items, {"kind": "ConfigMap", "metadata": {"name": "c"}})
    shapes, _ = shapes_of(f"2:{path}")
    assert [(one.name, one.each) for one in shapes] == [(f"{path}:p", 2), (f"{path}:web", 2)]
    assert [asked(one.pod) for one in shapes] == [{"cpu": 3000}, {"cpu": 2000}]  # limits are copied to requests
    assert shapes[1].pod.metadata.namespace == "shop"
    assert "pod-template-hash" in shapes[1].pod.metadata.labels
    (shape,), _ = shapes_of(write(tmp_path / "one.json", pod), namespace="other")
    assert (shape.name, shape.pod.metadata.namespace) == (str(tmp_path / "one.json"), "other")


def test_a_cron_job_is_its_job(tmp_path):
    job = {"spec": workload("Job", "j", cpu="2")["spec"]}
    cron = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "c"}, "spec": {"jobTemplate": job}}
    (shape,), _ = shapes_of(write(tmp_path / "c.json", cron))
    assert (shape.pod.metadata.name, asked(shape.pod)) == ("c", {"cpu": 2000})


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"kind": "ConfigMap", "metadata": {"name": "c"}}, "holds no pod and no workload"),
        ({"metadata": {"name": "c"}}, "kind: missing, so this is no Kubernetes object"),
        ({"kind": "Pod", "metadata": {}}, "metadata.name: missing"),
        ({"kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": 3}}, "spec.containers: expected array"),
        ({"kind": "Deployment", "metadata": {"name": "w"}, "spec": {}}, "spec.template: missing"),
        ({"kind": "Deployment", "metadata": {}, "spec": {}}, "Deployment: metadata.name: missing"),
        ({"kind": "Deployment", "metadata": {"name": "w"}, "spec": 3}, "Deployment: spec: expected object"),
        ({"kind": "CronJob", "metadata": {"name": "w"}, "spec": {}}, "CronJob: spec.jobTemplate: missing"),
        ([1], "kind: missing, so this is no Kubernetes object"),
    ],
)
def test_a_file_that_is_none_is_refused_naming_file_and_field(tmp_path, document, message):
    path = write(tmp_path / "bad.json", document)
    with pytest.raises(InputError) as caught:
        shapes_of(path)
    text = str(caught.value)
    assert text.startswith(f"--pod {path}: ")
    assert message in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cpu=x", "--pod cpu=x: cpu: 'x' is not a quantity"),
        ("mem=1Gi", "--pod mem=1Gi: mem: no resource that pods ask for"),
        ("pods=3", "--pod pods=3: pods: no resource that pods ask for"),
        ("cpu=1=2", "--pod cpu=1=2: cpu=1=2: not RESOURCE=AMOUNT"),
        ("nowhere.yaml", "nowhere.yaml: "),
    ],
)
def test_other_shapes_that_cannot_be_read(text, message):
    with pytest.raises(InputError) as caught:
        shapes_of(text)
    assert str(caught.value).startswith(message)


def test_a_quantity_in_a_file_that_cannot_be_read(tmp_path):
    path = write(tmp_path / "p.json", pod_dict("p", cpu="x"))
    with pytest.raises(InputError, match=r"^--pod .*p.json: Pod default/p: spec.containers\[0\].*: 'x' is not"):
        shapes_of(path)


def test_what_the_api_server_refuses_says_why(tmp_path):
    other = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "x"}, "value": 1}
    (shape,), _ = shapes_of(write(tmp_path / "p.json", pod_dict("p", cpu="1", priorityClassName="none")), other)
    assert shape.refusal == "no PriorityClass with name none was found"


def test_claims_that_each_pod_has_for_itself_are_left_out_and_listed():
    owner = {"ownerReferences": [{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "controller": True}]}
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data-db-0"}}, {"name": "t", "emptyDir": {}}]
    shapes = Shapes(read_dicts([node_dict("n"), pod_dict("db-0", volumes=volumes, meta={**owner, "uid": "u"})], "demo"))
    (shape,) = shapes.read(["db-0"])
    assert [one.name for one in shape.pod.spec.volumes] == ["t"]
    (listed,) = shapes.not_evaluated
    assert (listed.rule, listed.objects) == ("VolumeBinding (a claim for each pod)", 1)
    shapes = Shapes(read_dicts([node_dict("n"), pod_dict("p", volumes=volumes, meta={"uid": "u"})], "demo"))
    assert len(shapes.read(["p"])[0].pod.spec.volumes) == 2
    assert shapes.not_evaluated == []
    volumes = [{"name": "own", "ephemeral": {"volumeClaimTemplate": {}}}]
    shapes = Shapes(read_dicts([node_dict("n"), pod_dict("p", volumes=volumes, meta={"uid": "u"})], "demo"))
    assert not shapes.read(["p"])[0].pod.spec.volumes
    assert len(shapes.not_evaluated) == 1
