"""The small parts under the relational plugins: label selectors, traits and their meeting, kinds, sampling."""

import msgspec
import pytest

from binwright import Fleet
from binwright.errors import InputError
from binwright.kubernetes import label_selectors
from binwright.kubernetes.counts import Counts
from binwright.kubernetes.label_selectors import Needs
from binwright.kubernetes.nodes import NodeTable
from binwright.kubernetes.objects import LabelSelector
from binwright.kubernetes.related import KINDS, Related, kind_by_plural
from binwright.kubernetes.sampling import Sampling, number_to_find, snapshot_order
from binwright.kubernetes.storage_objects import PersistentVolume, StorageClass
from binwright.kubernetes.traits import Matches, Traits, TraitsOf
from tests.kubernetes.made import make_node, make_pod


def parsed(**selector):
    return label_selectors.parse(msgspec.convert(selector, LabelSelector), "here")


def expression(operator, *values):
    return parsed(matchExpressions=[{"key": "a", "operator": operator, "values": values}])


@pytest.mark.parametrize(
    ("selector", "holds"),
    [
        (None, [False, False, False]),
        (parsed(), [True, True, True]),
        (parsed(matchLabels={"a": "1"}), [True, False, False]),
        (expression("In", "1", "2"), [True, True, False]),
        (expression("NotIn", "1"), [False, True, True]),
        (expression("Exists"), [True, True, False]),
        (expression("DoesNotExist"), [False, False, True]),
        (parsed(matchLabels={"a": "1", "b": "x"}), [True, False, False]),
    ],
)
def test_label_selectors(selector, holds):
    labels = [{"a": "1", "b": "x"}, {"a": "2"}, {"b": "x"}]
    assert [label_selectors.matches(selector, one) for one in labels] == holds


def test_equal_selectors_parse_alike_and_unknown_operators_are_refused():
    one = parsed(
        matchExpressions=[{"key": "a", "operator": "In", "values": ["y", "x"]}, {"key": "b", "operator": "Exists"}]
    )
    two = parsed(
        matchExpressions=[{"key": "b", "operator": "Exists"}, {"key": "a", "operator": "In", "values": ["x", "y"]}]
    )
    assert one == two
    assert label_selectors.anchor(one) == ("a", ("x", "y"))
    assert label_selectors.anchor(expression("NotIn", "1")) is None
    with pytest.raises(InputError, match="here: 'Gt' is not an operator of a label selector"):
        expression("Gt", "1")


def test_traits_keep_what_selectors_name():
    labels = {"a": "1", "b": "2", "c": "3", "d": "4", "e": "5"}
    pod = make_pod(namespace="x", meta={"labels": labels, "deletionTimestamp": "2026-01-01T00:00:00Z"})
    needs = [
        Needs("a", "In", ("1",)), Needs("c", "In", ("9",)), Needs("d", "NotIn", ("4", "5")), Needs("e", "Exists"),
        Needs("z", "Exists"),
    ]  # fmt: skip
    assert TraitsOf(needs, True)(pod) == Traits("x", (("a", "1"), ("d", "4"), ("e", "*")), True)
    assert TraitsOf([], False)(pod) == Traits()


@pytest.mark.parametrize("anchor", [None, ("a", ("1", "2"))])
def test_each_pair_of_test_and_traits_meets_once(anchor):
    matches = Matches()
    early, other, late = (Traits("x", (("a", value),)) for value in ("1", "3", "2"))
    asked = []

    def holds(traits):
        asked.append(traits)
        return traits.labels["a"] != "3"

    assert matches.add_traits(early) == matches.add_traits(other) == []
    assert matches.add_test(anchor, holds, "payload") == [early]
    assert matches.add_traits(late) == ["payload"]
    assert matches.add_test(None, lambda traits: True, "second") == [early, other, late]
    assert len(asked) == len(set(asked))


def test_counters_are_shared_and_reach_classes_made_before_and_after():
    fleet = Fleet({"cpu": [9, 9]})
    counts = Counts(fleet)
    traits = Traits("x", (("a", "1"),))

    def made(kind):
        request = fleet.request({"cpu": 1}, contributes=counts.matching(traits), kind=kind)
        counts.register(request, traits)
        return request

    before = made("before")
    fleet.claim(before, [0, 0])
    counter = counts.matched("key", None, lambda one: one.namespace == "x", lambda one: (2, 2))
    assert counts.matched("key", None, lambda one: False, lambda one: (9, 9)) == counter
    fleet.claim(made("after"), [1])
    assert [fleet.count(counter, host) for host in (0, 1)] == [4, 2]
    assert counts.held("h") == counts.held("h") != counts.held("i")
    assert counts.holds("h")
    assert not counts.holds("j")


def test_every_kind_is_known_by_its_plural():
    plurals = {
        "Namespace": "namespaces", "Service": "services", "ReplicationController": "replicationControllers",
        "ReplicaSet": "replicaSets", "StatefulSet": "statefulSets", "PodDisruptionBudget": "podDisruptionBudgets",
        "PersistentVolume": "persistentVolumes", "PersistentVolumeClaim": "persistentVolumeClaims",
        "StorageClass": "storageClasses", "CSINode": "csiNodes", "CSIDriver": "csiDrivers",
        "CSIStorageCapacity": "csiStorageCapacities", "VolumeAttachment": "volumeAttachments",
        "LimitRange": "limitRanges", "ResourceQuota": "resourceQuotas", "PriorityClass": "priorityClasses",
        "RuntimeClass": "runtimeClasses", "Deployment": "deployments", "DaemonSet": "daemonSets",
        "DeploymentConfig": "deploymentConfigs", "Job": "jobs", "CronJob": "cronJobs", "PodGroup": "podGroups",
        "Scheduler": "schedulers", "MachineSet": "machineSets",
    }  # fmt: skip
    assert {kind for _, kind in KINDS} == set(plurals)
    for (_, kind), struct in KINDS.items():
        assert kind_by_plural(plurals[kind]) == (kind, struct)
    assert kind_by_plural("secrets") is None


def test_what_is_stated():
    related = Related()
    related.add("PersistentVolume", PersistentVolume())
    assert related.stated("PersistentVolume")
    assert not related.stated("PersistentVolume", "StorageClass")
    assert Related(complete=True).stated("StorageClass")
    related.add("StorageClass", StorageClass(provisioner="p"))
    assert related.find("StorageClass", None).provisioner == "p"
    assert related.find("StorageClass", "other") is None
    assert related.namespace_labels("unknown") == {}


@pytest.mark.parametrize(
    ("nodes", "percentage", "wanted"),
    [
        (99, 5, 99),
        (100, 0, 100),
        (1000, 0, 420),
        (5000, 0, 500),
        (6000, 0, 300),
        (200, 60, 120),
        (200, 10, 100),
        (200, 100, 200),
    ],
)
def test_how_many_feasible_nodes_are_enough(nodes, percentage, wanted):
    assert number_to_find(nodes, percentage) == wanted


def test_snapshot_order_goes_round_the_zones():
    zones = ["x", "x", "y", None, "y"]
    labels = [{} if zone is None else {"topology.kubernetes.io/zone": zone} for zone in zones]
    labels[4]["failure-domain.beta.kubernetes.io/zone"] = "x"
    nodes = NodeTable([make_node(f"n{number}", labels=one) for number, one in enumerate(labels)])
    assert snapshot_order(nodes) == [0, 2, 3, 1, 4]
    assert Sampling(nodes, 0).order({"n4", "n2", "gone"}) == [2, 4]


@pytest.mark.parametrize(
    ("values", "key"),
    [
        (["a", "b", "c"], None),
        (["a", "b", "b"], "host"),
        (["a", "b", None], "host"),
    ],
    ids=["each its own", "two share one", "one has none"],
)
def test_a_key_of_which_every_node_has_a_value_of_its_own_is_the_nodes_themselves(values, key):
    nodes = [make_node(f"n{i}", labels={} if value is None else {"host": value}) for i, value in enumerate(values)]
    assert NodeTable(nodes).domain_key("host") == key
