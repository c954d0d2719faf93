"""Which nodes carry servers of a cloud, by hand: hypervisors themselves, and servers that are hypervisors."""

import json

from binwright.formats.files import Blob
from binwright.stack.hypervisors import carriers, emptiable
from binwright.stack.sources import Source
from tests.stack.made import cluster, hypervisor, node, server


def cloud_source(name, servers, hosts):
    tables = {"servers": servers, "hypervisors": [hypervisor(host) for host in hosts]}
    blobs = [Blob(f"{name}/{table}.json", json.dumps(rows).encode()) for table, rows in tables.items()]
    return Source(name, "openstack", blobs)


def test_hypervisors_with_servers_are_found_by_name():
    servers = [server("s1", "h1"), server("s2", "h1"), server("s3", "h2"), server("gone", "h3", Status="DELETED")]
    clusters = {"k": cluster(*map(node, ("h1", "h2", "h3", "other"))), "inner": cluster(node("s1"))}
    assert carriers(clusters, [cloud_source("north", servers, ["h1", "h2", "h3"])]) == {
        "k": {
            "h1": ("servers", "carries 2 servers of cloud north"),
            "h2": ("servers", "carries 1 server of cloud north"),
        },
        "inner": {},
    }


def test_a_node_that_is_a_server_and_a_hypervisor_carries_what_runs_in_it():
    below = cloud_source("below", [server("h1", "metal")], ["metal"])
    above = cloud_source("above", [server("s1", "h1")], ["h1"])
    clusters = {"k": cluster(node("h1", provider="id-h1"), node("s1"), node("metal"))}
    assert carriers(clusters, [below, above]) == {
        "k": {
            "h1": ("servers", "carries 1 server of cloud above"),
            "metal": ("servers", "carries 1 server of cloud below"),
        }
    }


def test_without_a_cloud_nothing_is_carried():
    assert carriers({"k": cluster(node("h1"))}, [Source("k", "kubernetes", [])]) == {"k": {}}


def test_hosts_that_only_their_servers_tell_of_are_found_too():
    """No hypervisor list, and a full name where the node has the short one."""
    servers = [server("s1", "h1.example.org"), server("s2", "h2")]
    blobs = [Blob("north/servers.json", json.dumps(servers).encode())]
    clusters = {"k": cluster(node("h1"), node("h2"), node("h3"))}
    assert carriers(clusters, [Source("north", "openstack", blobs)]) == {
        "k": {
            "h1": ("servers", "carries 1 server of cloud north"),
            "h2": ("servers", "carries 1 server of cloud north"),
        }
    }


def test_a_cloud_beside_clusters_is_asked_what_they_carry_and_not_emptied_itself():
    cluster_source, north = Source("k", "kubernetes", []), cloud_source("north", [], [])
    assert emptiable([north, cluster_source]) == [cluster_source]
    assert emptiable([north]) == [north]  # whose layer then says that it has no such verb
