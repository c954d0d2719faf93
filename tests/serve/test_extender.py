"""The extender over HTTP: verbs, keys in any case, both ways of naming nodes, kube-scheduler's recorded verdicts."""

import asyncio
import gzip
import json
from pathlib import Path

import pytest

from binwright.formats.files import Blob
from binwright.kubernetes.live import ASSUMED_SECONDS, LiveCluster
from binwright.kubernetes.reader import read_blobs
from tests.kubernetes.made import node_dict, pod_dict
from tests.serve.served import ExtenderService, Served, event, listed

VECTORS = Path(__file__).parents[2].parent / "shared" / "vectors" / "kubernetes"


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def pod(name, cpu="1", node=None, **more):
    status = {"phase": "Running" if node else "Pending"}
    return pod_dict(name, cpu=cpu, node=node, meta={"uid": f"uid-{name}"}, status=status, **more)


STATE = listed(
    node_dict("small", cpu="2"),
    node_dict("middle", cpu="4"),
    node_dict("big", cpu="8"),
    node_dict("kept", cpu="8", taints=[{"key": "only", "value": "db", "effect": "NoSchedule"}]),
    pod("old", "1500m", "small"),
)
ASKED = ["kept", "big", "small", "middle"]


@pytest.fixture
def served():
    service = ExtenderService(LiveCluster(clock=Clock()))
    with Served(service) as one:
        one.put("/v1/state", STATE)
        yield one


def test_filter_says_who_passes_and_why_the_others_do_not(served):
    answer = served.post("/v1/filter", {"Pod": pod("p"), "Nodes": None, "NodeNames": [*ASKED, "gone"]})
    assert answer == {
        "Nodes": None,
        "NodeNames": ["big", "middle"],
        "FailedNodes": {"small": "Insufficient cpu"},
        "FailedAndUnresolvableNodes": {
            "kept": "node(s) had untolerated taint {only: db}",
            "gone": "node is not known to binwright",
        },
        "Error": "",
    }
    assert served.post("/v1/filter", {"Pod": pod("p"), "NodeNames": []})["NodeNames"] == []


@pytest.mark.parametrize("spelling", [str, str.lower, str.upper, str.swapcase])
def test_keys_are_read_in_any_case(served, spelling):
    body = {spelling(key): value for key, value in {"Pod": pod("p"), "Nodes": None, "NodeNames": ASKED}.items()}
    assert served.post("/v1/filter", body)["NodeNames"] == ["big", "middle"]
    preempting = {
        spelling("Pod"): pod("vip", "2", priority=5),
        spelling("NodeNameToMetaVictims"): {"small": {spelling("Pods"): [{spelling("UID"): "uid-old"}]}},
    }
    assert served.post("/v1/preempt", preempting) == {
        "NodeNameToMetaVictims": {"small": {"Pods": [{"UID": "uid-old"}], "NumPDBViolations": 0}}
    }
    binding = {"PodName": "p", "PodNamespace": "default", "PodUID": "uid-p", "Node": "big"}
    assert served.post("/v1/bind", {spelling(key): value for key, value in binding.items()}) == {"Error": ""}
    assert served.service.live.where("default/p") == "big"


def test_whole_nodes_come_back_as_they_came(served):
    nodes = [{"metadata": {"name": name, "x": [name]}, "spec": {"odd": 1.50}} for name in ASKED]
    answer = served.post("/v1/filter", {"Pod": pod("p"), "Nodes": {"items": nodes}, "NodeNames": None})
    assert answer["NodeNames"] is None
    assert answer["Nodes"]["items"] == [nodes[1], nodes[3]]
    assert answer["FailedNodes"] == {"small": "Insufficient cpu"}
    scores = served.post("/v1/prioritize", {"Pod": pod("p"), "nodes": {"ITEMS": nodes}})
    assert [one["Host"] for one in scores] == ASKED
    assert served.post("/v1/filter", {"Pod": pod("p"), "Nodes": {"items": None}})["Nodes"] == {
        "metadata": {}, "items": [],
    }  # fmt: skip


def test_prioritize_maps_the_totals_of_the_asked_nodes_linearly(served):
    def ask(*names):
        found = served.post("/v1/prioritize", {"Pod": pod("p"), "NodeNames": list(names)})
        assert [one["Host"] for one in found] == list(names)
        return [one["Score"] for one in found]

    assert ask("big", "middle") == [10, 0]
    assert ask("big") == [10]
    assert ask("small", "kept", "zz") == [0, 0, 0]
    assert ask("middle", "small", "big", "zz") == [0, 0, 10, 0]
    served.post("/v1/events", event("ADDED", node_dict("huge", cpu="64", memory="8Gi")))
    low, between, high = ask("middle", "big", "huge")
    assert (low, high) == (0, 10)
    assert 0 < between < 10


def test_scores_are_normalised_over_the_nodes_that_are_asked_about():
    """Tolerated soft taints are reversed to the most of any node: a node that is not asked about must not matter."""
    soft = [{"key": f"k{n}", "effect": "PreferNoSchedule"} for n in range(8)]
    nodes = [node_dict("a"), node_dict("b", taints=soft[:1]), node_dict("c", taints=soft)]
    service = ExtenderService(LiveCluster())
    with Served(service) as served:
        served.put("/v1/state", listed(*nodes, pod("held", "500m", "a")))
        asked = {"Pod": pod("p"), "NodeNames": ["a", "b"]}
        before = served.post("/v1/prioritize", asked)
        with service.live.asking(next(iter(service.live.bound()))):
            pass
        served.post("/v1/events", event("DELETED", nodes[2]))
        assert served.post("/v1/prioritize", asked) == before
        assert {one["Host"]: one["Score"] for one in before} == {"a": 10, "b": 0}


def test_single_names_the_node_that_would_be_taken():
    with Served(ExtenderService(LiveCluster(), single=True)) as served:
        served.put("/v1/state", STATE)
        answer = served.post("/v1/filter", {"Pod": pod("p"), "NodeNames": ASKED})
        assert answer["NodeNames"] == ["big"]
        assert answer["FailedNodes"] == {"small": "Insufficient cpu"}
        assert served.post("/v1/filter", {"Pod": pod("p"), "NodeNames": ["middle", "small"]})["NodeNames"] == ["middle"]
        assert served.post("/v1/filter", {"Pod": pod("p"), "NodeNames": ["kept", "small"]})["NodeNames"] == []


def test_a_filter_reserves_nothing_a_bind_does_and_the_event_confirms(served):
    ask = {"Pod": pod("next", "8"), "NodeNames": ["big"]}
    first = {"Pod": pod("p", "8"), "NodeNames": ["big"]}
    for _ in range(2):
        assert served.post("/v1/filter", first)["NodeNames"] == ["big"]
        assert served.post("/v1/filter", ask)["NodeNames"] == ["big"]
    bind = {"PodName": "p", "PodNamespace": "default", "PodUID": "uid-p", "Node": "big"}
    assert served.post("/v1/bind", bind) == {"Error": ""}
    assert served.post("/v1/bind", bind) == {"Error": ""}
    assert served.post("/v1/filter", ask)["FailedNodes"] == {"big": "Insufficient cpu"}
    clock = served.service.live._clock
    clock.now += ASSUMED_SECONDS + 1
    assert served.post("/v1/filter", ask)["NodeNames"] == ["big"], "an assumption has its time"
    assert served.post("/v1/bind", bind) == {"Error": ""}
    assert served.post("/v1/events", event("MODIFIED", pod("p", "8", "big")))["pods"] == 2
    clock.now += ASSUMED_SECONDS + 1
    assert served.post("/v1/filter", ask)["NodeNames"] == []
    other = served.post("/v1/bind", bind | {"Node": "middle"})
    assert other == {"Error": "Pod default/p: is on Node big already, so it is not bound to middle"}


def test_preempt_answers_with_the_least_victims(served):
    served.post("/v1/events", [event("ADDED", pod(name, cpu, "big", priority=level)) for name, cpu, level in
                               [("low", "3", 1), ("lower", "3", 0), ("high", "2", 9)]])  # fmt: skip
    vip = pod("vip", "3", priority=5)
    victims = {"big": {"Pods": [vip | {"metadata": {"uid": "uid-low"}}], "NumPDBViolations": 1}, "zz": {"Pods": []}}
    answer = served.post("/v1/preempt", {"Pod": vip, "NodeNameToVictims": victims})
    assert answer == {"NodeNameToMetaVictims": {"big": {"Pods": [{"UID": "uid-lower"}], "NumPDBViolations": 0}}}
    fits = {"middle": {"Pods": [{"UID": "x"}], "NumPDBViolations": 3}}
    assert served.post("/v1/preempt", {"Pod": vip, "NodeNameToMetaVictims": fits})["NodeNameToMetaVictims"] == fits
    budget = {
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "b", "namespace": "default"},
        "spec": {"selector": {"matchLabels": {"app": "l"}}}, "status": {"disruptionsAllowed": 0},
    }  # fmt: skip
    labelled = pod("lower", "3", "big", priority=0)
    labelled["metadata"]["labels"] = {"app": "l"}
    served.post("/v1/events", [event("ADDED", budget), event("MODIFIED", labelled)])
    answer = served.post("/v1/preempt", {"Pod": vip, "NodeNameToVictims": victims})["NodeNameToMetaVictims"]
    assert answer == {"big": {"Pods": [{"UID": "uid-low"}], "NumPDBViolations": 0}}
    for _ in range(3):
        assert served.post("/v1/preempt", {"Pod": vip, "NodeNameToVictims": victims})["NodeNameToMetaVictims"] == answer
    assert served.service.live.current().cluster.fleet._state.budgets.count == 1, "the same budget is one"


def test_a_pod_that_cannot_be_judged_is_an_error_of_the_answer(served):
    bad = pod("p", "1x")
    answer = served.post("/v1/filter", {"Pod": bad, "NodeNames": ASKED})
    assert answer["NodeNames"] is None
    assert "Pod default/p: spec.containers[0].resources.requests.cpu" in answer["Error"]
    status, body = served.ask("POST", "/v1/prioritize", {"Pod": bad, "NodeNames": ASKED})
    assert (status, "requests.cpu" in body.decode()) == (400, True)


def test_several_profiles_are_told_apart_by_the_pod():
    from binwright.kubernetes.configuration import read_configuration

    packed = {"name": "NodeResourcesFit", "args": {"scoringStrategy": {
        "type": "MostAllocated", "resources": [{"name": "cpu", "weight": 1}]}}}  # fmt: skip
    only_fit = {"multiPoint": {"disabled": [{"name": "NodeResourcesBalancedAllocation"}]}}
    profiles = read_configuration({"profiles": [
        {"schedulerName": "default-scheduler", "plugins": only_fit},
        {"schedulerName": "packer", "plugins": only_fit, "pluginConfig": [packed]},
    ]})  # fmt: skip
    with Served(ExtenderService(LiveCluster(profiles))) as served:
        served.put("/v1/state", STATE)
        scores = {
            name: {one["Host"]: one["Score"] for one in served.post(
                "/v1/prioritize", {"Pod": pod("p", schedulerName=name), "NodeNames": ["middle", "big"]})}
            for name in ("default-scheduler", "packer")
        }  # fmt: skip
        assert scores == {"default-scheduler": {"middle": 0, "big": 10}, "packer": {"middle": 10, "big": 0}}


SUITES = (
    *("mixed", "taints", "interpod-nsfix", "topologyspread", "volumes", "hostports", "nodeaffinity"),
    "order",
)


def recorded(suite):
    path = VECTORS / f"{suite}.public.json.gz"
    if not path.exists():
        pytest.skip(f"the recorded vectors are not beside the project ({path})")
    return json.loads(gzip.decompress(path.read_bytes()))["cases"]


@pytest.mark.vectors
def test_recorded_preemptions_come_over_http():
    """The victims on every candidate node, asked of all nodes, for the first pods of recorded cases."""
    from binwright.kubernetes.configuration import read_configuration

    judged = 0
    for case in recorded("preemption")[:16]:
        waiting, wanted = case["pending"][0], case["expected"][0]
        if not (wanted.get("preemption") or {}).get("candidates"):
            continue
        profiles = read_configuration(case["config"]) if case.get("config") else read_configuration({})
        nodes, uids = stored(case)
        with Served(ExtenderService(LiveCluster(profiles, complete=True))) as served:
            served.put("/v1/state", listed(*objects_of(case)))
            proposed = {name: {"Pods": [{"UID": "other"}]} for name in nodes}
            answer = served.post("/v1/preempt", {"Pod": waiting, "NodeNameToMetaVictims": proposed})
        assert answer["NodeNameToMetaVictims"] == {
            one["node"]: {"Pods": [{"UID": uids[key]} for key in one["victims"]],
                          "NumPDBViolations": one.get("pdbViolations", 0)}
            for one in wanted["preemption"]["candidates"]
        }  # fmt: skip
        judged += 1
    assert judged > 4


@pytest.mark.vectors
@pytest.mark.parametrize("suite", SUITES)
def test_recorded_verdicts_come_over_http(suite):
    """Each pending pod of a sample of recorded cases: who passes, who fails with which words, which node is best."""
    cases = [case for case in recorded(suite) if not case.get("config") and "percentageOfNodesToScore" not in case][:8]
    service, judged = ExtenderService(LiveCluster(complete=True)), 0
    with Served(service) as served:
        for case in cases:
            judged += _replay(served, case)
    assert judged > len(cases) // 2


def _replay(served, case):
    nodes, _ = stored(case)
    served.put("/v1/state", listed(*objects_of(case)))
    judged = 0
    for waiting, wanted in zip(case["pending"], case["expected"], strict=True):
        if wanted["outcome"] not in ("bound", "unschedulable") or wanted.get("viaNominated") or wanted.get("retry"):
            return judged  # what follows stands on a preemption, which is the scheduler's to carry out
        call = {"Pod": waiting, "NodeNames": nodes}
        answer = served.post("/v1/filter", call)
        assert answer["Error"] == ""
        assert answer["NodeNames"] == [nodes[host] for host in wanted.get("feasible") or ()], case["name"]
        told = {"Unschedulable": {}, "UnschedulableAndUnresolvable": {}}
        for name, status in zip(nodes, wanted.get("filter") or [None] * len(nodes)):
            if status:
                told[status["code"]][name] = ", ".join(status["reasons"])
        if (wanted.get("preFilter") or {}).get("code", "Success") == "Success":
            assert (answer["FailedNodes"], answer["FailedAndUnresolvableNodes"]) == tuple(told.values()), case["name"]
        scores = served.post("/v1/prioritize", {"Pod": waiting, "NodeNames": answer["NodeNames"]})
        if wanted.get("score"):
            totals = wanted["score"]["total"]
            low, span = min(totals), max(totals) - min(totals)
            assert [one["Score"] for one in scores] == [(one - low) * 10 // span if span else 10 for one in totals]
        if wanted["outcome"] == "bound":
            meta = waiting["metadata"]
            binding = {"PodName": meta["name"], "PodNamespace": meta.get("namespace", ""), "PodUID": meta.get("uid")}
            assert served.post("/v1/bind", binding | {"Node": wanted["chosen"]}) == {"Error": ""}
        judged += 1
    return judged


def objects_of(case):
    """All objects of a case, as a dump has them."""
    items = [_typed(one, kind) for kind, some in case["objects"].items() for one in some or ()]
    return items + [_typed(one, "pods") for part in ("pods", "nominated", "pending") for one in case.get(part) or ()]


def stored(case):
    """(names of the nodes, pod -> uid)."""
    metas = [one["metadata"] for one in case.get("pods") or ()]
    uids = {f"{meta.get('namespace') or 'default'}/{meta['name']}": meta.get("uid") or "" for meta in metas}
    return [one["metadata"]["name"] for one in case["objects"]["nodes"]], uids


def _typed(found, plural):
    from binwright.kubernetes.related import KINDS, kind_by_plural

    if plural in ("nodes", "pods"):
        return {"apiVersion": "v1", "kind": plural[:-1].capitalize()} | found
    kind = kind_by_plural(plural)[0]
    version = next(version for version, name in KINDS if name == kind)
    return {"apiVersion": version, "kind": kind} | found


def test_the_api_server_is_told_of_every_bind_that_assumes_anew():
    """Not of one that is repeated; but of a pod made anew, and of one whose assumption is over."""
    told, clock = [], Clock()
    service = ExtenderService(LiveCluster(clock=clock), binder=lambda binding: told.append((binding.uid, binding.node)))
    service.live.replace(read_blobs([Blob("state", json.dumps(STATE).encode())], stored=True))

    def bind(name, uid, node):
        return json.loads(
            asyncio.run(
                service.ask(
                    "bind",
                    json.dumps({"PodName": name, "PodNamespace": "default", "PodUID": uid, "Node": node}).encode(),
                )
            )
        )

    def ask(found):
        asyncio.run(service.ask("filter", json.dumps({"Pod": found, "NodeNames": ASKED}).encode()))

    again = pod("old")
    again["metadata"]["uid"] = "another"
    ask(again)
    assert (bind("old", "another", "big"), told) == ({"Error": ""}, [("another", "big")])
    assert (bind("old", "another", "big"), len(told)) == ({"Error": ""}, 1)
    clock.now += ASSUMED_SECONDS + 1
    ask(again)
    service.live.assume("default", "old", "another", "big")
    clock.now += ASSUMED_SECONDS + 1
    assert (bind("old", "another", "big"), len(told)) == ({"Error": ""}, 2)
