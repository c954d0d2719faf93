"""compute_nodes.json: with Nova's own rows the NUMA and PCI filters decide, and what they decide is used up."""

import json

import pytest

from binwright.errors import InputError
from binwright.headroom import Question
from binwright.openstack.explain import open_source
from binwright.openstack.headroom import headroom_source
from binwright.openstack.place import place_source
from tests.openstack.clouds import COMPUTE_1, COMPUTE_2, blobs, inventory, read, small_cloud

FILTERS = "ComputeFilter,NUMATopologyFilter,PciPassthroughFilter"
ALIAS = {"name": "gpu", "vendor_id": "10de", "product_id": "1eb8", "device_type": "type-PCI"}
CONF = f"[filter_scheduler]\nenabled_filters = {FILTERS}\n[pci]\nalias = '{json.dumps(ALIAS)}'\n"


def wrapped(name, data):
    """As Nova's versioned objects are written."""
    return {"nova_object.name": name, "nova_object.namespace": "nova", "nova_object.data": data}


def cell(number, cpus, pinned=()):
    pages = [wrapped("NUMAPagesTopology", {"size_kb": 4, "total": 2**22, "used": 0, "reserved": 0})]
    data = {"id": number, "cpuset": cpus, "pcpuset": cpus, "memory": 16384, "cpu_usage": 0, "memory_usage": 0}
    data |= {"pinned_cpus": list(pinned), "siblings": [[cpu] for cpu in cpus], "mempages": pages, "socket": number}
    return wrapped("NUMACell", data)


def node(name, cells=None, pools=None):
    row = {"hypervisor_hostname": name, "numa_topology": None, "pci_stats": None}
    if cells is not None:
        row["numa_topology"] = json.dumps(wrapped("NUMATopology", {"cells": cells}))
    if pools is not None:
        data = {"objects": [wrapped("PciDevicePool", pool) for pool in pools]}
        row["pci_stats"] = json.dumps(wrapped("PciDevicePoolList", data))
    return row


def pool(count, cell=0):
    return {
        "vendor_id": "10de",
        "product_id": "1eb8",
        "numa_node": cell,
        "count": count,
        "tags": {"dev_type": "type-PCI"},
    }


def cloud(properties, nodes, count=1):
    files = small_cloud()
    files["servers.json"] = []
    files["flavors.json"][0]["Properties"] = properties
    for uuid in (COMPUTE_1, COMPUTE_2):
        files[f"inventories/{uuid}.json"].append(inventory("PCPU", 16))
        files[f"allocations/{uuid}.json"] = {"allocations": {}}
    files["compute_nodes.json"] = nodes
    files["requests.json"] = [{"name": "w", "flavor": "m1.small", "count": count}]
    return files


@pytest.fixture
def conf(tmp_path):
    path = tmp_path / "nova.conf"
    path.write_text(CONF)
    return str(path)


PINNED = {"hw:cpu_policy": "dedicated"}


def test_pinned_cpus_are_used_up(conf):
    nodes = [
        node("compute-1.example", [cell(0, [0, 1]), cell(1, [2, 3])]),
        node("compute-2.example", [cell(0, [0, 1, 2])]),
    ]
    result = place_source("c1", blobs(cloud(PINNED, nodes, count=4)), nova_conf=conf)
    assert sorted(one.host for one in result.placed) == ["compute-1.example", "compute-1.example", "compute-2.example"]
    (one,) = result.unplaced
    assert [(reason.rule, reason.hosts) for reason in one.reasons] == [("NUMATopologyFilter", 2)]
    assert not any("NUMA" in entry.rule for entry in result.not_evaluated)


def test_a_host_without_topology_takes_no_such_guest(conf):
    nodes = [node("compute-1.example"), node("compute-2.example", [cell(0, [0, 1, 2], pinned=[0])])]
    result = place_source("c1", blobs(cloud(PINNED, nodes, count=2)), nova_conf=conf)
    assert [one.host for one in result.placed] == ["compute-2.example"]
    plain = place_source("c1", blobs(cloud({}, nodes, count=2)), nova_conf=conf)
    assert len(plain.placed) == 2


def test_devices_by_alias(conf):
    nodes = [node("compute-1.example", pools=[pool(3)]), node("compute-2.example", pools=[])]
    files = cloud({"pci_passthrough:alias": "gpu:2"}, nodes, count=2)
    result = place_source("c1", blobs(files), nova_conf=conf)
    assert [one.host for one in result.placed] == ["compute-1.example"]
    assert [reason.rule for reason in result.unplaced[0].reasons] == ["PciPassthroughFilter"]
    assert not any("PCI" in entry.rule for entry in result.not_evaluated)
    files["flavors.json"].append(files["flavors.json"][0] | {"ID": "2", "Name": "same"})
    for answer in headroom_source("c1", blobs(files), Question(), nova_conf=conf).answers:
        assert [room.counts for room in answer.hosts] == [[1], [0]]
    again = place_source("c1", blobs(files), nova_conf=conf)
    assert [one.host for one in again.placed] == ["compute-1.example"]


def test_an_alias_that_there_is_not(conf):
    files = cloud({"pci_passthrough:alias": "fpga:1"}, [node("compute-1.example", pools=[pool(3)])])
    (one,) = place_source("c1", blobs(files), nova_conf=conf).unplaced
    assert [reason.rule for reason in one.reasons] == ["PciRequestAliasNotDefined"]


def test_without_the_filters_or_the_rows_it_is_listed(conf):
    files = cloud(PINNED | {"pci_passthrough:alias": "gpu:1"}, [node("compute-1.example", [cell(0, [0])], [])])
    rules = {entry.rule for entry in place_source("c1", blobs(files)).not_evaluated}
    assert {"NUMA topology, CPU pinning and huge pages", "PCI devices"} <= rules
    del files["compute_nodes.json"]
    rules = {entry.rule for entry in place_source("c1", blobs(files), nova_conf=conf).not_evaluated}
    assert {"NUMA topology, CPU pinning and huge pages", "PCI devices"} <= rules


def test_a_server_that_runs_holds_cells_itself(conf):
    files = cloud(PINNED, [node("compute-1.example", [cell(0, [0, 1], pinned=[0, 1])])])
    files["servers.json"] = small_cloud()["servers.json"][:1]
    opened = open_source("c1", blobs(files), nova_conf=conf)
    number = next(number for number, one in enumerate(opened.objects()) if one.name == "db")
    found = opened.explain(number, 1)
    assert found.outcome.host is not None
    assert any("NUMA" in entry.rule for entry in found.not_evaluated)


def test_plain_json_and_old_rows_are_read():
    old = {
        "id": 0,
        "cpuset": [0, 1],
        "memory": 1024,
        "siblings": [],
        "mempages": [{"size_kb": 4, "total": 9, "used": 0}],
    }
    row = {
        "hypervisor_hostname": "h",
        "numa_topology": {"cells": [old]},
        "pci_stats": [pool(2)],
        "cpu_info": '{"arch": 1}',
    }
    files = small_cloud() | {"compute_nodes.json": [row]}
    (one,) = read(files).compute_nodes
    assert (one.numa[0].pcpuset, one.numa[0].mempages[0].free) == ({0, 1}, 9)
    assert one.pci_pools == [
        {"vendor_id": "10de", "product_id": "1eb8", "numa_node": 0, "count": 2, "dev_type": "type-PCI"}
    ]
    assert one.cpu_info == {"arch": 1}


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("numa_topology", "{", r"compute_nodes\.json: compute node h: numa_topology: is no JSON"),
        ("numa_topology", '{"cells": [{}]}', r"compute node h: numa_topology: is not as Nova writes it"),
        ("pci_stats", '[{"count": "x"}]', r"compute node h: pci_stats: is not as Nova writes it"),
    ],
)
def test_bad_rows_are_one_line(column, value, said):
    row = {"hypervisor_hostname": "h", column: value}
    with pytest.raises(InputError, match=said):
        read(small_cloud() | {"compute_nodes.json": [row]})
