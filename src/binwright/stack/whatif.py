"""Copies of a sandwich with things moved, or new: pods on other nodes, servers on other hosts, further nodes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import msgspec

from binwright.kubernetes.node_copies import with_nodes
from binwright.kubernetes.objects import Node, Pod, PodSpec
from binwright.kubernetes.reader import Objects
from binwright.openstack.growth import with_servers
from binwright.openstack.relocation import with_server_on
from binwright.stack.finding import Repair
from binwright.stack.join import HOST_ID_LABELS, host_id
from binwright.stack.new_nodes import NewNode, new_labels
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


def with_new_nodes(
    sandwich: Sandwich, new: Sequence[NewNode], clusters: Mapping[str, Objects] | None = None
) -> Sandwich:
    """The sandwich with these nodes, their servers on their hosts and what runs on every such node. clusters: those
    that have the nodes already.
    """
    made = dict(sandwich.clusters if clusters is None else clusters)
    clouds, servers, nodes = dict(sandwich.clouds), dict(sandwich.servers), dict(sandwich.nodes)
    for cloud in dict.fromkeys(one.pool.cloud for one in new):
        grown = [one.grown for one in new if one.pool.cloud == cloud]
        clouds[cloud] = with_servers(clouds[cloud], grown)
        for server in clouds[cloud].servers[-len(grown) :]:
            host = sandwich.hosts.get(f"{cloud}/{server.host}")
            servers[cloud, server.id or server.name] = ServerPlace(cloud, server, host, "planned")
    for cluster in dict.fromkeys(one.pool.cluster for one in new):
        here = [one for one in new if one.pool.cluster == cluster]
        if clusters is None:
            hosts = [sandwich.hosts.get(f"{one.pool.cloud}/{one.grown.host}") for one in here]
            listed = [(one.pool.mould, one.name, new_labels(one.pool, host)) for one, host in zip(here, hosts)]
            made[cluster] = with_nodes(made[cluster], listed)
        by_name = {node.metadata.name: node for node in made[cluster].nodes}
        for one in here:
            place = servers[one.pool.cloud, f"new-{one.name}"]
            nodes[cluster, one.name] = NodePlace(cluster, by_name[one.name], place, place.host, "planned")
    return replace(sandwich, clusters=made, clouds=clouds, servers=servers, nodes=nodes)


def with_repairs(sandwich: Sandwich, steps: Iterable[Repair]) -> Sandwich:
    """The sandwich after these steps, one after another."""
    for step in steps:
        source, name = step.object.source, step.object.name
        if step.new is not None:
            sandwich = with_new_nodes(sandwich, [step.new])
        elif step.action == "movePod":
            pods = sandwich.clusters[source].pods
            key = f"{step.object.namespace}/{name}"
            sandwich = with_pod_on(sandwich, source, next(pod for pod in pods if pod.key == key), step.to_host or "")
        else:
            named = [one for one in sandwich.servers.values() if (one.cloud, one.server.name) == (source, name)]
            place = next(one for one in named if one.host is not None and one.host.name == step.from_host)
            sandwich = with_server_moved(sandwich, place, sandwich.hosts[f"{source}/{step.to_host}"])
    return sandwich
