"""What the input does not say enough about is named, with the rule that could not be judged."""

import pytest

from binwright.kubernetes import not_evaluated
from binwright.kubernetes.configuration import SchedulerProfile
from binwright.kubernetes.objects import Namespace, Service
from binwright.kubernetes.pending import sort_out
from binwright.kubernetes.related import Related
from binwright.kubernetes.storage_objects import (
    CsiNode,
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
    VolumeAttachment,
)
from binwright.kubernetes.workload_objects import Workload
from tests.kubernetes.made import make_pod

CLAIM_RULES = ["VolumeBinding", "VolumeZone", "VolumeRestrictions (ReadWriteOncePod)"]
DEFAULTS = "PodTopologySpread (cluster defaults)"


def owner(kind, controller=True, version="apps/v1"):
    return {"ownerReferences": [{"apiVersion": version, "kind": kind, "name": "x", "controller": controller}]}


def volume(**source):
    return {"volumes": [{"name": "v", **source}]}


def by_namespace(kind, selector):
    term = {"topologyKey": "x", "namespaceSelector": selector}
    return {"affinity": {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}}


USERS = [
    ({}, []),
    (by_namespace("podAffinity", {"matchLabels": {"a": "b"}}), ["InterPodAffinity (namespaceSelector)"]),
    (by_namespace("podAntiAffinity", {}), []),
    ({"topologySpreadConstraints": [{"maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}]}, []),
    ({"meta": owner("ReplicaSet")}, [DEFAULTS]),
    ({"meta": owner("ReplicationController", version="v1")}, [DEFAULTS]),
    ({"meta": owner("ReplicaSet"), "topologySpreadConstraints": [{}]}, []),
    ({"meta": owner("ReplicaSet", controller=False)}, []),
    ({"meta": owner("Job", version="batch/v1")}, []),
    ({"containers": [{"name": "c", "ports": [{"containerPort": 1, "hostPort": 80}]}]}, []),
    (volume(persistentVolumeClaim={"claimName": "c"}), [*CLAIM_RULES, "NodeVolumeLimits"]),
    (volume(ephemeral={"volumeClaimTemplate": {}}), [*CLAIM_RULES, "NodeVolumeLimits"]),
    (volume(gcePersistentDisk={"pdName": "d"}), ["NodeVolumeLimits"]),
    (volume(cinder={"volumeID": "d"}), ["NodeVolumeLimits"]),
    (volume(iscsi={"iqn": "d"}), []),
    (volume(configMap={"name": "x"}), []),
    ({"resourceClaims": [{"name": "gpu"}]}, ["DynamicResources"]),
]


def everything():
    related = Related()
    kinds = {
        "Namespace": Namespace, "Service": Service, "ReplicaSet": Workload, "ReplicationController": Service,
        "PersistentVolume": PersistentVolume, "PersistentVolumeClaim": PersistentVolumeClaim,
        "StorageClass": StorageClass, "CSINode": CsiNode, "VolumeAttachment": VolumeAttachment,
    }  # fmt: skip
    for kind, struct in kinds.items():
        related.add(kind, struct())
    return related


@pytest.mark.parametrize(("spec", "rules"), USERS)
def test_rules_that_read_kinds_which_are_absent(spec, rules):
    queue = sort_out([make_pod("plain"), make_pod("user", **spec), make_pod("user2", **spec)])
    found = not_evaluated.find(queue, Related())
    assert [entry.rule for entry in found] == rules
    assert all((entry.objects, entry.example) == (2, "Pod default/user") for entry in found)
    always = [rule for rule in rules if rule == "DynamicResources"]
    for related in (everything(), Related(complete=True)):
        assert [entry.rule for entry in not_evaluated.find(queue, related)] == always


def test_kinds_that_stand_alone_are_not_enough():
    queue = sort_out([make_pod("user", **volume(persistentVolumeClaim={"claimName": "c"}))])
    related = Related()
    related.add("PersistentVolume", PersistentVolume())
    claim = PersistentVolumeClaim()
    claim.metadata.name = "c"
    related.add("PersistentVolumeClaim", claim)
    rules = [entry.rule for entry in not_evaluated.find(queue, related)]
    assert rules == ["VolumeBinding (unbound claims)", "NodeVolumeLimits"]
    claim.spec.volume_name = "v"  # neither bound nor delayed, whatever its class is
    assert [one.rule for one in not_evaluated.find(queue, related)] == ["NodeVolumeLimits"]
    claim.spec.volume_name = None
    related.add("StorageClass", StorageClass())
    related.add("CSINode", CsiNode())
    assert [one.rule for one in not_evaluated.find(queue, related)] == ["NodeVolumeLimits (VolumeAttachment)"]


def test_bound_pods_count_only_where_they_restrict_others():
    anti = by_namespace("podAntiAffinity", {"matchLabels": {"a": "b"}})
    bound = [make_pod("b1", node="n", **anti), make_pod("b2", node="n", **volume(cinder={"volumeID": "d"}))]
    found = not_evaluated.find(sort_out([make_pod(), *bound]), Related())
    assert [entry.rule for entry in found] == ["InterPodAffinity (namespaceSelector)"]
    assert not_evaluated.find(sort_out(bound), Related()) == []


def test_pods_that_do_not_enter_the_queue():
    gated, foreign = make_pod("g", schedulingGates=[{}]), make_pod("f", schedulerName="a")
    others = [make_pod("h", schedulerName="b"), make_pod("i", schedulerName="a")]
    found = not_evaluated.find(sort_out([gated, foreign, *others]), Related())
    assert [(entry.rule, entry.objects) for entry in found] == [
        ("SchedulingGates", 1), ("schedulerName a", 2), ("schedulerName b", 1),
    ]  # fmt: skip


def test_what_a_profile_asks_for_in_vain():
    profile = SchedulerProfile("mine", not_evaluated=("extenders",))
    (entry,) = not_evaluated.find(sort_out([]), Related(), profile)
    assert (entry.rule, entry.objects, entry.example) == ("extenders", 1, "profile mine")


def test_preemption_is_named_only_where_it_could_help():
    low, high = make_pod("low", node="n"), make_pod("high", priority=5)
    (entry,) = not_evaluated.preemption([high, make_pod("even")], [low])
    assert (entry.rule, entry.objects, entry.example) == ("DefaultPreemption", 1, "Pod default/high")
    assert not_evaluated.preemption([make_pod("never", priority=5, preemptionPolicy="Never")], [low]) == []
    assert not_evaluated.preemption([high], [make_pod("as-high", node="n", priority=5)]) == []
    assert not_evaluated.preemption([high], []) == []
    assert not_evaluated.preemption([], [low]) == []


def test_budgets_that_nobody_stated():
    (entry,) = not_evaluated.budgets([make_pod("high")], Related())
    assert (entry.rule, entry.example) == ("PodDisruptionBudget", "Pod default/high")
    assert not_evaluated.budgets([make_pod("high")], Related(complete=True)) == []
