"""ResourceQuotas: what new pods would exceed is said, and nothing is refused for it."""

import pytest

from binwright.kubernetes.place import place_dicts
from tests.kubernetes.made import node_dict, pod_dict


def quota(hard, used=None, namespace="default", **spec):
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "q", "namespace": namespace},
        "spec": {"hard": hard, **spec},
        "status": {"used": used or {}},
    }


def notes(*objects):
    outcome = place_dicts("demo", [node_dict("n1", cpu="64", **{"nvidia.com/gpu": 8}), *objects])
    assert outcome.unplaced == []
    return outcome.notes


def two(**more):
    limits = {"cpu": "2", "memory": "1Gi"}
    containers = [{"name": "c", "resources": {"requests": {"cpu": "1500m", "nvidia.com/gpu": 1}, "limits": limits}}]
    return [pod_dict(name, containers=containers, **more) for name in "ab"]


@pytest.mark.parametrize(
    ("hard", "used", "exceeded"),
    [
        ({"cpu": "3"}, {}, None),
        ({"cpu": "3"}, {"cpu": "1m"}, "cpu: 0.001 used and 3 of pods to be made exceed 3"),
        ({"requests.cpu": "2"}, {"requests.cpu": "500m"}, "requests.cpu: 0.5 used and 3 of pods to be made exceed 2"),
        ({"limits.cpu": "3"}, {}, "limits.cpu: 0 used and 4 of pods to be made exceed 3"),
        ({"requests.memory": "1Gi"}, {}, "requests.memory: 0 used and 2147483648 of pods to be made exceed 1073741824"),
        ({"requests.nvidia.com/gpu": "1"}, {}, "requests.nvidia.com/gpu: 0 used and 2 of pods to be made exceed 1"),
        ({"pods": "2"}, {"pods": "1"}, "pods: 1 used and 2 of pods to be made exceed 2"),
        ({"count/pods": "2"}, {}, None),
        ({"services": "0"}, {"services": "9"}, None),
    ],
)
def test_what_is_exceeded(hard, used, exceeded):
    expected = []
    if exceeded is not None:
        expected = [f"ResourceQuota default/q: {exceeded}; the API server would refuse the last of them"]
    assert notes(quota(hard, used), *two()) == expected


def test_stored_pods_and_other_namespaces_do_not_count():
    assert notes(quota({"pods": "1"}), *two(meta={"uid": "u"})) == []
    assert notes(quota({"pods": "1"}, namespace="other"), *two()) == []


@pytest.mark.parametrize(
    ("scope", "spec", "counts"),
    [
        ({"scopes": ["Terminating"]}, {"activeDeadlineSeconds": 5}, True),
        ({"scopes": ["Terminating"]}, {}, False),
        ({"scopes": ["NotTerminating"]}, {}, True),
        ({"scopes": ["NotBestEffort"]}, {}, True),
        ({"scopes": ["BestEffort"]}, {}, False),
        ({"scopes": ["BestEffort"]}, {"containers": [{"name": "c"}]}, True),
        ({"scopes": ["CrossNamespacePodAffinity"]}, {}, False),
        ({"scopes": ["NobodyKnows"]}, {}, False),
    ],
)
def test_scopes(scope, spec, counts):
    pods = [pod_dict(name, **spec) for name in "ab"] if "containers" in spec else two(**spec)
    assert bool(notes(quota({"pods": "1"}, **scope), *pods)) is counts


@pytest.mark.parametrize(("operator", "values", "counts"), [
    ("In", ["high"], True), ("In", ["low"], False), ("NotIn", ["low"], True), ("Exists", None, True),
    ("DoesNotExist", None, False),
])  # fmt: skip
def test_scope_of_a_priority_class(operator, values, counts):
    named = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "high"}, "value": 9}
    one = {"scopeName": "PriorityClass", "operator": operator, "values": values}
    found = notes(
        named, quota({"pods": "1"}, scopeSelector={"matchExpressions": [one]}), *two(priorityClassName="high")
    )
    assert bool(found) is counts


def test_limits_and_class_that_a_pod_gets_by_admission_count():
    item = {"type": "Container", "default": {"cpu": "3"}}
    ranges = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "l"}, "spec": {"limits": [item]}}
    (told,) = notes(ranges, quota({"limits.cpu": "5"}), pod_dict("a"), pod_dict("b"))
    assert told.startswith("ResourceQuota default/q: limits.cpu: 0 used and 6 of pods to be made exceed 5")
    usual = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "usual"}}
    usual |= {"value": 1, "globalDefault": True}
    scope = {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": ["usual"]}]}
    assert notes(usual, quota({"pods": "1"}, scopeSelector=scope), pod_dict("a"), pod_dict("b"))
