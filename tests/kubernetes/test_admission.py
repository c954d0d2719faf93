"""Pods as the API server stores them: defaults, admission plugins, project node selectors, merged label keys."""

import msgspec
import pytest

from binwright.errors import InputError
from binwright.kubernetes.admission import Admission, admitted, manifest
from binwright.kubernetes.objects import Pod
from binwright.kubernetes.related import KINDS, Related
from binwright.outcome import NotEvaluated

NOT_READY = {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"}
UNREACHABLE = {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute"}


def cluster(*objects, complete=False):
    related = Related(complete)
    for one in objects:
        kind = next(key for key in KINDS if key[1] == one["kind"])
        related.add(kind[1], msgspec.convert(one, KINDS[kind]))
    return related


def pod(name="p", namespace=None, labels=None, **spec):
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"containers": [{"name": "c"}], **spec},
    }


def container(limits=None, requests=None, **more):
    return {"name": "c", "resources": {"limits": limits, "requests": requests}, **more}


def limit_range(*items, namespace="default", name="limits"):
    metadata = {"name": name, "namespace": namespace}
    return {"kind": "LimitRange", "metadata": metadata, "spec": {"limits": list(items)}}


def stored(data, *objects):
    """The spec of the stored pod in JSON's form."""
    return msgspec.json.decode(msgspec.json.encode(admitted(data, cluster(*objects)).spec))


def requests_of(data, *objects):
    return [one.get("resources", {}).get("requests") for one in stored(data, *objects)["containers"]]


def test_limits_are_the_requests_that_are_not_stated():
    asked = container({"cpu": "2", "memory": "1Gi", "nvidia.com/gpu": 1}, {"cpu": "500m"})
    assert requests_of(pod(containers=[asked, container(None, {"cpu": "1"}), container()])) == [
        {"cpu": "500m", "memory": "1Gi", "nvidia.com/gpu": 1}, {"cpu": "1"}, None,
    ]  # fmt: skip
    init = stored(pod(initContainers=[container({"cpu": "3"}, restartPolicy="Always")]))["initContainers"]
    resources = {"requests": {"cpu": "3"}, "limits": {"cpu": "3"}}
    assert init == [{"name": "c", "resources": resources, "restartPolicy": "Always"}]


def test_what_comes_out_is_a_plain_stored_pod():
    found = admitted(pod(containers=[container({"cpu": "2"})]), Related())
    assert type(found) is Pod
    assert [type(one).__name__ for one in found.spec.containers] == ["Container"]
    assert found.key == "default/p"


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"defaultRequest": {"cpu": "100m"}, "default": {"cpu": "1"}}, {"cpu": "100m"}),
        ({"default": {"cpu": "1"}, "min": {"cpu": "50m"}}, {"cpu": "1"}),
        ({"max": {"cpu": "4"}, "min": {"cpu": "50m"}}, {"cpu": "4"}),
        ({"min": {"cpu": "50m"}}, {"cpu": "50m"}),
    ],
)
def test_a_limit_range_gives_requests_to_containers_without(item, expected):
    found = limit_range({"type": "Container", **item})
    assert requests_of(pod(containers=[container()]), found) == [expected]
    assert requests_of(pod(containers=[container(None, {"cpu": "7"})]), found) == [{"cpu": "7"}]
    assert requests_of(pod(containers=[container({"cpu": "9"})]), found) == [{"cpu": "9"}]
    assert requests_of(pod(namespace="other", containers=[container()]), found) == [None]


def test_limit_ranges_of_pods_give_nothing_and_of_several_the_first_gives():
    whole = limit_range({"type": "Pod", "min": {"cpu": "1"}}, name="a")
    first = limit_range({"type": "Container", "defaultRequest": {"cpu": "1"}}, name="b")
    second = limit_range({"type": "Container", "defaultRequest": {"cpu": "2", "memory": "1Gi"}}, name="c")
    assert requests_of(pod(containers=[container()]), whole) == [None]
    assert requests_of(pod(containers=[container()]), whole, first, second) == [{"cpu": "1", "memory": "1Gi"}]


def test_requests_of_the_whole_pod_follow_its_limits():
    """From containers where these ask, else from the limit; without limits nothing is filled in."""
    both = [container(None, {"cpu": "1"}), container({"cpu": "500m"})]
    limits = {"cpu": "4", "memory": "2Gi", "hugepages-2Mi": "8Mi"}
    found = stored(pod(containers=both, resources={"limits": limits}))["resources"]["requests"]
    assert found == {"cpu": "1500000000n", "memory": "2Gi", "hugepages-2Mi": "8Mi"}
    stated = stored(pod(containers=both, resources={"limits": {"cpu": "4"}, "requests": {"cpu": "3"}}))
    assert stated["resources"] == {"requests": {"cpu": "3"}, "limits": {"cpu": "4"}}
    assert stored(pod(containers=both, resources={"requests": {"memory": "1Gi"}}))["resources"] == {
        "requests": {"memory": "1Gi"}
    }


def test_limit_ranges_come_after_the_defaults_of_the_whole_pod():
    found = limit_range({"type": "Container", "defaultRequest": {"cpu": "100m"}})
    spec = stored(pod(containers=[container()], resources={"limits": {"cpu": "4"}}), found)
    assert spec["resources"] == {"requests": {"cpu": "4"}, "limits": {"cpu": "4"}}
    assert spec["containers"][0]["resources"] == {"requests": {"cpu": "100m"}}


def test_huge_pages_of_the_whole_pod_are_those_of_its_containers():
    both = [container({"hugepages-2Mi": "4Mi"}), container({"hugepages-2Mi": "2Mi"})]
    found = stored(pod(containers=both, resources={"requests": {"cpu": "1"}}))["resources"]["requests"]
    assert found == {"cpu": "1", "hugepages-2Mi": f"{6 * 2**20}000000000n"}
    stated = {"requests": {"hugepages-2Mi": "8Mi"}}
    assert stored(pod(containers=both, resources=stated))["resources"] == stated


def test_on_the_hosts_network_every_port_is_the_hosts():
    ports = [{"containerPort": 80}, {"containerPort": 81, "hostPort": 8081}]
    on_host = stored(pod(hostNetwork=True, containers=[container(ports=ports)]))["containers"][0]["ports"]
    assert [one["hostPort"] for one in on_host] == [80, 8081]
    own = stored(pod(containers=[container(ports=ports)]))["containers"][0]["ports"]
    assert [one.get("hostPort") for one in own] == [None, 8081]


def test_default_tolerations():
    assert stored(pod())["tolerations"] == [NOT_READY, UNREACHABLE]
    gpu = {"key": "gpu", "operator": "Exists"}
    assert stored(pod(tolerations=[gpu]))["tolerations"] == [gpu, NOT_READY, UNREACHABLE]
    assert stored(pod(tolerations=[NOT_READY]))["tolerations"] == [NOT_READY, UNREACHABLE]
    everything = [{"operator": "Exists"}]
    assert stored(pod(tolerations=everything))["tolerations"] == everything
    other = [{"operator": "Exists", "effect": "NoSchedule"}]
    assert stored(pod(tolerations=other))["tolerations"] == [*other, NOT_READY, UNREACHABLE]


def priority_class(name, value, **more):
    return {"kind": "PriorityClass", "metadata": {"name": name}, "value": value, **more}


def test_priority_comes_from_the_class():
    high = priority_class("high", 1000, preemptionPolicy="Never")
    usual = [priority_class("b", 20, globalDefault=True), priority_class("a", 10, globalDefault=True)]
    found = stored(pod(priorityClassName="high"), high, *usual)
    assert (found["priority"], found["preemptionPolicy"]) == (1000, "Never")
    assert stored(pod(), high, *usual)["priority"] == 10
    assert stored(pod(), high)["priority"] == 0
    assert stored(pod(priorityClassName="system-node-critical"))["priority"] == 2000001000
    assert stored(pod(priorityClassName="system-cluster-critical"))["priority"] == 2000000000
    assert stored(pod(priority=7, priorityClassName="high"), high)["priority"] == 7


def test_a_priority_class_that_is_missing():
    """Kind unknown: listed. Kind there, object not: what the API server says."""
    admission = Admission(cluster())
    taken = admission.admit(manifest(pod(priorityClassName="high"), "m"))
    assert (taken.pod.spec.priority, taken.refusal) == (0, None)
    assert admission.not_evaluated == [NotEvaluated("PriorityClass high", 1, "Pod default/p")]
    for related in (cluster(priority_class("low", 1)), cluster(complete=True)):
        assert Admission(related).admit(manifest(pod(priorityClassName="high"), "m")).refusal == (
            "no PriorityClass with name high was found"
        )
    with pytest.raises(InputError, match=r"^pod: Pod default/p: no PriorityClass with name high was found$"):
        admitted(pod(priorityClassName="high"), cluster(complete=True))


def test_a_runtime_class_brings_overhead_selector_and_tolerations():
    kata = {
        "kind": "RuntimeClass",
        "metadata": {"name": "kata"},
        "overhead": {"podFixed": {"cpu": "250m", "memory": "120Mi"}},
        "scheduling": {
            "nodeSelector": {"kata": "yes"},
            "tolerations": [{"key": "kata", "operator": "Exists"}, NOT_READY],
        },
    }
    found = stored(pod(runtimeClassName="kata", nodeSelector={"disk": "ssd"}), kata)
    assert found["overhead"] == {"cpu": "250m", "memory": "120Mi"}
    assert found["nodeSelector"] == {"disk": "ssd", "kata": "yes"}
    assert found["tolerations"] == [NOT_READY, UNREACHABLE, {"key": "kata", "operator": "Exists"}]
    conflict = Admission(cluster(kata)).admit(manifest(pod(runtimeClassName="kata", nodeSelector={"kata": "no"}), "m"))
    assert conflict.refusal == (
        "conflict: runtimeClass.scheduling.nodeSelector[kata] = yes; pod.spec.nodeSelector[kata] = no"
    )
    gone = Admission(cluster(kata)).admit(manifest(pod(runtimeClassName="gvisor"), "m"))
    assert gone.refusal == 'pod rejected: RuntimeClass "gvisor" not found'
    unknown = Admission(cluster())
    assert unknown.admit(manifest(pod(runtimeClassName="gvisor"), "m")).refusal is None
    assert [one.rule for one in unknown.not_evaluated] == ["RuntimeClass gvisor"]


def project(selector):
    return {
        "kind": "Namespace",
        "metadata": {"name": "shop", "annotations": {"openshift.io/node-selector": selector}},
    }


def test_openshifts_project_node_selector():
    found = project("region=east, type=user ,")
    assert stored(pod(namespace="shop"), found)["nodeSelector"] == {"region": "east", "type": "user"}
    both = stored(pod(namespace="shop", nodeSelector={"disk": "ssd", "region": "east"}), found)["nodeSelector"]
    assert both == {"disk": "ssd", "region": "east", "type": "user"}
    assert "nodeSelector" not in stored(pod(namespace="shop"), project(""))
    assert "nodeSelector" not in stored(pod(namespace="other"), found)
    refused = Admission(cluster(found)).admit(manifest(pod(namespace="shop", nodeSelector={"region": "west"}), "m"))
    assert refused.refusal == "pod node label selector conflicts with its project node label selector"


def test_openshifts_default_node_selector():
    usual = {"kind": "Scheduler", "metadata": {"name": "cluster"}, "spec": {"defaultNodeSelector": "type=user"}}
    assert stored(pod(namespace="shop"), usual)["nodeSelector"] == {"type": "user"}
    assert stored(pod(namespace="shop"), usual, project("region=east"))["nodeSelector"] == {"region": "east"}
    assert "nodeSelector" not in stored(pod(namespace="shop"), usual, project(""))


def test_bounds_of_limit_ranges_are_listed():
    admission = Admission(cluster(limit_range({"type": "Pod", "max": {"cpu": "1"}})))
    for name in ("a", "b"):
        admission.admit(manifest(pod(name), "m"))
    admission.admit(manifest(pod("c", namespace="other"), "m"))
    expected = NotEvaluated("LimitRange (min, max, maxLimitRequestRatio)", 2, "Pod default/a")
    assert admission.not_evaluated == [expected]


def test_label_keys_are_merged_into_selectors():
    selector = {"matchLabels": {"app": "web"}}
    term = {
        "topologyKey": "zone", "labelSelector": selector, "matchLabelKeys": ["hash", "absent"],
        "mismatchLabelKeys": ["tenant"],
    }  # fmt: skip
    both = {
        "requiredDuringSchedulingIgnoredDuringExecution": [term],
        "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 3, "podAffinityTerm": term}],
    }
    spread = {"topologyKey": "zone", "maxSkew": 1, "labelSelector": selector, "matchLabelKeys": ["hash"]}
    found = stored(
        pod(
            labels={"app": "web", "hash": "h1", "tenant": "t"},
            affinity={"podAffinity": both, "podAntiAffinity": both},
            topologySpreadConstraints=[spread, {**spread, "labelSelector": None}],
        )
    )
    own = {"key": "hash", "operator": "In", "values": ["h1"]}
    others = {"key": "tenant", "operator": "NotIn", "values": ["t"]}
    merged = {"topologyKey": "zone", "labelSelector": {**selector, "matchExpressions": [own, others]}}
    for part in ("podAffinity", "podAntiAffinity"):
        assert found["affinity"][part] == {
            "requiredDuringSchedulingIgnoredDuringExecution": [merged],
            "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 3, "podAffinityTerm": merged}],
        }
    first, second = found["topologySpreadConstraints"]
    assert first["labelSelector"] == {**selector, "matchExpressions": [own]}
    assert "labelSelector" not in second


def test_bad_manifests():
    with pytest.raises(InputError, match=r"^--pod: spec\.containers\[0\]\.resources\.limits: expected `?object"):
        admitted(pod(containers=[{"resources": {"limits": "lots"}}]), Related(), "--pod")
    with pytest.raises(InputError, match=r"^--pod: metadata\.name: missing$"):
        admitted({"kind": "Pod", "metadata": {}}, Related(), "--pod")
    much = pod(containers=[container(None, {"cpu": "much"})], resources={"limits": {"cpu": "1"}})
    with pytest.raises(InputError, match=r"^Pod default/p: spec\.containers\[0\]\.resources\.requests\.cpu: 'much' is"):
        admitted(much, Related())
