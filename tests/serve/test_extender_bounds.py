"""What one question may cost: node lists that come again are read once, pods beyond what pods have are not judged."""

import json
import random

import pytest

from binwright.errors import InputError
from binwright.formats.files import Blob
from binwright.kubernetes.extender import wire
from binwright.kubernetes.extender.bounds import MOST, POD_BYTES
from binwright.kubernetes.extender.verbs import Extender
from binwright.kubernetes.live import Change, LiveCluster
from binwright.kubernetes.reader import read_blobs, read_object
from tests.kubernetes.made import node_dict, pod_dict


def cluster(*objects):
    live = LiveCluster()
    items = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
    live.replace(read_blobs([Blob("state", json.dumps(items).encode())], stored=True))
    return live


def change(found, gone=False):
    kind, read = read_object("object", json.dumps(found).encode())
    return Change(kind, read, gone)


@pytest.mark.parametrize("seed", range(6))
def test_a_list_that_comes_again_is_answered_as_one_that_never_came(seed):
    """Nodes come, go and change between the calls; lists are the same, longer, shorter, whole nodes or names."""
    print("seed", seed)
    rng = random.Random(seed)
    live = cluster(*(node_dict(f"n{n}", cpu=rng.choice(("1", "4"))) for n in range(6)))
    kept, lists = Extender(live), []
    for number in range(120):
        if rng.random() < 0.3:
            found = node_dict(f"n{rng.randrange(8)}", cpu=rng.choice(("1", "2", "4")))
            if live.nodes > 2 or rng.random() < 0.5:
                live.apply([change(found, gone=rng.random() < 0.4 and live.nodes > 1)])
        if not lists or rng.random() < 0.3:
            names = rng.sample([f"n{n}" for n in range(9)], rng.randint(1, 8))
            whole = {"Nodes": {"items": [{"metadata": {"name": name, "x": rng.random()}} for name in names]}}
            lists.append(rng.choice(({"NodeNames": names}, whole)))
        call = {"Pod": pod_dict(f"p{number % 5}", cpu=rng.choice(("1", "3"))), **rng.choice(lists[-5:])}
        body = json.dumps(call).encode()
        for verb in ("filter", "prioritize"):
            assert getattr(kept, verb)(body).body == getattr(Extender(live), verb)(body).body


def test_a_list_that_comes_again_is_not_read_again(monkeypatch):
    live, reads = cluster(node_dict("a"), node_dict("b")), []
    for name in ("_decode_names", "_decode_named", "_decode_items"):
        decode = getattr(wire, name)
        monkeypatch.setattr(wire, name, lambda data, decode=decode, name=name: reads.append(name) or decode(data))
    asked = Extender(live)
    names, whole = {"NodeNames": ["a", "b"]}, {"Nodes": {"items": [{"metadata": {"name": "a"}}]}}
    for number in range(4):
        for some in (names, whole):
            asked.filter(json.dumps({"Pod": pod_dict(f"p{number}"), **some}).encode())
    assert reads == ["_decode_names", "_decode_named", "_decode_items"]
    for number in range(50):  # others come in between; no more than a few are kept
        asked.filter(
            json.dumps({"Pod": pod_dict("p"), "NodeNames": ["a"] + ["b"] * (number % 2) + [str(number)]}).encode()
        )
    assert len(asked._last._known) <= 4


TERM = {"labelSelector": {"matchLabels": {"a": "b"}}, "topologyKey": "z"}
REQUIRED, PREFERRED = (
    f"{word}DuringSchedulingIgnoredDuringExecution" for word in ("required", "preferred")
)  # fmt: skip
SELECTOR = {"matchExpressions": [{"key": "a", "operator": "Exists"}]}


def many(count):
    """(what, a pod's spec that has `count` of it)."""
    half = count // 2
    spread = {"maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule", **TERM}
    anti = {REQUIRED: [TERM] * half, PREFERRED: [{"weight": 1, "podAffinityTerm": TERM}] * (count - half)}
    nodes = {REQUIRED: {"nodeSelectorTerms": [SELECTOR] * half},
             PREFERRED: [{"weight": 1, "preference": SELECTOR}] * (count - half)}  # fmt: skip
    return [
        ("containers", {"containers": [{}] * half, "initContainers": [{}] * (count - half)}),
        ("resources", {"containers": [{"resources": {"requests": {f"x/r{n % 9}{n}": "0" for n in range(count)}}}]}),
        ("host ports", {"containers": [{"ports": [{"hostPort": n + 1} for n in range(count)]}]}),
        ("tolerations", {"tolerations": [{"operator": "Exists"}] * count}),
        ("volumes", {"volumes": [{"name": f"v{n}"} for n in range(count)]}),
        ("terms of topology", {"topologySpreadConstraints": [spread] * count}),
        ("terms of topology", {"affinity": {"podAntiAffinity": anti}}),
        ("terms of topology", {"affinity": {"podAffinity": anti}}),
        ("node selector terms", {"affinity": {"nodeAffinity": nodes}}),
    ]


@pytest.mark.parametrize("number", range(len(many(2))))
def test_a_pod_has_only_so_much_of_anything(number):
    live = cluster(node_dict("a"))
    extender = Extender(live)

    def body(count, **more):
        what, spec = many(count)[number]
        pod = {"metadata": {"name": "p", "namespace": "default"}, "spec": spec}
        return what, json.dumps({"Pod": pod, "NodeNames": ["a"], **more}).encode()

    what, call = body(MOST + 1)
    line = f"Pod default/p: has {MOST + 1} {what}, more than the {MOST} that are judged here"
    assert extender.filter(call).error == line
    for verb, asked in ((extender.prioritize, call), (extender.preempt, body(MOST + 1, NodeNameToMetaVictims={})[1])):
        with pytest.raises(InputError, match=f"has {MOST + 1} {what}"):
            verb(asked)
    assert live.builds == 1
    if what != "resources":  # of which the engine has fewer columns
        assert extender.filter(body(MOST)[1]).error is None


def test_a_pod_has_only_so_many_bytes():
    extender = Extender(cluster(node_dict("a")))

    def call(size):
        pod = json.dumps(pod_dict("p", meta={"annotations": {"a": ""}}), separators=(",", ":"))
        pod = pod.replace('"a":""', '"a":"' + "x" * (size - len(pod)) + '"')
        assert len(pod) == size
        return b'{"Pod":' + pod.encode() + b',"NodeNames":["a"]}'

    assert extender.filter(call(POD_BYTES)).passed == 1
    with pytest.raises(InputError, match=f"Pod: has {POD_BYTES + 1} bytes, more than the {POD_BYTES}"):
        extender.filter(call(POD_BYTES + 1))


@pytest.mark.parametrize("key", ["NodeNames", "Nodes", "NodeNameToMetaVictims"])
def test_a_question_is_about_only_so_many_nodes(key, monkeypatch):
    monkeypatch.setattr(wire, "MOST_NODES", 20)
    extender = Extender(cluster(node_dict("n0")))

    def ask(count):
        names = [f"n{n}" for n in range(count)]
        whole = {"items": [{"metadata": {"name": name}} for name in names]}
        asked = {"NodeNames": names, "Nodes": whole, "NodeNameToMetaVictims": {name: {} for name in names}}[key]
        body = json.dumps({"Pod": pod_dict("p"), key: asked}).encode()
        return (extender.preempt if key.endswith("Victims") else extender.filter)(body)

    assert ask(20).asked == 20
    with pytest.raises(InputError, match=r"has 21 n.*, more than 20"):
        ask(21)


@pytest.mark.parametrize("key", ["NodeNameToVictims", "NodeNameToMetaVictims"])
def test_a_node_has_only_so_many_victims(key, monkeypatch):
    monkeypatch.setattr(wire, "MOST_VICTIMS", 5)
    extender = Extender(cluster(node_dict("a")))
    for count in (5, 6):
        call = json.dumps(
            {"Pod": pod_dict("p"), key: {"a": {"Pods": [{"UID": str(n)} for n in range(count)]}}}
        ).encode()
        if count == 5:
            assert extender.preempt(call).passed == 1
        else:
            with pytest.raises(InputError, match=rf"{key}\[a\].Pods: has 6 pods, more than 5"):
                extender.preempt(call)
