"""What all families of drawn cases share: the dice, nodes with room, pods on them and pods that wait."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]

BETA_ZONE = "failure-domain.beta.kubernetes.io/zone"
ZONE, REGION, HOST = "topology.kubernetes.io/zone", "topology.kubernetes.io/region", "kubernetes.io/hostname"
NAMESPACES = ("default", "a", "b")
LABELS = {"app": ("web", "db"), "tier": ("1", "2"), "rev": ("x", "y")}
CONFIGURED = {"apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration"}


class Dice(random.Random):
    """A die with the few throws that are wanted here."""

    def maybe(self, chance: float = 0.5) -> bool:
        return self.random() < chance

    def some(self, things: Sequence[Any], most: int = 3) -> list[Any]:
        return self.sample(list(things), self.randint(0, min(most, len(things))))

    def part(self, made: Json, chance: float = 0.5) -> Json:
        """Each entry or not."""
        return {key: value for key, value in made.items() if self.maybe(chance)}


def base(dice: Dice, nodes: tuple[int, int] = (2, 9), pods: tuple[int, int] = (0, 12), queue: int = 9) -> Json:
    """Nodes with room, pods on them and pods that wait, of several namespaces and labels."""
    names = [f"n-{number:05x}" for number in dice.sample(range(16**5), dice.randint(*nodes))]
    case: Json = {"objects": {"nodes": [node(dice, name) for name in names]}}
    case["objects"]["namespaces"] = [
        {"metadata": {"name": name, "labels": dice.part({"team": dice.choice("pq"), "env": "e"}, 0.7)}}
        for name in NAMESPACES
        if dice.maybe(0.93)
    ]
    case["pods"] = [pod(dice, f"b-{number}") for number in range(dice.randint(*pods))]
    for one in case["pods"]:
        one["spec"]["nodeName"] = dice.choice(names)
    case["pending"] = [pod(dice, f"p-{number}") for number in range(dice.randint(2, queue))]
    return case


def node(dice: Dice, name: str) -> Json:
    labels = {HOST: name, ZONE: dice.choice(("z1", "z2", "z3")), REGION: "r", "disk": dice.choice(("ssd", "hdd"))}
    labels["n"] = dice.choice(("1", "6", "007", "-3", "x"))
    amounts = {"cpu": dice.choice(("4", "8", "7900m")), "memory": dice.choice(("8Gi", "32Gi")), "pods": "30"}
    status = {"allocatable": amounts, "capacity": amounts}
    return {"metadata": {"name": name, "labels": dice.part(labels, 0.85)}, "spec": {}, "status": status}


def pod(dice: Dice, name: str) -> Json:
    meta = {"name": name, "namespace": dice.choice(NAMESPACES)}
    meta["labels"] = {key: dice.choice(values) for key, values in LABELS.items() if dice.maybe(0.6)}
    requests = {"cpu": dice.choice(("100m", "500m", "1500m")), "memory": dice.choice(("64Mi", "1Gi", "1500M"))}
    containers = [{"name": "c", "image": "app", "resources": {"requests": dice.part(requests, 0.85)}}]
    return {"metadata": meta, "spec": {"containers": containers}, "status": {}}


def every_pod(case: Json) -> list[Json]:
    return [*case["pods"], *case["pending"]]


def node_names(case: Json) -> list[str]:
    return [one["metadata"]["name"] for one in case["objects"]["nodes"]]


def configured(case: Json, **arguments: Json) -> None:
    """A configuration of the default profile with these plugins' arguments."""
    listed = [{"name": name, "args": one} for name, one in arguments.items()]
    profile = {"schedulerName": "default-scheduler", "pluginConfig": listed}
    case["config"] = {**CONFIGURED, "profiles": [profile]}
