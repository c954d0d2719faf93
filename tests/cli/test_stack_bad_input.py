"""Sandwiches that are broken, or half there: every verb names what is wrong and answers about the rest."""

import json

import pytest

from tests.stack.made import apart, flavor, hypervisor, node, pod, server

VERBS = {
    "audit": (),
    "blast": ("--any", "host"),
    "ledger": (),
    "headroom": ("--pod", "cpu=1"),
    "place": ("--partial",),
    "split": ("--bare-metal", "2", "--like", "h1"),
}


def files():
    """Cluster k of three nodes on three servers; web is on h1 twice."""
    nodes = [node(f"n{i}", provider=f"id-s{i}", node_kubernetes_io__instance_type="m1") for i in range(3)]
    for one in nodes:
        one["metadata"]["labels"]["node.kubernetes.io/instance-type"] = "m1"
    pods = [pod(f"web-{i}", f"n{i}", "web", **apart("web")) for i in range(2)]
    pods.append(pod("next", None, "next", cpu="1"))
    return {
        "clusters/k/nodes.json": {"apiVersion": "v1", "kind": "List", "items": nodes},
        "clusters/k/pods.json": {"apiVersion": "v1", "kind": "List", "items": pods},
        "clouds/north/servers.json": [server(f"s{i}", host) for i, host in enumerate(("h1", "h1", "h2"))],
        "clouds/north/flavors.json": [flavor()],
        "clouds/north/hypervisors.json": [hypervisor(name, used_gib=16) for name in ("h1", "h2")],
        "racks.yaml": {"racks": [{"name": "r1", "zone": "z", "hosts": ["h1", "h2"]}]},
    }


@pytest.fixture
def asked(command, tmp_path):
    """Writes a sandwich and asks a verb; (code, envelope, error)."""

    def ask(verb, content, *more):
        for name, value in content.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(value))
        ended = command("stack", verb, str(tmp_path), *VERBS.get(verb, ()), *more, "-o", "json")
        return ended.code, json.loads(ended.out) if ended.out else None, ended.err

    return ask


def findings(told, kind):
    return {one["objects"][0]["name"]: one["evidence"] for one in told["findings"] if one["kind"] == kind}


def test_the_sound_one(asked):
    code, told, _ = asked("audit", files())
    assert (code, [one["kind"] for one in told["findings"]], told["notEvaluated"]) == (1, ["spread"], [])


def test_a_dangling_provider_id_is_named_and_the_rest_is_answered(asked):
    broken = files()
    broken["clusters/k/nodes.json"]["items"].append(node("n9", provider="gone"))
    code, told, _ = asked("audit", broken)
    assert code == 1
    assert findings(told, "unjoined") == {
        "n9": "no server has this id, and neither the node's name nor its addresses are those of another"
    }
    assert len(findings(told, "spread")) == 1
    code, told, _ = asked("blast", broken)
    assert (code, len(told["losses"])) == (1, 2)
    blind = {one["rule"]: (one["objects"], one["example"]) for one in told["notEvaluated"]}
    assert blind["nodes whose host nobody tells (a server list, or its hosts, is not in the input)"] == (1, "k/n9")


def test_a_server_without_a_host_is_named_and_so_is_what_lies_on_it(asked):
    broken = files()
    broken["clouds/north/servers.json"][2]["Host"] = None
    code, told, _ = asked("audit", broken)
    assert code == 1
    assert findings(told, "unjoined") == {"s2": "is ACTIVE and neither a host nor a hostId is told"}
    assert {one["example"] for one in told["notEvaluated"]} == {"k/n2"}
    assert len(findings(told, "spread")) == 1
    assert asked("ledger", broken)[1]["summary"]["hosts"] == 2


def test_a_host_in_two_racks_is_named_and_the_file_wins(asked):
    broken = files()
    broken["racks.yaml"]["racks"].append({"name": "r2", "hosts": ["h1"]})
    code, told, _ = asked("audit", broken)
    assert code == 1
    assert list(findings(told, "rackConflict")) == ["h1"]
    assert len(findings(told, "spread")) == 1
    code, told, _ = asked("blast", broken, "--lose", "rack=r1")
    rack = next(one for one in told["losses"] if one["level"] == "rack")
    assert rack["hosts"] == ["north/h1", "north/h2"]


def test_layers_that_lie_on_each_other_are_named_and_every_verb_ends(asked):
    broken = files()
    broken["clouds/north/servers.json"].append(server("a-host", "h1"))
    broken["clouds/upper/hypervisors.json"] = [hypervisor("a-host")]
    broken["clouds/upper/servers.json"] = [server("h1", "a-host")]
    code, told, _ = asked("audit", broken)
    assert code == 1
    assert findings(told, "unjoined") == {"a-host": "lies on itself by way of server a-host"}
    for verb in VERBS:
        assert asked(verb, broken)[0] in (0, 1, 2)


@pytest.mark.parametrize("missing", sorted(files()))
def test_without_one_of_the_files_every_verb_answers_or_says_what_it_wants(asked, missing):
    left = {name: value for name, value in files().items() if name != missing}
    for verb in VERBS:
        code, told, err = asked(verb, left)
        assert code in (0, 1, 2), verb
        assert (told is None) == (code == 2), verb
        assert code != 2 or (err.startswith("binwright: ") and err.count("\n") == 1), verb


HALVES = {
    "clusters only": ("clusters/",),
    "cloud only": ("clouds/",),
    "nodes and servers": ("clusters/k/nodes.json", "clouds/north/servers.json"),
    "pods and hypervisors": ("clusters/k/pods.json", "clouds/north/hypervisors.json"),
}
NEEDS = {
    ("clusters only", "split"): "--like h1: no hypervisor of this name",
    ("cloud only", "headroom"): "no cluster with a Node in the input, so there is nothing to ask",
    ("cloud only", "place"): "no cluster in the input, so there is no pod to place",
}


@pytest.mark.parametrize("half", HALVES)
def test_half_of_the_files(asked, half):
    left = {name: value for name, value in files().items() if name.startswith(HALVES[half])}
    answered = 0
    for verb in VERBS:
        code, told, err = asked(verb, left)
        assert code in (0, 1, 2), verb
        answered += told is not None
        assert code != 2 or (err.startswith("binwright: ") and err.count("\n") == 1), verb
        if (half, verb) in NEEDS:
            assert (code, err) == (2, f"binwright: {NEEDS[half, verb]}\n")
    assert answered >= 3


def test_racks_that_are_a_list_are_one_clear_line(asked):
    broken = files() | {"racks.yaml": []}
    code, _, err = asked("audit", broken)
    assert code == 2
    assert err.endswith("/racks.yaml: the document: expected object, got array\n")
