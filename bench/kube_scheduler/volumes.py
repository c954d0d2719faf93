"""The family of volumes: claims bound, lost, delayed and provisioned; limits, zones, disks, migrated plugins."""

from __future__ import annotations

from bench.kube_scheduler.draws import BETA_ZONE, NAMESPACES, ZONE, Dice, Json, base, every_pod, node_names


def volumes(dice: Dice) -> Json:
    """Claims bound, lost, delayed and provisioned; limits, zones, disks, claims for one pod."""
    case = base(dice, nodes=(1, 6), pods=(0, 6))
    objects = case["objects"]
    modes = {
        "fast": ("csi.x", "WaitForFirstConsumer"),
        "local": ("kubernetes.io/no-provisioner", "WaitForFirstConsumer"),
    }
    modes |= {"now": ("csi.x", "Immediate"), "gce": ("kubernetes.io/gce-pd", "WaitForFirstConsumer")}
    for one in objects["nodes"]:
        keys = ("topology.gke.io/zone", "topology.ebs.csi.aws.com/zone", "topology.cinder.csi.openstack.org/zone")
        one["metadata"]["labels"] |= dice.part({key: dice.choice(("z1", "z2")) for key in keys}, 0.6)
    objects["storageClasses"] = []
    for name, (provisioner, mode) in modes.items():
        made: Json = {"metadata": {"name": name}, "provisioner": provisioner, "volumeBindingMode": mode}
        if dice.maybe(0.3):
            expressions = [{"key": ZONE, "values": dice.sample(("z1", "z2", "z3"), dice.randint(1, 2))}]
            made["allowedTopologies"] = [{"matchLabelExpressions": expressions}]
        objects["storageClasses"].append(made)
    objects["csiDrivers"] = [{"metadata": {"name": "csi.x"}, "spec": {"storageCapacity": dice.maybe(0.4)}}]
    objects["csiStorageCapacities"] = [
        {
            "metadata": {"name": f"cap{at}", "namespace": "default"},
            "storageClassName": dice.choice(("fast", "local")),
            **dice.part(
                {"capacity": dice.choice(("1Gi", "10Gi")), "maximumVolumeSize": dice.choice(("1Gi", "5Gi"))}, 0.7
            ),
            **dice.part({"nodeTopology": {"matchLabels": dice.part({ZONE: dice.choice(("z1", "z2"))})}}, 0.8),
        }
        for at in range(3)
    ]
    drivers = ("csi.x", "pd.csi.storage.gke.io", "ebs.csi.aws.com")
    objects["csiNodes"] = [
        {
            "metadata": {"name": name, "annotations": dice.part({MIGRATED: dice.choice(PLUGINS)}, 0.4)},
            "spec": {"drivers": [limited(dice, one, name) for one in drivers]},
        }
        for name in node_names(case)
        if dice.maybe(0.8)
    ]
    objects["volumeAttachments"] = [
        {
            "metadata": {"name": f"va{at}"},
            "spec": {
                "attacher": dice.choice(("csi.x", "pd.csi.storage.gke.io", "")),
                "nodeName": dice.choice([*node_names(case), "gone"]),
                "source": dice.part({"persistentVolumeName": f"pv{dice.randint(0, 8)}"}, 0.9),
            },
        }
        for at in range(dice.choice((0, 0, 4, 8)))
    ]
    sizes = dice.sample(range(500, 6000), 8)
    named: set[str] = set()
    objects["persistentVolumes"] = [persistent_volume(dice, at, size, named) for at, size in enumerate(sizes)]
    objects["persistentVolumeClaims"] = [
        claim(dice, f"{place[0]}{at}", place, at, node_names(case)) for place in NAMESPACES for at in range(5)
    ]
    alone: set[str] = set()
    for one in every_pod(case):
        if dice.maybe(0.75):
            one["spec"]["volumes"] = [
                volume(dice, at, one["metadata"]["namespace"], alone) for at in range(dice.randint(1, 3))
            ]
            if dice.maybe(0.1):
                one["spec"]["volumes"].append({**one["spec"]["volumes"][0], "name": "again"})
        if "nodeName" not in one["spec"]:
            alone = set()
    return case


MIGRATED = "storage.alpha.kubernetes.io/migrated-plugins"
PLUGINS = ("kubernetes.io/gce-pd", "kubernetes.io/aws-ebs,kubernetes.io/gce-pd,kubernetes.io/cinder", "")


def limited(dice: Dice, name: str, node: str) -> Json:
    return {"name": name, "nodeID": node, **dice.part({"allocatable": {"count": dice.randint(0, 3)}}, 0.7)}


def persistent_volume(dice: Dice, number: int, size: int, named: set[str]) -> Json:
    """named: claims that volumes before it name."""
    spec: Json = {
        "capacity": {"storage": f"{size}Mi"},
        "storageClassName": dice.choice(("fast", "local", "local", "gce")),
    }
    spec["accessModes"] = dice.choice((["ReadWriteOnce"], ["ReadWriteOnce", "ReadOnlyMany"], ["ReadWriteOncePod"]))
    if dice.maybe():
        expression = {
            "key": dice.choice((ZONE, "disk")),
            "operator": "In",
            "values": dice.choice((["z1", "ssd"], ["z2"])),
        }
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}}
    sources = ({"csi": {"driver": "csi.x", "volumeHandle": f"h{number // 2}"}}, {"gcePersistentDisk": {"pdName": "d1"}},
               {"awsElasticBlockStore": {"volumeID": dice.choice(("vol-1", "aws://z1/vol-1"))}},
        {"cinder": {"volumeID": "u"}},
               {"hostPath": {"path": "/x"}})  # fmt: skip
    spec |= dice.choice(sources)
    place, at = dice.choice(NAMESPACES), dice.randint(0, 4)
    if dice.maybe(0.2) and f"{place[0]}{at}" not in named:
        named.add(f"{place[0]}{at}")
        spec["claimRef"] = {"name": f"{place[0]}{at}", "namespace": place}
    spec |= dice.part({"volumeMode": "Block"}, 0.08)
    labels = {
        ZONE: dice.choice(("z1", "z-1-a__z-1-b" if "gcePersistentDisk" in spec else "z1__z2")),
        BETA_ZONE: "z2",
        "set": "1",
    }
    meta = {"name": f"pv{number}", "labels": dice.part(labels, 0.3)}
    return {"metadata": meta, "spec": spec, "status": {"phase": dice.choice(("Available", "Available", "Bound"))}}


def claim(dice: Dice, name: str, namespace: str, number: int, nodes: list[str]) -> Json:
    spec: Json = {"storageClassName": dice.choice(("fast", "fast", "local", "local", "gce", "now"))}
    spec["accessModes"] = [dice.choice(("ReadWriteOnce", "ReadWriteOnce", "ReadWriteOncePod"))]
    spec["resources"] = {"requests": {"storage": f"{dice.choice((512, 1024, 3000)) + number}Mi"}}
    annotations: Json = {}
    if spec["storageClassName"] == "now" or dice.maybe(0.4):
        spec["volumeName"] = f"pv{dice.randint(0, 8 if dice.maybe(0.2) else 7)}"
        annotations = dice.part({"pv.kubernetes.io/bind-completed": "yes"}, 0.93)
    elif dice.maybe(0.15):
        annotations["volume.kubernetes.io/selected-node"] = dice.choice([*nodes, "elsewhere"])
    spec |= dice.part({"selector": {"matchLabels": {"set": "1"}}}, 0.1) | dice.part({"volumeMode": "Filesystem"}, 0.3)
    meta = {"name": name, "namespace": namespace, "annotations": annotations}
    meta |= dice.part({"deletionTimestamp": "2026-01-01T00:00:00Z"}, 0.03)
    return {"metadata": meta, "spec": spec, "status": {"phase": "Lost" if dice.maybe(0.03) else "Bound"}}


def volume(dice: Dice, number: int, namespace: str, alone: set[str]) -> Json:
    """A volume of a pod. alone: claims that pods on nodes have. One pod has a claim, as must be where claims are for
    one pod only.
    """
    name = f"{namespace[0]}{dice.randint(0, 4)}" if dice.maybe(0.97) else "gone"
    source: Json = {"persistentVolumeClaim": {"claimName": name}}
    read_only = dice.part({"readOnly": True})
    if name in alone or dice.maybe(0.45):
        source = dice.choice(
            (
                {"gcePersistentDisk": {"pdName": dice.choice(("d1", "d2")), **read_only}},
                {"awsElasticBlockStore": {"volumeID": "vol-1", **read_only}},
                {"iscsi": {"targetPortal": "t", "iqn": "q", "lun": 0, **read_only}},
                {"rbd": {"monitors": dice.sample(("m1", "m2", "m3"), 2), "image": "i", "pool": "p", **read_only}},
                {"emptyDir": {}},
                {"configMap": {"name": "c"}},
            )
        )
    else:
        alone.add(name)
    return {"name": f"v{number}", **source}
