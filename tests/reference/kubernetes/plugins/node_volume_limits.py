"""NodeVolumeLimits (spec 4, 8.12): how many volumes of a CSI driver a node can attach."""

from tests.reference.kubernetes.plugins.base import Plugin, Skip

# In-tree volumes whose migration to CSI is always on: source -> (driver, field that names the disk).
MIGRATED_SOURCES = {
    "awsElasticBlockStore": ("ebs.csi.aws.com", "volumeID"),
    "gcePersistentDisk": ("pd.csi.storage.gke.io", "pdName"),
    "azureDisk": ("disk.csi.azure.com", "diskURI"),
    "cinder": ("cinder.csi.openstack.org", "volumeID"),
}
MIGRATED_PROVISIONERS = {
    "kubernetes.io/aws-ebs": "ebs.csi.aws.com",
    "kubernetes.io/gce-pd": "pd.csi.storage.gke.io",
    "kubernetes.io/azure-disk": "disk.csi.azure.com",
    "kubernetes.io/cinder": "cinder.csi.openstack.org",
}


def _migrated(source, labels=None):
    """(driver, handle) of a migratable in-tree volume source, None for any other; labels are the volume's.

    The handle is that of the CSI driver (csi-translation-lib): what an in-tree and a CSI volume share, if they are one.
    """
    labels = labels or {}
    for kind, (driver, field) in MIGRATED_SOURCES.items():
        if not source.get(kind):
            continue
        name = source[kind][field]
        if kind == "awsElasticBlockStore" and name.startswith("aws://"):
            return driver, name.split("/")[-1]
        if kind != "gcePersistentDisk":
            return driver, name
        text = labels.get("failure-domain.beta.kubernetes.io/zone") or labels.get("topology.kubernetes.io/zone") or ""
        zones = text.split("__")
        if len(zones) == 1:
            return driver, f"projects/UNSPECIFIED/zones/{text or 'UNSPECIFIED'}/disks/{name}"
        parts = [zone.split("-") for zone in zones]
        regions = {tuple(part[:2]) for part in parts}
        if len(regions) > 1 or any(len(part) != 3 for part in parts):
            return None  # cannot be translated: not counted
        return driver, f"projects/UNSPECIFIED/regions/{'-'.join(regions.pop())}/disks/{name}"
    return None


def _of_persistent_volume(volume):
    csi = volume["spec"].get("csi")
    return (csi["driver"], csi["volumeHandle"]) if csi else _migrated(volume["spec"], volume["metadata"].get("labels"))


def attachable_volumes(pod, cluster, csi_node):
    """The distinct attachable volumes of a pod as (driver, handle)."""
    found = set()
    for name in pod.claim_names_with_ephemeral:
        claim = cluster.find("persistentVolumeClaims", name, pod.namespace)
        if claim is None:
            continue
        volume_name = claim["spec"].get("volumeName")
        volume = cluster.find("persistentVolumes", volume_name) if volume_name else None
        if volume is not None:
            found.add(_of_persistent_volume(volume))
            continue
        storage_class = cluster.find("storageClasses", claim["spec"].get("storageClassName") or "")
        if storage_class is not None:  # one identity per claim
            provisioner = storage_class.get("provisioner") or ""
            driver = MIGRATED_PROVISIONERS.get(provisioner, provisioner)
            found.add((driver, f"claim {pod.namespace}/{name}"))
    if csi_node is not None:
        found.update(_migrated(volume) for volume in pod.volumes)
    return found - {None}


class NodeVolumeLimits(Plugin):
    name = "NodeVolumeLimits"

    def pre_filter(self, cycle):
        pod = cycle.pod
        concerns = pod.claim_names_with_ephemeral or any(v.get(kind) for v in pod.volumes for kind in MIGRATED_SOURCES)
        return None if concerns else Skip()

    def filter(self, cycle, node):
        cluster = cycle.cluster
        csi_node = cluster.find("csiNodes", node.name)
        limits = {}
        for driver in ((csi_node or {}).get("spec") or {}).get("drivers") or ():
            count = (driver.get("allocatable") or {}).get("count")
            if count is not None:
                limits[driver["name"]] = count
        attached = set().union(*(attachable_volumes(pod, cluster, csi_node) for pod in node.pods))
        new = attachable_volumes(cycle.pod, cluster, csi_node) - attached
        attached |= self.attachments(cluster, node)
        for driver, limit in limits.items():
            wanted = sum(d == driver for d, _ in new)
            if wanted and sum(d == driver for d, _ in attached) + wanted > limit:
                return self.resolvable("node(s) exceed max volume count")
        return None

    def attachments(self, cluster, node):
        """(driver, handle) of the VolumeAttachments of this node; those of in-tree volumes are not counted."""
        found = set()
        for attachment in cluster.objects["volumeAttachments"]:
            spec = attachment["spec"]
            name = (spec.get("source") or {}).get("persistentVolumeName")
            volume = cluster.find("persistentVolumes", name) if name else None
            csi = volume["spec"].get("csi") if volume else None
            if spec["nodeName"] == node.name and spec.get("attacher") and csi:
                found.add((spec["attacher"], csi["volumeHandle"]))
        return found
