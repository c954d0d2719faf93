"""Ironic's nodes and Magnum's node groups of a dump as records."""

from __future__ import annotations

from typing import Any

from binwright.openstack.cloud import BareMetalNode, NodeGroup
from binwright.openstack.dumps.fields import Row

__all__ = ["READERS"]

MOST_NODES = 10**6
OFF = "power off"  # of a node whose power the dump does not tell
NODE = {
    "uuid": ("uuid", "id"),
    "name": ("name",),
    "resource_class": ("resourceclass",),
    "provision_state": ("provisioningstate", "provisionstate"),
    "power_state": ("powerstate",),
    "maintenance": ("maintenance", "ismaintenance"),
    "instance": ("instanceuuid", "instanceid"),
    "traits": ("traits",),
}
NODE_GROUP = {
    "name": ("name",),
    "role": ("role",),
    "flavor": ("flavorid", "flavor"),
    "image": ("imageid",),
    "node_count": ("nodecount",),
    "min_node_count": ("minnodecount",),
    "max_node_count": ("maxnodecount",),
    "cluster": ("clusterid", "cluster"),
    "status": ("status",),
    "project": ("projectid",),
    "docker_volume_size": ("dockervolumesize",),
    "labels": ("labels",),
}


def read_node(row: Row) -> BareMetalNode:
    """One node, from `openstack baremetal node list --long` or the API."""
    maintenance = row.raw("maintenance")
    uuid = row.need("uuid", row.text("uuid"))
    return BareMetalNode(
        uuid=uuid,
        name=row.reference("name") or uuid,
        resource_class=row.reference("resource_class"),
        provision_state=row.reference("provision_state"),
        power_state=row.reference("power_state") if row.has("power_state") else OFF,
        maintenance=maintenance is True or str(maintenance).casefold() == "true",
        instance=row.reference("instance"),
        traits=frozenset(row.names("traits")),
        where=row.where,
    )


def read_node_group(row: Row) -> NodeGroup:
    """One node group, from `openstack coe nodegroup show` or the API."""
    least = row.whole("min_node_count", MOST_NODES) or 0
    most = row.whole("max_node_count", MOST_NODES)
    count = row.need("node_count", row.whole("node_count", MOST_NODES))
    if most is not None and most < max(least, 1):
        row.refuse("max_node_count", f"{most} is less than {max(least, 1)}")
    if not least <= count <= (count if most is None else most):
        row.refuse("node_count", f"{count} is not in {least}..{most}")
    return NodeGroup(
        name=row.need("name", row.text("name")),
        role=row.text("role") or "worker",
        flavor_ref=row.need("flavor", row.text("flavor")),
        node_count=count,
        min_node_count=least,
        max_node_count=most,
        cluster=row.reference("cluster"),
        image=row.reference("image"),
        status=row.reference("status"),
        project=row.text("project"),
        docker_volume_size=row.whole("docker_volume_size", MOST_NODES),
        labels=row.properties("labels"),
        where=row.where,
    )


READERS: dict[str, tuple[str, dict[str, tuple[str, ...]], Any]] = {
    "baremetal_nodes": ("node", NODE, read_node),
    "node_groups": ("node group", NODE_GROUP, read_node_group),
}
"""As in `compute`."""
