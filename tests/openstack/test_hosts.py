"""Hosts as columns: where capacity and use come from, names, zones, nested and shared providers, provider trees."""

import numpy as np
import pytest

from binwright.errors import InputError
from binwright.openstack.capacity import cloud_hosts
from binwright.openstack.hosts import HostNames
from binwright.openstack.pending import pending_servers
from binwright.openstack.placement.inventory import Inventory
from binwright.openstack.placement.tree import Forest, Provider
from binwright.openstack.zones import cloud_zones
from tests.openstack.clouds import (
    COMPUTE_1,
    COMPUTE_2,
    SERVER_2,
    ZONE_A,
    changed,
    inventory,
    read,
    small_cloud,
    without,
)

POOL = "00000000-0000-4000-8000-0000000000ff"
CHILD = "00000000-0000-4000-8000-0000000000c1"
PLACEMENT = ("providers", "inventories", "traits", "allocations", "provider_aggregates")


def with_provider(files, uuid, name, rows, *, parent=None, traits=(), aggregates=(), allocations=None):
    files = changed(files, "providers.json", to=files["providers.json"] + [{"uuid": uuid, "name": name}])
    files["providers.json"][-1]["parent_provider_uuid"] = parent
    files[f"inventories/{uuid}.json"] = rows
    files[f"traits/{uuid}.json"] = [{"name": trait} for trait in traits]
    files[f"allocations/{uuid}.json"] = {"allocations": allocations or {}}
    files[f"provider_aggregates/{uuid}.json"] = [{"uuid": aggregate} for aggregate in aggregates]
    return files


@pytest.mark.parametrize(
    ("fields", "capacity"),
    [
        ({}, 16),
        ({"reserved": 2}, 14),
        ({"allocation_ratio": 1.5, "reserved": 1}, 22),
        ({"allocation_ratio": 0.1}, 1),
        ({"reserved": 16}, 0),
        ({"allocation_ratio": 16.0}, 256),
    ],
)
def test_capacity_is_truncated(fields, capacity):
    own = Inventory(16, **fields)
    assert own.capacity == capacity
    assert own.fits(0, capacity) is (capacity > 0)
    assert not own.fits(1, capacity)


def test_units_of_an_inventory():
    own = Inventory(100, min_unit=4, max_unit=20, step_size=4)
    assert [amount for amount in range(1, 30) if own.admits(amount)] == [4, 8, 12, 16, 20]
    assert own.fits(80, 20)
    assert not own.fits(84, 20)


def test_placement_gives_capacity_and_use():
    hosts = cloud_hosts(read(small_cloud()))
    assert hosts.names == ["compute-1.example", "compute-2.example"]
    assert [one.uuid for one in hosts.providers] == [COMPUTE_1, COMPUTE_2]
    assert hosts.classes() == ["VCPU", "MEMORY_MB", "DISK_GB"]
    np.testing.assert_array_equal(hosts.column("VCPU", "capacity"), [64, 64])
    np.testing.assert_array_equal(hosts.column("VCPU", "used"), [2, 0])
    np.testing.assert_array_equal(hosts.column("MEMORY_MB", "capacity"), [65024, 65024])
    np.testing.assert_array_equal(hosts.column("VCPU", "max_unit"), [16, 16])
    np.testing.assert_array_equal(hosts.column("PCPU", "max_unit", 7), [7, 7])
    assert hosts.totals["VCPU"] == (128, 2)
    assert "used: Placement allocations" in hosts.notes


def test_what_a_pending_server_holds_already_is_not_counted():
    files = changed(
        small_cloud(), f"allocations/{COMPUTE_2}.json", "allocations", SERVER_2, to={"resources": {"VCPU": 2}}
    )
    cloud = read(files)
    np.testing.assert_array_equal(cloud_hosts(cloud).column("VCPU", "used"), [2, 2])
    np.testing.assert_array_equal(cloud_hosts(cloud, pending_servers(cloud)).column("VCPU", "used"), [2, 0])


def test_use_from_the_inventories_column_when_allocations_are_missing():
    files = without(small_cloud(), "allocations")
    for uuid, amount in ((COMPUTE_1, 9), (COMPUTE_2, 0)):
        for row in files[f"inventories/{uuid}.json"]:
            row["used"] = amount
    hosts = cloud_hosts(read(files))
    np.testing.assert_array_equal(hosts.column("DISK_GB", "used"), [9, 0])
    assert any("inventories' used column" in note for note in hosts.notes)


def test_use_from_flavors_when_nothing_else_tells():
    hosts = cloud_hosts(read(without(small_cloud(), "allocations")))
    np.testing.assert_array_equal(hosts.column("MEMORY_MB", "used"), [2048, 0])
    assert any("flavors of the servers" in note for note in hosts.notes)


def test_use_from_flavors_needs_the_flavor_and_the_host():
    files = without(small_cloud(), "allocations")
    with pytest.raises(InputError, match=r"server db: flavor: 'gone' is not in flavors\.json"):
        cloud_hosts(read(changed(files, "servers.json", 0, "Flavor", to="gone")))
    with pytest.raises(InputError, match=r"server db: host: 'elsewhere' is no host"):
        cloud_hosts(read(changed(files, "servers.json", 0, "Host", to="elsewhere")))
    with pytest.raises(InputError, match=r"servers\.json: missing"):
        cloud_hosts(read(without(files, "servers")))


def hypervisors(**columns):
    return [
        {"ID": 1, "Hypervisor Hostname": "compute-1.example", "State": "up"} | columns,
        {"ID": 2, "Hypervisor Hostname": "compute-2.example", "State": "up"} | columns,
    ]


def test_hypervisor_columns_with_initial_ratios():
    files = without(small_cloud(), *PLACEMENT)
    rows = hypervisors(**{"vCPUs": 16, "vCPUs Used": 3, "Memory MB": 65536, "Memory MB Used": 1024})
    hosts = cloud_hosts(read(changed(files, "hypervisors.json", to=rows)))
    np.testing.assert_array_equal(hosts.column("VCPU", "capacity"), [64, 64])
    np.testing.assert_array_equal(hosts.column("MEMORY_MB", "capacity"), [65536, 65536])
    np.testing.assert_array_equal(hosts.column("VCPU", "used"), [3, 3])
    np.testing.assert_array_equal(hosts.column("VCPU", "max_unit"), [16, 16])
    assert hosts.unknown == {"DISK_GB"}
    rows = hypervisors(vcpus=16, memory_mb=65536, local_gb=100)
    hosts = cloud_hosts(read(changed(files, "hypervisors.json", to=rows)))
    np.testing.assert_array_equal(hosts.column("DISK_GB", "capacity"), [100, 100])
    np.testing.assert_array_equal(hosts.column("VCPU", "used"), [2, 0])
    assert hosts.unknown == set()


@pytest.mark.parametrize(
    ("gone", "expected"),
    [
        (PLACEMENT, r"providers\.json and inventories/: missing, and hypervisors\.json has no vCPUs"),
        (("inventories", "allocations", "traits", "provider_aggregates"), r"inventories/: missing, and hypervisors"),
        ((*PLACEMENT, "hypervisors"), r"hypervisors\.json: missing, so the capacity"),
    ],
)
def test_unknown_capacity_is_refused(gone, expected):
    with pytest.raises(InputError, match=expected):
        cloud_hosts(read(without(small_cloud(), *gone)))


def test_one_hypervisor_without_its_columns_is_refused():
    rows = hypervisors(vcpus=16, memory_mb=65536, local_gb=100)
    del rows[1]["vcpus"]
    files = changed(without(small_cloud(), *PLACEMENT), "hypervisors.json", to=rows)
    with pytest.raises(InputError, match=r"hypervisor compute-2\.example: vcpus: missing"):
        cloud_hosts(read(files))


def test_hosts_without_hypervisors_json_are_the_roots_that_do_not_share():
    files = with_provider(
        without(small_cloud(), "hypervisors"),
        POOL,
        "pool",
        [inventory("DISK_GB", 5)],
        traits=["MISC_SHARES_VIA_AGGREGATE"],
    )
    assert cloud_hosts(read(files)).names == ["compute-1.example", "compute-2.example"]


def test_a_hypervisor_without_provider_offers_nothing():
    rows = [*small_cloud()["hypervisors.json"], {"ID": "x", "Hypervisor Hostname": "new"}]
    hosts = cloud_hosts(read(changed(small_cloud(), "hypervisors.json", to=rows)))
    np.testing.assert_array_equal(hosts.column("VCPU", "capacity"), [64, 64, 0])
    assert any(note.endswith("new") for note in hosts.notes)


def test_classes_of_providers_below_the_root_are_theirs():
    gpu = inventory("VGPU", 8)
    files = with_provider(
        small_cloud(), CHILD, "gpu-1", [gpu], parent=COMPUTE_1, allocations={"x": {"resources": {"VGPU": 3}}}
    )
    hosts = cloud_hosts(read(files))
    np.testing.assert_array_equal(hosts.column("VGPU", "capacity"), [0, 0])
    assert hosts.forest.providers[CHILD].used == {"VGPU": 3}
    assert hosts.beside_roots() == {"VGPU"}
    assert hosts.totals["VGPU"] == (8, 3)


def test_use_by_flavors_reaches_the_providers_below_the_root():
    files = with_provider(small_cloud(), CHILD, "gpu-1", [inventory("VGPU", 8)], parent=COMPUTE_1)
    files = without(files, "allocations")
    specs = {"resources:VGPU": "3", "resources:CUSTOM_FPGA": "1", "hw:cpu_policy": "dedicated"}
    files["flavors.json"][0]["Properties"] = specs
    hosts = cloud_hosts(read(files))
    assert hosts.forest.providers[CHILD].used == {"VGPU": 3}
    np.testing.assert_array_equal(hosts.column("VCPU", "used"), [2, 0])  # nobody offers PCPU
    text = "used: 1 CUSTOM_FPGA of the servers on compute-1.example is of no provider in its tree"
    assert text in hosts.notes


def test_a_shared_pool_is_counted_once():
    files = small_cloud()
    for uuid in (COMPUTE_1, COMPUTE_2):
        files[f"inventories/{uuid}.json"] = files[f"inventories/{uuid}.json"][:2]
    files[f"allocations/{COMPUTE_1}.json"] = {"allocations": {}}
    files = with_provider(
        files, POOL, "pool", [inventory("DISK_GB", 500)], traits=["MISC_SHARES_VIA_AGGREGATE"], aggregates=[ZONE_A]
    )
    hosts = cloud_hosts(read(files))
    assert hosts.beside_roots() == {"DISK_GB"}
    assert hosts.totals["DISK_GB"] == (500, 0)
    assert len(hosts) == 2


def test_service_states():
    files = changed(small_cloud(), "hypervisors.json", 0, "State", to="down")
    files["services.json"] = [
        {"Binary": "nova-compute", "Host": "compute-2", "Status": "disabled", "State": "up"},
        {"Binary": "nova-conductor", "Host": "compute-1", "Status": "disabled", "State": "up"},
    ]
    hosts = cloud_hosts(read(files))
    assert (hosts.down, hosts.disabled) == ([True, False], [False, True])


def test_host_names():
    names = HostNames(["a.x", "b.x", "uuid-1", "uuid-2"], [None, "b-svc.y", "ironic", "ironic"])
    assert names.find("a.x") == [0]
    assert names.find("a") == [0]
    assert names.find("b-svc") == [1]
    assert names.find("ironic") == [2, 3]
    assert names.find("c") == []
    assert HostNames(["a.x", "a.y"], [None, None]).find("a") == []


def test_zones_of_placement_win_and_a_difference_is_told():
    cloud = read(changed(small_cloud(), f"provider_aggregates/{COMPUTE_2}.json", to=[{"uuid": ZONE_A}]))
    zones = cloud_zones(cloud, cloud_hosts(cloud))
    np.testing.assert_array_equal(zones.hosts_of("az-a"), [True, True])
    np.testing.assert_array_equal(zones.hosts_of("az-b"), [False, False])
    assert any("differ between" in note for note in zones.notes)
    assert zones.hosts_of("nova") is None
    assert zones.hosts_of(None) is None


def test_zones_from_host_lists():
    cloud = read(without(small_cloud(), "provider_aggregates"))
    zones = cloud_zones(cloud, cloud_hosts(cloud))
    np.testing.assert_array_equal(zones.hosts_of("az-b"), [False, True])


def test_zones_that_the_input_does_not_tell():
    cloud = read(without(small_cloud(), "aggregates"))
    assert not cloud_zones(cloud, cloud_hosts(cloud)).known
    files = without(small_cloud(), "provider_aggregates")
    for row in files["aggregates.json"]:
        del row["Hosts"]
    cloud = read(files)
    assert not cloud_zones(cloud, cloud_hosts(cloud)).known


def test_a_zone_of_two_aggregates_is_their_union():
    files = without(small_cloud(), "provider_aggregates")
    files["aggregates.json"][1]["Availability Zone"] = "az-a"
    cloud = read(files)
    np.testing.assert_array_equal(cloud_zones(cloud, cloud_hosts(cloud)).hosts_of("az-a"), [True, True])


def test_a_forest():
    forest = Forest(
        [
            Provider("c", "c", "b"),
            Provider("a", "a"),
            Provider("b", "b", "a"),
            Provider("x", "x", aggregates=frozenset("z")),
        ]
    )
    assert [forest.root(uuid) for uuid in "abcx"] == ["a", "a", "a", "x"]
    assert [provider.uuid for provider in forest.tree("a")] == ["c", "a", "b"]
    assert [provider.uuid for provider in forest.roots()] == ["a", "x"]


def test_anchors_of_a_sharing_provider():
    share = frozenset(["MISC_SHARES_VIA_AGGREGATE"])
    pool = Provider("p", "p", traits=share, aggregates=frozenset("1"))
    forest = Forest([pool, Provider("a", "a"), Provider("b", "b", "a", aggregates=frozenset("12")), Provider("c", "c")])
    assert forest.anchors(pool) == {"p", "a"}
    assert forest.sharing() == [pool]
    assert forest.anchors(Provider("q", "q", traits=share)) == set()


@pytest.mark.parametrize(
    ("parents", "expected"),
    [
        ({"a": "b", "b": "a"}, "provider .: its parent providers form a cycle"),
        ({"a": "a"}, "provider a: its parent providers form a cycle"),
        ({"a": None, "b": "gone"}, "provider b: parent provider gone does not exist"),
    ],
)
def test_no_forest(parents, expected):
    with pytest.raises(InputError, match=expected):
        Forest([Provider(uuid, uuid, parent, where=f"provider {uuid}") for uuid, parent in parents.items()])
