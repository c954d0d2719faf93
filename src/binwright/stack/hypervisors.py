"""Nodes that are hypervisors of a cloud beside the cluster: the servers on them keep them from being emptied.

The joins say which they are. Reads clouds only where there are any, and decides nothing about pods.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from binwright.stack.sources import Source

if TYPE_CHECKING:
    from binwright.kubernetes.reader import Objects
    from binwright.stack.sandwich import Sandwich

__all__ = ["carriers", "emptiable"]

WORD = "servers"


def emptiable(sources: Sequence[Source]) -> Sequence[Source]:
    """Sources whose hosts may be emptied: without the clouds beside clusters, which are asked what they carry."""
    return [source for source in sources if source.layer != "openstack"] or sources


def carriers(clusters: Mapping[str, Objects], sources: Iterable[Source]) -> dict[str, dict[str, tuple[str, str]]]:
    """Cluster -> node -> (word, sentence) for every node on which servers of the clouds among `sources` run: a node
    that is a hypervisor itself, or a server that is a hypervisor of another cloud.

    Raises InputError for the first bad object of a cloud.
    """
    found: dict[str, dict[str, tuple[str, str]]] = {name: {} for name in clusters}
    clouds = [source for source in sources if source.layer == "openstack"]
    if clouds:
        # imports the other layer, which a cluster alone does not need
        from binwright.openstack.dumps.read import read_dump
        from binwright.stack.join import join

        made = join(clusters, {source.name: read_dump(source.name, source.blobs) for source in clouds})
        for cluster, node, servers in _carried(made):
            counts = (f"{number} server{'' if number == 1 else 's'} of cloud {cloud}" for cloud, number in servers)
            found[cluster][node] = WORD, f"carries {' and '.join(counts)}"
    return found


def _carried(sandwich: Sandwich) -> Iterable[tuple[str, str, list[tuple[str, int]]]]:
    """(cluster, node, [(cloud, number of servers)]) of the nodes that carry any."""
    from binwright.openstack.verify import GONE
    from binwright.stack.sandwich import BY_HOST_NAME

    on: dict[int, Counter[str]] = {}
    for server in sandwich.servers.values():
        if server.host is not None and server.server.status not in GONE:
            on.setdefault(id(server.host), Counter())[server.cloud] += 1
    inside: dict[int, Counter[str]] = {}  # by the server that is a hypervisor
    for host in sandwich.hosts.values():
        if host.inside is not None:
            inside.setdefault(id(host.inside), Counter()).update(on.get(id(host), {}))
    for (cluster, name), place in sandwich.nodes.items():
        servers = on.get(id(place.host)) if place.how == BY_HOST_NAME else inside.get(id(place.server))
        if servers:
            yield cluster, name, sorted(servers.items())
