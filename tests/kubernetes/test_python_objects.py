"""Objects as Python programs hold them: dicts, text, paths, look-alikes of clients' objects, and the clients' own."""

import copy
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import ClassVar

import pytest
import yaml

import binwright.kubernetes
from binwright.errors import InputError
from binwright.kubernetes import Options, place_objects, read_objects
from tests.kubernetes.made import node_dict, pod_dict

NODE = node_dict("n1", cpu="2")
POD = pod_dict("p", cpu="1", namespace="shop", meta={"creationTimestamp": "2026-01-01T00:00:00Z", "labels": {"a": "b"}})


def where(objects, **options):
    outcome = place_objects(objects, **options)
    return [(one.namespace, one.name, one.host) for one in outcome.placed]


EXPECTED = [("shop", "p", "n1")]


@pytest.mark.parametrize(
    "objects",
    [
        [NODE, POD],
        (one for one in (NODE, POD)),
        {"kind": "List", "apiVersion": "v1", "items": [NODE, POD]},
        MappingProxyType({"kind": "List", "apiVersion": "v1", "items": (MappingProxyType(NODE), POD)}),
        json.dumps([NODE, POD]),
        json.dumps([NODE, POD]).encode(),
        bytearray(json.dumps([NODE, POD]).encode()),
        [memoryview(json.dumps(NODE).encode()), yaml.safe_dump(POD)],
        yaml.safe_dump_all([NODE, POD]),
        [NODE, {**POD, "metadata": {**POD["metadata"], "creationTimestamp": datetime(2026, 1, 1, tzinfo=UTC)}}],
    ],
)
def test_mappings_and_text(objects):
    assert where(objects) == EXPECTED


def test_paths(tmp_path):
    (tmp_path / "nodes.json").write_text(json.dumps(NODE))
    (tmp_path / "pods.yaml").write_text(yaml.safe_dump(POD))
    assert where(tmp_path) == EXPECTED
    assert where([tmp_path / "nodes.json", POD]) == EXPECTED


def test_the_callers_objects_stay_as_they_are():
    objects = [copy.deepcopy(NODE), copy.deepcopy(POD)]
    place_objects(objects, options=Options(preempt=True))
    assert objects == [NODE, POD]


# ---- look-alikes -----------------------------------------------------------------------------------------------------


class Model:
    """As `kubernetes` makes its classes: Python names, a map to the API's, None for what is absent."""

    attribute_map: ClassVar = {}

    def __init__(self, **given):
        for name in self.attribute_map:
            setattr(self, name, given.get(name))

    def to_dict(self):
        raise AssertionError("has Python's names, not the API's")


class V1ObjectMeta(Model):
    attribute_map: ClassVar = {"name": "name", "namespace": "namespace", "creation_timestamp": "creationTimestamp"}


class V1PodSpec(Model):
    attribute_map: ClassVar = {
        "containers": "containers",
        "node_selector": "nodeSelector",
        "scheduler_name": "schedulerName",
    }


class V1Pod(Model):
    attribute_map: ClassVar = {"api_version": "apiVersion", "kind": "kind", "metadata": "metadata", "spec": "spec"}


class V1PodList(Model):
    attribute_map: ClassVar = {"api_version": "apiVersion", "items": "items", "kind": "kind"}


class V1beta1CSIDriver(V1Pod):
    pass


class Raw:
    """As `kr8s` has them."""

    def __init__(self, raw):
        self.raw = raw


class Lightkube:
    """As `lightkube` has them."""

    def __init__(self, data):
        self._data = data

    def to_dict(self):
        return self._data


class GenericGroup(dict):
    """As lightkube makes resources of no kind it knows."""

    class _api_info:
        class resource:
            kind, api_version = "Pod", "v1"


def modelled(created=datetime(2026, 1, 1, tzinfo=UTC)):
    meta = V1ObjectMeta(name="p", namespace="shop", creation_timestamp=created)
    spec = V1PodSpec(containers=[{"name": "c"}], node_selector={"disk": "ssd"})
    return V1Pod(metadata=meta, spec=spec)


def test_look_alikes():
    assert where([Raw(NODE), Lightkube(POD)]) == EXPECTED
    assert where([NODE, GenericGroup({"metadata": POD["metadata"], "spec": POD["spec"]})]) == EXPECTED
    one = modelled()
    for objects in (one, [one], V1PodList(items=[one])):
        (pod,) = read_objects(objects).pods
        assert (pod.key, pod.spec.node_selector) == ("shop/p", {"disk": "ssd"})
        assert pod.metadata.creation_timestamp == "2026-01-01T00:00:00Z"
    assert list(read_objects(V1beta1CSIDriver(metadata=V1ObjectMeta(name="d"))).related.all("CSIDriver"))


def test_times_are_of_one_form():
    """The queue compares their text."""
    (pod,) = read_objects(modelled(datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))))).pods
    assert pod.metadata.creation_timestamp == "2026-01-01T00:00:00Z"


# ---- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("thing", [7, None, object(), [3], [NODE, 1.5]])
def test_what_is_no_object(thing):
    with pytest.raises(InputError, match=r"^mine: object [12]: type \w+ is no Kubernetes object"):
        place_objects(thing, name="mine")


def test_errors_name_object_and_field():
    with pytest.raises(InputError, match=r"^mine: Pod shop/p: spec\.containers: expected `?array"):
        place_objects([NODE, {**POD, "spec": {"containers": 3}}], name="mine")
    with pytest.raises(InputError, match=r"^mine: line 1: broken JSON"):
        place_objects(b"{]", name="mine")
    with pytest.raises(InputError, match=r"^mine: no Node in the input"):
        place_objects([], name="mine")


def test_the_names_of_the_package():
    for name in binwright.kubernetes.__all__:
        assert getattr(binwright.kubernetes, name).__doc__
    assert set(binwright.kubernetes.__all__) <= set(dir(binwright.kubernetes))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = binwright.kubernetes.nothing
    assert isinstance(read_objects([NODE]).nodes[0].metadata.name, str)
    assert not isinstance(Raw(NODE), Mapping)


# ---- the clients' own objects ----------------------------------------------------------------------------------------


def test_objects_of_kubernetes():
    client = pytest.importorskip("kubernetes.client", reason="pip install kubernetes: the official client")
    resources = client.V1ResourceRequirements(requests={"cpu": "1"})
    affinity = client.V1Affinity(
        node_affinity=client.V1NodeAffinity(
            required_during_scheduling_ignored_during_execution=client.V1NodeSelector(
                node_selector_terms=[
                    client.V1NodeSelectorTerm(
                        match_expressions=[client.V1NodeSelectorRequirement(key="disk", operator="In", values=["ssd"])]
                    )
                ]
            )
        )
    )
    pod = client.V1Pod(
        metadata=client.V1ObjectMeta(name="p", namespace="shop", creation_timestamp=datetime(2026, 1, 1, tzinfo=UTC)),
        spec=client.V1PodSpec(
            containers=[client.V1Container(name="c", resources=resources)], affinity=affinity, priority=7
        ),
    )
    nodes = [
        client.V1Node(
            metadata=client.V1ObjectMeta(name=name, labels={"disk": disk}),
            status=client.V1NodeStatus(allocatable={"cpu": "2", "memory": "1Gi", "pods": "10"}),
        )
        for name, disk in (("n0", "hdd"), ("n1", "ssd"))
    ]
    for objects in ([*nodes, pod], [client.V1NodeList(items=nodes), client.V1PodList(items=[pod])]):
        assert where(objects) == EXPECTED
    (read,) = read_objects(pod).pods
    plain = client.ApiClient().sanitize_for_serialization(pod) | {"kind": "Pod"}
    (same,) = read_objects(plain).pods
    assert read.spec == same.spec
    assert read.metadata.creation_timestamp == "2026-01-01T00:00:00Z"


def test_objects_of_kr8s():
    objects = pytest.importorskip("kr8s.objects", reason="pip install kr8s")
    connected = object()  # it would look for a cluster otherwise
    assert where([objects.Node(NODE, api=connected), objects.Pod(POD, api=connected)]) == EXPECTED


def test_objects_of_lightkube():
    core = pytest.importorskip("lightkube.resources.core_v1", reason="pip install lightkube")
    generic = pytest.importorskip("lightkube.generic_resource")
    assert where([core.Node.from_dict(NODE), core.Pod.from_dict(POD)]) == EXPECTED
    made = generic.create_namespaced_resource("apps.openshift.io", "v1", "DeploymentConfig", "deploymentconfigs")
    template = {"metadata": {"labels": {"app": "web"}}, "spec": POD["spec"]}
    config = made(metadata={"name": "web", "namespace": "shop"}, spec={"replicas": 1, "template": template})
    assert [host for _, _, host in where([NODE, config])] == ["n1"]
