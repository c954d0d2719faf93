"""PodGroups: all their pods or none, in the queue's order with groups, in Coscheduling's words."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binwright.errors import InputError
from binwright.kubernetes.configuration import read_configuration
from binwright.kubernetes.place import Options, place_dicts
from binwright.outcome import NotEvaluated, ReasonText
from binwright.verdict import Verdict
from tests.kubernetes.made import node_dict, pod_dict
from tests.reference.kubernetes.cluster import Cluster
from tests.reference.kubernetes.gangs import LABEL, place_gangs


def group(name, least, created=None, resources=None, namespace=None):
    meta = {"name": name, "creationTimestamp": created, "namespace": namespace}
    spec = {"minMember": least, "minResources": resources}
    return {"apiVersion": "scheduling.x-k8s.io/v1alpha1", "kind": "PodGroup", "metadata": meta, "spec": spec}


def member(name, of="g", cpu="1", created=None, labels=None, **more):
    meta = {"labels": {LABEL: of, **(labels or {})}, "uid": f"uid-{name}", "creationTimestamp": created}
    return pod_dict(name, cpu=cpu, meta=meta, **more)


def placed(outcome):
    return {one.name: one.host for one in outcome.placed}


def cpu_used(outcome):
    return next(one.used_after for one in outcome.resources if one.name == "cpu")


def test_enough_pods_of_a_group_run():
    items = [node_dict("n1", cpu="2"), group("g", 2), member("a"), member("b"), member("c")]
    outcome = place_dicts("demo", items)
    assert placed(outcome) == {"a": "n1", "b": "n1"}
    (third,) = outcome.unplaced
    assert third.message == "0/1 nodes are available: 1 Insufficient cpu."
    assert outcome.notes == ["3 pending pods of 1 PodGroups are placed all or nothing, as Coscheduling does it"]
    assert outcome.not_evaluated == []


def test_too_few_are_all_taken_back_and_others_get_their_room():
    items = [
        node_dict("n1", cpu="2"), group("g", 3, "2026-01-01T00:00:00Z"), member("a"), member("b"), member("c"),
        pod_dict("other", cpu="2", meta={"uid": "u", "creationTimestamp": "2026-02-01T00:00:00Z"}),
    ]  # fmt: skip
    outcome = place_dicts("demo", items)
    assert placed(outcome) == {"other": "n1"}
    assert cpu_used(outcome) == 2000
    told = {one.name: one for one in outcome.unplaced}
    rejection = "PodGroup default/g gets rejected due to Pod c is unschedulable even after PostFilter"
    waiting = f"0/1 nodes are available: 1 optimistic rejection in PostFilter. {rejection}"
    assert [told[name].message for name in "abc"] == [
        waiting, waiting, f"0/1 nodes are available: 1 Insufficient cpu. {rejection}",
    ]  # fmt: skip
    assert [told[name].verdict for name in "abc"] == [Verdict.UNSCHEDULABLE] * 3
    assert told["a"].reasons == [ReasonText("Coscheduling", 1, "optimistic rejection in PostFilter")]
    assert told["c"].reasons == [ReasonText("NodeResourcesFit", 1, "Insufficient cpu")]


def test_bound_pods_of_the_group_count():
    items = [node_dict("n1", cpu="3"), group("g", 3), member("old", node="n1"), member("a"), member("b")]
    assert placed(place_dicts("demo", items)) == {"a": "n1", "b": "n1"}
    items[0] = node_dict("n1", cpu="2")
    assert placed(place_dicts("demo", items)) == {}


def test_too_few_siblings_end_it_before_any_node_is_asked():
    outcome = place_dicts("demo", [node_dict("n1"), node_dict("n2"), group("g", 3), member("a"), member("b")])
    (first, _) = outcome.unplaced
    text = "pre-filter pod a cannot find enough sibling pods, current pods number: 2, minMember of group: 3"
    assert first.message == f"0/2 nodes are available: {text}."
    assert first.verdict is Verdict.UNRESOLVABLE
    assert first.reasons == [ReasonText("Coscheduling", 2, text)]


def test_gated_pods_are_no_members_yet():
    items = [node_dict("n1"), group("g", 2), member("a"), member("b", schedulingGates=[{"name": "wait"}])]
    (refused,) = place_dicts("demo", items).unplaced
    assert refused.message == (
        "0/1 nodes are available: pre-filter pod a cannot proceed due to gated pods in the same PodGroup."
    )


def test_minimal_resources_are_looked_for_in_the_whole_cluster():
    nodes = [
        node_dict("n1", cpu="2", pods="1"),
        node_dict("n2", cpu="2", pods="9"),
        pod_dict("old", cpu="1", node="n1"),
    ]
    pods = [member("a", cpu="100m"), member("b", cpu="100m")]
    assert len(placed(place_dicts("demo", [*nodes, group("g", 2, resources={"cpu": "3"}), *pods]))) == 2
    (first, _) = place_dicts("demo", [*nodes, group("g", 2, resources={"cpu": "3500m", "x.io/y": 2}), *pods]).unplaced
    assert first.message == "0/2 nodes are available: resource gap: map[cpu:500m x.io/y:2]."
    own = [*nodes, group("g", 2, resources={"cpu": "3"}), member("old-one", node="n2"), *pods]
    assert len(placed(place_dicts("demo", own))) == 2, "what pods of the group hold counts as free"
    with pytest.raises(InputError, match=r"PodGroup default/g: spec\.minResources\.cpu: 'much' is not a quantity"):
        place_dicts("demo", [*nodes, group("g", 2, resources={"cpu": "much"}), *pods])


def test_a_group_that_does_not_exist():
    items = [node_dict("n1"), group("g", 1), member("a", of="other"), member("b", of="other", cpu="100")]
    told = {one.name: one.message for one in place_dicts("demo", items).unplaced}
    assert told == {
        "a": "0/1 nodes are available: 1 PodGroup not found.",
        "b": "0/1 nodes are available: 1 Insufficient cpu.",
    }


def test_without_any_pod_group_the_label_means_nothing_and_that_is_said():
    outcome = place_dicts("demo", [node_dict("n1"), member("a")])
    assert placed(outcome) == {"a": "n1"}
    assert outcome.not_evaluated == [NotEvaluated("PodGroup", 1, "Pod default/a")]


def config(*points, args=()):
    plugins = {point: {"enabled": [{"name": "Coscheduling"}], "disabled": off} for point, off in points}
    return read_configuration({"profiles": [{"plugins": plugins, "pluginConfig": list(args)}]})[0]


def test_a_configuration_says_whether_the_plugin_runs():
    items = [node_dict("n1", cpu="1"), group("g", 2), member("a"), member("b")]
    shipped = config(
        ("multiPoint", []), ("queueSort", [{"name": "*"}]),
        args=[{"name": "Coscheduling", "args": {"permitWaitingTimeSeconds": 10}}],
    )  # fmt: skip
    assert (shipped.gangs, shipped.not_evaluated) == (True, ())
    assert placed(place_dicts("demo", items, Options(profile=shipped))) == {}
    by_point = config(*((point, []) for point in ("queueSort", "preFilter", "postFilter", "permit", "reserve")))
    assert (by_point.gangs, by_point.not_evaluated) == (True, ())
    plain = read_configuration({"profiles": [{}]})[0]
    outcome = place_dicts("demo", items, Options(profile=plain))
    assert placed(outcome) == {"a": "n1"}
    assert outcome.not_evaluated == [NotEvaluated("PodGroup", 2, "Pod default/a")]
    other = config(("queueSort", [{"name": "Other"}]), ("permit", []))
    assert other.not_evaluated == ("plugins.queueSort",)


def test_groups_take_their_turn_by_the_age_of_the_group():
    times = [f"2026-01-0{day}T00:00:00Z" for day in range(1, 5)]
    items = [
        node_dict("n1", cpu="2"),
        group("young", 2, times[2]), group("old", 2, times[1]),
        member("a", of="young", created=times[0]), member("b", of="young", created=times[0]),
        member("c", of="old", created=times[3]), member("d", of="old", created=times[3]),
    ]  # fmt: skip
    assert placed(place_dicts("demo", items)) == {"c": "n1", "d": "n1"}
    items.append(pod_dict("single", cpu="1", meta={"uid": "s", "creationTimestamp": times[0]}))
    assert placed(place_dicts("demo", items)) == {"single": "n1"}
    items[4]["spec"]["priority"] = items[3]["spec"]["priority"] = 5
    assert placed(place_dicts("demo", items)) == {"a": "n1", "b": "n1"}


def test_groups_do_not_preempt_and_that_is_said():
    items = [node_dict("n1", cpu="2"), pod_dict("weak", cpu="2", node="n1"), group("g", 2)]
    items += [member("a", priority=9), member("b", priority=9)]
    outcome = place_dicts("demo", items, Options(preempt=True))
    assert placed(outcome) == {}
    assert NotEvaluated("DefaultPreemption", 2, "Pod default/a") in outcome.not_evaluated


def test_a_pushed_out_member_queues_alone():
    """Its group has enough pods by what was there when it had its turn."""
    items = [
        node_dict("n1", cpu="2"), node_dict("n2", cpu="1"), group("g", 1), member("old", node="n1", cpu="2"),
        pod_dict("strong", cpu="2", priority=9, meta={"uid": "s"}), member("a", cpu="1"),
    ]  # fmt: skip
    outcome = place_dicts("demo", items, Options(preempt=True))
    assert placed(outcome) == {"strong": "n1", "a": "n2"}
    assert [one.name for one in outcome.unplaced] == ["old"]


def test_terms_and_volumes_are_taken_back_too():
    """Anti-affinity counters and host ports of a group that does not run bar nobody."""
    near = {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "x"}}}
    ]}  # fmt: skip
    ports = [{"name": "c", "ports": [{"hostPort": 80}], "resources": {"requests": {"cpu": "1"}}}]
    nodes = [node_dict(name, cpu="1", labels={"kubernetes.io/hostname": name}) for name in ("n1", "n2")]
    gang = [
        member(name, labels={"app": "x"}, affinity={"podAntiAffinity": near}, containers=ports, priority=5)
        for name in "abc"
    ]
    later = [pod_dict(name, meta={"uid": name, "labels": {"app": "x"}}, containers=ports) for name in ("y", "z")]
    outcome = place_dicts("demo", [*nodes, group("g", 3), *gang, *later])
    assert placed(outcome) == {"y": "n1", "z": "n2"}


def test_volumes_of_delayed_claims_are_taken_back():
    def claim(name):
        spec = {
            "storageClassName": "local",
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        }
        return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}

    def uses(name):
        return [{"name": "v", "persistentVolumeClaim": {"claimName": name}}]

    spec = {"storageClassName": "local", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}}
    items = [
        node_dict("n1", cpu="1"), claim("x"), claim("y"), group("g", 2),
        {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "local"},
         "provisioner": "kubernetes.io/no-provisioner", "volumeBindingMode": "WaitForFirstConsumer"},
        {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv"}, "spec": spec,
         "status": {"phase": "Available"}},
        member("a", priority=5, volumes=uses("x")), member("b", priority=5), member("single", of="", volumes=uses("y")),
    ]  # fmt: skip
    assert placed(place_dicts("demo", items, Options(complete=True))) == {"single": "n1"}


# ---- against the slow way --------------------------------------------------------------------------------------------


def drawn(seed):
    dice = random.Random(seed)
    times = [None, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"]
    zones = ["x", "y"]
    nodes = [
        node_dict(
            f"n{i}", cpu=str(dice.randint(1, 4)), pods=str(dice.randint(1, 5)), labels={"zone": dice.choice(zones)}
        )
        for i in range(dice.randint(1, 5))
    ]
    groups = [group(name, dice.randint(0, 4), dice.choice(times)) for name in "gh" if dice.random() < 0.9]

    def pod(number, node=None):
        more = {"priority": dice.choice([0, 0, 5])} if node is None else {}
        labels = {"app": dice.choice("ab")}
        if dice.random() < 0.3:
            term = {"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": dice.choice("ab")}}}
            some = {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
            more["affinity"] = {dice.choice(["podAffinity", "podAntiAffinity"]): some}
        if dice.random() < 0.7:
            labels[LABEL] = dice.choice("ggh")
        meta = {"uid": f"u{number}", "labels": labels, "creationTimestamp": dice.choice(times), "namespace": "default"}
        return pod_dict(f"p{number}", cpu=dice.choice(["500m", "1", "2"]), node=node, meta=meta, **more)

    bound = [pod(number, dice.choice(nodes)["metadata"]["name"]) for number in range(dice.randint(0, 3))]
    pending = [pod(10 + number) for number in range(dice.randint(1, 10))]
    return nodes, groups, bound, pending


def compare(seed):
    nodes, groups, bound, pending = drawn(seed)
    if not groups:
        return
    cluster = Cluster(objects={})
    for node in nodes:
        cluster.add_node(node)
    for pod in bound:
        cluster.add_bound_pod(pod)
    expected = place_gangs(cluster, pending, bound, groups)
    outcome = place_dicts("demo", [*nodes, *groups, *bound, *pending])
    found = {f"default/{one.name}": one.host for one in (*outcome.placed, *outcome.unplaced)}
    assert found == expected, f"seed {seed}"


@given(st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_random_groups_against_the_slow_way(seed):
    compare(seed)


@pytest.mark.slow
def test_many_random_groups_against_the_slow_way():
    for seed in range(2000):
        compare(seed)
