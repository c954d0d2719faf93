"""Every rule that has no plugin yet is named when a pod uses it, and only then."""

import pytest

from binwright.kubernetes import not_evaluated
from binwright.kubernetes.pending import sort_out
from tests.kubernetes.made import make_pod

VOLUMES = ["VolumeBinding", "VolumeZone", "VolumeRestrictions", "NodeVolumeLimits"]


def owner(kind, controller=True):
    return {"ownerReferences": [{"kind": kind, "name": "x", "controller": controller}]}


def volume(**source):
    return {"volumes": [{"name": "v", **source}]}


def port(number, **more):
    return {"name": "c", "ports": [{"containerPort": 1, "hostPort": number}], **more}


USERS = [
    ({}, []),
    ({"affinity": {"podAffinity": {}}}, []),
    (
        {"affinity": {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1}]}}},
        ["InterPodAffinity"],
    ),
    (
        {"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "x"}]}}},
        ["InterPodAffinity"],
    ),
    ({"topologySpreadConstraints": []}, []),
    ({"topologySpreadConstraints": [{"maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}]}, ["PodTopologySpread"]),
    ({"meta": owner("ReplicaSet")}, ["PodTopologySpread (cluster defaults)"]),
    ({"meta": owner("ReplicaSet"), "topologySpreadConstraints": [{}]}, ["PodTopologySpread"]),
    ({"meta": owner("ReplicaSet", controller=False)}, []),
    ({"meta": owner("Job")}, []),
    ({"containers": [port(80)]}, ["NodePorts"]),
    ({"containers": [port(0)]}, []),
    ({"initContainers": [port(80, restartPolicy="Always")]}, ["NodePorts"]),
    ({"initContainers": [port(80)]}, []),
    (volume(persistentVolumeClaim={"claimName": "c"}), VOLUMES),
    (volume(ephemeral={"volumeClaimTemplate": {}}), VOLUMES),
    (volume(gcePersistentDisk={"pdName": "d"}), VOLUMES[2:]),
    (volume(awsElasticBlockStore={"volumeID": "d"}), VOLUMES[2:]),
    (volume(azureDisk={"diskName": "d"}), VOLUMES[2:]),
    (volume(cinder={"volumeID": "d"}), VOLUMES[2:]),
    (volume(iscsi={"iqn": "d"}), VOLUMES[2:]),
    (volume(rbd={"image": "d"}), VOLUMES[2:]),
    (volume(configMap={"name": "x"}), []),
    ({"resourceClaims": [{"name": "gpu"}]}, ["DynamicResources"]),
    ({"status": {"nominatedNodeName": "n"}}, ["nominated node"]),
]


@pytest.mark.parametrize(("spec", "rules"), USERS)
def test_rules_of_a_pending_pod(spec, rules):
    queue = sort_out([make_pod("plain"), make_pod("user", **spec), make_pod("user2", **spec)])
    found = not_evaluated.find(queue)
    assert [entry.rule for entry in found] == rules
    assert all((entry.objects, entry.example) == (2, "Pod default/user") for entry in found)


def test_bound_pods_count_only_where_they_restrict_others():
    anti = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "x"}]}}
    bound = [make_pod("b1", node="n", affinity=anti), make_pod("b2", node="n", containers=[port(80)])]
    assert [entry.rule for entry in not_evaluated.find(sort_out([make_pod(), *bound]))] == ["InterPodAffinity"]
    assert not_evaluated.find(sort_out(bound)) == []


def test_pods_that_do_not_enter_the_queue():
    gated, foreign = make_pod("g", schedulingGates=[{}]), make_pod("f", schedulerName="a")
    others = [make_pod("h", schedulerName="b"), make_pod("i", schedulerName="a")]
    found = not_evaluated.find(sort_out([gated, foreign, *others]))
    assert [(entry.rule, entry.objects) for entry in found] == [
        ("SchedulingGates", 1), ("schedulerName a", 2), ("schedulerName b", 1),
    ]  # fmt: skip


def test_preemption_is_named_only_where_it_could_help():
    low, high = make_pod("low", node="n"), make_pod("high", priority=5)
    (entry,) = not_evaluated.preemption([high, make_pod("even")], [low])
    assert (entry.rule, entry.objects, entry.example) == ("DefaultPreemption", 1, "Pod default/high")
    assert not_evaluated.preemption([make_pod("never", priority=5, preemptionPolicy="Never")], [low]) == []
    assert not_evaluated.preemption([high], [make_pod("as-high", node="n", priority=5)]) == []
    assert not_evaluated.preemption([high], []) == []
    assert not_evaluated.preemption([], [low]) == []
