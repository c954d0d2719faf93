"""Random clusters through the layer and through the slow reference: every recorded part of every pod is equal.

A cluster follows from one number, which Hypothesis prints.
"""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binwright.kubernetes.conformance import replay
from tests.kubernetes.drawn_relations import relate
from tests.kubernetes.made import Json, expression
from tests.reference.kubernetes.replay import run_case

ZONES = ["x", "y", "z"]
KEYS = ["zone", "disk", "n", "kubernetes.io/hostname"]
OPERATORS = ["In", "In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", "Bad"]
QUANTITIES = {
    "cpu": ["0", "1m", "100m", "250m", "0.5", "1", "1500m", "3", "100u", "1e-1"],
    "memory": ["0", "1", "64Mi", "200Mi", "1Gi", "1.5Gi", "900M", "1e9", "3Gi"],
    "ephemeral-storage": ["1Gi", "10Gi", "0"],
    "nvidia.com/gpu": ["0", "1", "2"],
    "example.com/fpga": ["1", "3"],
    "hugepages-2Mi": ["2Mi", "64Mi"],
    "nonsense": ["1"],
}
OFFERED = {
    "cpu": ["2", "4", "7900m", "16"],
    "memory": ["4Gi", "8Gi", "16Gi", "0"],
    "pods": ["0", "2", "5", "110"],
    "ephemeral-storage": ["20Gi", "100Gi"],
    "nvidia.com/gpu": ["1", "4", "0"],
    "example.com/fpga": ["2", "8"],
    "hugepages-2Mi": ["128Mi", "0"],
}
IMAGES = ["app", "app:latest", "db:1", "r.example:5000/big", "r.example:5000/big:latest", "other@sha256:1"]
EFFECTS = ["NoSchedule", "NoExecute", "PreferNoSchedule"]
RARE = 0.2


class Dice(random.Random):
    """A die with the few throws that are wanted here."""

    def maybe(self, chance: float = 0.5) -> bool:
        return self.random() < chance

    def some(self, things: list, most: int = 3) -> list:
        return self.sample(things, self.randint(0, min(most, len(things))))


def amounts(dice: Dice, table: dict[str, list[str]], chance: float) -> Json:
    return {
        name: dice.choice(values)
        for name, values in table.items()
        if dice.maybe(0.8 if name in ("cpu", "memory", "pods") else chance)
    }


def term(dice: Dice, names: list[str]) -> Json:
    made: Json = {}
    if dice.maybe(0.8):
        made["matchExpressions"] = [
            one for _ in range(dice.randint(0, 2)) for one in requirement(dice, names)["matchExpressions"]
        ]
    if dice.maybe(0.3):
        made["matchFields"] = [
            {"key": "metadata.name", "operator": dice.choice(["In", "In", "NotIn"]), "values": dice.some(names, 2)}
            for _ in range(dice.randint(1, 2))
        ]
    return made


def requirement(dice: Dice, names: list[str]) -> Json:
    key, operator = dice.choice(KEYS), dice.choice(OPERATORS)
    values = [*ZONES, "5", "7", "x1", names[0]]
    count = {"Exists": 0, "DoesNotExist": 0, "Gt": 1, "Lt": 1}.get(operator, dice.randint(1, 2))
    if operator in ("Gt", "Lt"):
        key, values = "n", ["0", "5", "007", "x"]
    if dice.maybe(0.03):
        count = dice.randint(0, 2)
    return expression(key, operator, *dice.sample(values, count))


def node_affinity(dice: Dice, names: list[str]) -> Json:
    made: Json = {}
    if dice.maybe():
        made["requiredDuringSchedulingIgnoredDuringExecution"] = {
            "nodeSelectorTerms": [term(dice, names) for _ in range(dice.randint(0, 3))]
        }
    if dice.maybe():
        made["preferredDuringSchedulingIgnoredDuringExecution"] = [
            {"weight": dice.randint(0, 100), "preference": term(dice, names)} for _ in range(dice.randint(0, 3))
        ]
    return made


def toleration(dice: Dice) -> Json:
    drawn = {
        "key": dice.choice([None, "", "k0", "k1", "k2", "node.kubernetes.io/unschedulable"]),
        "operator": dice.choice([None, "", "Equal", "Exists", "Exists"]),
        "value": dice.choice([None, "", "v"]),
        "effect": dice.choice([None, "", *EFFECTS]),
    }
    return {key: value for key, value in drawn.items() if value is not None}


def container(dice: Dice, name: str) -> Json:
    return {"name": name, "image": dice.choice(IMAGES), "resources": {"requests": amounts(dice, QUANTITIES, RARE)}}


def node(dice: Dice, name: str) -> Json:
    labels = {"kubernetes.io/hostname": name, "zone": dice.choice(ZONES), "disk": "x1"}
    labels["n"] = dice.choice(["1", "6", "x"])
    taints = [{"key": f"k{i}", "value": dice.choice(["", "v"]), "effect": dice.choice(EFFECTS)} for i in range(3)]
    names = dice.sample(IMAGES, 4)
    images = [{"names": part, "sizeBytes": dice.choice([5, 300, 900, 4000]) << 20} for part in (names[:2], names[2:])]
    return {
        "metadata": {"name": name, "labels": {key: labels[key] for key in labels if dice.maybe(0.7)}},
        "spec": {"unschedulable": dice.maybe(0.1), "taints": [one for one in taints if dice.maybe(0.15)]},
        "status": {"allocatable": amounts(dice, OFFERED, 0.6), "images": images if dice.maybe() else []},
    }


def pod(dice: Dice, name: str, names: list[str]) -> Json:
    spec: Json = {"containers": [container(dice, f"c{number}") for number in range(dice.randint(1, 2))]}
    if dice.maybe(RARE):
        spec["initContainers"] = [container(dice, f"i{number}") for number in range(dice.randint(1, 3))]
        for one in spec["initContainers"]:
            if dice.maybe():
                one["restartPolicy"] = "Always"
    if dice.maybe(RARE):
        spec["overhead"] = amounts(dice, QUANTITIES, 0.1)
    if dice.maybe(RARE):
        spec["resources"] = {"requests": amounts(dice, QUANTITIES, RARE)}
    if dice.maybe(RARE):
        spec["nodeSelector"] = dice.choice([{}, {"zone": "x"}, {"zone": "y", "disk": "x1"}])
    if dice.maybe(0.4):
        spec["affinity"] = {"nodeAffinity": node_affinity(dice, [*names, "nowhere"])}
    if dice.maybe(0.4):
        spec["tolerations"] = [toleration(dice) for _ in range(dice.randint(1, 3))]
    status: Json = {}
    if dice.maybe(0.1):
        status["containerStatuses"] = [
            {
                "name": one["name"],
                "resources": {"requests": amounts(dice, QUANTITIES, RARE)},
                "allocatedResources": amounts(dice, QUANTITIES, RARE),
            }
            for one in spec["containers"]
        ]
        status["conditions"] = [{"type": "PodResizePending", "reason": dice.choice(["Infeasible", "Deferred"])}]
    return {"metadata": {"name": name, "namespace": "default"}, "spec": spec, "status": status}


def configuration(dice: Dice, names: list[str]) -> Json:
    def listed(most: int) -> list[Json]:
        scored = [name for name in QUANTITIES if name != "nonsense"]
        return [{"name": name, "weight": dice.randint(1, 5)} for name in dice.sample(scored, dice.randint(1, most))]

    strategy: Json = {"type": dice.choice(["LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"])}
    strategy["resources"] = listed(4)
    if strategy["type"] == "RequestedToCapacityRatio":
        points = sorted(dice.sample(range(101), dice.randint(1, 4)))
        shape = [{"utilization": point, "score": dice.randint(0, 10)} for point in points]
        strategy["requestedToCapacityRatio"] = {"shape": shape}
    scores = ["TaintToleration", "NodeAffinity", "NodeResourcesFit", "NodeResourcesBalancedAllocation", "ImageLocality"]
    disabled, enabled = dice.some(scores, 2), dice.some(scores, 2)
    arguments = {
        "NodeResourcesFit": {"scoringStrategy": strategy, "ignoredResources": dice.some(["example.com/fpga"], 1)},
        "NodeResourcesBalancedAllocation": {"resources": [{**one, "weight": 1} for one in listed(4)]},
        "NodeAffinity": {"addedAffinity": node_affinity(dice, names)},
    }
    return {
        "profiles": [
            {
                "schedulerName": "default-scheduler",
                "pluginConfig": [{"name": name, "args": args} for name, args in arguments.items() if dice.maybe(0.6)],
                "plugins": {
                    "score": {
                        "disabled": [{"name": name} for name in disabled],
                        "enabled": [{"name": name, "weight": dice.randint(0, 9)} for name in enabled],
                    }
                },
            }
        ]
    }


def random_case(seed: int) -> Json:
    """A cluster of up to 10 nodes, some bound pods, and a queue of up to 12."""
    dice = Dice(seed)
    names = [f"n{dice.randrange(10**6)}-{number}" for number in range(dice.randint(1, 10))]
    case: Json = {"name": str(seed), "objects": {"nodes": [node(dice, name) for name in names]}}
    case["pods"] = [pod(dice, f"bound-{number}", names) for number in range(dice.randint(0, 14))]
    for one in case["pods"]:
        one["spec"]["nodeName"] = dice.choice(names)
    case["pending"] = [pod(dice, f"p-{number}", names) for number in range(dice.randint(1, 12))]
    if dice.maybe(0.1):
        case["pending"][0]["spec"]["nodeName"] = dice.choice([*names, "nowhere"])
    if dice.maybe(0.4):
        case["config"] = configuration(dice, names)
    if dice.maybe(0.85):
        if dice.maybe(0.85):
            make_room(dice, case)
        relate(dice, case)
    return case


def make_room(dice: Dice, case: Json) -> None:
    """Most nodes take most pods, as far as nodes and amounts go, so that relations decide."""
    if dice.maybe(0.8):
        case.pop("config", None)
    for one in case["objects"]["nodes"]:
        if dice.maybe(0.93):
            one["spec"] = {}
            one["status"]["allocatable"] = {"cpu": dice.choice(["4", "16"]), "memory": "64Gi", "pods": "20"}
    for one in (*case["pods"], *case["pending"]):
        if dice.maybe(0.93):
            one["spec"].pop("affinity", None)
            one["spec"].pop("nodeSelector", None)
            requests = {"cpu": dice.choice(["100m", "500m", "2"]), "memory": "1Gi"}
            one["spec"]["containers"] = [{"name": "c0", "image": "app", "resources": {"requests": requests}}]
            one["spec"].pop("initContainers", None)
            one["spec"].pop("resources", None)
            one["spec"].pop("overhead", None)


def sampled_case(seed: int) -> Json:
    """More nodes than kube-scheduler looks at."""
    dice = Dice(seed)
    names = [f"n{dice.randrange(10**6)}-{number}" for number in range(dice.randint(95, 260))]
    case: Json = {"name": str(seed), "objects": {"nodes": [node(dice, name) for name in names]}}
    case["pods"] = [pod(dice, f"bound-{number}", names) for number in range(dice.randint(0, 10))]
    for one in case["pods"]:
        one["spec"]["nodeName"] = dice.choice(names)
    case["pending"] = [pod(dice, f"p-{number}", names) for number in range(8)]
    make_room(dice, case)
    relate(dice, case)
    case["percentageOfNodesToScore"] = dice.choice([0, 5, 40, 60, 100])
    return case


def differences(case: Json) -> list[str]:
    case["expected"] = run_case(case, "random")
    return replay({"cases": [case]}).differences


@given(st.integers(0, 2**32 - 1))
def test_random_clusters(seed):
    assert differences(random_case(seed)) == []


@settings(max_examples=5)
@given(st.integers(0, 2**32 - 1))
def test_random_samples(seed):
    assert differences(sampled_case(seed)) == []


@pytest.mark.slow
def test_five_hundred_clusters():
    first = random.SystemRandom().randrange(2**31)
    print(f"seeds {first} to {first + 499}")
    assert {seed: found for seed in range(first, first + 500) if (found := differences(random_case(seed)))} == {}


def test_the_draws_reach_every_verdict():
    """Guards the generator: among its clusters are placements, both kinds of refusal, restrictions and skips."""
    seen: set[str] = set()
    for seed in range(300):
        case = random_case(seed)
        for result in run_case(case, "random"):
            seen.add(result["outcome"])
            seen.add(result["preFilter"].get("plugin", "pre-filtered"))
            seen.update(f"skips {name}" for name in result.get("score", {}).get("skip", ()))
            seen.update(f"{one.get('plugin')} {one['code']}" for one in result.get("filter") or () if one)
    assert seen >= {
        "bound", "unschedulable", "pre-filtered", "NodeAffinity", "skips NodeResourcesBalancedAllocation",
        "NodeUnschedulable UnschedulableAndUnresolvable", "NodeName UnschedulableAndUnresolvable",
        "TaintToleration UnschedulableAndUnresolvable", "NodeAffinity UnschedulableAndUnresolvable",
        "NodeResourcesFit UnschedulableAndUnresolvable", "NodeResourcesFit Unschedulable",
        "None UnschedulableAndUnresolvable", "preempting", "VolumeRestrictions", "VolumeBinding", "VolumeZone",
        "NodePorts Unschedulable", "VolumeRestrictions Unschedulable", "NodeVolumeLimits Unschedulable",
        "VolumeBinding UnschedulableAndUnresolvable", "VolumeZone UnschedulableAndUnresolvable",
        "PodTopologySpread Unschedulable", "PodTopologySpread UnschedulableAndUnresolvable",
        "InterPodAffinity Unschedulable", "InterPodAffinity UnschedulableAndUnresolvable",
        "skips PodTopologySpread", "skips InterPodAffinity",
    }  # fmt: skip
