"""Small clusters drawn for the comparison with the real kube-scheduler, one family for each group of rules.

A case follows from family and seed. The draws aim at the corners of a rule, not at what clusters look like. What
upstream leaves to chance is kept out: pods of one node start at different times, volumes of one class have different
sizes, services that select one pod agree; so are preferences that the scheduler cannot parse, which fail its cycle.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.kube_scheduler.draws import (
    HOST,
    LABELS,
    NAMESPACES,
    ZONE,
    Dice,
    Json,
    base,
    configured,
    every_pod,
    node,
    node_names,
    pod,
)
from bench.kube_scheduler.volumes import volumes

# ---- families ----------------------------------------------------------------------------------------------------

QUANTITIES = {
    "cpu": ("0", "1m", "100u", "1n", "333m", "0.5", "1", "1e-1", "2", "1500m"),
    "memory": ("0", "1", "1500000001n", "64Mi", "1.5Gi", "900M", "1e9", "700000Ki", "3Gi"),
    "ephemeral-storage": ("1Gi", "0", "10Gi", "1"),
    "nvidia.com/gpu": ("0", "1", "3"),
    "example.com/fpga": ("1", "2"),
    "hugepages-2Mi": ("2Mi", "64Mi"),
    "attachable-volumes-x": ("1",),
    "requests.example.com/x": ("1",),
    "nonsense": ("1",),
}
OFFERED = {"ephemeral-storage": ("20Gi", "9Gi"), "nvidia.com/gpu": ("2", "4", "0"), "example.com/fpga": ("2", "8"),
           "hugepages-2Mi": ("128Mi", "0"), "attachable-volumes-x": ("2",), "example.com/none": ("1",)}  # fmt: skip


def amounts(dice: Dice, chance: float = 0.3, table: Any = None) -> Json:
    return {name: dice.choice(values) for name, values in (table or QUANTITIES).items() if dice.maybe(chance)}


def resources(dice: Dice) -> Json:
    """Fit, sidecars, overhead, pod-level amounts, extended and ignored resources, resizing, every strategy."""
    case = base(dice)
    for one in case["objects"]["nodes"]:
        one["status"]["allocatable"].update(amounts(dice, 0.6, OFFERED))
        if dice.maybe(0.3):
            one["status"]["allocatable"]["pods"] = dice.choice(("0", "1", "3"))
    for one in every_pod(case):
        spec = one["spec"]
        for at in range(dice.randint(0, 2)):
            spec["containers"].append(container(dice, f"d{at}"))
        if dice.maybe(0.4):
            spec["initContainers"] = [container(dice, f"i{at}") for at in range(dice.randint(1, 3))]
            for init in spec["initContainers"]:
                if dice.maybe():
                    init["restartPolicy"] = "Always"
        if dice.maybe(0.3):
            spec["overhead"] = amounts(dice, 0.2)
        if dice.maybe(0.3):
            spec["resources"] = {"requests": amounts(dice, 0.3)}
        if dice.maybe(0.25):
            resized(dice, one)
    if dice.maybe(0.5):
        strategies(dice, case)
    return case


def container(dice: Dice, name: str) -> Json:
    return {"name": name, "image": "app", "resources": {"requests": amounts(dice, 0.25)}}


def resized(dice: Dice, one: Json) -> None:
    """Statuses of containers that are being resized in place."""
    for kind in ("containers", "initContainers"):
        one["status"][kind.replace("ontainers", "ontainerStatuses")] = [
            {
                "name": each["name"],
                "allocatedResources": amounts(dice, 0.3),
                "resources": {"requests": amounts(dice, 0.3)},
            }
            for each in one["spec"].get(kind, ())
            if dice.maybe(0.7)
        ]
    if dice.maybe():
        reasons = dice.sample(("Infeasible", "Deferred"), dice.randint(1, 2))
        one["status"]["conditions"] = [{"type": "PodResizePending", "status": "True", "reason": why} for why in reasons]


def strategies(dice: Dice, case: Json) -> None:
    scored = [name for name in QUANTITIES if name not in ("nonsense", "requests.example.com/x")]

    def listed(most: int) -> list[Json]:
        return [{"name": name, "weight": dice.randint(1, 5)} for name in dice.sample(scored, dice.randint(1, most))]

    strategy: Json = {"type": dice.choice(("LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"))}
    strategy["resources"] = listed(4)
    if strategy["type"] == "RequestedToCapacityRatio":
        points = sorted(dice.sample(range(101), dice.randint(1, 4)))
        shape = [{"utilization": point, "score": dice.randint(0, 10)} for point in points]
        strategy["requestedToCapacityRatio"] = {"shape": shape}
    fit = {"scoringStrategy": strategy, **dice.part({"ignoredResources": ["example.com/fpga"]}, 0.3)}
    fit |= dice.part({"ignoredResourceGroups": ["nvidia.com"]}, 0.3)
    balanced = {"resources": [{**one, "weight": 1} for one in listed(4)]}
    configured(case, **dice.part({"NodeResourcesFit": fit, "NodeResourcesBalancedAllocation": balanced}, 0.7))
    scores = ("TaintToleration", "NodeAffinity", "NodeResourcesFit", "NodeResourcesBalancedAllocation", "ImageLocality")
    enabled = [{"name": name, "weight": dice.randint(0, 9)} for name in dice.some(scores, 3)]
    disabled = [{"name": name} for name in dice.some(scores, 3)]
    case["config"]["profiles"][0]["plugins"] = {"score": {"enabled": enabled, "disabled": disabled}}


EFFECTS = ("NoSchedule", "NoExecute", "PreferNoSchedule")


def taints(dice: Dice) -> Json:
    """Taints, tolerations of every form, unschedulable nodes, a node by name."""
    case = base(dice)
    for one in case["objects"]["nodes"]:
        found = [
            {"key": key, "value": dice.choice(("", "v")), "effect": dice.choice(EFFECTS)} for key in ("k", "l", "")
        ]
        one["spec"] = {
            "taints": [each for each in found[:2] if dice.maybe(0.45)],
            **dice.part({"unschedulable": True}, 0.2),
        }
    for one in case["pending"]:
        if dice.maybe(0.8):
            one["spec"]["tolerations"] = [toleration(dice) for _ in range(dice.randint(0, 3))]
        if dice.maybe(0.08):
            one["spec"]["nodeName"] = dice.choice([*node_names(case), "nowhere"])
    return case


def toleration(dice: Dice) -> Json:
    drawn = {
        "key": dice.choice(("", "k", "l", "node.kubernetes.io/unschedulable")),
        "operator": dice.choice(("", "Equal", "Exists", "Other")),
        "value": dice.choice(("", "v")),
        "effect": dice.choice(("", *EFFECTS)),
    }
    return dice.part(drawn, 0.75)


def node_affinity(dice: Dice) -> Json:
    """Selectors, every operator, broken terms, names of nodes, what a profile adds."""
    case = base(dice)
    names = [*node_names(case), "nowhere"]
    for one in case["pending"]:
        spec = one["spec"]
        if dice.maybe(0.3):
            spec["nodeSelector"] = dice.choice(({}, {"disk": "ssd"}, {ZONE: "z1", "disk": "ssd"}, {"gone": ""}))
        affinity: Json = {}
        if dice.maybe(0.7):
            terms = [node_term(dice, names, broken=True) for _ in range(dice.randint(0, 3))]
            affinity["requiredDuringSchedulingIgnoredDuringExecution"] = {"nodeSelectorTerms": terms}
        if dice.maybe(0.6):
            affinity["preferredDuringSchedulingIgnoredDuringExecution"] = weighted(dice, names)
        if dice.maybe(0.9):
            spec["affinity"] = {"nodeAffinity": affinity}
        if dice.maybe(0.1):
            one["status"]["nominatedNodeName"] = dice.choice(names)
    if dice.maybe(0.3):
        required = {"nodeSelectorTerms": [node_term(dice, names, filled=True) for _ in range(dice.randint(1, 2))]}
        added = {
            "requiredDuringSchedulingIgnoredDuringExecution": required,
            "preferredDuringSchedulingIgnoredDuringExecution": weighted(dice, names, filled=True),
        }
        configured(case, NodeAffinity={"addedAffinity": dice.part(added, 0.6)})
    return case


def weighted(dice: Dice, names: list[str], filled: bool = False) -> list[Json]:
    return [
        {"weight": dice.randint(1, 100), "preference": node_term(dice, names, filled=filled)}
        for _ in range(dice.randint(1 if filled else 0, 3))
    ]


def node_term(dice: Dice, names: list[str], *, broken: bool = False, filled: bool = False) -> Json:
    """broken: some of it is invalid, which the scheduler passes over. filled: never empty."""
    made: Json = {}
    if dice.maybe(0.75) or filled:
        expressions = [node_requirement(dice, names, broken) for _ in range(dice.randint(1 if filled else 0, 2))]
        made["matchExpressions"] = expressions
    if dice.maybe(0.3):
        made["matchFields"] = [
            {
                "key": "metadata.name",
                "operator": dice.choice(("In", "In", "NotIn")),
                "values": dice.sample(names, dice.randint(0, 2) if broken and dice.maybe(0.3) else 1),
            }
            for _ in range(dice.randint(1, 2))
        ]
    return made


def node_requirement(dice: Dice, names: list[str], broken: bool) -> Json:
    operator = dice.choice(("In", "In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"))
    if broken and dice.maybe(0.06):
        operator = "Other"
    if operator in ("Gt", "Lt"):
        values = ("0", "5", "007", "+2", "-4", "x", "9223372036854775808") if broken else ("0", "5", "006")
        return {"key": "n", "operator": operator, "values": [dice.choice(values)]}
    made = {"key": dice.choice((ZONE, "disk", HOST, "gone")), "operator": operator}
    if operator not in ("Exists", "DoesNotExist"):
        made["values"] = dice.sample(("z1", "z2", "ssd", "hdd", names[0], ""), dice.randint(1, 2))
    return made


def ports(dice: Dice) -> Json:
    """Host ports by address and protocol, also of sidecars."""
    case = base(dice, nodes=(1, 5))
    for one in every_pod(case):
        if dice.maybe(0.3):
            one["spec"]["initContainers"] = [{"name": "s", "image": "app", **dice.part({"restartPolicy": "Always"})}]
        for each in (*one["spec"]["containers"], *one["spec"].get("initContainers", ())):
            each["ports"] = [
                {
                    "containerPort": 1,
                    **dice.part({"hostPort": dice.choice((80, 80, 443))}, 0.8),
                    **dice.part({"protocol": dice.choice(("TCP", "UDP", "SCTP"))}, 0.4),
                    **dice.part({"hostIP": dice.choice(("", "0.0.0.0", "10.0.0.1", "10.0.0.2", "::"))}, 0.6),
                }
                for _ in range(dice.randint(0, 2))
            ]
    return case


IMAGES = ("app", "app:latest", "db:1", "r.example:5000/big", "r.example:5000/big:latest", "other@sha256:1")


def images(dice: Dice) -> Json:
    """Sizes that differ from node to node, tags, digests, init containers."""
    case = base(dice)
    for one in case["objects"]["nodes"]:
        names = dice.sample(IMAGES, 5)
        one["status"]["images"] = [
            {"names": part, "sizeBytes": dice.choice((5, 23, 300, 1000, 4000)) * 2**20 + dice.randint(-1, 1)}
            for part in (names[:2], names[2:4], names[4:])
            if dice.maybe(0.7)
        ]
    for one in case["pending"]:
        kinds = dice.randint(1, 3)
        one["spec"]["containers"] = [{"name": f"c{at}", "image": dice.choice(IMAGES)} for at in range(kinds)]
        if dice.maybe(0.3):
            one["spec"]["initContainers"] = [{"name": "i", "image": dice.choice(IMAGES)}]
    return case


# ---- what ties pods to each other --------------------------------------------------------------------------------


def selector(dice: Dice) -> Json | None:
    """Null, empty, labels, requirements."""
    if dice.maybe(0.08):
        return None
    made: Json = {}
    if dice.maybe(0.6):
        key = dice.choice(list(LABELS))
        made["matchLabels"] = {key: dice.choice(LABELS[key])}
    if dice.maybe(0.4):
        key, operator = dice.choice(list(LABELS)), dice.choice(("In", "NotIn", "Exists", "DoesNotExist"))
        one: Json = {"key": key, "operator": operator}
        if operator in ("In", "NotIn"):
            one["values"] = dice.sample(LABELS[key], dice.randint(1, 2))
        made["matchExpressions"] = [one]
    return made


def spread(dice: Dice) -> Json:
    """Skew over domains: policies, minDomains, matchLabelKeys, defaults by owners, terminating pods."""
    case = base(dice, pods=(3, 20))
    for one in case["objects"]["nodes"]:
        found = {"key": "k", "value": "", "effect": dice.choice(EFFECTS)}
        one["spec"] = {"taints": [found] if dice.maybe(0.25) else [], **dice.part({"unschedulable": True}, 0.05)}
    for one in case["pods"]:
        if dice.maybe(0.1):
            one["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    for one in case["pending"]:
        if dice.maybe(0.7):
            one["spec"]["topologySpreadConstraints"] = [constraint(dice) for _ in range(dice.randint(0, 3))]
        if dice.maybe(0.3):
            one["spec"]["nodeSelector"] = dice.choice(({"disk": "ssd"}, {ZONE: "z1"}))
        if dice.maybe(0.3):
            one["spec"]["tolerations"] = [{"key": "k", "operator": "Exists"}]
    owned(dice, case)
    if dice.maybe(0.2):
        defaults = [
            {
                "maxSkew": dice.randint(1, 3),
                "topologyKey": key,
                "whenUnsatisfiable": dice.choice(("ScheduleAnyway", "DoNotSchedule")),
            }
            for key in dice.sample((ZONE, HOST, "disk"), dice.randint(1, 2))
        ]
        configured(case, PodTopologySpread={"defaultingType": "List", "defaultConstraints": defaults})
    return case


def constraint(dice: Dice) -> Json:
    made: Json = {
        "maxSkew": dice.randint(1, 3),
        "topologyKey": dice.choice((ZONE, ZONE, HOST, "disk", "gone")),
        "whenUnsatisfiable": dice.choice(("DoNotSchedule", "ScheduleAnyway")),
        "labelSelector": selector(dice),
    }
    if made["whenUnsatisfiable"] == "DoNotSchedule" and dice.maybe(0.3):
        made["minDomains"] = dice.randint(1, 4)
    made |= dice.part({"nodeAffinityPolicy": dice.choice(("Honor", "Ignore"))}, 0.3)
    made |= dice.part({"nodeTaintsPolicy": dice.choice(("Honor", "Ignore"))}, 0.4)
    return made | dice.part({"matchLabelKeys": dice.some(list(LABELS), 2)}, 0.3)


def owned(dice: Dice, case: Json) -> None:
    """Services and controllers that select pods; of one namespace they agree."""
    for kind, key in (("services", "selector"), ("replicationControllers", "selector")):
        case["objects"][kind] = [
            {
                "metadata": {"name": "o", "namespace": place},
                "spec": dice.part({key: dice.part({"app": "web"}, 0.8)}, 0.9),
            }
            for place in NAMESPACES
            if dice.maybe()
        ]
    for kind in ("replicaSets", "statefulSets"):
        case["objects"][kind] = [
            {"metadata": {"name": "o", "namespace": place}, "spec": {"selector": selector(dice)}}
            for place in NAMESPACES
            if dice.maybe(0.7)
        ]
    for one in every_pod(case):
        kind, version = dice.choice(
            (("ReplicaSet", "apps/v1"), ("StatefulSet", "apps/v1"), ("ReplicationController", "v1"))
        )
        owner = {"apiVersion": version, "kind": kind, "name": "o", "uid": "u", "controller": dice.maybe(0.9)}
        if dice.maybe(0.4):
            one["metadata"]["ownerReferences"] = [owner]


def inter_pod(dice: Dice) -> Json:
    """Affinity and anti-affinity of waiting and of placed pods, over several keys and namespaces."""
    case = base(dice, pods=(2, 16))
    for one in every_pod(case):
        if dice.maybe(0.6):
            one["spec"]["affinity"] = pod_affinity(dice)
        if dice.maybe(0.05):
            one["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    if dice.maybe(0.3):
        arguments = {"hardPodAffinityWeight": dice.choice((0, 1, 10, 100))}
        configured(case, InterPodAffinity=arguments | dice.part({"ignorePreferredTermsOfExistingPods": True}))
    return case


def pod_affinity(dice: Dice) -> Json:
    made: Json = {}
    for kind in ("podAffinity", "podAntiAffinity"):
        stanza = {
            "requiredDuringSchedulingIgnoredDuringExecution": [pod_term(dice) for _ in range(dice.randint(0, 2))],
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": dice.randint(1, 100), "podAffinityTerm": pod_term(dice)} for _ in range(dice.randint(0, 2))
            ],
        }
        if dice.maybe(0.6):
            made[kind] = dice.part(stanza)
    return made


def pod_term(dice: Dice) -> Json:
    made: Json = {"topologyKey": dice.choice((ZONE, ZONE, HOST, "disk", "gone")), "labelSelector": selector(dice)}
    made |= dice.part({"namespaces": dice.some((*NAMESPACES, "nowhere"), 2)}, 0.3)
    operator = dice.choice(("Exists", "DoesNotExist", "In", "NotIn"))
    requirement = {"key": "team", "operator": operator, **({"values": ["p"]} if operator.endswith("n") else {})}
    return made | dice.part({"namespaceSelector": dice.choice(({}, {"matchExpressions": [requirement]}))}, 0.3)


# ---- preemption --------------------------------------------------------------------------------------------------


def preemption(dice: Dice) -> Json:
    """Full nodes, priorities, budgets, pods that leave, pods that wait for a node; and a second rule in play."""
    beside = dice.choice((base, base, ports, spread, inter_pod, volumes, taints))
    case = beside(dice)
    names = node_names(case)
    starts = {name: dice.sample(range(50), 50) for name in names}
    for one in case["objects"]["nodes"]:
        one["status"]["allocatable"] |= {"cpu": dice.choice(("3", "4")), "pods": dice.choice(("4", "9"))}
    for at in range(dice.randint(2, 10)):
        extra = pod(dice, f"e-{at}")
        extra["spec"]["nodeName"] = dice.choice(names)
        case["pods"].append(extra)
    for pods, levels in ((case["pods"], (0, 0, 1, -3, 50)), (case["pending"], (5, 100, 1, 0))):
        for one in pods:
            one["spec"] |= dice.part({"priority": dice.choice(levels)}, 0.9)
            one["spec"]["containers"][0]["resources"] = {"requests": {"cpu": dice.choice(("500m", "1", "1500m", "2"))}}
    for one in case["pods"]:
        one["status"]["startTime"] = f"2026-01-01T00:00:{starts[one['spec']['nodeName']].pop():02}Z"
        if dice.maybe(0.08):
            one["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
            why = {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}
            one["status"] |= dice.part({"conditions": [why]}, 0.7)
    for one in case["pending"]:
        one["spec"] |= dice.part({"preemptionPolicy": "Never"}, 0.08)
        one["status"] |= dice.part({"nominatedNodeName": dice.choice([*names, "gone"])}, 0.12)
    case["objects"]["podDisruptionBudgets"] = [
        {
            "metadata": {"name": f"b{at}", "namespace": dice.choice(NAMESPACES)},
            "spec": {"selector": selector(dice)},
            "status": {
                "disruptionsAllowed": dice.randint(0, 2),
                **dice.part({"disruptedPods": {"e-1": "2026-01-01T00:00:00Z"}}, 0.15),
            },
        }
        for at in range(dice.randint(0, 4))
    ]
    if dice.maybe(0.3) and beside is not volumes:
        case["nominated"] = [waiting(dice, one, at, names) for at, one in enumerate(dice.some(case["pending"], 3))]
    return case


def waiting(dice: Dice, like: Json, number: int, names: list[str]) -> Json:
    """A pod like this one that waits for a node."""
    spec = {key: value for key, value in like["spec"].items() if key != "nodeName"}
    meta = {**like["metadata"], "name": f"w-{number}"}
    return {"metadata": meta, "spec": spec, "status": {"nominatedNodeName": dice.choice(names)}}


def sampling(dice: Dice) -> Json:
    """More nodes than are looked at, and any rule."""
    beside = dice.choice((spread, inter_pod, taints, node_affinity))
    case = beside(dice)
    names = node_names(case)
    for at in range(420 if dice.maybe(0.1) else dice.randint(100, 200)):
        case["objects"]["nodes"].append(node(dice, f"m-{at}"))
    case["pending"] = case["pending"][:5]
    for one in case["pending"]:
        one["status"] |= dice.part({"nominatedNodeName": dice.choice(names)}, 0.2)
    case["percentageOfNodesToScore"] = dice.choice((0, 5, 40, 60, 100))
    return case


def mixed(dice: Dice) -> Json:
    """Everything at once."""
    case = preemption(dice)
    for one in every_pod(case):
        if dice.maybe(0.2):
            one["spec"]["topologySpreadConstraints"] = [constraint(dice)]
        if dice.maybe(0.2):
            one["spec"]["affinity"] = pod_affinity(dice)
        if dice.maybe(0.2):
            one["spec"]["tolerations"] = [toleration(dice)]
        if dice.maybe(0.2):
            one["spec"]["overhead"] = amounts(dice, 0.2)
    return case


FAMILIES: dict[str, Callable[[Dice], Json]] = {
    one.__name__: one
    for one in (
        *(resources, taints, node_affinity, ports, images, spread, inter_pod, volumes, preemption, sampling, mixed),
    )
}


def drawn(family: str, seed: int) -> Json:
    """The case of a family that follows from a seed."""
    case = FAMILIES[family](Dice(f"{family} {seed}"))
    return {"name": f"{family}-{seed}", "sensitiveTo": ["nsSelectorEmptyLabels"], **case}
