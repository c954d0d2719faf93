"""Copies of a sandwich with one thing moved: a pod to another node, a server to another host. Nothing else changes."""

from dataclasses import replace

import msgspec

from binwright.kubernetes.objects import Node, Pod, PodSpec
from binwright.openstack.relocation import with_server_on
from binwright.stack.join import HOST_ID_LABELS, host_id
from binwright.stack.sandwich import Host, NodePlace, Sandwich, ServerPlace


def with_pod_on(sandwich: Sandwich, cluster: str, pod: Pod, node: str) -> Sandwich:
    """The sandwich with a pod of a cluster on another node of it."""
    objects = sandwich.clusters[cluster]
    moved = msgspec.structs.replace(pod, spec=msgspec.structs.replace(pod.spec or PodSpec(), node_name=node))
    pods = [moved if one is pod else one for one in objects.pods]
    return replace(sandwich, clusters={**sandwich.clusters, cluster: replace(objects, pods=pods)})


def with_server_moved(sandwich: Sandwich, place: ServerPlace, host: Host) -> Sandwich:
    """The sandwich with a server on another host of its cloud, and the host-id labels of its nodes as they have to be
    set afterwards.
    """
    cloud = with_server_on(sandwich.clouds[place.cloud], place.server, host.name)
    server = next(one for one in cloud.servers if one.id == place.server.id and one.name == place.server.name)
    moved = ServerPlace(place.cloud, server, host, place.how)
    servers = {key: moved if one is place else one for key, one in sandwich.servers.items()}
    clusters, nodes = dict(sandwich.clusters), dict(sandwich.nodes)
    for key, one in sandwich.nodes.items():
        if one.server is place:
            node = relabelled(one.node, host_id(server.project or "", host.name))
            nodes[key] = NodePlace(one.cluster, node, moved, host, one.how)
            objects = clusters[one.cluster]
            clusters[one.cluster] = replace(
                objects, nodes=[node if each is one.node else each for each in objects.nodes]
            )
    clouds = {**sandwich.clouds, place.cloud: cloud}
    return replace(sandwich, clusters=clusters, clouds=clouds, servers=servers, nodes=nodes)


def relabelled(node: Node, value: str) -> Node:
    """The node with its host-id labels, those that it has, set to `value`."""
    labels = node.metadata.labels or {}
    changed = {key: value for key in HOST_ID_LABELS if key in labels}
    return msgspec.structs.replace(node, metadata=msgspec.structs.replace(node.metadata, labels={**labels, **changed}))
