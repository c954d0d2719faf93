"""Disks named in a pod's own volumes: which are one disk, and which CSI driver attaches them (kubernetes spec 4)."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping

from binwright.kubernetes.objects import Pod, Volume
from binwright.kubernetes.storage_objects import PersistentVolumeSpec

__all__ = ["MIGRATED_PROVISIONERS", "claim_names", "disks", "migrated", "volume_claims"]

MIGRATED_PROVISIONERS = {
    "kubernetes.io/aws-ebs": "ebs.csi.aws.com",
    "kubernetes.io/gce-pd": "pd.csi.storage.gke.io",
    "kubernetes.io/azure-disk": "disk.csi.azure.com",
    "kubernetes.io/cinder": "cinder.csi.openstack.org",
}
"""In-tree provisioners whose work a CSI driver does."""
_ZONE, _BETA_ZONE = "topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"


def volumes(pod: Pod) -> tuple[Volume, ...]:
    """The pod's volumes."""
    return (pod.spec.volumes if pod.spec else None) or ()


def disks(pod: Pod) -> Iterator[tuple[Hashable, bool]]:
    """(disk, whether another reader may share it) of every disk that a node holds once; RBD is one per monitor."""
    for one in volumes(pod):
        if one.gce_persistent_disk:
            yield ("gce", one.gce_persistent_disk.pd_name), bool(one.gce_persistent_disk.read_only)
        if one.aws_elastic_block_store:
            yield ("ebs", one.aws_elastic_block_store.volume_id), False
        if one.iscsi:
            yield ("iscsi", one.iscsi.iqn), bool(one.iscsi.read_only)
        if one.rbd:
            for monitor in sorted(set(one.rbd.monitors or ())):
                yield ("rbd", monitor, one.rbd.pool, one.rbd.image), bool(one.rbd.read_only)


def migrated(source: Volume | PersistentVolumeSpec, labels: Mapping[str, str] | None = None) -> tuple[str, str] | None:
    """(CSI driver, the driver's handle) of an in-tree disk that the driver attaches, None for any other source.

    labels: of the PersistentVolume. A GCE disk goes by the zones in them, a disk in a pod by none: two names for one
    disk are two disks to the scheduler. None, too, where the zones have no common region.
    """
    if source.aws_elastic_block_store:  # its id, or aws://ZONE/ID
        return "ebs.csi.aws.com", source.aws_elastic_block_store.volume_id.rpartition("/")[2]
    if source.gce_persistent_disk:
        place = _gce_place((labels or {}).get(_BETA_ZONE) or (labels or {}).get(_ZONE) or "")
        name = source.gce_persistent_disk.pd_name
        return None if place is None else ("pd.csi.storage.gke.io", f"projects/UNSPECIFIED/{place}/disks/{name}")
    if source.azure_disk:
        return "disk.csi.azure.com", source.azure_disk.disk_uri
    if source.cinder:
        return "cinder.csi.openstack.org", source.cinder.volume_id
    return None


def _gce_place(zones: str) -> str | None:
    """Where a disk of these zones is; the region of several, if they have the form PLACE-REGION-ZONE."""
    names = zones.split("__")
    if len(names) == 1:
        return f"zones/{names[0] or 'UNSPECIFIED'}"
    regions = {name.rpartition("-")[0] if name.count("-") == 2 else None for name in names}
    region = regions.pop()
    return None if regions or region is None else f"regions/{region}"


def claim_names(pod: Pod) -> list[str]:
    """Names of the claims that the pod refers to, in volume order, without those made for ephemeral volumes."""
    return [one.persistent_volume_claim.claim_name for one in volumes(pod) if one.persistent_volume_claim]


def volume_claims(pod: Pod) -> list[str]:
    """The same with the claims made for generic ephemeral volumes, POD-VOLUME."""
    found = []
    for one in volumes(pod):
        if one.persistent_volume_claim:
            found.append(one.persistent_volume_claim.claim_name)
        elif one.ephemeral:
            found.append(f"{pod.metadata.name}-{one.name}")
    return found
