"""Several profiles in one configuration: each pod by its own, in one queue, over one cluster."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from binwright.errors import InputError
from binwright.formats.files import Blob
from binwright.kubernetes.compile import Cluster
from binwright.kubernetes.configuration import read_configuration, read_file
from binwright.kubernetes.conformance import _Replay
from binwright.kubernetes.explain import open_source
from binwright.kubernetes.objects import Node, Pod
from binwright.kubernetes.place import Options, place_dicts
from binwright.kubernetes.related import Related, kind_by_plural
from binwright.kubernetes.verify import verify_source
from binwright.outcome import NotEvaluated
from binwright.verdict import Verdict
from tests.kubernetes.made import node_dict, pod_dict
from tests.kubernetes.test_against_reference import Dice, configuration, random_case
from tests.reference.kubernetes.cluster import Cluster as SlowCluster
from tests.reference.kubernetes.pods import Pod as SlowPod

BATCH = {
    "schedulerName": "batch",
    "pluginConfig": [{"name": "NodeResourcesFit", "args": {"scoringStrategy": {"type": "MostAllocated"}}}],
    "plugins": {"filter": {"disabled": [{"name": "TaintToleration"}]}},
}


def options(*profiles, **more):
    found = read_configuration({"profiles": list(profiles), **more})
    return Options(profile=found[0], others=tuple(found[1:]))


def placed(items, chosen):
    return {one.name: one.host for one in place_dicts("demo", items, chosen).placed}


def test_each_pod_by_its_own_profile():
    items = [
        node_dict("empty"),
        node_dict("used"),
        pod_dict("old", cpu="1", memory="1Gi", node="used"),
        pod_dict("spread", cpu="1", memory="1Gi", priority=3),
        pod_dict("packed", cpu="1", memory="1Gi", priority=2, schedulerName="batch"),
        pod_dict("foreign", cpu="1", schedulerName="other"),
    ]
    both = options({"schedulerName": "default-scheduler"}, BATCH)
    outcome = place_dicts("demo", items, both)
    assert {one.name: one.host for one in outcome.placed} == {"spread": "empty", "packed": "empty"}
    items[2]["spec"]["containers"][0]["resources"]["requests"]["cpu"] = "2"
    assert placed(items, both) == {"spread": "empty", "packed": "used"}
    assert outcome.not_evaluated == [NotEvaluated("schedulerName other", 1, "Pod default/foreign")]
    assert placed(items, options(BATCH, {"schedulerName": "default-scheduler"})) == placed(items, both)


def test_filters_are_those_of_the_profile():
    taint = [{"key": "k", "effect": "NoSchedule"}]
    items = [node_dict("n", taints=taint), pod_dict("p"), pod_dict("q", schedulerName="batch")]
    outcome = place_dicts("demo", items, options({"schedulerName": "default-scheduler"}, BATCH))
    assert [one.name for one in outcome.placed] == ["q"]
    assert [one.message for one in outcome.unplaced] == [
        "0/1 nodes are available: 1 node(s) had untolerated taint {k: }."
    ]


def test_pods_of_one_profile_meet_those_of_the_other():
    """A host port, and the anti-affinity of a pod whose own profile does not filter for such things."""
    loose = {
        "schedulerName": "loose",
        "plugins": {"filter": {"disabled": [{"name": "NodePorts"}, {"name": "InterPodAffinity"}]}},
    }
    both = options(loose, {"schedulerName": "default-scheduler"})
    ports = [{"name": "c", "ports": [{"hostPort": 80}]}]
    items = [node_dict("n"), pod_dict("a", containers=ports, priority=9, schedulerName="loose")]
    items += [pod_dict("b", containers=ports), pod_dict("c", containers=ports, schedulerName="loose")]
    assert placed(items, both) == {"a": "n", "c": "n"}
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "x"}}}
    alone = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    nodes = [node_dict("n", labels={"kubernetes.io/hostname": "n"})]
    shy = pod_dict("a", affinity=alone, priority=9, schedulerName="loose", meta={"uid": "1"})
    other = pod_dict("b", meta={"labels": {"app": "x"}, "uid": "2"})
    assert placed([*nodes, shy, other], both) == {"a": "n"}


def test_preemption_is_the_profiles_own():
    mild = {"schedulerName": "mild", "plugins": {"postFilter": {"disabled": [{"name": "DefaultPreemption"}]}}}
    found = options({"schedulerName": "default-scheduler"}, mild)
    both = Options(preempt=True, profile=found.profile, others=found.others)
    items = [node_dict("n", cpu="1"), pod_dict("old", cpu="1", node="n")]
    assert placed([*items, pod_dict("p", cpu="1", priority=5)], both) == {"p": "n"}
    assert placed([*items, pod_dict("p", cpu="1", priority=5, schedulerName="mild")], both) == {}


def test_what_is_not_carried_out_is_listed_for_each_profile():
    strange = {"schedulerName": "strange", "plugins": {"filter": {"enabled": [{"name": "Mine"}]}}}
    found = options({"schedulerName": "default-scheduler"}, strange, extenders=[{"urlPrefix": "http://x"}])
    listed = place_dicts("demo", [node_dict("n")], found).not_evaluated
    assert listed == [
        NotEvaluated("extenders", 1, "profile default-scheduler"),
        NotEvaluated("extenders", 1, "profile strange"),
        NotEvaluated("plugin Mine", 1, "profile strange"),
    ]


def test_a_file_with_profiles(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(
        "kind: KubeSchedulerConfiguration\nprofiles:\n- schedulerName: batch\n- schedulerName: default-scheduler\n"
    )
    assert [one.scheduler_name for one in read_file(str(path))] == ["default-scheduler", "batch"]
    path.write_text("kind: KubeSchedulerConfiguration\nprofiles:\n- schedulerName: a\n- schedulerName: a\n")
    with pytest.raises(InputError, match="two profiles of one schedulerName"):
        read_file(str(path))


# ---- against the reference, which knows one profile at a time --------------------------------------------------------


def drawn(seed):
    """A random case whose pods belong to three profiles, and the profiles by name."""
    dice = Dice(seed)
    case = random_case(seed)
    case.pop("config", None)
    case.pop("nominated", None)
    names = [one["metadata"]["name"] for one in case["objects"]["nodes"]]
    profiles = {"default-scheduler": {"schedulerName": "default-scheduler"}}
    for name in ("second", "third"):
        (profile,) = configuration(dice, names)["profiles"]
        affinity = {
            "hardPodAffinityWeight": dice.choice([0, 1, 30]),
            "ignorePreferredTermsOfExistingPods": dice.maybe(),
        }
        profile.setdefault("pluginConfig", []).append({"name": "InterPodAffinity", "args": affinity})
        profiles[name] = {**profile, "schedulerName": name}
    for pod in (*case["pods"], *case["pending"]):
        pod["spec"]["schedulerName"] = dice.choice(list(profiles))
    return case, profiles


PARTS = ("outcome", "feasible", "filter", "max", "chosen", "fitError", "message", "preemption")


def pruned(result):
    found = {part: result[part] for part in PARTS if result.get(part)}
    if result.get("score"):
        found["total"] = result["score"]["total"]
    return msgspec.json.decode(msgspec.json.encode(found))


def slowly(case, profiles):
    clusters = {name: SlowCluster({"profiles": [one]}, objects=case["objects"]) for name, one in profiles.items()}
    first = next(iter(clusters.values()))
    for manifest in case["pods"]:
        first.add_bound_pod(manifest)
    for other in clusters.values():
        other.nodes, other.objects, other.nominated = first.nodes, first.objects, first.nominated
    for manifest in case["pending"]:
        cluster = clusters[manifest["spec"]["schedulerName"]]
        pod = SlowPod(manifest)
        decision = cluster.decide(pod)
        if decision.node is not None:
            cluster.commit(decision, "2026-01-02T00:00:00+00:00")
        yield pruned(decision.result)


def quickly(case, profiles):
    objects = dict(case["objects"])
    nodes = msgspec.convert(objects.pop("nodes"), list[Node])
    bound, pending = (msgspec.convert(case[part], list[Pod]) for part in ("pods", "pending"))
    related = Related(complete=True)
    for plural, listed in objects.items():
        kind, struct = kind_by_plural(plural)
        for one in msgspec.convert(listed or [], list[struct]):
            related.add(kind, one)
    cluster = Cluster(nodes, [*bound, *pending], read_configuration({"profiles": list(profiles.values())}), related)
    assert not cluster.bind(bound)
    run = _Replay(cluster, [], None)
    run.preemption.carry_out = lambda attempt: None  # nobody leaves: the next pod finds what this one found
    run.cycle.clear = lambda host, level: []
    for pod in pending:
        yield pruned(run.schedule(pod, "2026-01-02T00:00:00+00:00"))


@given(st.integers(0, 2**32 - 1))
def test_random_profiles_against_the_reference(seed):
    case, profiles = drawn(seed)
    for pod, slow, quick in zip(case["pending"], slowly(case, profiles), quickly(case, profiles), strict=True):
        assert quick == slow, f"seed {seed}: {pod['metadata']['name']}"


# ---- the other questions ---------------------------------------------------------------------------------------------


def blobs(*items):
    return [Blob("objects.json", msgspec.json.encode({"kind": "List", "apiVersion": "v1", "items": items}))]


def test_explain_judges_a_pod_by_its_own_profile():
    nodes = [node_dict("n", taints=[{"key": "k", "effect": "NoSchedule"}])]
    pods = [pod_dict("p"), pod_dict("q", schedulerName="batch"), pod_dict("r", schedulerName="other")]
    opened = open_source("demo", blobs(*nodes, *pods), options({"schedulerName": "default-scheduler"}, BATCH))
    told = [opened.explain(number, 1) for number in range(3)]
    assert [one.outcome.verdict for one in told] == [Verdict.UNRESOLVABLE, Verdict.PLACED, Verdict.UNRESOLVABLE]


def test_verify_judges_bound_pods_by_their_own_profile():
    nodes = [node_dict("n", cpu="1")]
    pods = [
        pod_dict(name, cpu="2", node="n", schedulerName=of)
        for name, of in (("p", None), ("q", "batch"), ("r", "other"))
    ]
    found = verify_source("demo", blobs(*nodes, *pods), options({"schedulerName": "default-scheduler"}, BATCH))
    assert found.checked == 2
    assert {one.name for one in found.findings} == {"p", "q"}
    assert [one.rule for one in found.not_evaluated] == ["schedulerName other"]


def test_sampling_looks_at_the_part_that_the_profile_says():
    """With peer sampling: 300 empty nodes, of which one profile looks at a third and the other at all."""
    wide = {"schedulerName": "wide", "percentageOfNodesToScore": 100}
    found = options({"schedulerName": "default-scheduler", "percentageOfNodesToScore": 34}, wide)
    sampled = Options(sample_percentage=34, profile=found.profile, others=found.others)
    nodes = [node_dict(f"n{number}", labels={"disk": "ssd"} if number == 250 else {}) for number in range(300)]
    term = {"weight": 1, "preference": {"matchExpressions": [{"key": "disk", "operator": "Exists"}]}}
    near = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [term]}}
    assert placed([*nodes, pod_dict("p", affinity=near)], sampled)["p"] != "n250"
    assert placed([*nodes, pod_dict("p", affinity=near, schedulerName="wide")], sampled) == {"p": "n250"}
