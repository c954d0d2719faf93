"""Objects out of text and dicts: every way that kubectl and people write them, every refusal in one line."""

import json

import pytest

from binwright.errors import InputError
from binwright.formats.files import Blob, read_path
from binwright.kubernetes.place import place_dicts, place_source
from binwright.kubernetes.reader import read_blobs, read_dicts
from tests.kubernetes.made import node_dict, pod_dict


def read(text, name="f.json"):
    return read_blobs([Blob(name, text if isinstance(text, bytes) else text.encode())])


def names(objects):
    nodes = [node.metadata.name for node in objects.nodes]
    return nodes, [pod.key for pod in objects.pods], objects.skipped_kinds


def listed(*items, kind="List"):
    return {"apiVersion": "v1", "kind": kind, "items": list(items)}


def without_kind(item):
    return {key: value for key, value in item.items() if key not in ("kind", "apiVersion")}


OBJECTS = listed(node_dict("n"), pod_dict("p", namespace="team"), {"apiVersion": "v1", "kind": "ConfigMap"})
EXPECTED = (["n"], ["team/p"], {"ConfigMap": 1})


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(OBJECTS),
        json.dumps(OBJECTS, indent=4),
        json.dumps(OBJECTS, sort_keys=True),
        json.dumps(dict(reversed(OBJECTS.items()))),
        json.dumps(OBJECTS["items"]),
        json.dumps([OBJECTS]),
        json.dumps(listed(OBJECTS)),
        "\n".join(map(json.dumps, OBJECTS["items"])),
        "\n".join(json.dumps(item, indent=1) for item in OBJECTS["items"]),
        json.dumps(listed(without_kind(node_dict("n")), kind="NodeList"))
        + json.dumps(listed(without_kind(pod_dict("p", namespace="team")), kind="PodList"))
        + json.dumps(listed({}, kind="ConfigMapList")),
    ],
)
def test_json_in_every_form(text):
    assert names(read(text)) == EXPECTED
    assert names(read_dicts(_values(text))) == EXPECTED


def _values(text):
    """The JSON values of a text, by the standard library."""
    decoder, found = json.JSONDecoder(), []
    while text.strip():
        value, end = decoder.raw_decode(text.lstrip())
        found.append(value)
        text = text.lstrip()[end:]
    return found


def test_yaml():
    text = """
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Node, metadata: {name: n}, status: {allocatable: {cpu: 4, memory: 8Gi, pods: 110}}}
---
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: team, creationTimestamp: 2026-01-02T03:04:05Z, labels: {a: "1"}}
spec:
  containers: [{name: c, resources: {requests: {cpu: 0.5}}}]
---
kind: ConfigMap
"""
    objects = read(text, "f.yaml")
    assert names(objects) == EXPECTED
    assert objects.pods[0].metadata.creation_timestamp == "2026-01-02T03:04:05Z"
    assert objects.nodes[0].status.allocatable == {"cpu": 4, "memory": "8Gi", "pods": 110}


def test_the_same_object_from_json_yaml_and_dicts():
    yaml = pytest.importorskip("yaml")
    item = pod_dict(
        "p", cpu="1", tolerations=[{"key": "a"}], nodeSelector={"x": "y"}, initContainers=[{"name": "i"}],
        volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}, {"name": "w", "emptyDir": {}}],
        containers=[{"name": "c", "ports": [{"hostPort": 80, "hostIP": "1.2.3.4"}]}],
    )  # fmt: skip
    (first,) = read(json.dumps(item)).pods
    assert first == read(yaml.safe_dump(item), "f.yaml").pods[0] == read_dicts([item]).pods[0]
    assert first.spec.containers[0].ports[0].host_ip == "1.2.3.4"
    assert first.spec.volumes[0].persistent_volume_claim.claim_name == "c"


def test_order_is_file_then_document_order():
    blobs = [Blob("b", json.dumps(listed(node_dict("n3"), node_dict("n1"))).encode())]
    blobs.append(Blob("a", json.dumps(node_dict("n2")).encode()))
    assert names(read_blobs(blobs))[0] == ["n3", "n1", "n2"]


def test_a_cluster_info_dump_tree(tmp_path):
    (tmp_path / "team" / "p").mkdir(parents=True)
    (tmp_path / "nodes.json").write_text(json.dumps(listed(node_dict("n"), kind="NodeList")))
    (tmp_path / "team" / "pods.json").write_text(json.dumps(listed(pod_dict("p", namespace="team"), kind="PodList")))
    (tmp_path / "team" / "configmaps.json").write_text(json.dumps(listed({"metadata": {}}, kind="ConfigMapList")))
    (tmp_path / "team" / "p" / "logs.txt").write_text("==== START logs ====")
    assert names(read_blobs(read_path(tmp_path))) == EXPECTED


def test_kinds_of_other_groups_are_not_nodes():
    objects = read_dicts(
        [
            {"apiVersion": "config.openshift.io/v1", "kind": "Node", "metadata": {"name": "cluster"}},
            {"apiVersion": "metrics.k8s.io/v1beta1", "kind": "NodeMetrics"},
            {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"},
            {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"},
        ]
    )
    assert objects.skipped_kinds == {"Node.config.openshift.io": 1, "NodeMetrics": 1, "Lease": 2}


def test_null_is_absent():
    item = {
        "kind": "Pod", "metadata": {"name": "p", "labels": None, "namespace": None},
        "spec": {"containers": None, "nodeName": None, "affinity": None, "priority": None}, "status": None,
    }  # fmt: skip
    (pod,) = read(json.dumps(item)).pods
    assert pod.key == "default/p"
    assert read(json.dumps({"kind": "List", "items": None})).pods == []


def test_an_empty_list_is_no_object():
    assert names(read("[]")) == ([], [], {})
    assert names(read('{"kind": "PodList", "items": []}')) == ([], [], {})


def pod_with(**spec):
    return json.dumps(listed(pod_dict("p", **spec)))


BAD = {
    "truncated": (json.dumps(OBJECTS)[:-9], "line 1: JSON ends in the middle of a value"),
    "truncated stream": ('{"kind": "ConfigMap"}\n{"kind": "Nod', "line 2: JSON ends in the middle of a value"),
    "NaN": ('{"kind": "Pod", "spec": NaN}', "line 1: broken JSON: invalid character"),
    "not UTF-8": (b'{"kind": "Pod", "metadata": {"name": "\xff"}}', "object 1: not UTF-8 text"),
    "a kind that is not UTF-8": (b'{"kind": "\xc1", "metadata": {"name": "a"}}', "object 1: not UTF-8 text"),
    "beside it what nobody reads is not": (
        b'{"kind": "Pod", "metadata": {"namespace": "n", "x": "\xc1"}}',
        "Pod n: metadata.name: missing",
    ),
    "deep": ('{"kind":' + "[" * 9999, "line 1: nested too deeply"),
    "deep lists": ("[" * 20 + "]" * 20, "lists nested too deeply"),
    "number": ("[5]", "object 1 (no name): the object: expected object, got int"),
    "no kind": ('{"metadata": {"name": "p"}}', "object 1: kind: missing, so these are not Kubernetes objects"),
    "kind a number": ('{"kind": 5, "metadata": {"name": "p"}}', "p: kind: expected str, got int"),
    "items no list": ('{"kind": "List", "items": 5}', "object 1 (no name): items: expected array | null, got int"),
    "item a text": ('{"kind": "List", "items": ["x"]}', "object 1 (no name): the object: expected object, got str"),
    "no name": (json.dumps(listed(node_dict("n"), {"kind": "Node"})), "Node 2 (no name): metadata.name: missing"),
    "empty name": (json.dumps(pod_dict("", namespace="team")), "Pod team/: metadata.name: missing"),
    "name a number": (json.dumps(pod_dict(5, namespace="team")), "Pod team: metadata.name: expected str"),
    "metadata null": ('{"kind": "Pod", "metadata": null}', "Pod 1 (no name): metadata: expected object, got null"),
    "two nodes": (json.dumps([node_dict("n"), node_dict("n")]), "Node n: is in the input twice, first in f.json"),
    "two pods": (json.dumps([pod_dict(), pod_dict(namespace="default")]), "Pod default/p: is in the input twice"),
    "labels a list": (json.dumps(node_dict(labels=["a"])), "Node n: metadata.labels: expected object"),
    "label a number": (json.dumps(node_dict(labels={"a": 1})), "Node n: metadata.labels[...]: expected str"),
    "taint a text": (json.dumps(node_dict(taints=["a"])), "Node n: spec.taints[0]: expected object, got str"),
    "unschedulable a text": (json.dumps(node_dict(unschedulable="no")), "Node n: spec.unschedulable: expected bool"),
    "quantity a list": (pod_with(cpu=[1]), "Pod p: spec.containers[0].resources.requests[...]: expected"),
    "priority a text": (pod_with(priority="high"), "Pod p: spec.priority: expected int | null, got str"),
    "containers an object": (pod_with(containers={}), "Pod p: spec.containers: expected array | null, got object"),
    "toleration null": (pod_with(tolerations=[None]), "Pod p: spec.tolerations[0]: expected object, got null"),
    "weight a fraction": (
        pod_with(affinity={"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 0.5}]}}),
        "Pod p: spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: expected int",
    ),
    "yaml": ("kind: Pod\nmetadata: {name: p}\nspec: {priority: high}", "Pod p: spec.priority: expected int"),
    "yaml items": ("kind: List\nitems: {}", "List: items: expected array, got an object"),
    "yaml items a number": ("kind: List\nitems: 5", "List: items: expected array, got 5"),
    "yaml text": ("just words", "object 1 (no name): the object: expected object, got str"),
}


@pytest.mark.parametrize(("text", "line"), BAD.values(), ids=BAD)
def test_bad_input_is_one_line(text, line):
    with pytest.raises(InputError) as caught:
        read(text)
    message = str(caught.value)
    assert message.startswith(f"f.json: {line}")
    assert "\n" not in message
    assert len(message) < 250


def test_a_pod_in_two_files_names_both():
    blob = json.dumps(pod_dict("p")).encode()
    with pytest.raises(InputError, match=r"^b: Pod default/p: is in the input twice, first in a$"):
        read_blobs([Blob("a", blob), Blob("b", blob)])


def test_what_rules_read_beside_nodes_and_pods_is_kept_by_kind():
    items = [
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"selector": {"a": "b"}}},
        {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "r", "namespace": "x"}},
        {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "v", "namespace": "ignored"}},
        {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": {"name": "k"}},
    ]
    for objects in (read_dicts(items), read("\n".join(map(json.dumps, items)))):
        related = objects.related
        assert related.find("Service", "s", "default").spec.selector == {"a": "b"}
        assert related.find("ReplicaSet", "r", "x") is not None
        assert related.find("PersistentVolume", "v") is not None
        assert related.stated("Service", "ReplicaSet")
        assert not related.stated("Service", "Namespace")
        assert objects.skipped_kinds == {"Service.serving.knative.dev": 1}
    twice = "Service default/s: is in the input twice"
    with pytest.raises(InputError, match=twice):
        read_dicts([items[0], items[0]])


# ---- specs that are written alike ----------------------------------------------------------------------------


def sibling(name, token, **volume):
    """A pod as admission leaves it: with a volume for its own token."""
    item = pod_dict(name, cpu="1")
    item["metadata"]["uid"] = name  # else it is a manifest
    del item["spec"]["nodeName"]
    mount = {"name": token, "mountPath": "/var/run/secrets"}
    item["spec"]["containers"][0]["volumeMounts"] = [mount]
    item["spec"]["volumes"] = [{"name": token, **(volume or {"projected": {"sources": []}})}]
    return item


@pytest.mark.parametrize("indent", [None, 4])
def test_siblings_share_a_spec_whatever_their_tokens_are_called(indent):
    items = [sibling("a", "kube-api-access-aaaaa"), sibling("b", "kube-api-access-bbbbb"), pod_dict("c", cpu="2")]
    a, b, c = read(json.dumps(listed(*items), indent=indent)).pods
    assert a.spec is b.spec
    assert c.spec is not a.spec
    assert [pod.spec.containers[0].resources.requests["cpu"] for pod in (a, b, c)] == ["1", "1", "2"]


@pytest.mark.parametrize(
    "source",
    [
        {"persistentVolumeClaim": {"claimName": "kube-api-access-%s"}},
        {"ephemeral": {"volumeClaimTemplate": {}}},
        {"gcePersistentDisk": {"pdName": "kube-api-access-%s"}},
    ],
    ids=lambda one: next(iter(one)),
)
def test_a_volume_that_rules_read_is_each_pods_own(source):
    items = []
    for letters in ("aaaaa", "bbbbb"):
        own = json.loads(json.dumps(source).replace("%s", letters))
        items.append(sibling(f"p-{letters}", f"kube-api-access-{letters}", **own))
    assert [pod.spec for pod in read(json.dumps(items)).pods] == [pod.spec for pod in read_dicts(items).pods]


def test_a_token_that_other_fields_name_is_read():
    items = [sibling(name, f"kube-api-access-{name * 5}") for name in "ab"]
    for item in items:
        item["spec"]["nodeSelector"] = {"token": item["spec"]["volumes"][0]["name"]}
    a, b = read(json.dumps(items)).pods
    assert (a.spec.node_selector, b.spec.node_selector) == (
        {"token": "kube-api-access-aaaaa"}, {"token": "kube-api-access-bbbbb"}
    )  # fmt: skip


def test_text_and_dicts_are_placed_alike():
    nodes = [node_dict(f"n{number}", cpu="3") for number in range(3)]
    pods = [sibling(f"p{number}", f"kube-api-access-{number:05}") for number in range(12)]
    items = [*nodes, *pods, pod_dict("bound", cpu="1", node="n1"), {**pod_dict("bare"), "spec": None}]
    text = json.dumps(listed(*items)).encode()
    assert place_source("x", [Blob("f.json", text)]).placed == place_dicts("x", items).placed
