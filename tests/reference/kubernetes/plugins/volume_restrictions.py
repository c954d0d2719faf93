"""VolumeRestrictions (spec 4): disks that one node can hold once, and ReadWriteOncePod claims."""

from dataclasses import dataclass

from tests.reference.kubernetes.plugins.base import Plugin, Skip

DISK_KINDS = ("gcePersistentDisk", "awsElasticBlockStore", "iscsi", "rbd")


def same_disk(kind, a, b):
    """Whether two volumes of one kind are the same disk."""
    match kind:
        case "gcePersistentDisk":
            return a["pdName"] == b["pdName"]
        case "awsElasticBlockStore":
            return a["volumeID"] == b["volumeID"]
        case "iscsi":
            return a["iqn"] == b["iqn"]
    shares_monitor = bool(set(a["monitors"]) & set(b["monitors"]))
    return shares_monitor and a.get("pool") == b.get("pool") and a["image"] == b["image"]


def volumes_conflict(volume, other):
    """Same disk, unless both are read-only; on EBS always."""
    for kind in DISK_KINDS:
        a, b = volume.get(kind), other.get(kind)
        if a and b and same_disk(kind, a, b):
            both_read_only = bool(a.get("readOnly")) and bool(b.get("readOnly"))
            if kind == "awsElasticBlockStore" or not both_read_only:
                return True
    return False


@dataclass
class ClaimUse:
    """The pod's ReadWriteOncePod claims (namespace/name) and how many are in use anywhere."""

    claims: frozenset[str]
    in_use: int


def _claim_keys(pod):
    return [f"{pod.namespace}/{name}" for name in pod.claim_names]


class VolumeRestrictions(Plugin):
    name = "VolumeRestrictions"

    def pre_filter(self, cycle):
        pod, cluster = cycle.pod, cycle.cluster
        exclusive = set()
        for name in pod.claim_names:
            claim = cluster.find("persistentVolumeClaims", name, pod.namespace)
            if claim is None:
                return self.unresolvable(f'persistentvolumeclaim "{name}" not found')
            if "ReadWriteOncePod" in (claim["spec"].get("accessModes") or ()):
                exclusive.add(f"{pod.namespace}/{name}")
        used = {key for node in cluster.nodes for other in node.pods for key in _claim_keys(other)}
        has_disk = any(volume.get(kind) for volume in pod.volumes for kind in DISK_KINDS)
        if not has_disk and not exclusive & used:
            return Skip()
        cycle.state[self.name] = ClaimUse(frozenset(exclusive), len(exclusive & used))
        return None

    def copy_state(self, state):
        return ClaimUse(state.claims, state.in_use)

    def update(self, cycle, pod, node, sign):
        state = cycle.state[self.name]
        state.in_use += sign * sum(key in state.claims for key in _claim_keys(pod))

    def filter(self, cycle, node):
        if any(volumes_conflict(v, w) for v in cycle.pod.volumes for other in node.pods for w in other.volumes):
            return self.resolvable("node(s) had no available disk")
        if cycle.state[self.name].in_use > 0:
            return self.resolvable(
                "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode"
                " already in-use by another pod"
            )
        return None
