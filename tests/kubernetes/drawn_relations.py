"""Draws of what ties pods to each other: labels, ports, spread, affinity, owners, volumes, priorities, budgets.

`relate(dice, case)` adds them to a case of nodes and pods that stands; everything follows from the dice.
"""

from typing import Any

Json = dict[str, Any]

NAMESPACES = ["default", "a", "b"]
LABELS = {"app": ["web", "db"], "tier": ["1", "2"], "v": ["x"]}
TOPOLOGY = ["zone", "kubernetes.io/hostname", "disk", "topology.kubernetes.io/zone"]
RARE = 0.2


def relate(dice: Any, case: Json) -> None:
    """Add relations between the pods of a case, and the objects that they name."""
    objects = case["objects"]
    for node in objects["nodes"]:
        zone = dice.choice(["x", "y", "z"])
        extra = {"topology.kubernetes.io/zone": zone, "topology.kubernetes.io/region": "r"}
        node["metadata"].setdefault("labels", {}).update({key: extra[key] for key in extra if dice.maybe(0.7)})
        if dice.maybe(0.03):
            node["metadata"]["labels"]["kubernetes.io/hostname"] = "shared"
    objects["namespaces"] = [
        {"metadata": {"name": name, "labels": {"team": dice.choice(["p", "q"])} if dice.maybe(0.7) else {}}}
        for name in NAMESPACES
        if dice.maybe(0.9)
    ]
    owners(dice, objects)
    with_volumes = dice.maybe(0.35)
    if with_volumes:
        storage(dice, objects)
    with_ports, with_spread, with_affinity = dice.maybe(0.4), dice.maybe(0.5), dice.maybe(0.5)
    with_priorities = dice.maybe(0.6)
    case["nominated"] = []
    for pod in (*case["pods"], *case["pending"]):
        label(dice, pod)
        if with_ports and dice.maybe():
            ports(dice, pod)
        if with_spread and dice.maybe(0.4):
            pod["spec"]["topologySpreadConstraints"] = [constraint(dice, pod) for _ in range(dice.randint(0, 3))]
        if with_affinity and dice.maybe(0.5):
            pod["spec"].setdefault("affinity", {}).update(pod_affinity(dice))
        if with_volumes and dice.maybe(0.4):
            pod["spec"]["volumes"] = [volume(dice, number) for number in range(dice.randint(1, 2))]
        if with_priorities and dice.maybe(0.7):
            pod["spec"]["priority"] = dice.choice([0, 1, 5, 100, -3])
    one_user(case)
    if with_priorities:
        priorities(dice, case)


def one_user(case: Json) -> None:
    """A ReadWriteOncePod claim has one user among the bound pods, as the API server sees to it, where a pod asks for
    several such claims: how preemption sums over them is not carried out.
    """
    alone = {
        (one["metadata"]["namespace"], one["metadata"]["name"])
        for one in case["objects"].get("persistentVolumeClaims", ())
        if "ReadWriteOncePod" in one["spec"]["accessModes"]
    }
    asked = [alone & {claim_of(pod, one) for one in pod["spec"].get("volumes", ())} for pod in case["pending"]]
    if all(len(some) < 2 for some in asked):
        return
    used: set[tuple[str, str]] = set()
    for pod in case["pods"]:
        for volume in list(pod["spec"].get("volumes", ())):
            key = claim_of(pod, volume)
            if key in used:
                pod["spec"]["volumes"].remove(volume)
            elif key in alone:
                used.add(key)


def claim_of(pod: Json, volume: Json) -> tuple[str, str]:
    """Namespace and name of the claim behind a volume, "" where it is none."""
    return pod["metadata"]["namespace"], volume.get("persistentVolumeClaim", {}).get("claimName", "")


def label(dice: Any, pod: Json) -> None:
    meta = pod["metadata"]
    meta["namespace"] = dice.choice(NAMESPACES)
    meta["labels"] = {key: dice.choice(values) for key, values in LABELS.items() if dice.maybe(0.6)}
    if dice.maybe(0.3):
        meta["ownerReferences"] = [
            {
                "apiVersion": dice.choice(["apps/v1", "v1"]),
                "kind": dice.choice(["ReplicaSet", "StatefulSet", "ReplicationController"]),
                "name": "owner",
                "controller": dice.maybe(0.9),
            }
        ]


def selector(dice: Any) -> Json | None:
    if dice.maybe(0.07):
        return None
    made: Json = {}
    if dice.maybe(0.7):
        key = dice.choice(list(LABELS))
        made["matchLabels"] = {key: dice.choice(LABELS[key])}
    if dice.maybe(0.4):
        made["matchExpressions"] = [requirement(dice, LABELS)]
    return made


def requirement(dice: Any, labels: dict[str, list[str]]) -> Json:
    key, operator = dice.choice(list(labels)), dice.choice(["In", "NotIn", "Exists", "DoesNotExist"])
    made: Json = {"key": key, "operator": operator}
    if operator in ("In", "NotIn"):
        made["values"] = dice.sample(labels[key], dice.randint(1, len(labels[key])))
    return made


def owners(dice: Any, objects: Json) -> None:
    def named(name: str, spec: Json) -> list[Json]:
        return [{"metadata": {"name": name, "namespace": place}, "spec": spec} for place in NAMESPACES if dice.maybe()]

    def pairs() -> Json:
        return {key: values[0] for key, values in LABELS.items() if dice.maybe(0.4)}

    if dice.maybe(0.6):
        objects["services"] = [
            *named("s1", {"selector": pairs()}),
            *named("s2", {"selector": pairs()}),
            *named("s3", {}),
        ]
        objects["replicaSets"] = named("owner", {"selector": selector(dice)})
        objects["statefulSets"] = named("owner", {"selector": selector(dice)})
        objects["replicationControllers"] = named("owner", {"selector": pairs()})


def ports(dice: Any, pod: Json) -> None:
    containers = [*pod["spec"]["containers"], *pod["spec"].get("initContainers", ())]
    for container in dice.some(containers, 2):
        container["ports"] = [
            {
                "containerPort": 1,
                "hostPort": dice.choice([0, 80, 80, 443]),
                **({"protocol": dice.choice(["TCP", "UDP"])} if dice.maybe(0.4) else {}),
                **({"hostIP": dice.choice(["0.0.0.0", "10.0.0.1", "10.0.0.2", "::"])} if dice.maybe(0.6) else {}),
            }
            for _ in range(dice.randint(1, 2))
        ]


def constraint(dice: Any, pod: Json) -> Json:
    made: Json = {
        "maxSkew": dice.randint(1, 3),
        "topologyKey": dice.choice(TOPOLOGY),
        "whenUnsatisfiable": dice.choice(["DoNotSchedule", "ScheduleAnyway"]),
        "labelSelector": selector(dice),
    }
    if dice.maybe(0.3) and made["whenUnsatisfiable"] == "DoNotSchedule":
        made["minDomains"] = dice.randint(1, 4)
    if dice.maybe(0.3):
        made["nodeAffinityPolicy"] = dice.choice(["Honor", "Ignore"])
    if dice.maybe(0.3):
        made["nodeTaintsPolicy"] = dice.choice(["Honor", "Ignore"])
    if dice.maybe(0.2):
        made["matchLabelKeys"] = dice.some(list(LABELS), 2)
    return made


def pod_affinity(dice: Any) -> Json:
    made: Json = {}
    for kind in ("podAffinity", "podAntiAffinity"):
        if not dice.maybe(0.6):
            continue
        stanza: Json = {}
        if dice.maybe(0.6):
            stanza["requiredDuringSchedulingIgnoredDuringExecution"] = [term(dice) for _ in range(dice.randint(0, 2))]
        if dice.maybe(0.5):
            stanza["preferredDuringSchedulingIgnoredDuringExecution"] = [
                {"weight": dice.randint(1, 100), "podAffinityTerm": term(dice)} for _ in range(dice.randint(0, 2))
            ]
        made[kind] = stanza
    return made


def term(dice: Any) -> Json:
    made: Json = {"topologyKey": dice.choice(TOPOLOGY), "labelSelector": selector(dice)}
    if dice.maybe(0.3):
        made["namespaces"] = dice.some([*NAMESPACES, "nowhere"], 2)
    if dice.maybe(0.3):
        made["namespaceSelector"] = (
            {} if dice.maybe(0.3) else {"matchExpressions": [requirement(dice, {"team": ["p"]})]}
        )
    return made


def storage(dice: Any, objects: Json) -> None:
    names = [node["metadata"]["name"] for node in objects["nodes"]]
    objects["storageClasses"] = [
        storage_class("fast", "csi.x", dice), storage_class("local", "kubernetes.io/no-provisioner", dice),
        {"metadata": {"name": "now"}, "provisioner": "csi.x", "volumeBindingMode": "Immediate"},
    ]  # fmt: skip
    objects["csiDrivers"] = [{"metadata": {"name": "csi.x"}, "spec": {"storageCapacity": dice.maybe(0.4)}}]
    objects["csiStorageCapacities"] = [
        {
            "metadata": {"name": f"cap{number}", "namespace": "default"},
            "storageClassName": dice.choice(["fast", "local"]),
            "capacity": dice.choice(["1Gi", "10Gi"]),
            **({"maximumVolumeSize": dice.choice(["1Gi", "5Gi"])} if dice.maybe(0.3) else {}),
            "nodeTopology": {"matchLabels": {"zone": dice.choice(["x", "y", "z"])}} if dice.maybe(0.7) else {},
        }
        for number in range(2)
    ]
    objects["csiNodes"] = [
        {
            "metadata": {"name": name},
            "spec": {"drivers": [driver(dice, one) for one in ("csi.x", "pd.csi.storage.gke.io")]},
        }
        for name in names
        if dice.maybe(0.7)
    ]
    objects["persistentVolumes"] = [persistent_volume(dice, number, names) for number in range(5)]
    objects["volumeAttachments"] = [attachment(dice, number, names) for number in range(dice.choice([0, 0, 2, 5]))]
    objects["persistentVolumeClaims"] = [
        claim(dice, f"c{number}", place) for number in range(4) for place in NAMESPACES
    ]


def driver(dice: Any, name: str) -> Json:
    return {"name": name, **({"allocatable": {"count": dice.randint(0, 2)}} if dice.maybe(0.7) else {})}


def storage_class(name: str, provisioner: str, dice: Any) -> Json:
    made: Json = {"metadata": {"name": name}, "provisioner": provisioner, "volumeBindingMode": "WaitForFirstConsumer"}
    if dice.maybe(0.3):
        expressions = [{"key": "zone", "values": dice.some(["x", "y", "z"], 2)}]
        made["allowedTopologies"] = [{"matchLabelExpressions": expressions if dice.maybe(0.9) else []}]
    return made


def persistent_volume(dice: Any, number: int, names: list[str]) -> Json:
    spec: Json = {
        "capacity": {"storage": dice.choice(["1Gi", "2Gi", "8Gi"])},
        "accessModes": dice.choice([["ReadWriteOnce"], ["ReadWriteOnce", "ReadOnlyMany"]]),
        "storageClassName": dice.choice(["fast", "local", "local"]),
    }
    if dice.maybe(0.6):
        values = dice.choice([["x"], ["y", "z"]])
        expression = {"key": "zone", "operator": "In", "values": values}
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}}
    if dice.maybe(0.6):
        spec["csi"] = {"driver": "csi.x", "volumeHandle": f"h{number}"}
    elif dice.maybe():
        spec["gcePersistentDisk"] = {"pdName": f"d{number % 2}"}
    if dice.maybe(0.15):
        spec["claimRef"] = {"name": f"c{dice.randint(0, 3)}", "namespace": dice.choice(NAMESPACES)}
    labels = {"topology.kubernetes.io/zone": dice.choice(["x", "y__z"]), "set": dice.choice(["1", "2"])}
    meta = {"name": f"pv{number}", "labels": {key: labels[key] for key in labels if dice.maybe(0.4)}}
    return {"metadata": meta, "spec": spec, "status": {"phase": dice.choice(["Available", "Available", "Bound"])}}


def attachment(dice: Any, number: int, names: list[str]) -> Json:
    source = {"persistentVolumeName": f"pv{dice.randint(0, 5)}"} if dice.maybe(0.95) else {}
    spec = {"attacher": "csi.x", "nodeName": dice.choice([*names, names[0]]), "source": source}
    return {"metadata": {"name": f"va{number}"}, "spec": spec}


def claim(dice: Any, name: str, namespace: str) -> Json:
    spec: Json = {
        "accessModes": [dice.choice(["ReadWriteOnce", "ReadWriteOnce", "ReadWriteOncePod"])],
        "resources": {"requests": {"storage": dice.choice(["1Gi", "1500Mi", "4Gi"])}},
        "storageClassName": dice.choice(["fast", "fast", "local", "local", "now" if dice.maybe(0.2) else "fast"]),
    }
    meta: Json = {"name": name, "namespace": namespace, "annotations": {}}
    if dice.maybe(0.4):
        spec["volumeName"] = f"pv{dice.randint(0, 5 if dice.maybe(0.1) else 4)}"
        if dice.maybe(0.9):
            meta["annotations"]["pv.kubernetes.io/bind-completed"] = "yes"
    elif dice.maybe(0.1):
        meta["annotations"]["volume.kubernetes.io/selected-node"] = "elsewhere"
    if dice.maybe(0.1):
        spec["selector"] = {"matchLabels": {"set": "1"}}
    if dice.maybe(0.03):
        meta["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return {"metadata": meta, "spec": spec, "status": {"phase": "Lost" if dice.maybe(0.03) else "Bound"}}


def volume(dice: Any, number: int) -> Json:
    read_only = {"readOnly": True} if dice.maybe() else {}
    rbd = {"monitors": dice.some(["m1", "m2", "m3"], 2), "image": "i", "pool": dice.choice(["p", "q"]), **read_only}
    claimed = {"persistentVolumeClaim": {"claimName": f"c{dice.randint(0, 3 if dice.maybe(0.97) else 9)}"}}
    source = dice.choice(
        [
            claimed, claimed, claimed,
            {"gcePersistentDisk": {"pdName": f"d{dice.randint(0, 1)}", **read_only}},
            {"awsElasticBlockStore": {"volumeID": "e", **read_only}},
            {"iscsi": {"iqn": "q", "targetPortal": "t", "lun": 0, **read_only}},
            {"rbd": rbd},
            {"emptyDir": {}},
        ]
    )  # fmt: skip
    return {"name": f"v{number}", **source}


def priorities(dice: Any, case: Json) -> None:
    """Start times, terminating pods, budgets, nominations."""
    names = [node["metadata"]["name"] for node in case["objects"]["nodes"]]
    if dice.maybe(0.6):
        crowd(dice, case)
    starts = {name: dice.sample(range(30), 30) for name in names}  # alike on one node: upstream's order is chance
    for pod in case["pods"]:
        pod["status"]["startTime"] = f"2026-01-01T00:00:{starts[pod['spec']['nodeName']].pop():02}Z"
        if dice.maybe(0.1):
            pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
            if dice.maybe():
                reason = {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}
                pod["status"]["conditions"] = [reason]
    for pod in case["pending"]:
        if dice.maybe(0.1):
            pod["spec"]["preemptionPolicy"] = "Never"
        if dice.maybe(0.1):
            pod["status"]["nominatedNodeName"] = dice.choice([*names, "gone"])
    if dice.maybe(0.5):
        case["objects"]["podDisruptionBudgets"] = [
            {
                "metadata": {"name": f"b{number}", "namespace": dice.choice(NAMESPACES)},
                "spec": {"selector": selector(dice)},
                "status": {
                    "disruptionsAllowed": dice.randint(0, 2),
                    **({"disruptedPods": {"bound-1": "2026-01-01T00:00:00Z"}} if dice.maybe(0.1) else {}),
                },
            }
            for number in range(dice.randint(1, 4))
        ]
    if dice.maybe(0.3):
        waiting = [
            dict(pod, metadata=dict(pod["metadata"], name=f"w{number}"))
            for number, pod in enumerate(dice.some(case["pending"], 2))
            if "nodeName" not in pod["spec"]  # it would not be waiting
        ]
        for pod in waiting:
            pod["status"] = {**pod["status"], "nominatedNodeName": dice.choice(names)}
        case["nominated"] = waiting


def crowd(dice: Any, case: Json) -> None:
    """Few small nodes that are full of unimportant pods, and important ones that wait."""
    for node in case["objects"]["nodes"]:
        node["status"].setdefault("allocatable", {}).update({"cpu": "3", "pods": dice.choice(["3", "9"])})
    kept = case["objects"]["nodes"][:4]
    for pod in case["pods"]:
        pod["spec"]["nodeName"] = dice.choice(kept)["metadata"]["name"]
    for pods, levels in ((case["pods"], [0, 0, 1, -3]), (case["pending"], [5, 100, 1])):
        for pod in pods:
            pod["spec"]["priority"] = dice.choice(levels)
            pod["spec"]["containers"][0]["resources"] = {"requests": {"cpu": dice.choice(["1", "1500m", "2"])}}
    case["objects"]["nodes"] = [
        node
        for node in case["objects"]["nodes"]
        if node in kept or any(pod["spec"].get("nodeName") == node["metadata"]["name"] for pod in case["pending"])
    ]
