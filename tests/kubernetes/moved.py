"""Clusters for the tests of drain and consolidate, and the check that a plan can be carried out.

A plan is carried out on the slow reference, move by move: the pod is taken out, its replacement scheduled, and the
reference has to choose the very node of the plan. Budgets are counted here, from the manifests, in a way of their own.
"""

from collections import Counter
from copy import deepcopy
from typing import Any

import msgspec

from binwright.kubernetes.configuration import read_configuration
from binwright.kubernetes.objects import Node, Pod
from binwright.kubernetes.reader import Objects
from binwright.kubernetes.related import Related, kind_by_plural
from binwright.moves import Evacuated
from tests.kubernetes.test_against_reference import Dice, random_case
from tests.reference.kubernetes.cluster import Cluster
from tests.reference.kubernetes.selectors import parse_label_selector
from tests.reference.kubernetes.selectors import selects as selector_selects

Json = dict[str, Any]

UNSCHEDULABLE = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


def random_cluster(seed: int) -> Json:
    """A case without pending pods. Most are friendly: more pods, nearly all with a controller and nothing that holds
    them, so that much can move; the others have all that may stand in the way.
    """
    case = random_case(seed)
    dice = Dice(seed + 1)
    case["pending"], case["nominated"] = [], []
    friendly = dice.maybe(0.7)
    names = [node["metadata"]["name"] for node in case["objects"]["nodes"]]
    if friendly:
        case["pods"] = [
            copied(dice, pod, number, names) for pod in case["pods"] for number in range(dice.randint(1, 3))
        ]
    for pod in case["pods"]:
        meta = pod["metadata"]
        if friendly or dice.maybe(0.9):
            kind = dice.choice(["ReplicaSet"] * (30 if friendly else 3) + ["StatefulSet", "DaemonSet"])
            owner = {"apiVersion": "apps/v1", "kind": kind, "name": "owner", "controller": True}
            meta["ownerReferences"] = [owner]
        if dice.maybe(0.1):
            pod["status"].setdefault("conditions", []).append(
                {"type": "Ready", "status": dice.choice(["True", "False"])}
            )
        if not friendly:
            stubborn(dice, pod)
    if dice.maybe(0.6):
        case["objects"]["podDisruptionBudgets"] = [budget(dice, number) for number in range(dice.randint(1, 4))]
    else:
        case["objects"].pop("podDisruptionBudgets", None)
    return case


def copied(dice: Dice, pod: Json, number: int, names: list[str]) -> Json:
    """The pod itself, or one like it on some node; volumes that only one may use are left out."""
    made = deepcopy(pod)
    made["metadata"].pop("deletionTimestamp", None)
    if number:
        made["metadata"]["name"] += f"-{number}"
        made["spec"]["nodeName"] = dice.choice(names)
        made["spec"].pop("volumes", None)
    return made


def stubborn(dice: Dice, pod: Json) -> None:
    """What may keep a pod where it is."""
    if dice.maybe(0.05):
        pod["metadata"]["annotations"] = {
            dice.choice(["karpenter.sh/do-not-disrupt", "kubernetes.io/config.mirror"]): "true",
            "cluster-autoscaler.kubernetes.io/safe-to-evict": dice.choice(["true", "false"]),
        }
    if dice.maybe(0.1):
        pod["spec"].setdefault("volumes", []).append({"name": "scratch", "emptyDir": {}})
    if dice.maybe(0.1):
        pod["status"]["phase"] = dice.choice(["Running", "Pending", "Succeeded"])


def budget(dice: Dice, number: int) -> Json:
    match = {} if dice.maybe(0.1) else {dice.choice(["app", "tier"]): dice.choice(["web", "db", "1", "2"])}
    desired = dice.randint(0, 2)
    return {
        "metadata": {"name": f"b{number}", "namespace": dice.choice(["default", "a", "b"]), "generation": 2},
        "spec": {"selector": {"matchLabels": match}, "unhealthyPodEvictionPolicy": dice.choice([None, "AlwaysAllow"])},
        "status": {
            "disruptionsAllowed": dice.choice([0, *[1] * 5, 2]),
            "currentHealthy": desired + dice.randint(-1, 1),
            "desiredHealthy": desired,
            "observedGeneration": dice.choice([2] * 9 + [1]),
        },
    }


def objects_of(case: Json) -> Objects:
    """The case as the reader would give it; kinds that it lacks have no objects."""
    listed = dict(case["objects"])
    objects = Objects(
        msgspec.convert(listed.pop("nodes"), list[Node]),
        msgspec.convert(case["pods"], list[Pod]),
        Related(complete=True),
    )
    for plural, items in listed.items():
        kind, struct = kind_by_plural(plural)
        for one in msgspec.convert(items, list[struct]):
            objects.related.add(kind, one)
    return objects


def profile_of(case: Json) -> Any:
    config = case.get("config")
    return None if config is None else read_configuration(config, "config")[0]


class Carried:
    """A plan carried out on the reference, after `plan.emptied` were cordoned and what is deleted has gone."""

    def __init__(self, case: Json, plan: Evacuated) -> None:
        self.case = deepcopy(case)
        for node in self.case["objects"]["nodes"]:
            if node["metadata"]["name"] in plan.emptied:
                taints = node["spec"].get("taints") or []
                node["spec"] = {**node["spec"], "unschedulable": True, "taints": [*taints, UNSCHEDULABLE]}
        self.cluster = Cluster(case.get("config"), objects=self.case["objects"])
        self.pods = {}
        for pod in self.case["pods"]:
            if pod["status"].get("phase") not in ("Succeeded", "Failed"):
                self.pods[key_of(pod)] = pod
                self.cluster.add_bound_pod(pod)
        self.plan = plan
        self.spent: Counter[str] = Counter()
        self.round = 0

    def delete(self) -> None:
        """What a drain deletes for good."""
        for one in self.plan.held:
            if one.action == "delete" and f"{one.namespace}/{one.name}" in self.pods:
                self.remove(f"{one.namespace}/{one.name}")

    def remove(self, key: str) -> Json:
        self.cluster.remove_pod(key)
        return self.pods.pop(key)

    def carry_out(self, move: Any) -> str | None:
        """One move; returns the node that the reference chooses, after checking that the eviction is allowed."""
        if move.round != self.round:
            assert move.round == self.round + 1
            self.round, self.spent = move.round, Counter()
        key = f"{move.outcome.namespace}/{move.outcome.name}"
        assert self.pods[key]["spec"]["nodeName"] == move.origin
        self.allow(self.pods[key], move)
        after = deepcopy(self.remove(key))
        after["spec"].pop("nodeName")
        after["status"] = {}
        after["metadata"].pop("deletionTimestamp", None)
        decision = self.cluster.decide(after)
        if decision.node is None:
            return None
        self.cluster.commit(decision)
        bound = {**after, "spec": {**after["spec"], "nodeName": decision.node.name}}
        self.pods[key] = bound
        assert move.ties == len(decision.result.get("max", [0]))
        return decision.node.name

    def allow(self, pod: Json, move: Any) -> None:
        """Fails when a disruption budget is overdrawn in this round."""
        status = pod["status"]
        if status.get("phase") == "Pending":
            assert move.budget is None
            return
        mine = [one for one in self.case["objects"].get("podDisruptionBudgets", ()) if selects(one, pod)]
        assert len(mine) <= 1
        if not mine:
            assert move.budget is None
            return
        one = mine[0]
        state = one["status"]
        conditions = status.get("conditions")
        unready = conditions is not None and {"type": "Ready", "status": "True"} not in conditions
        policy = one["spec"].get("unhealthyPodEvictionPolicy")
        healthy, desired = state.get("currentHealthy", 0), state.get("desiredHealthy", 0)
        if unready and (policy == "AlwaysAllow" or healthy >= desired > 0):
            assert move.budget is None
            return
        name = f"{one['metadata']['namespace']}/{one['metadata']['name']}"
        assert move.budget == name
        assert state.get("observedGeneration", 0) >= one["metadata"].get("generation", 0)
        self.spent[name] += 1
        assert self.spent[name] <= state["disruptionsAllowed"], f"{name} is overdrawn in round {self.round}"


def selects(one: Json, pod: Json) -> bool:
    if one["metadata"]["namespace"] != pod["metadata"].get("namespace", "default"):
        return False
    return selector_selects(parse_label_selector(one["spec"].get("selector")), pod["metadata"].get("labels") or {})


def key_of(pod: Json) -> str:
    return f"{pod['metadata'].get('namespace', 'default')}/{pod['metadata']['name']}"
