"""Rules that the real scheduler taught: each was a difference to it on random clusters, and is in the spec otherwise
or not at all. What is expected here is what kube-scheduler v1.34.1 answers to these very cases (bench/peers).
"""

import pytest

from binwright.kubernetes.conformance import replay_case
from tests.kubernetes.made import Json, node_dict, pod_dict, required
from tests.reference.kubernetes.replay import run_case

ZONE = "topology.kubernetes.io/zone"
NO_VOLUME = "node(s) didn't find available persistent volumes to bind"


def decided(case: Json) -> list[Json]:
    """The results of a case, of which the slow reference has the same."""
    results = list(replay_case(case))
    slow = run_case(case, "peer rules")
    for ours, theirs in zip(results, slow, strict=True):
        for part in ("outcome", "chosen", "feasible", "message", "filter", "start", "visited"):
            assert (ours.get(part) or None) == (theirs.get(part) or None), part
    return results


def reasons(result: Json) -> list[list[str]]:
    """The reasons of each node."""
    return [one["reasons"] if one else [] for one in result["filter"]]


def claimed(*names: str) -> list[Json]:
    return [{"name": f"v{at}", "persistentVolumeClaim": {"claimName": name}} for at, name in enumerate(names)]


def claim(name: str, size: str = "1Gi", **spec: str) -> Json:
    done = {"pv.kubernetes.io/bind-completed": "yes"} if "volumeName" in spec else {}
    stated = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}, **spec}
    return {"metadata": {"name": name, "namespace": "default", "annotations": done}, "spec": stated}


def volume(name: str, size: str = "1Gi", labels: Json | None = None, phase: str = "Available", **spec: object) -> Json:
    stated = {"capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"], **spec}
    return {"metadata": {"name": name, "labels": labels}, "spec": stated, "status": {"phase": phase}}


# ---- volumes that a driver attaches ------------------------------------------------------------------------------

DRIVERS = ("pd.csi.storage.gke.io", "ebs.csi.aws.com", "disk.csi.azure.com", "cinder.csi.openstack.org")
GCE = {"gcePersistentDisk": {"pdName": "d"}}


@pytest.mark.parametrize(
    ("held", "labels", "asked", "fits"),
    [
        (GCE, {}, GCE, True),  # one disk
        (GCE, {ZONE: "z-1-a"}, GCE, False),  # a disk of a known zone is another name
        (GCE, {ZONE: "z-1-a__z-1-b"}, GCE, False),
        (GCE, {ZONE: "z__y"}, GCE, True),  # no common region: not counted
        (GCE, {ZONE: "z-1-a__z-2-b"}, GCE, True),
        (
            {"csi": {"driver": DRIVERS[0], "volumeHandle": "projects/UNSPECIFIED/zones/UNSPECIFIED/disks/d"}},
            {}, GCE, True,
        ),
        (
            {"awsElasticBlockStore": {"volumeID": "aws://us-1a/vol-1"}}, {},
            {"awsElasticBlockStore": {"volumeID": "vol-1"}}, True,
        ),
        (
            {"csi": {"driver": DRIVERS[1], "volumeHandle": "vol-1"}}, {},
            {"awsElasticBlockStore": {"volumeID": "vol-1"}}, True,
        ),
        ({"azureDisk": {"diskURI": "u", "diskName": "u"}}, {}, {"azureDisk": {"diskURI": "w", "diskName": "w"}}, False),
        ({"cinder": {"volumeID": "u"}}, {}, {"cinder": {"volumeID": "u"}}, True),
    ],
)  # fmt: skip
def test_a_migrated_disk_goes_by_the_handle_of_its_driver(held, labels, asked, fits):
    """NodeVolumeLimits: a volume already attached counts once; in-tree disks are known by their CSI handles."""
    limits = [{"name": name, "nodeID": "n", "allocatable": {"count": 1}} for name in DRIVERS]
    case = {
        "objects": {
            "nodes": [node_dict("n", labels={ZONE: "z-1-a"})],
            "csiNodes": [{"metadata": {"name": "n"}, "spec": {"drivers": limits}}],
            "persistentVolumes": [volume("pv", labels=labels, phase="Bound", **held)],
            "persistentVolumeClaims": [claim("c", volumeName="pv")],
        },
        "pods": [pod_dict("a", node="n", namespace="default", volumes=claimed("c"))],
        "pending": [pod_dict("b", namespace="default", volumes=[{"name": "v", **asked}])],
    }
    assert decided(case)[0]["outcome"] == ("bound" if fits else "unschedulable")


# ---- volumes that name a claim -----------------------------------------------------------------------------------


def binding_case(*volumes: Json, size: str = "1Gi", names: tuple[str, ...] = ("c",)) -> Json:
    """A pod with a delayed claim of a class that provisions nothing; node m is where the volume `near` can be."""
    return {
        "objects": {
            "nodes": [node_dict("n", labels={"at": "n"}), node_dict("m", labels={"at": "m"})],
            "storageClasses": [
                {
                    "metadata": {"name": "local"},
                    "provisioner": "kubernetes.io/no-provisioner",
                    "volumeBindingMode": "WaitForFirstConsumer",
                }
            ],
            "persistentVolumes": list(volumes),
            "persistentVolumeClaims": [claim("c", size, storageClassName="local")],
        },
        "pending": [pod_dict("p", namespace="default", volumes=claimed(*names))],
    }


def near(name: str, **spec: object) -> Json:
    there = [{"key": "at", "operator": "In", "values": ["m"]}]
    affinity = {"required": {"nodeSelectorTerms": [{"matchExpressions": there}]}}
    return volume(name, **{"storageClassName": "local", "nodeAffinity": affinity, **spec})


AT_NO_NODE = {"key": "at", "operator": "In", "values": ["gone"]}
MINE = {"claimRef": {"name": "c", "namespace": "default"}}


def test_a_volume_that_names_the_claim_keeps_others_away():
    case = binding_case(near("mine", **MINE), volume("free", storageClassName="local"))
    assert reasons(decided(case)[0]) == [[NO_VOLUME], []]


@pytest.mark.parametrize(
    "unlike",
    [{"storageClassName": "other"}, {"size": "512Mi"}, {"volumeMode": "Block"}, {"volumeAttributesClassName": "gold"}],
)
def test_a_volume_that_names_the_claim_must_be_what_it_asks_for(unlike):
    """VolumeBinding: the class, size, mode and attributes are looked at first, whoever the volume names."""
    case = binding_case(near("mine", **MINE, **unlike), volume("free", storageClassName="local"))
    assert reasons(decided(case)[0]) == [[], []]


def test_a_volume_that_is_being_deleted_is_taken_by_nobody():
    gone = near("mine", **MINE)
    gone["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert reasons(decided(binding_case(gone))[0]) == [[NO_VOLUME], [NO_VOLUME]]


def test_a_claim_that_a_pod_has_twice_takes_two_volumes():
    case = binding_case(near("mine", **MINE), names=("c", "c"))
    assert reasons(decided(case)[0]) == [[NO_VOLUME], [NO_VOLUME]]
    case = binding_case(near("mine", **MINE), volume("free", storageClassName="local"), names=("c", "c"))
    assert reasons(decided(case)[0]) == [[NO_VOLUME], []]


# ---- the nominated node ------------------------------------------------------------------------------------------


def named(name: str) -> Json:
    return required({"matchFields": [{"key": "metadata.name", "operator": "In", "values": [name]}]})


def test_a_nominated_node_outside_the_names_keeps_its_status():
    """It was filtered alone before the others; they only are absent."""
    case = {
        "objects": {"nodes": [node_dict("n", cpu="1"), node_dict("m"), node_dict("o")]},
        "pending": [pod_dict("p", cpu="2", affinity=named("n"), status={"nominatedNodeName": "m"})],
    }
    result = decided(case)[0]
    assert result["fitError"] == (
        "0/3 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match Pod's node affinity/selector, "
        "1 node(s) didn't satisfy plugin(s) [NodeAffinity]."
    )
    assert [one.get("plugin") for one in result["filter"]] == ["NodeResourcesFit", "NodeAffinity", None]


def test_the_next_scan_starts_after_all_nodes_with_a_status():
    """Among all nodes, also after a pod that is restricted to one; the nominated node counts once."""
    names = [f"n{number}" for number in range(110)]
    case = {
        "percentageOfNodesToScore": 50,
        "objects": {"nodes": [node_dict(name) for name in names]},
        "pending": [
            pod_dict("a", affinity=named("n7")),
            pod_dict("b", affinity=named("n7"), cpu="99", status={"nominatedNodeName": "n9"}),
            pod_dict("c"),
            pod_dict("d"),
        ],
    }
    assert [one["start"] for one in decided(case)] == [0, 1, 3, 103]


def test_a_claim_that_a_pod_has_twice_is_provisioned_for_its_node():
    """Its first mention takes the volume, its second is provisioned: the claim then has a selected node."""
    case = binding_case(volume("free", storageClassName="local"), names=("c", "c"))
    case["objects"]["storageClasses"][0]["provisioner"] = "csi.x"
    case["pending"].append(pod_dict("q", namespace="default", volumes=claimed("c")))
    first, second = decided(case)
    assert first["chosen"] == "n"
    assert reasons(second) == [[], [NO_VOLUME]]


def test_nodes_that_differ_in_their_second_reason_only():
    """Both are out of reach of the bound volume; one has no topology for the other claim, the other no space."""
    elsewhere = near("far", nodeAffinity={"required": {"nodeSelectorTerms": [{"matchExpressions": [AT_NO_NODE]}]}})
    case = binding_case(elsewhere, names=("done", "c"))
    objects = case["objects"]
    objects["persistentVolumeClaims"].append(claim("done", volumeName="far", storageClassName="local"))
    topology = {"matchLabelExpressions": [{"key": "at", "values": ["m"]}]}
    objects["storageClasses"][0] |= {"provisioner": "csi.x", "allowedTopologies": [topology]}
    objects["csiDrivers"] = [{"metadata": {"name": "csi.x"}, "spec": {"storageCapacity": True}}]
    far = "node(s) didn't match PersistentVolume's node affinity"
    assert reasons(decided(case)[0]) == [[far, NO_VOLUME], [far, "node(s) did not have enough free storage"]]


# ---- migrated volumes --------------------------------------------------------------------------------------------

BETA = "failure-domain.beta.kubernetes.io"


def zoned(key: str, operator: str = "In") -> Json:
    wanted = {"key": key, "operator": operator, **({"values": ["z"]} if operator == "In" else {})}
    return {"nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [wanted]}]}}}


@pytest.mark.parametrize(
    ("spec", "labels", "reached"),
    [
        (zoned(ZONE), {}, "d"),  # the driver's key instead of the zone
        (zoned(BETA + "/zone"), {}, "d"),
        (zoned("disk"), {}, ""),
        ({}, {}, "kdz"),
        ({}, {ZONE: "z"}, "d"),  # from the label, where the affinity names no zone
        ({}, {ZONE: "y__z"}, "d"),
        ({}, {ZONE: "y"}, ""),
        ({}, {BETA + "/zone": "z"}, "d"),
        ({}, {ZONE: "y", BETA + "/zone": "z"}, ""),
        (zoned(ZONE), {ZONE: "y"}, "d"),
        (zoned(ZONE, "Exists"), {ZONE: "z"}, "d"),  # an operator without values is not renamed
        (zoned("disk", "DoesNotExist"), {ZONE: "z"}, "d"),
        (zoned(BETA + "/region"), {BETA + "/zone": "z"}, "d"),  # the old region, too, has a new name
        (zoned(BETA + "/region"), {}, ""),
    ],
)
def test_a_migrated_volume_is_where_its_driver_says(spec, labels, reached):
    """VolumeBinding: on nodes whose CSINode says that the plugin is migrated, zones go by the driver's topology key."""
    driver = {"topology.cinder.csi.openstack.org/zone": "z"}
    region = {"topology.kubernetes.io/region": "z"}
    nodes = {"k": {}, "d": {ZONE: "x", **driver, **region}, "z": {ZONE: "z", **region}}
    plugins = {"storage.alpha.kubernetes.io/migrated-plugins": "kubernetes.io/gce-pd,kubernetes.io/cinder"}
    case = {
        "objects": {
            "nodes": [node_dict(name, labels=carried) for name, carried in nodes.items()],
            "csiNodes": [
                {"metadata": {"name": name, "annotations": plugins}, "spec": {"drivers": []}} for name in nodes
            ],
            "persistentVolumes": [volume("pv", labels=labels, phase="Bound", cinder={"volumeID": "u"}, **spec)],
            "persistentVolumeClaims": [claim("c", volumeName="pv")],
        },
        "pending": [pod_dict("p", namespace="default", volumes=claimed("c"))],
    }
    refused = ["node(s) didn't match PersistentVolume's node affinity"]
    found = reasons(decided(case)[0])
    assert "".join(name for name, why in zip(nodes, found) if why != refused) == reached


def test_a_volume_is_read_as_it_stands_where_nothing_is_migrated():
    case = binding_case(near("pv", cinder={"volumeID": "u"}, labels={ZONE: "z"}), names=("done",))
    case["objects"]["persistentVolumeClaims"].append(claim("done", volumeName="pv", storageClassName="local"))
    case["objects"]["csiNodes"] = [{"metadata": {"name": "m"}, "spec": {"drivers": []}}]
    assert decided(case)[0]["outcome"] == "bound"
