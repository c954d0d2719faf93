"""Bodies that are nearly right: each is answered, or refused in one line, and a refused one changes nothing."""

import asyncio
import json
import random

import pytest

from binwright.errors import BinwrightError
from binwright.kubernetes.live import LiveCluster
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
            if verb in ("events", "state"):
                (service.post_events if verb == "events" else service.put_state)(body)
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
