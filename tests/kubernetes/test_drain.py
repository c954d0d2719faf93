"""`kubectl drain` on paper: its filters, the budgets of the Eviction API, and small clusters checked by hand."""

import pytest

from binwright.errors import InputError
from binwright.kubernetes.configuration import read_configuration
from binwright.kubernetes.disruption import Answer, EvictionApi, read_budgets
from binwright.kubernetes.drain import drain
from binwright.kubernetes.drain_filters import Action, DrainFlags, fate
from binwright.kubernetes.reader import read_dicts
from tests.kubernetes.made import make_pod, node_dict, pod_dict

ALL = DrainFlags(True, True, True)
READY = [{"type": "Ready", "status": "True"}]
UNREADY = [{"type": "Ready", "status": "False"}]


def owned(kind="ReplicaSet", labels=None, **meta):
    owner = {"apiVersion": "apps/v1", "kind": kind, "name": "web", "controller": True}
    return {"ownerReferences": [owner], "labels": labels or {}, **meta}


def running(name, node, cpu="1", meta=None, **spec):
    status = {"phase": "Running", "conditions": READY}
    return pod_dict(name, cpu, node=node, meta=meta or owned(labels={"app": "web"}), status=status, **spec)


def budget(name="web", allowed=1, healthy=3, desired=2, selector=None, **more):
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name, "namespace": "default", **more.pop("metadata", {})},
        "spec": {"selector": {"matchLabels": {"app": "web"}} if selector is None else selector, **more},
        "status": {"disruptionsAllowed": allowed, "currentHealthy": healthy, "desiredHealthy": desired,
                   "observedGeneration": 1},
    }  # fmt: skip


def drained(*nodes, objects, flags=ALL):
    return drain("c", read_dicts(objects, "c"), nodes, flags)


def moves_of(found):
    return [(move.outcome.name, move.origin, move.outcome.host, move.round) for move in found.moves]


# ---- filters ---------------------------------------------------------------------------------------------------------

MIRROR = {"annotations": {"kubernetes.io/config.mirror": "x"}}
EMPTY_DIR = {"volumes": [{"name": "v", "emptyDir": {}}]}


@pytest.mark.parametrize(
    ("pod", "flags", "action", "text"),
    [
        (make_pod(meta=owned()), DrainFlags(), Action.EVICT, ""),
        (
            make_pod(),
            DrainFlags(),
            Action.REFUSE,
            "cannot delete Pods that declare no controller (use --force to override)",
        ),
        (make_pod(), DrainFlags(force=True), Action.DELETE, "deleting Pods that declare no controller"),
        (
            make_pod(meta=owned("DaemonSet")),
            DrainFlags(force=True),
            Action.REFUSE,
            "cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)",
        ),
        (
            make_pod(meta=owned("DaemonSet")),
            DrainFlags(ignore_daemonsets=True),
            Action.STAY,
            "ignoring DaemonSet-managed Pods",
        ),
        (make_pod(meta=MIRROR), DrainFlags(), Action.STAY, "mirror pod of a static pod, skipped"),
        (
            make_pod(meta=owned(), **EMPTY_DIR),
            DrainFlags(force=True),
            Action.REFUSE,
            "cannot delete Pods with local storage (use --delete-emptydir-data to override)",
        ),
        (
            make_pod(meta=owned(), **EMPTY_DIR),
            DrainFlags(delete_emptydir_data=True),
            Action.EVICT,
            "deleting Pods with local storage",
        ),
        (make_pod(status={"phase": "Succeeded"}, **EMPTY_DIR), DrainFlags(), Action.DELETE, "finished, removed"),
        (make_pod(status={"phase": "Failed"}, meta=owned("Job")), DrainFlags(), Action.DELETE, "finished, removed"),
        (
            make_pod(meta=owned(deletionTimestamp="2026-11-23T00:00:00Z")),
            DrainFlags(),
            Action.DELETE,
            "already being deleted",
        ),
    ],
)  # fmt: skip
def test_a_pod_is_treated_as_kubectl_treats_it(pod, flags, action, text):
    found = fate(pod, flags)
    assert (found.action, found.text) == (action, text)


def test_an_owner_that_does_not_control_is_no_controller():
    owner = {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "d"}
    assert fate(make_pod(meta={"ownerReferences": [owner]}), DrainFlags()).reason == "unmanaged"


# ---- the Eviction API ------------------------------------------------------------------------------------------------


def api(*budgets):
    return EvictionApi(read_budgets(read_dicts(budgets, "c").related))


def guarded(phase="Running", conditions=READY, **meta):
    status = {"phase": phase, "conditions": conditions}
    return make_pod(meta=owned(labels={"app": "web"}, **meta), status=status, namespace="default")


def test_an_eviction_is_counted_until_none_is_left_and_ready_replacements_give_back():
    evictions = api(budget(allowed=1))
    first = evictions.evict(guarded())
    assert (first.answer, first.budget.key) == (Answer.COUNTED, "default/web")
    refused = evictions.evict(guarded())
    assert refused.answer is Answer.NOT_NOW
    assert refused.text == (
        "Cannot evict pod as it would violate the pod's disruption budget. "
        "The disruption budget web needs 2 healthy pods and has 3 currently"
    )
    evictions.give_back({first.budget: 1})
    assert evictions.evict(guarded()).answer is Answer.COUNTED


def test_two_budgets_can_never_be_met():
    found = api(budget(), budget("other")).judge(guarded())
    assert (found.answer, found.text) == (
        Answer.NEVER,
        "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support. "
        "(web and other)",
    )


@pytest.mark.parametrize(
    ("pod", "one"),
    [
        (guarded("Pending"), budget(allowed=0)),
        (guarded(deletionTimestamp="2026-11-23T00:00:00Z"), budget(allowed=0)),
        (guarded(conditions=UNREADY), budget(allowed=0, healthy=2, desired=2)),
        (guarded(conditions=UNREADY), budget(allowed=0, healthy=0, unhealthyPodEvictionPolicy="AlwaysAllow")),
        (make_pod(meta=owned(labels={"app": "db"})), budget(allowed=0)),
        (make_pod(meta=owned(labels={"app": "web"}), namespace="elsewhere"), budget(allowed=0)),
    ],
)
def test_some_evictions_are_not_counted(pod, one):
    assert api(one).evict(pod).answer is Answer.FREE


def test_an_unready_pod_of_an_unhealthy_application_is_guarded():
    assert api(budget(allowed=0, healthy=1, desired=2)).judge(guarded(conditions=UNREADY)).answer is Answer.NOT_NOW


def test_an_empty_selector_selects_the_whole_namespace_and_none_selects_nothing():
    unlabelled = make_pod(meta=owned(), status={"phase": "Running"})
    assert api(budget(allowed=0, selector={})).judge(unlabelled).answer is Answer.NOT_NOW
    without = budget(allowed=0)
    del without["spec"]["selector"]
    assert api(without).judge(unlabelled).answer is Answer.FREE


def test_a_budget_that_its_controller_has_not_seen_allows_nothing():
    found = api(budget(allowed=5, metadata={"generation": 2})).judge(guarded())
    assert found.answer is Answer.NOT_NOW
    assert found.text.endswith("The disruption budget web is still being processed by the server.")


# ---- whole drains ----------------------------------------------------------------------------------------------------


def test_room_is_deducted_as_pods_land():
    """b has room for one pod of two cores, c for one: the third finds none, and says why."""
    objects = [node_dict("a", cpu="8"), node_dict("b", cpu="3"), node_dict("c", cpu="2")]
    objects += [running(f"p{number}", "a", "2") for number in range(3)]
    found = drained("a", objects=objects)
    assert moves_of(found) == [("p0", "a", "b", 1), ("p1", "a", "c", 1), ("p2", "a", None, 1)]
    last = found.moves[-1].outcome
    assert last.message == "0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu."
    assert last.smallest_change == {
        "kind": "request", "host": "b", "resource": "cpu", "rule": None, "argument": None, "have": 1000, "need": 2000,
    }  # fmt: skip


def test_the_important_leave_first_then_the_old():
    objects = [node_dict("a"), node_dict("b", cpu="2")]
    objects += [
        running("young", "a", meta=owned(creationTimestamp="2026-11-02T00:00:00Z")),
        running("old", "a", meta=owned(creationTimestamp="2026-11-01T00:00:00Z")),
        running("important", "a", meta=owned(creationTimestamp="2026-11-03T00:00:00Z"), priority=10),
    ]
    found = drained("a", objects=objects)
    assert moves_of(found) == [("important", "a", "b", 1), ("old", "a", "b", 1), ("young", "a", None, 1)]
    assert [one.rule for one in found.not_evaluated] == [
        "PodTopologySpread (cluster defaults)",
        "PodDisruptionBudget",
    ]


def test_a_budget_spreads_the_evictions_over_rounds():
    objects = [node_dict("a"), node_dict("b", cpu="16"), budget(allowed=2)]
    objects += [running(f"p{number}", "a", "500m") for number in range(5)]
    objects.append(running("free", "a", "500m", meta=owned(labels={"app": "other"})))
    found = drained("a", objects=objects)
    assert [(name, number) for name, _, _, number in moves_of(found)] == [
        ("free", 1), ("p0", 1), ("p1", 1), ("p2", 2), ("p3", 2), ("p4", 3),
    ]  # fmt: skip
    assert [(one.name, one.allowed, one.moves, one.rounds) for one in found.budgets] == [("default/web", 2, 5, 3)]
    assert found.rounds == 3


def test_a_replacement_without_a_place_gives_its_budget_nothing_back():
    objects = [node_dict("a"), node_dict("b", cpu="1"), budget(allowed=1)]
    objects += [running("p0", "a", "2"), running("p1", "a", "1")]
    found = drained("a", objects=objects)
    assert moves_of(found) == [("p0", "a", None, 1)]
    assert [(one.name, one.action, one.budget, one.allowed) for one in found.held] == [
        ("p1", "refuse", "default/web", 1)
    ]


def test_what_a_budget_never_allows_is_listed_with_its_allowance():
    objects = [node_dict("a"), node_dict("b"), budget(allowed=0, healthy=2, desired=2), running("p", "a")]
    found = drained("a", objects=objects)
    assert found.moves == []
    assert [(one.name, one.reason, one.budget, one.allowed) for one in found.held] == [
        ("p", "budget", "default/web", 0)
    ]
    assert found.rounds == 0


def test_a_pod_that_needs_another_waits_for_it():
    """The follower, being older, leaves first and finds its partner only on the cordoned node; then that moves, too."""
    together = {
        "podAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [
                {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "leader"}}}
            ]
        }
    }
    objects = [node_dict(name, labels={"kubernetes.io/hostname": name}) for name in "ab"]
    objects += [
        running("follower", "a", meta=owned(creationTimestamp="2026-11-01T00:00:00Z"), affinity=together),
        running("leader", "a", meta=owned(labels={"app": "leader"}, creationTimestamp="2026-11-02T00:00:00Z")),
    ]
    assert moves_of(drained("a", objects=objects)) == [("follower", "a", "b", 1), ("leader", "a", "b", 1)]


def test_several_nodes_are_cordoned_before_the_first_pod_leaves():
    objects = [node_dict("a"), node_dict("b", cpu="64"), node_dict("c"), running("p", "a"), running("q", "b")]
    assert moves_of(drained("a", "b", objects=objects)) == [("p", "a", "c", 1), ("q", "b", "c", 1)]


def test_a_pod_that_tolerates_everything_comes_back():
    objects = [node_dict("a", cpu="64"), node_dict("b"), running("p", "a", tolerations=[{"operator": "Exists"}])]
    (move,) = drained("a", objects=objects).moves
    assert (move.outcome.host, move.returns, move.placed) == ("a", True, False)


def test_ties_are_counted():
    objects = [node_dict("a"), node_dict("b"), node_dict("c"), node_dict("d", cpu="1"), running("p", "a")]
    (move,) = drained("a", objects=objects).moves
    assert (move.outcome.host, move.ties) == ("b", 2)


def test_what_is_deleted_or_stays_is_listed_and_does_not_move():
    objects = [node_dict("a"), node_dict("b", pods="1")]
    objects += [
        running("daemon", "a", meta=owned("DaemonSet")),
        running("alone", "a", meta={"labels": {}}),
        pod_dict("done", node="a", meta=owned(), status={"phase": "Succeeded"}),
        running("static", "a", meta=MIRROR),
        running("p", "a"),
    ]
    found = drained("a", objects=objects)
    assert [(one.name, one.action, one.reason) for one in found.held] == [
        ("alone", "delete", "unmanaged"),
        ("daemon", "stay", "daemonSet"),
        ("done", "delete", "finished"),
        ("static", "stay", "mirror"),
    ]
    assert moves_of(found) == [("p", "a", "b", 1)]


def test_refused_pods_stay_and_the_others_are_moved_all_the_same():
    objects = [node_dict("a"), node_dict("b"), running("d", "a", meta=owned("DaemonSet")), running("p", "a")]
    found = drained("a", objects=objects, flags=DrainFlags())
    assert [(one.name, one.action) for one in found.held] == [("d", "refuse")]
    assert moves_of(found) == [("p", "a", "b", 1)]


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        (["nope"], "c: no Node nope in the input"),
        (["a", "a"], "c: Node a is given twice"),
        (["a", "b"], "c: all 2 nodes would be drained; at least one has to stay for the pods"),
    ],
)
def test_bad_names_are_refused(nodes, message):
    with pytest.raises(InputError) as error:
        drained(*nodes, objects=[node_dict("a"), node_dict("b")])
    assert str(error.value) == message


def test_what_is_pending_and_what_nobody_said_of_budgets_is_told():
    objects = [node_dict("a"), node_dict("b"), running("p", "a"), pod_dict("waits", "1")]
    found = drained("a", objects=objects)
    assert found.notes == ["1 pending pod left out, such as default/waits: what moves is placed first"]
    assert ("PodDisruptionBudget", 1) in [(one.rule, one.objects) for one in found.not_evaluated]


def test_that_kube_scheduler_samples_is_told():
    objects = [*(node_dict(f"n{number}") for number in range(150)), running("p", "n0")]
    found = drained("n0", objects=objects)
    assert found.notes == [
        "every one of 150 nodes was looked at; kube-scheduler stops at 100 feasible ones, so it may choose another "
        "that fits"
    ]
    assert drained("n1", objects=objects).notes == []


def test_each_pod_is_judged_by_its_own_profile():
    """The second profile packs, the first one spreads: equal pods of the two go to different nodes."""
    strategy = {"type": "MostAllocated", "resources": [{"name": "cpu", "weight": 1}]}
    packs = {"name": "NodeResourcesFit", "args": {"scoringStrategy": strategy}}
    config = {
        "profiles": [{"schedulerName": "default-scheduler"}, {"schedulerName": "packer", "pluginConfig": [packs]}]
    }
    profiles = read_configuration(config)
    amounts = {"cpu": "8", "memory": "8Gi", "pods": "10"}
    nodes = [
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "status": {"allocatable": amounts}}
        for name in ("a", "b", "c")
    ]
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "controller": True}

    def pod(name, node, scheduler, cpu):
        containers = [{"name": "c", "image": "i", "resources": {"requests": {"cpu": cpu}}}]
        return {
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "x", "ownerReferences": [owner]},
            "spec": {"nodeName": node, "schedulerName": scheduler, "containers": containers},
            "status": {"phase": "Running"},
        }  # fmt: skip

    pods = [pod("one", "a", "default-scheduler", "1"), pod("two", "a", "packer", "1"), pod("big", "b", "packer", "4")]
    found = drain("k", read_dicts([*nodes, *pods]), ["a"], DrainFlags(), profiles)
    assert {move.outcome.name: move.outcome.host for move in found.moves} == {"one": "c", "two": "b"}
    assert not any("schedulerName" in one.rule for one in found.not_evaluated)
    alone = drain("k", read_dicts([*nodes, *pods]), ["a"], DrainFlags(), profiles[0])
    assert {move.outcome.name: move.outcome.host for move in alone.moves} == {"one": "c", "two": "c"}
    assert [one.rule for one in alone.not_evaluated if "schedulerName" in one.rule] == ["schedulerName packer"]
