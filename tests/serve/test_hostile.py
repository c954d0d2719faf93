"""Bodies that are nearly right: each is answered, or refused in one line, and a refused one changes nothing."""

import asyncio
import gc
import json
import random
import sys

import pytest

from binwright.errors import BinwrightError
from binwright.kubernetes.live import LiveCluster
from binwright.kubernetes.watch_events import MOST_EVENTS
from tests.kubernetes.made import expression, node_dict, pod_dict, preferred
from tests.serve.served import ExtenderService, event, listed
from tests.serve.test_nova import call, scheduler

WEIRD = [
    *(None, True, 0, -1, 2**63, 2**70, 1.5, 1e308, "", "x", "\x00", "-1", "1e99", "9" * 20, "1.5Gi", "9" * 400),
    *([], {}, [[]], {"a": {}}, ["a", "a"], "2026-13-01"),
]
MATCH = {"labelSelector": {"matchLabels": {"app": "x"}}, "topologyKey": "z"}
POD = pod_dict(
    "q", cpu="1", memory="1Gi", namespace="default", priority=5, tolerations=[{"operator": "Exists"}],
    meta={"uid": "uq", "labels": {"app": "x"}}, nodeSelector={"z": "a"},
    affinity=preferred((3, expression("z", "Gt", "1")))
    | {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [MATCH]}},
    topologySpreadConstraints=[{"maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule", **MATCH}],
    volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}],
)  # fmt: skip
CLAIM = {
    "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c", "namespace": "default"},
    "spec": {"accessModes": ["ReadWriteOncePod"], "storageClassName": "s"},
}  # fmt: skip
STATE = listed(
    *(node_dict(name, labels={"z": name}, images=[{"names": ["a"], "sizeBytes": 5}]) for name in "abc"),
    pod_dict("p", cpu="1", node="a", namespace="default", meta={"uid": "u"}, status={"phase": "Running"}),
)
BODIES = {
    "filter": {"Pod": POD, "NodeNames": ["a", "b", "c"]},
    "prioritize": {"Pod": POD, "Nodes": {"items": [{"metadata": {"name": "a"}}]}},
    "preempt": {"Pod": POD, "NodeNameToMetaVictims": {"a": {"Pods": [{"UID": "u"}], "NumPDBViolations": 0}}},
    "bind": {"PodName": "q", "PodNamespace": "default", "PodUID": "uq", "Node": "a"},
    "events": {"items": [event("ADDED", POD), event("MODIFIED", node_dict("b")), event("ADDED", CLAIM)]},
    "state": STATE,
    "nova": call(),
}


def bent(rng, value, depth=0):
    """The same, with something odd here and there."""
    if rng.random() < 0.006 + 0.004 * depth:
        return rng.choice(WEIRD)
    if isinstance(value, dict):
        return {key: bent(rng, one, depth + 1) for key, one in value.items() if rng.random() > 0.005}
    return [bent(rng, one, depth + 1) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("seed", range(3))
def test_bodies_that_are_nearly_right(seed):
    print("seed", seed)
    rng, service, nova = random.Random(seed), ExtenderService(LiveCluster()), scheduler()
    service.put_state(json.dumps(STATE).encode())
    live, refused = service.live, 0
    for _ in range(1500):
        verb = rng.choice(list(BODIES))
        body = json.dumps(bent(rng, BODIES[verb])).encode()
        before, said = (live.pods, live.nodes, live.assumed, live.pending), None
        try:
            if verb == "events":
                asyncio.run(service.post_events(body))
            elif verb == "state":
                service.put_state(body)
            elif verb == "nova":
                nova.rank(body)
            else:
                asyncio.run(service.ask(verb, body))
        except BinwrightError as problem:
            said = str(problem)
        if said is not None:
            refused += 1
            assert "\n" not in said, body
            assert (live.pods, live.nodes, live.assumed, live.pending) == before, body
        assert live.current() is not None, body
    assert 100 < refused < 1400


def operations(act):
    """How many calls of functions in C and in Python an action takes. The garbage of other tests is collected first, so
    that no finalizer of theirs is counted.
    """
    count = 0

    def called(frame, what, argument):
        nonlocal count
        count += what in ("call", "c_call")

    gc.collect()
    gc.disable()
    sys.setprofile(called)
    try:
        act()
    finally:
        sys.setprofile(None)
        gc.enable()
    return count


@pytest.mark.parametrize(
    ("path", "value"),
    [("events", b"[]"), ("events", b'{"items":[]}'), ("events", b'{"type":"BOOKMARK","object":0}'),
     ("state", b"[]"), ("state", b"[[]]"), ("state", b'{"kind":"List","items":[]}')],
)  # fmt: skip
def test_small_values_one_after_another_are_bounded_in_number(path, value):
    """Each costs as much as a hundred bytes of another body: what a body may cost does not grow with their number."""
    service = ExtenderService(LiveCluster())

    def send(body):
        if path == "events":
            asyncio.run(service.post_events(body))
        else:
            service.put_state(body)

    def refused(count):
        with pytest.raises(BinwrightError, match="more than"):
            send(value * count)

    many = 12 * MOST_EVENTS
    counts = [operations(lambda times=times: refused(times)) for times in (many, 2 * many)]
    assert counts[1] < counts[0] + 1000
    assert counts[0] < 30 * many


def test_events_are_bounded_in_number_and_as_many_are_taken():
    service = ExtenderService(LiveCluster())
    mark = b'{"type":"BOOKMARK","object":0}'
    listed_marks = b"[" + b",".join([mark] * MOST_EVENTS) + b"]"
    for body in (mark * MOST_EVENTS, listed_marks, b'{"items":' + listed_marks + b"}"):
        assert asyncio.run(service.post_events(body))["events"] == 0
    for body in (listed_marks + mark, b"[" + mark + b"," + listed_marks[1:]):
        with pytest.raises(BinwrightError, match="more than 10000 in one request"):
            asyncio.run(service.post_events(body))


def test_others_are_answered_while_many_events_are_read():
    service, turns = ExtenderService(LiveCluster()), []
    body = json.dumps([event("ADDED", pod_dict(f"p{n}")) for n in range(3000)]).encode()

    async def meanwhile():
        while True:
            turns.append(service.live.pods)
            await asyncio.sleep(0)

    async def both():
        other = asyncio.ensure_future(meanwhile())
        told = await service.post_events(body)
        other.cancel()
        return told

    assert asyncio.run(both())["pods"] == 3000
    assert len(turns) > 10
    assert set(turns) == {0}, "all of them at once"
