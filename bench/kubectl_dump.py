"""A big `kubectl get nodes,pods -A -o json`, made from a seed: what the API server stores, managed fields and all.

`python bench/kubectl_dump.py FILE [PODS [NODES]]` writes one; the same numbers give the same bytes. The shape of a pod
follows a Deployment's pod in a 1.34 cluster: about 7 KB of indented JSON, two containers in five, some init containers,
projected volume, tolerations that admission adds, conditions and container statuses. `waiting` is a cluster of empty
nodes and pods that all wait.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from typing import Any

ZONES = ("zone-a", "zone-b", "zone-c")
CPU = ("10m", "50m", "100m", "250m", "500m", "1", "1500m", "2")
MEMORY = ("32Mi", "64Mi", "128Mi", "256Mi", "512Mi", "1Gi", "2Gi", "3500M")
STAMP = "2026-11-{:02d}T{:02d}:{:02d}:{:02d}Z"


def write_dump(path: str, pods: int = 50_000, nodes: int = 1_000, seed: int = 1) -> None:
    """Write the List to `path`, item by item; one pod in fifty is pending."""
    dice = random.Random(seed)
    items = [json.dumps(node(number, dice), indent=4) for number in range(nodes)]
    with open(path, "w", encoding="utf-8") as out:
        out.write('{\n    "apiVersion": "v1",\n    "items": [\n')
        for number, item in enumerate(items):
            out.write(("" if number == 0 else ",\n") + item)
        for item in pod_stream(pods, nodes, dice):
            out.write(",\n" + json.dumps(item, indent=4))
        out.write('\n    ],\n    "kind": "List",\n    "metadata": {\n        "resourceVersion": ""\n    }\n}\n')


def node(number: int, dice: random.Random) -> dict[str, Any]:
    name = f"worker-{number:04d}"
    amounts = {"cpu": "64", "ephemeral-storage": "101430960Ki", "hugepages-2Mi": "0", "memory": "263856136Ki"}
    amounts["pods"] = "250"
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "annotations": {"volumes.kubernetes.io/controller-managed-attach-detach": "true"},
            "creationTimestamp": stamp(dice),
            "labels": {
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "node.kubernetes.io/instance-type": dice.choice(("m5.16xlarge", "c5.18xlarge")),
                "topology.kubernetes.io/region": "region-1",
                "topology.kubernetes.io/zone": ZONES[number % 3],
            },
            "name": name,
            "resourceVersion": str(dice.randrange(10**8)),
            "uid": uid(dice),
        },
        "spec": {"podCIDR": f"10.{number // 256}.{number % 256}.0/24", "providerID": f"openstack:///{uid(dice)}"},
        "status": {"allocatable": amounts, "capacity": amounts, "conditions": conditions(dice, "Ready")},
    }


def pod_stream(pods: int, nodes: int, dice: random.Random) -> Iterator[dict[str, Any]]:
    """Pods of Deployments of 1 to 200 replicas, until there are enough."""
    made = 0
    while made < pods:
        app = f"app-{made:05d}"
        template = [container(f"c{number}", app, dice) for number in range(1 + (dice.random() < 0.4))]
        init = [container("init", app, dice)] if dice.random() < 0.2 else []
        replica_set = Owner(app, dice)
        for _ in range(min(dice.randint(1, 200), pods - made)):
            bound = dice.random() >= 0.02
            yield pod(replica_set, template, init, f"worker-{dice.randrange(nodes):04d}" if bound else None, dice)
            made += 1


def waiting(pods: int, shapes: int, nodes: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Empty nodes, then as many pods of each shape, no two shapes alike in what they ask for, mixed at random."""
    dice = random.Random(seed)
    for number in range(nodes):
        yield node(number, dice)
    made = []
    for number in range(shapes):
        app = f"app-{number:05d}"
        template = [container(f"c{part}", app, dice) for part in range(1 + (dice.random() < 0.4))]
        template[0]["resources"]["requests"] = {"cpu": f"{100 + number}m", "memory": dice.choice(MEMORY)}
        selector = {"topology.kubernetes.io/zone": dice.choice(ZONES)} if dice.random() < 0.3 else {}
        replica_set = Owner(app, dice)
        for _ in range(pods // shapes):
            made.append(pod(replica_set, template, [], None, dice, selector))
    dice.shuffle(made)
    yield from made


class Owner:
    """The ReplicaSet of a Deployment."""

    def __init__(self, app: str, dice: random.Random) -> None:
        self.app = app
        self.name = f"{app}-{dice.getrandbits(32):08x}"
        self.namespace = f"team-{dice.randrange(40)}"
        self.uid = uid(dice)


def pod(
    owner: Owner, template: list[dict], init: list[dict], on: str | None, dice: random.Random, selector: Any = None
) -> dict[str, Any]:
    token = f"kube-api-access-{dice.getrandbits(20):05x}"
    spec: dict[str, Any] = {
        "containers": mounting(template, token),
        "dnsPolicy": "ClusterFirst",
        "enableServiceLinks": True,
        "preemptionPolicy": "PreemptLowerPriority",
        "priority": 0,
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "serviceAccount": "default",
        "serviceAccountName": "default",
        "terminationGracePeriodSeconds": 30,
        "tolerations": [
            {"effect": "NoExecute", "key": f"node.kubernetes.io/{what}", "operator": "Exists", "tolerationSeconds": 300}
            for what in ("not-ready", "unreachable")
        ],
        "volumes": [
            {
                "name": token,
                "projected": {
                    "defaultMode": 420,
                    "sources": [
                        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                        {"configMap": {"items": [{"key": "ca.crt", "path": "ca.crt"}], "name": "kube-root-ca.crt"}},
                    ],
                },
            }
        ],
    }
    status: dict[str, Any] = {"phase": "Pending", "qosClass": "Burstable"}
    if selector:
        spec["nodeSelector"] = selector
    if init:
        spec["initContainers"] = mounting(init, token)
    if on is not None:
        spec["nodeName"] = on
        status = {
            "conditions": conditions(dice, "PodReadyToStartContainers", "Initialized", "Ready", "PodScheduled"),
            "containerStatuses": [
                {
                    "allocatedResources": one["resources"]["requests"],
                    "containerID": f"containerd://{dice.getrandbits(256):064x}",
                    "image": one["image"],
                    "imageID": f"{one['image']}@sha256:{dice.getrandbits(256):064x}",
                    "name": one["name"],
                    "ready": True,
                    "resources": one["resources"],
                    "restartCount": 0,
                    "started": True,
                    "state": {"running": {"startedAt": stamp(dice)}},
                }
                for one in template
            ],
            "phase": "Running",
            "podIP": f"10.0.{dice.randrange(256)}.{dice.randrange(256)}",
            "qosClass": "Burstable",
            "startTime": stamp(dice),
        }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "creationTimestamp": stamp(dice),
            "generateName": f"{owner.name}-",
            "labels": {"app.kubernetes.io/name": owner.app, "pod-template-hash": owner.name[-8:]},
            "name": f"{owner.name}-{dice.getrandbits(40):010x}",
            "namespace": owner.namespace,
            "ownerReferences": [
                {
                    "apiVersion": "apps/v1",
                    "blockOwnerDeletion": True,
                    "controller": True,
                    "kind": "ReplicaSet",
                    "name": owner.name,
                    "uid": owner.uid,
                }
            ],
            "resourceVersion": str(dice.randrange(10**8)),
            "uid": uid(dice),
        },
        "spec": spec,
        "status": status,
    }


def mounting(template: list[dict], token: str) -> list[dict[str, Any]]:
    """Containers with the volume of the pod's own token, as admission adds it."""
    path = "/var/run/secrets/kubernetes.io/serviceaccount"
    return [{**one, "volumeMounts": [{"mountPath": path, "name": token, "readOnly": True}]} for one in template]


def container(name: str, app: str, dice: random.Random) -> dict[str, Any]:
    amounts = {"cpu": dice.choice(CPU), "memory": dice.choice(MEMORY)}
    return {
        "env": [{"name": "GOMAXPROCS", "value": "2"}, {"name": "LOG_LEVEL", "value": "info"}],
        "image": f"registry.example.com/{app}/{name}:1.{dice.randrange(20)}",
        "imagePullPolicy": "IfNotPresent",
        "name": name,
        "ports": [{"containerPort": 8080, "name": "http", "protocol": "TCP"}],
        "resources": {"limits": {"memory": amounts["memory"]}, "requests": amounts},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    }


def conditions(dice: random.Random, *kinds: str) -> list[dict[str, Any]]:
    common = {"lastProbeTime": None, "status": "True"}
    return [{**common, "lastTransitionTime": stamp(dice), "type": kind} for kind in kinds]


def stamp(dice: random.Random) -> str:
    return STAMP.format(1 + dice.randrange(22), dice.randrange(24), dice.randrange(60), dice.randrange(60))


def uid(dice: random.Random) -> str:
    digits = f"{dice.getrandbits(128):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


if __name__ == "__main__":
    write_dump(sys.argv[1], *map(int, sys.argv[2:]))
