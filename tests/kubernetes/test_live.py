"""The live cluster: what events, assumptions and time make of it is what a cluster compiled from its objects says."""

import copy
import random
import re

import msgspec
import numpy as np
import pytest

from binwright.errors import InputError
from binwright.kubernetes.compile import Cluster
from binwright.kubernetes.live import ASSUMED_SECONDS, IMAGES_SECONDS, Change, LiveCluster
from binwright.kubernetes.reader import read_blobs, read_dicts, read_object
from tests.kubernetes.made import make_pod, node_dict, pod_dict


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def change(found, gone=False):
    kind, read = read_object("test", msgspec.json.encode(found))
    return Change(kind, read, gone)


def running(name, node=None, cpu="1", **more):
    meta = {"uid": f"uid-{name}", **more.pop("meta", {})}
    return pod_dict(name, cpu=cpu, node=node, meta=meta, status={"phase": "Running" if node else "Pending"}, **more)


def small(clock=None):
    live = LiveCluster(clock=clock or Clock())
    live.apply([change(node_dict(name, cpu="4", labels={"zone": name})) for name in "abc"])
    return live


def free_for(live, pod):
    """Names of the nodes that would take a pod."""
    with live.asking(pod) as standing:
        look = standing.cluster.fleet.explain(standing.request(pod), live=True)
        return [standing.cluster.nodes.names[host] for host in np.flatnonzero(look.verdicts_by_host() == 255)]


def used(live):
    """Millicores in use, by node."""
    fleet = live.current().cluster.fleet
    return dict(zip(live.current().cluster.nodes.names, fleet.used[fleet.resources.index("cpu")].tolist()))


def test_pods_come_move_change_and_go():
    live = small()
    live.apply([change(running("p", "a")), change(running("q", "a", "2"))])
    assert used(live) == {"a": 3000, "b": 0, "c": 0}
    live.apply([change(running("p", "a", "1500m")), change(running("q", "b", "2"))])
    assert used(live) == {"a": 1500, "b": 2000, "c": 0}
    done = running("q", "b", "2") | {"status": {"phase": "Succeeded"}}
    live.apply([change(running("p", "a"), gone=True), change(done)])
    assert used(live) == {"a": 0, "b": 0, "c": 0}
    assert (live.pods, live.pending, live.builds) == (1, 0, 1)


def test_a_node_that_comes_later_takes_the_pods_that_were_there_before():
    live = small()
    live.apply([change(running("p", "d"))])
    assert sum(used(live).values()) == 0
    live.apply([change(node_dict("d", cpu="4"))])
    assert used(live)["d"] == 1000
    live.apply([change(node_dict("d"), gone=True)])
    assert list(used(live)) == ["a", "b", "c"]


def test_what_says_nothing_new_compiles_nothing():
    live = small()
    live.apply([change(running("p", "a"))])
    builds = live.builds
    node = node_dict("a", cpu="4", labels={"zone": "a"})
    node["status"]["conditions"] = [{"type": "Ready", "lastHeartbeatTime": "2026-11-23T00:00:00Z"}]
    live.apply([change(node), change(running("p", "a"))])
    assert live.builds == builds


def test_images_that_nodes_pull_are_scored_within_a_minute():
    clock = Clock()
    live = small(clock)

    def best():
        pod = make_pod("x", containers=[{"name": "c", "image": "app:1"}])
        with live.asking(pod) as standing:
            return standing.cluster.fleet.explain(standing.request(pod), live=True).host

    assert best() == 0
    builds = live.builds
    images = [{"names": ["app:1"], "sizeBytes": 900 * 2**20}]
    live.apply([change(node_dict("c", cpu="4", labels={"zone": "c"}, images=images))])
    assert (best(), live.builds) == (0, builds)
    clock.now += IMAGES_SECONDS
    assert (best(), live.builds) == (2, builds + 1)
    clock.now += 2 * IMAGES_SECONDS
    assert (best(), live.builds) == (2, builds + 1)
    live.apply([change(node_dict("c", cpu="4", labels={"zone": "d"}, images=images))])
    assert live.builds == builds + 2


def test_an_assumed_pod_holds_its_node_until_its_time_is_over():
    clock = Clock()
    live = small(clock)
    live.apply([change(running("p", cpu="3"))])
    assert live.pending == 1
    live.assume("default", "p", "uid-p", "b")
    assert (used(live)["b"], live.pending, live.assumed, live.where("default/p")) == (3000, 0, 1, "b")
    clock.now += ASSUMED_SECONDS - 0.001
    assert live.expire() == []
    clock.now += 0.001
    assert live.expire() == ["default/p"]
    assert (used(live)["b"], live.pending, live.assumed, live.where("default/p")) == (0, 1, 0, None)


def test_the_event_settles_what_was_assumed():
    clock = Clock()
    live = small(clock)
    live.apply([change(running("p", cpu="3"))])
    live.assume("default", "p", "uid-p", "b")
    live.apply([change(running("p", cpu="3") | {"status": {"phase": "Pending", "startTime": None}})])
    assert live.assumed == 1, "an event from before the binding says nothing"
    live.apply([change(running("p", "b", "3"))])
    assert (live.assumed, used(live)["b"]) == (0, 3000)
    clock.now += 2 * ASSUMED_SECONDS
    assert (live.expire(), used(live)["b"]) == ([], 3000)


@pytest.mark.parametrize("what", ["deleted", "another", "elsewhere", "ended"])
def test_an_assumption_ends_with_the_pod(what):
    live = small()
    live.apply([change(running("p", cpu="3"))])
    live.assume("default", "p", "uid-p", "b")
    if what == "deleted":
        live.apply([change(running("p"), gone=True)])
    elif what == "another":
        live.apply([change(running("p", meta={"uid": "uid-2"}))])
    elif what == "elsewhere":
        live.apply([change(running("p", "c", "3"))])
    else:
        live.apply([change(running("p", "b") | {"status": {"phase": "Failed"}})])
    assert live.assumed == 0
    assert used(live) == {"a": 0, "b": 0, "c": 3000 if what == "elsewhere" else 0}


def test_a_pod_made_anew_is_bound_though_the_former_one_is_still_shown():
    live = small()
    live.apply([change(running("db-0", "a", "2"))])
    anew = make_pod("db-0", cpu="2", meta={"uid": "second"})
    assert free_for(live, anew) == ["a", "b", "c"]
    live.assume("default", "db-0", "second", "b")
    assert used(live) == {"a": 0, "b": 2000, "c": 0}
    live.apply([change(running("db-0", "a", "2", meta={"deletionTimestamp": "2026-11-23T00:00:00Z"}))])
    live.apply([change(running("db-0", "a", "2"), gone=True)])
    assert (used(live), live.assumed) == ({"a": 0, "b": 2000, "c": 0}, 1), "events of the former one say nothing"
    live.apply([change(running("db-0", "b", "2", meta={"uid": "second"}))])
    assert (used(live), live.assumed) == ({"a": 0, "b": 2000, "c": 0}, 0)


def test_a_list_that_lacks_an_assumed_pod_says_that_it_is_gone():
    clock = Clock()
    live = small(clock)
    for name in "pq":
        free_for(live, make_pod(name, cpu="3", meta={"uid": f"uid-{name}"}))
        live.assume("default", name, f"uid-{name}", "b" if name == "p" else "c")
        clock.now += 10
    live.apply(live.list_changes("Pod", [], begun=clock.now - 10))  # q was assumed when the list was under way
    assert (used(live), live.assumed) == ({"a": 0, "b": 0, "c": 3000}, 1)
    live.apply(live.list_changes("Node", list(live._nodes.values())[:2], begun=0))
    assert list(used(live)) == ["a", "b"]


def test_assuming_is_refused_with_the_reason_and_twice_is_once():
    live = small()
    live.apply([change(running("p")), change(running("q", "a"))])
    for named, words in [
        (("default", "zz", "", "a"), "Pod default/zz: is not known"),
        (("default", "p", "other", "a"), "Pod default/p: has uid uid-p, not other"),
        (("default", "p", "uid-p", "zz"), "Pod default/p: Node zz: is not known"),
        (("default", "q", "uid-q", "b"), "Pod default/q: is on Node a already"),
    ]:
        with pytest.raises(InputError, match=words):
            live.assume(*named)
    live.assume("default", "p", "uid-p", "b")
    live.assume("default", "p", "uid-p", "b")
    with pytest.raises(InputError, match="is on Node b already, so it is not bound to c"):
        live.assume("", "p", "uid-p", "c")
    assert (used(live), live.assumed) == ({"a": 1000, "b": 1000, "c": 0}, 1)


def test_a_pod_of_a_question_can_be_bound_without_an_event():
    live = small()
    assert free_for(live, make_pod("new", cpu="4", meta={"uid": "u"})) == ["a", "b", "c"]
    live.assume("default", "new", "u", "a")
    assert free_for(live, make_pod("other", cpu="1")) == ["b", "c"]
    assert free_for(live, make_pod("new", cpu="4", meta={"uid": "u"})) == ["a", "b", "c"], "itself is in nobody's way"
    assert used(live)["a"] == 4000


def test_a_question_changes_nothing():
    live = small()
    live.apply([change(running("p", "a"))])
    before = used(live), live.changed, live.pods
    free_for(live, make_pod("x", cpu="3"))
    asking = live.asking(make_pod("p", cpu="1"))
    with asking:
        assert used(live)["a"] == 0
    asking = live.asking(make_pod("p", cpu="1"))
    asking.__enter__()
    asking.__exit__(RuntimeError, RuntimeError(), None)
    assert (used(live), live.changed, live.pods) == before


def test_a_pod_that_says_something_new_is_compiled_for():
    live = small()
    live.apply([change(running("db", "a", meta={"labels": {"app": "db"}}))])
    far = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "db"}}}]}}  # fmt: skip
    assert free_for(live, make_pod("x", affinity=far)) == ["b", "c"]
    builds = live.builds
    assert free_for(live, make_pod("y", affinity=far)) == ["b", "c"]
    assert live.builds == builds
    assert free_for(live, make_pod("gpu", requests={"example.com/gpu": "1"})) == []
    live.apply([change(node_dict("g", example__com_gpu="1") | {})])
    live.apply([change(running("x", "b", affinity=far))])
    assert free_for(live, make_pod("z", meta={"labels": {"app": "db"}})) == ["a", "c", "g"]


def test_a_nominated_pod_keeps_its_room():
    live = small()
    waits = running("vip", cpu="4", priority=10)
    waits["status"]["nominatedNodeName"] = "a"
    live.apply([change(waits)])
    assert free_for(live, make_pod("x", cpu="1")) == ["b", "c"]
    assert free_for(live, make_pod("above", cpu="1", priority=20)) == ["a", "b", "c"]
    assert free_for(live, make_pod("vip", cpu="4", priority=10, meta={"uid": "uid-vip"})) == ["a", "b", "c"]
    live.assume("default", "vip", "uid-vip", "b")
    assert free_for(live, make_pod("x", cpu="1")) == ["a", "c"]


@pytest.mark.parametrize(
    "bad",
    [
        running("bad", "a", "1x"),
        node_dict("a", cpu="lots"),
        running("bad", "a", affinity={"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
            {"topologyKey": "zone", "labelSelector": {"matchExpressions": [{"key": "k", "operator": "Near"}]}}]}}),
    ],
)  # fmt: skip
def test_events_are_taken_whole_or_not_at_all(bad):
    live = small()
    live.apply([change(running("p", "a"))])
    live.assume("default", running("p", "a")["metadata"]["name"], "uid-p", "a")
    before = used(live), live.pods, live.pending, live.assumed, list(live._nodes)
    good = [change(running("p", "b")), change(node_dict("b"), gone=True), change(running("q", "c"))]
    with pytest.raises(InputError, match=r"bad|Node a"):
        live.apply([*good, change(bad)])
    assert (used(live), live.pods, live.pending, live.assumed, list(live._nodes)) == before
    live.apply(good)
    assert used(live) == {"a": 0, "c": 1000}


def test_replacing_keeps_what_is_assumed_and_refuses_what_is_malformed():
    live = small()
    live.apply([change(running("p")), change(running("q"))])
    live.assume("default", "p", "uid-p", "b")
    live.assume("default", "q", "uid-q", "c")
    everything = [node_dict("b", cpu="8"), node_dict("c"), running("p"), running("q", "b")]
    live.replace(read_dicts(copy.deepcopy(everything)))
    assert (used(live), live.assumed) == ({"b": 2000, "c": 0}, 1)
    with pytest.raises(InputError, match="cpu"):
        live.replace(read_dicts([node_dict("b", cpu="many")]))
    assert (used(live), live.assumed) == ({"b": 2000, "c": 0}, 1)


def test_without_nodes_nothing_is_judged():
    with pytest.raises(InputError, match="no Node is known yet"), LiveCluster().asking(make_pod("p")):
        pass


def test_services_that_come_later_decide_what_is_spread():
    live = LiveCluster(complete=True)
    live.apply([change(node_dict(name, labels={"kubernetes.io/hostname": name})) for name in "ab"])
    live.apply([change(running(f"w{n}", "a", "10m", meta={"labels": {"app": "web"}})) for n in range(4)])
    pod = make_pod("w9", cpu="10m", meta={"labels": {"app": "web"}})

    def spread():
        with live.asking(pod) as standing:
            scores = standing.cluster.fleet.explain(standing.request(pod), live=True).scores
            return dict(zip(scores.names, scores.ran))["PodTopologySpread"]

    assert not spread()
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}}}
    live.apply([change(service)])
    assert spread()
    builds = live.builds
    live.apply([change(service | {"status": {"loadBalancer": {}}})])
    assert live.builds == builds
    live.apply([change(service, gone=True)])
    assert not spread()


def test_what_was_kept_for_many_questions_is_let_go(monkeypatch):
    from binwright.kubernetes import standing

    monkeypatch.setattr(standing, "_FEWEST_CLASSES", 20)
    monkeypatch.setattr(standing, "_CELLS", 0)
    live = small()
    live.apply([change(running("p", "a"))])
    for number in range(100):
        assert free_for(live, make_pod("x", cpu=f"{3001 + number}m")) == ["b", "c"]
        assert len(live.current().cluster.fleet._made) < 40
    assert 3 < live.builds < 8
    assert used(live) == {"a": 1000, "b": 0, "c": 0}
    monkeypatch.setattr(standing, "_MOST_QUESTIONS", 10)
    before = live.builds
    for _ in range(25):
        free_for(live, make_pod("x", cpu="1"))
    assert before + 2 <= live.builds <= before + 5


def test_budgets_that_change_make_new_ones_until_they_are_let_go(monkeypatch):
    from binwright.kubernetes import standing

    monkeypatch.setattr(standing, "_MOST_BUDGETS", 5)
    live = small()
    live.apply([change(running("p", "a", meta={"labels": {"app": "x"}}))])
    for allowed in range(12):
        budget = {
            "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "b", "namespace": "default"},
            "spec": {"selector": {"matchLabels": {"app": "x"}}}, "status": {"disruptionsAllowed": allowed % 2},
        }  # fmt: skip
        live.apply([change(budget)])
        vip = make_pod("vip", cpu="4", priority=9)
        with live.asking(vip) as there:
            there.tell_worth(np.array([0]))
            found = there.cluster.fleet.evict(there.request(vip), [0]).candidates
        assert [one.violations for one in found] == [1 - allowed % 2]
    assert live.builds == 2


def draw(rng, number):
    labels = {"app": rng.choice("xyz")}
    pod = running(f"p{number}", None, rng.choice(["100m", "700m", "1500m"]), meta={"labels": labels})
    term = {"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": rng.choice("xyz")}}}
    kind = rng.random()
    if kind < 0.15:
        pod["spec"]["affinity"] = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    elif kind < 0.3:
        pod["spec"]["topologySpreadConstraints"] = [
            {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {}}
        ]
    return pod


@pytest.mark.parametrize("seed", range(6))
def test_in_step_is_the_same_as_compiled_anew(seed):
    """Hundreds of random changes and binds: masks and totals are those of a cluster that never changed."""
    print("seed", seed)
    rng, clock = random.Random(seed), Clock()
    live = LiveCluster(complete=True, clock=clock)
    live.apply([change(node_dict(f"n{n}", cpu="4", labels={"zone": f"z{n % 3}"})) for n in range(6)])
    stored = {}
    for number in range(120):
        pod = draw(rng, number)
        doing = rng.random()
        if doing < 0.35:
            stored[pod["metadata"]["name"]] = pod
            live.apply([change(pod)])
        elif doing < 0.6 and stored:
            name = rng.choice(sorted(stored))
            stored[name] = copy.deepcopy(stored[name])
            if live.where(f"default/{name}") is None or rng.random() < 0.5:
                stored[name]["spec"]["nodeName"] = live.where(f"default/{name}") or f"n{rng.randrange(6)}"
                live.apply([change(stored[name])])
        elif doing < 0.75 and stored:
            live.apply([change(stored.pop(rng.choice(sorted(stored))), gone=True)])
        elif doing < 0.9 and stored:
            name = rng.choice(sorted(stored))
            if live.where(f"default/{name}") is None:
                live.assume("default", name, f"uid-{name}", f"n{rng.randrange(6)}")
        else:
            clock.now += rng.choice([1, 20])
        asked = make_pod("asked", cpu="700m", meta={"labels": {"app": "x"}})
        with live.asking(asked) as standing:
            look = standing.cluster.fleet.explain(standing.request(asked), live=True)
            got = look.verdicts_by_host().tolist(), look.scores.totals.tolist()
        fresh = Cluster(list(live._nodes.values()), [*live.bound(), asked], related=live.related)
        fresh.bind(live.bound())
        look = fresh.fleet.explain(fresh.request(asked))
        assert got == (look.verdicts_by_host().tolist(), look.scores.totals.tolist()), number
    assert live.builds < 40


def test_reading_what_is_stored_expands_nothing():
    from binwright.formats.files import Blob

    many = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {"replicas": 10**9}}
    read = read_blobs([Blob("x", msgspec.json.encode(many))], stored=True)
    assert read.pods == []


def test_an_assumption_made_anew_does_not_hold_up_others_whose_time_is_over():
    clock = Clock()
    live = small(clock)
    for uid, name in (("first", "p"), ("second", "q"), ("third", "p")):
        waiting = make_pod(name, cpu="1", meta={"uid": uid})
        with live.asking(waiting):
            pass
        live.assume("default", name, uid, "a")
        clock.now += 10.0
    assert used(live)["a"] == 2000
    clock.now += ASSUMED_SECONDS - 20.0 + 5.0
    assert live.expire() == ["default/q"]
    assert used(live)["a"] == 1000


def budget(operator="Exists", allowed=1):
    selector = {"matchExpressions": [{"key": "app", "operator": operator}]}
    return {
        "kind": "PodDisruptionBudget",
        "apiVersion": "policy/v1",
        "metadata": {"name": "b", "namespace": "default"},
        "spec": {"selector": selector},
        "status": {"disruptionsAllowed": allowed},
    }


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (node_dict("d", cpu="-4"), "Node d: status.allocatable.cpu: '-4' is negative"),
        (
            running("q", "a", "much"),
            "Pod default/q: spec.containers[0].resources.requests.cpu: 'much' is not a quantity",
        ),
        (running("q", "far", "much"), "Pod default/q: spec.containers[0].resources.requests.cpu"),
        (budget("Hardly"), "PDB b: 'Hardly' is not an operator of a label selector"),
        (budget(allowed=2**31), "PDB b: status.disruptionsAllowed: 2147483648 is outside -2147483647..2147483647"),
    ],
)
@pytest.mark.parametrize("settle", [True, False])
def test_what_nobody_could_compile_or_preempt_with_is_refused_when_it_comes(bad, told, settle):
    live = LiveCluster(clock=Clock())
    live.apply([change(node_dict("a", cpu="4")), change(budget())], settle=False)  # nothing is compiled yet
    with pytest.raises(InputError, match=re.escape(told)):
        live.apply([change(running("p", "a")), change(bad)], settle=settle)
    assert (used(live), live.pods) == ({"a": 0}, 0)
    assert live.related.find("PodDisruptionBudget", "b", "default") == change(budget()).found
