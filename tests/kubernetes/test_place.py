"""The main job for one cluster: from objects to outcomes."""

import json

import pytest

from binwright.errors import InputError
from binwright.formats.files import Blob
from binwright.kubernetes.place import Options, place_dicts, place_source
from binwright.outcome import NotEvaluated, ReasonText
from binwright.verdict import Verdict
from tests.kubernetes.made import expression, node_dict, pod_dict, required

GIB = 2**30


def use(outcome, name):
    (found,) = [one for one in outcome.resources if one.name == name]
    return found.capacity, found.used_before, found.used_after


def test_what_went_where():
    items = [
        node_dict("n1", cpu="2"),
        node_dict("n2", cpu="4"),
        pod_dict("old", cpu="1", memory="1Gi", node="n2", namespace="team"),
        pod_dict("done", cpu="1", node="n2", status={"phase": "Succeeded"}),
        pod_dict("small", cpu="1", memory="1Gi", namespace="team", meta={"uid": "u-1"}),
        pod_dict("big", cpu="3", priority=10),
        {"apiVersion": "v1", "kind": "ConfigMap"},
    ]
    outcome = place_dicts("demo", items)
    assert (outcome.source, outcome.layer, outcome.hosts) == ("demo", "kubernetes", 2)
    assert [(one.namespace, one.name, one.uid, one.host) for one in outcome.placed] == [
        ("default", "big", None, "n2"), ("team", "small", "u-1", "n1"),
    ]  # fmt: skip
    assert all(one.verdict is Verdict.PLACED and one.kind == "Pod" and one.score > 0 for one in outcome.placed)
    assert outcome.unplaced == []
    assert use(outcome, "cpu") == (6000, 1000, 5000)
    assert use(outcome, "memory") == (16 * GIB, GIB, 2 * GIB)
    assert use(outcome, "pods") == (220, 1, 3)
    assert outcome.skipped_kinds == {"ConfigMap": 1}
    assert outcome.not_evaluated == []
    assert outcome.notes == []
    assert place_source("demo", [Blob("f.json", json.dumps(items).encode())]) == outcome


def test_why_not():
    items = [
        node_dict("n1", cpu="2", labels={"disk": "ssd"}),
        node_dict("n2", cpu="4", taints=[{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]),
        node_dict("n3", cpu="1", unschedulable=True),
        pod_dict("p", cpu="3"),
    ]
    (refused,) = place_dicts("demo", items).unplaced
    assert refused.verdict is Verdict.UNRESOLVABLE
    assert refused.host is None
    assert refused.message == (
        "0/3 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint {gpu: yes}, "
        "1 node(s) were unschedulable."
    )
    assert refused.reasons == [
        ReasonText("NodeUnschedulable", 1, "node(s) were unschedulable"),
        ReasonText("TaintToleration", 1, "node(s) had untolerated taint {gpu: yes}"),
        ReasonText("NodeResourcesFit", 1, "Insufficient cpu"),
    ]
    assert refused.smallest_change == {
        "kind": "request", "host": "n1", "resource": "cpu", "rule": None, "argument": None, "have": 2000, "need": 3000,
    }  # fmt: skip


def test_without_explanations_the_same_goes_to_the_same_nodes():
    items = [node_dict("n1", cpu="2"), node_dict("n2", cpu="3"), *(pod_dict(f"p{n}", cpu=f"{n}") for n in range(1, 5))]
    told, quick = place_dicts("demo", items), place_dicts("demo", items, Options(explain=False))
    assert [(one.name, one.host, one.score) for one in quick.placed] == [
        (one.name, one.host, one.score) for one in told.placed
    ]
    assert [(one.name, one.message) for one in quick.unplaced] == [(one.name, None) for one in told.unplaced]
    assert len(quick.unplaced) == 2


def test_the_smallest_change_can_be_one_rule():
    items = [node_dict("n1", taints=[{"key": "k", "effect": "NoSchedule"}]), pod_dict("p", cpu="1")]
    change = place_dicts("demo", items).unplaced[0].smallest_change
    assert (change["kind"], change["host"], change["rule"]) == ("rule", "n1", "TaintToleration")
    assert change["argument"] == "node(s) had untolerated taint {k: }"


def test_one_host_that_is_too_full_is_unschedulable_and_one_that_is_too_small_unresolvable():
    full = [node_dict("n", cpu="2"), pod_dict("old", cpu="1", node="n"), pod_dict("p", cpu="2")]
    assert place_dicts("demo", full).unplaced[0].verdict is Verdict.UNSCHEDULABLE
    small = [node_dict("n", cpu="1"), pod_dict("p", cpu="2")]
    assert place_dicts("demo", small).unplaced[0].verdict is Verdict.UNRESOLVABLE


def test_refusals_follow_the_state_in_which_they_happened():
    """The same class is refused differently before and after others took the space."""
    items = [
        node_dict("n1", cpu="4", memory="2Gi"),
        node_dict("n2", cpu="4", memory="8Gi", taints=[{"key": "k", "effect": "NoSchedule"}]),
        pod_dict("a-wide", memory="3Gi", priority=3),
        pod_dict("b-taker", memory="2Gi", priority=2),
        pod_dict("c-wide", memory="3Gi", priority=1),
    ]
    outcome = place_dicts("demo", items)
    assert [(one.name, one.smallest_change["kind"], one.smallest_change["host"]) for one in outcome.unplaced] == [
        ("a-wide", "request", "n1"), ("c-wide", "rule", "n2"),
    ]  # fmt: skip


def test_terms_that_conflict_by_name_have_the_peers_words():
    fields = [{"key": "metadata.name", "operator": "In", "values": [name]} for name in ("a", "b")]
    items = [node_dict("a"), node_dict("b"), pod_dict("p", affinity=required({"matchFields": fields}))]
    (refused,) = place_dicts("demo", items).unplaced
    assert refused.message == "0/2 nodes are available: pod affinity terms conflict."
    assert refused.reasons == [ReasonText("NodeAffinity", 2, "pod affinity terms conflict")]


def test_reasons_that_read_alike_are_counted_together_in_the_message():
    """A taint of one key and value may be two of different effect: one text."""
    items = [
        node_dict("a", taints=[{"key": "k", "effect": "NoSchedule"}]),
        node_dict("b", taints=[{"key": "k", "effect": "NoExecute"}]),
        pod_dict("p"),
    ]
    assert place_dicts("demo", items).unplaced[0].message == (
        "0/2 nodes are available: 2 node(s) had untolerated taint {k: }."
    )


def test_selectors_taints_and_affinity_send_pods_to_their_nodes():
    items = [
        node_dict("plain"),
        node_dict("ssd", labels={"disk": "ssd"}),
        node_dict("gpu", labels={"disk": "ssd", "gpu": "2"}, taints=[{"key": "gpu", "effect": "NoSchedule"}]),
        pod_dict("a", nodeSelector={"disk": "ssd"}),
        pod_dict("b", affinity=required(expression("gpu", "Gt", "1")), tolerations=[{"operator": "Exists"}]),
        pod_dict("c", affinity=required(expression("disk", "DoesNotExist"))),
    ]
    assert {one.name: one.host for one in place_dicts("demo", items).placed} == {"a": "ssd", "b": "gpu", "c": "plain"}


def test_a_thousand_equal_refusals_are_explained_once(monkeypatch):
    from binwright.result import PlaceResult

    calls = []
    explain = PlaceResult.explain
    monkeypatch.setattr(PlaceResult, "explain", lambda self, i: calls.append(i) or explain(self, i))
    items = [node_dict("n", cpu="1"), *(pod_dict(f"p{number:04}", cpu="2") for number in range(1000))]
    outcome = place_dicts("demo", items)
    assert len(outcome.unplaced) == 1000
    assert len({one.message for one in outcome.unplaced}) == 1
    assert len(calls) == 1


def test_notes_and_what_is_not_evaluated():
    term = {"topologyKey": "zone", "namespaceSelector": {"matchLabels": {"a": "b"}}}
    anti = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    items = [
        node_dict("n", cpu="2"),
        pod_dict("stray", node="gone"),
        pod_dict("dying", meta={"deletionTimestamp": "2026-01-01T00:00:00Z"}),
        pod_dict("gated", schedulingGates=[{"name": "g"}]),
        pod_dict("other", schedulerName="volcano"),
        pod_dict("keeper", node="n", cpu="1500m", priority=-1, affinity=anti),
        pod_dict("wanter", cpu="1", priority=1, affinity=anti, resourceClaims=[{"name": "gpu"}]),
    ]
    outcome = place_dicts("demo", items)
    assert outcome.notes == [
        "1 pod bound to nodes that are not in the input (gone), so they use nothing here: default/stray",
        "1 pod being deleted before they got a node, not placed: default/dying",
    ]
    assert {entry.rule: (entry.objects, entry.example) for entry in outcome.not_evaluated} == {
        "InterPodAffinity (namespaceSelector)": (2, "Pod default/wanter"),
        "DynamicResources": (1, "Pod default/wanter"),
        "SchedulingGates": (1, "Pod default/gated"),
        "schedulerName volcano": (1, "Pod default/other"),
        "DefaultPreemption": (1, "Pod default/wanter"),
    }


def test_nothing_pending():
    outcome = place_dicts("demo", [node_dict("n"), pod_dict("p", cpu="1", node="n")])
    assert outcome.placed == outcome.unplaced == []
    assert use(outcome, "cpu") == (4000, 1000, 1000)


@pytest.mark.parametrize(
    ("items", "line"),
    [
        ([], "demo: no Node in the input (kubectl get nodes,pods -A -o json gives nodes and pods)"),
        ([pod_dict("p")], "demo: no Node in the input"),
        ([node_dict("n", cpu="x")], "demo: Node n: status.allocatable.cpu: 'x' is not a quantity"),
        ([node_dict("n"), pod_dict("p", memory="1.5.2Gi")], "demo: Pod default/p: spec.containers[0].resources"),
        ([node_dict("n"), node_dict("n")], "demo: Node n: is in the input twice"),
    ],
)
def test_bad_input_is_one_line(items, line):
    with pytest.raises(InputError) as caught:
        place_dicts("demo", items)
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


HUGE = 10**30
TERM = {"topologyKey": "zone", "labelSelector": {}}
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def wishing(kind, *weights):
    name, part = ("preference", {}) if kind == "nodeAffinity" else ("podAffinityTerm", TERM)
    return {"affinity": {kind: {PREFERRED: [{"weight": weight, name: part} for weight in weights]}}}


@pytest.mark.parametrize(
    ("spec", "line"),
    [
        *(
            (wishing(kind, 1, weight), f"spec.affinity.{kind}.{PREFERRED}[1].weight: {weight} is outside 0..100")
            for kind in ("nodeAffinity", "podAffinity", "podAntiAffinity")
            for weight in (HUGE, 2 * 2**62, 101, -5)
        ),
        *(
            (
                {"topologySpreadConstraints": [{"topologyKey": "zone"}, {"topologyKey": "zone", field: number}]},
                f"spec.topologySpreadConstraints[1].{field}: {number} is outside 1..2147483647",
            )
            for field in ("maxSkew", "minDomains")
            for number in (HUGE, 2**31, 0, -1)
        ),
    ],
)
def test_numbers_that_no_api_server_lets_through(spec, line):
    with pytest.raises(InputError) as caught:
        place_dicts("demo", [node_dict("n", labels={"zone": "z"}), pod_dict("p", **spec)])
    assert str(caught.value) == f"demo: Pod default/p: {line}"


def test_the_largest_numbers_that_an_api_server_lets_through():
    most = {"topologyKey": "zone", "maxSkew": 2**31 - 1, "minDomains": 2**31 - 1}
    wishes = [wishing(kind, 1, 100)["affinity"] for kind in ("nodeAffinity", "podAffinity", "podAntiAffinity")]
    spec = {"affinity": {kind: terms for one in wishes for kind, terms in one.items()}}
    items = [node_dict("n", labels={"zone": "z"}), pod_dict("p", topologySpreadConstraints=[most], **spec)]
    assert [one.name for one in place_dicts("demo", items).placed] == ["p"]


def test_not_evaluated_entries_are_the_shared_type():
    items = [node_dict("n"), pod_dict("p", resourceClaims=[{"name": "gpu"}])]
    assert place_dicts("demo", items).not_evaluated == [NotEvaluated("DynamicResources", 1, "Pod default/p")]


def spread(key="zone", **more):
    selector = {"matchLabels": {"app": "a"}}
    made = {"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "DoNotSchedule", "labelSelector": selector, **more}
    return {"topologySpreadConstraints": [made], "meta": {"labels": {"app": "a"}}}


def test_relations_between_pods_decide():
    port = {"containers": [{"name": "c", "ports": [{"containerPort": 80, "hostPort": 80}]}]}
    items = [
        node_dict("x1", labels={"zone": "x"}),
        node_dict("x2", labels={"zone": "x"}),
        node_dict("y1", labels={"zone": "y"}),
        pod_dict("s1", **spread()),
        pod_dict("s2", **spread()),
        *(pod_dict(f"web{number}", **port) for number in range(4)),
    ]
    outcome = place_dicts("demo", items)
    hosts = {one.name: one.host for one in outcome.placed}
    assert {hosts["s1"][0], hosts["s2"][0]} == {"x", "y"}
    assert sorted(host for name, host in hosts.items() if name.startswith("web")) == ["x1", "x2", "y1"]
    (refused,) = outcome.unplaced
    assert refused.reasons == [ReasonText("NodePorts", 3, "node(s) didn't have free ports for the requested pod ports")]
    assert refused.verdict is Verdict.UNSCHEDULABLE
    assert refused.smallest_change["rule"] == "NodePorts"
    assert outcome.not_evaluated == []


def test_delayed_claims_take_their_volumes_one_after_another():
    def claim(name):
        spec = {
            "storageClassName": "local",
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        }
        return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}

    def volume(name, node):
        field = {"key": "metadata.name", "operator": "In", "values": [node]}
        spec = {
            "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "local",
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchFields": [field]}]}},
        }  # fmt: skip
        meta = {"name": name}
        return {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": meta,
            "spec": spec,
            "status": {"phase": "Available"},
        }

    delayed = {"provisioner": "kubernetes.io/no-provisioner", "volumeBindingMode": "WaitForFirstConsumer"}
    items = [
        node_dict("a"), node_dict("b"), volume("v1", "b"), volume("v2", "a"),
        {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "local"}, **delayed},
        *(claim(f"c{number}") for number in range(3)),
        *(pod_dict(f"p{n}", volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": f"c{n}"}}])
          for n in range(3)),
    ]  # fmt: skip
    outcome = place_dicts("demo", items)
    assert {one.name: one.host for one in outcome.placed} == {"p0": "a", "p1": "b"}
    (refused,) = outcome.unplaced
    assert refused.message == "0/2 nodes are available: 2 node(s) didn't find available persistent volumes to bind."
    assert [one.rule for one in outcome.not_evaluated] == ["NodeVolumeLimits"]
    assert place_dicts("demo", items, Options(complete=True)).not_evaluated == []


def test_preemption_pushes_out_and_places_again():
    items = [
        node_dict("n1", cpu="2"),
        node_dict("n2", cpu="1"),
        pod_dict("low", cpu="1", node="n1"),
        pod_dict("lower", cpu="1", node="n1", priority=-1),
        pod_dict("high", cpu="2", priority=9),
    ]
    plain = place_dicts("demo", items)
    assert [one.rule for one in plain.not_evaluated] == ["DefaultPreemption"]
    outcome = place_dicts("demo", items, Options(preempt=True))
    placed = {one.name: (one.host, one.victims) for one in outcome.placed}
    assert placed["high"] == (
        "n1", [{"namespace": "default", "name": "low"}, {"namespace": "default", "name": "lower"}]
    )  # fmt: skip
    assert placed["low"] == ("n2", [])
    assert [one.name for one in outcome.unplaced] == ["lower"]
    assert [one.rule for one in outcome.not_evaluated] == ["PodDisruptionBudget"]
    assert use(outcome, "cpu") == (3000, 2000, 3000)


def test_a_nominated_node_is_kept_free_for_its_pod():
    items = [
        node_dict("n1", cpu="2"),
        pod_dict("waits", cpu="2", priority=5, status={"nominatedNodeName": "n1"}, schedulerName="default-scheduler"),
        pod_dict("b-small", cpu="1", priority=5, meta={"creationTimestamp": "2026-01-01T00:00:00Z"}),
    ]
    outcome = place_dicts("demo", items)
    assert [(one.name, one.host) for one in outcome.placed] == [("waits", "n1")]
    assert [one.name for one in outcome.unplaced] == ["b-small"]


def test_peer_sampling_looks_at_a_part():
    items = [node_dict(f"n{number:03}", labels={"z": "1"}) for number in range(150)]
    items += [pod_dict(f"p{number}", cpu="1") for number in range(3)]
    outcome = place_dicts("demo", items)
    assert outcome.notes == [
        "every one of 150 nodes was looked at; kube-scheduler stops at 100 feasible ones (--peer-sampling)"
    ]
    every = [one.host for one in outcome.placed]
    sampled = place_dicts("demo", items, Options(sample_percentage=0))
    assert sampled.notes == []
    part = [one.host for one in sampled.placed]
    assert every == ["n000", "n001", "n002"]
    assert part == ["n000", "n001", "n050"]
