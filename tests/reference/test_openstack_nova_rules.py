"""Direct tests of the reference of Nova, above all of rules that no recorded case decides.

Where the spec leaves a question open, the expectation is what nova 34.0.0 answered when asked.
"""

import pytest

from tests.reference.openstack import json_filter, pci
from tests.reference.openstack.filters import survivors
from tests.reference.openstack.host import Host, Request
from tests.reference.openstack.matching import match, smallest, version_satisfies
from tests.reference.openstack.numa import GuestCell, GuestTopology, HostCell, Pages, usage_after
from tests.reference.openstack.numa_constraints import ConstraintError, numa_constraints, parse_cpus, parse_page_size
from tests.reference.openstack.numa_fit import Limits, fit
from tests.reference.openstack.numa_pinning import pack
from tests.reference.openstack.resource_request import query_strings
from tests.reference.openstack.schedule import NoValidHost, select
from tests.reference.openstack.weighers import normalise, weigh

NAMES = {"traits": ["HW_NUMA_ROOT"], "resource_classes": ["VCPU", "PCPU", "MEMORY_MB", "DISK_GB", "VGPU"]}


# -- small languages


@pytest.mark.parametrize(
    ("value", "req", "expected"),
    [
        ("5", "= 4", True),  # `=` means at least
        ("5", "== 4", False),
        ("5", "> 4", False),  # no operator: exact text
        ("avx vmx", "<all-in> avx vmx", True),
        ("b", "<or> a <or> b", True),
        ("5", ">=", False),
        ("10", "s< 9", True),
    ],
)
def test_extra_spec_operators(value, req, expected):
    assert match(value, req) is expected


def test_a_numeric_operator_on_text_raises():
    with pytest.raises(ValueError, match="could not convert"):
        match("abc", ">= 1")


def test_version_predicates_and_smallest_values():
    assert version_satisfies(7002001, " >=6.0 , <8 ")
    assert not version_satisfies(7002001, "==7.2")
    assert smallest({"3", "2"}, 8, int) == 2
    assert smallest({"3", "x"}, 8, int) == 8
    assert smallest(set(), 8, int) == 8


def test_json_filter_drops_what_does_not_resolve():
    attributes = {"host": "a", "cpu_info": {"arch": "x86"}, "free": 5}
    assert json_filter.passes('["=", "$cpu_info.arch", "x86"]', attributes)
    assert not json_filter.passes('["=", "$nothing", "x86"]', attributes)
    assert json_filter.passes('[">", "$free", 4, 3]', attributes)
    assert not json_filter.passes('[">", "$free", 4, 6]', attributes)
    assert json_filter.passes('["not", ["=", "$host", "a"], ["=", "$host", "b"]]', attributes)  # any of the list


# -- hosts


def host_json(name, **changes):
    return {
        "host": name,
        "nodename": name,
        "uuid": name,
        "vcpus": 8,
        "vcpus_used": 0,
        "memory_mb": 8192,
        "memory_mb_used": 0,
        "local_gb": 100,
        "local_gb_used": 0,
        "disk_available_least": None,
        "cpu_allocation_ratio": 1.0,
        "ram_allocation_ratio": 1.0,
        "disk_allocation_ratio": 1.0,
        "hypervisor_type": "QEMU",
        "hypervisor_version": 6000000,
        "host_ip": "10.0.0.9",
        "cpu_info": {},
        "supported_instances": [["x86_64", "kvm", "hvm"]],
        "num_io_ops": 0,
        "num_instances": 0,
        "failed_builds": 0,
        "service": {"disabled": False, "up": True},
        "instances": [],
        "metrics": {},
        "aggregates": [],
        "numa_topology": None,
        "pci_pools": [],
        "cell": "c1",
    } | changes


def hosts_of(*rows, aggregates=()):
    return [Host.from_json(row, list(aggregates)) for row in rows]


FLAVOR = {
    "name": "m",
    "vcpus": 2,
    "memory_mb": 1024,
    "root_gb": 10,
    "ephemeral_gb": 1,
    "swap": 1024,
    "extra_specs": {},
}


def request(**changes):
    return Request.from_json({"flavor": FLAVOR} | changes)


def test_an_image_property_that_nova_does_not_know_is_skipped():
    aggregate = {"name": "g", "metadata": {"hw_nonsense": "1", "os_type": "linux"}}
    (host,) = hosts_of(host_json("a", aggregates=["g"]), aggregates=[aggregate])
    for properties, passes in (({"hw_nonsense": "2"}, True), ({"os_type": "windows"}, False)):
        asked = request(image={"properties": properties})
        assert bool(survivors("AggregateImagePropertiesIsolation", [host], asked, {})) is passes


def test_an_image_without_wishes_about_the_host_passes_before_its_address_bits_are_looked_at():
    (host,) = hosts_of(host_json("a", cpu_info={"maxphysaddr": {"bits": 40}}))
    bits = {"hw_maxphysaddr_bits": 52}
    for properties, passes in ((bits, True), (bits | {"hw_architecture": "amd64"}, False)):
        asked = request(image={"properties": properties})
        assert bool(survivors("ImagePropertiesFilter", [host], asked, {})) is passes


def test_a_cidr_hint_is_appended_as_it_is():
    (host,) = hosts_of(host_json("a"))
    near = {"build_near_host_ip": "10.0.0.1"}
    assert survivors("SimpleCIDRAffinityFilter", [host], request(scheduler_hints=near), {})
    narrow = request(scheduler_hints=near | {"cidr": "16"})  # 10.0.0.116
    assert not survivors("SimpleCIDRAffinityFilter", [host], narrow, {})


def test_normalisation_with_and_without_a_fixed_bound():
    assert normalise([10.0, 20.0], 0) == [0.5, 1.0]
    assert normalise([10.0, 20.0], None) == [0.0, 1.0]
    assert normalise([20.0, 20.0], None) == [0.0, 0.0]


def test_a_multiplier_comes_from_the_hosts_own_aggregates():
    aggregate = {"name": "g", "metadata": {"ram_weight_multiplier": "-3"}}
    rows = (host_json("a", aggregates=["g"]), host_json("b"))
    config = {"filter_scheduler.ram_weight_multiplier": 2.0}
    table, _ = weigh(hosts_of(*rows, aggregates=[aggregate]), request(), config)
    assert table["RAMWeigher"]["multiplier"] == {"a": -3.0, "b": 2.0}


def test_percentages_were_stored_as_fractions_and_metrics_are_whole_numbers():
    rows = (host_json("a", metrics={"cpu.user.percent": 0.255, "cpu.frequency": 2.9}), host_json("b"))
    config = {"metrics.weight_setting": ["cpu.user.percent=1.0", "cpu.frequency=10"], "metrics.required": False}
    table, _ = weigh(hosts_of(*rows), request(), config)
    assert table["MetricsWeigher"]["raw"] == {"a": 25 + 20.0, "b": -10000.0}


def test_the_loop_consumes_without_swap_and_offers_alternates_of_the_same_cell():
    rows = [host_json(name, cell="c2" if name == "d" else "c1") for name in "abcd"]
    hosts = hosts_of(*rows)
    chosen = select(hosts, request(), ["i1", "i2"], [], {})
    assert [[host.name for host in row] for row in chosen] == [["a", "c"], ["b", "c"]]
    assert hosts[0]["free_disk_mb"] == 1024 * (100 - 11)


def test_no_host_left_is_no_valid_host():
    with pytest.raises(NoValidHost):
        select(hosts_of(host_json("a")), request(ignore_hosts=["A"]), ["i1"], [], {})


# -- NUMA


def constraints(specs=(), properties=(), vcpus=4, memory_mb=1024):
    flavor = {"vcpus": vcpus, "memory_mb": memory_mb, "extra_specs": dict(specs)}
    return numa_constraints(flavor, {"properties": dict(properties)})


def refused(specs, properties=()):
    with pytest.raises(ConstraintError) as caught:
        constraints(specs, properties)
    return caught.value.kind


def test_masks_and_page_sizes():
    assert parse_cpus("^0-1", 4) == {2, 3}
    assert parse_cpus("0-3,^1", 4) == {0, 2, 3}
    assert [parse_page_size(text) for text in ("2048", "2MB", "1GiB", "8Mb")] == [2048, 2048, 1048576, 1024]
    with pytest.raises(ConstraintError):
        parse_page_size("2M")


def test_which_of_two_errors_is_told():
    thread = {"hw:cpu_thread_policy": "require"}
    realtime = {"hw:cpu_realtime": "yes", "hw:cpu_realtime_mask": "^0"}
    assert refused(thread | realtime) == "CPUThreadPolicyConfigurationInvalid"
    assert refused(realtime | {"hw:emulator_threads_policy": "isolate"}) == "BadRequirementEmulatorThreadsPolicy"
    assert refused({"hw:cpu_dedicated_mask": "9"} | thread) == "InvalidMixedInstanceDedicatedMask"
    assert refused({"hw:mem_encryption": "true", "hw:numa_nodes": "x"}) == "InvalidNUMANodesNumber"
    assert refused({"hw:mem_encryption": "true", "hw:mem_page_size": "x"}) == "MemoryPageSizeInvalid"
    assert refused({"hw:mem_encryption": "true", "hw:numa_nodes": "3"}) == "FlavorImageConflict"


def test_realtime_needs_no_mask_beside_an_emulator_policy():
    realtime = {"hw:cpu_policy": "dedicated", "hw:cpu_realtime": "yes"}
    assert refused(realtime) == "RealtimeMaskNotFoundOrInvalid"
    assert constraints(realtime | {"hw:emulator_threads_policy": "share"}) is not None


def test_a_map_for_more_nodes_than_there_are_is_incomplete():
    maps = {"hw:numa_cpus.0": "0-1", "hw:numa_cpus.1": "2-3", "hw:numa_mem.0": "512", "hw:numa_mem.1": "512"}
    assert refused(maps | {"hw:cpu_policy": "dedicated"}) == "ImageNUMATopologyIncomplete"
    cells = constraints(maps | {"hw:numa_nodes": "2"}).cells
    assert [sorted(cell.cpuset) for cell in cells] == [[0, 1], [2, 3]]


def host_cell(number, siblings=((0, 2), (1, 3)), **changes):
    cpus = frozenset(8 * number + cpu for threads in siblings for cpu in threads)
    threads = tuple(frozenset(8 * number + cpu for cpu in one) for one in siblings)
    values = {
        "id": number,
        "cpuset": cpus,
        "pcpuset": cpus,
        "memory": 4096,
        "cpu_usage": 0,
        "memory_usage": 0,
        "pinned_cpus": frozenset(),
        "siblings": threads,
        "socket": 0,
        "mempages": (Pages(4, 1048576), Pages(2048, 512)),
    }
    return HostCell(**(values | changes))


def guest_cell(pcpus, **changes):
    values = {"id": 0, "cpuset": frozenset(), "pcpuset": frozenset(range(pcpus)), "memory": 512}
    return GuestCell(**(values | {"cpu_policy": "dedicated"} | changes))


def test_a_page_size_does_not_stick_to_the_guest():
    first = host_cell(0, mempages=(Pages(4, 1048576), Pages(1048576, 4)), cpu_usage=0, cpuset=frozenset())
    second = host_cell(1, cpu_usage=1)
    guest = GuestTopology((guest_cell(0, cpuset=frozenset({0}), cpu_policy=None, pagesize=-3),))
    placed = fit((first, second), guest)  # peer_defect_sticky_pagesize
    assert (placed.cells[0].id, placed.cells[0].pagesize) == (1, 2048)


def test_packing_prefers_whole_cores_and_falls_back_to_single_threads():
    host = host_cell(0, pinned_cpus=frozenset({1}))
    assert pack(host, guest_cell(2), 0).cpu_pinning == {0: 0, 1: 2}
    assert set(pack(host, guest_cell(3), 0).cpu_pinning.values()) == {0, 2, 3}
    assert pack(host, guest_cell(3, cpu_thread_policy="require"), 0) is None


def test_no_cpu_left_for_the_emulator_is_no_fit():
    host = host_cell(0, pinned_cpus=frozenset({1}))
    assert pack(host, guest_cell(2, cpu_thread_policy="require"), 1).cpuset_reserved == {3}
    assert pack(host, guest_cell(2, cpu_thread_policy="isolate"), 0) is None  # one whole core is free
    assert pack(host, guest_cell(1, cpu_thread_policy="isolate"), 1).cpuset_reserved == {3}
    host = host_cell(0, pinned_cpus=frozenset({1, 3}))
    assert pack(host, guest_cell(1, cpu_thread_policy="isolate"), 1) is None  # the pinned core's sibling is gone too
    assert pack(host, guest_cell(1), 1).cpuset_reserved == {2}


def test_a_mixed_guests_cell_without_dedicated_cpus():
    assert pack(host_cell(0), guest_cell(0, cpu_thread_policy="prefer"), 0).cpu_pinning == {}
    assert pack(host_cell(0), guest_cell(0, cpu_thread_policy="isolate"), 0) is None


def test_isolate_takes_the_siblings_and_freeing_gives_them_back():
    hosts = (host_cell(0),)
    guest = GuestTopology((pack(hosts[0], guest_cell(1, cpu_thread_policy="isolate"), 0),))
    taken = usage_after(hosts, guest)
    assert taken[0].pinned_cpus == {0, 2}
    assert usage_after(taken, guest, free=True) == hosts
    with pytest.raises(ValueError, match="pinned already"):
        usage_after(taken, guest)


def test_network_affinity_binds_only_where_some_cell_declares_it():
    hosts = (host_cell(0, memory_usage=1), host_cell(1, physnets=frozenset({"p"}), memory_usage=2))
    guest = GuestTopology((guest_cell(1),))
    assert fit(hosts, guest, Limits(physnets=frozenset({"q"}))).cells[0].id == 0
    assert fit(hosts, guest, Limits(physnets=frozenset({"p"}))).cells[0].id == 1


# -- PCI


def pool(node, count, **tags):
    return {"vendor_id": "8086", "product_id": "1515", "numa_node": node, "dev_type": "type-VF", "count": count} | tags


def left(pools, policy=None, count=1, cells=(0,), mapping=None, sockets=None, **spec):
    wish = {"count": count, "spec": [{"vendor_id": "8086"} | spec], "numa_policy": policy, "request_id": "r"}
    sockets = {0: 0, 1: 0, 2: 1} if sockets is None else sockets
    after = pci.apply_requests(pools, [wish], mapping, list(cells), sockets)
    return None if after is None else [(one["numa_node"], one["count"]) for one in after]


def test_numa_policies_of_a_device():
    pools = [pool(2, 2), pool(1, 2), pool(None, 1), pool(0, 1)]
    assert left(pools, "required", 2) is None
    assert left(pools, "legacy", 2) == [(2, 2), (1, 2)]
    assert left(pools, "legacy", 3) is None
    assert left(pools, "preferred", 3) == [(2, 1), (1, 2)]
    assert left(pools, "socket", 3) == [(2, 2), (None, 1)]
    assert left(pools, "socket", 2, sockets={0: 0, 1: None, 2: 1}) is None
    assert left(pools, "socket", 1, sockets={0: 0, 1: None, 2: 1}) == [(2, 2), (1, 2), (None, 1)]  # affine suffice


def test_a_mapping_is_followed_exactly_and_an_empty_one_says_nothing():
    pools = [pool(0, 2, rp_uuid="a"), pool(0, 2, rp_uuid="b")]
    assert left(pools, count=2, mapping={"r-0": ["b"], "r-1": ["b"]}) == [(0, 2)]
    assert left(pools, count=2, mapping={"r-0": ["a"], "r-1": ["b"]}) == [(0, 1), (0, 1)]
    assert left(pools, count=3, mapping={f"r-{i}": ["b"] for i in range(3)}) is None
    assert left(pools, count=2, mapping={}) == left(pools, count=2, mapping={"": ["c"]}) == [(0, 2)]


def test_special_devices_must_be_asked_for():
    for tags, wish in (({"dev_type": "type-PF"},) * 2, ({"dev_type": "vdpa"},) * 2):
        assert left([pool(0, 1, **tags)]) is None
        assert left([pool(0, 1, **tags)], **wish) == []
    remote = [pool(0, 1, remote_managed="true")]
    assert left(remote) is None
    assert left(remote, remote_managed="True") == []


# -- request groups


def queries(specs=(), properties=(), **spec):
    flavor = FLAVOR | {"extra_specs": dict(specs)}
    case = {
        "spec": {"flavor": flavor, "image": {"properties": dict(properties)}, "project_id": "p"} | spec,
        "aggregates": [{"uuid": "g", "metadata": {"trait:HW_NUMA_ROOT": "required"}}],
        "hosts": [],
        "config": {"filter_scheduler.pci_in_placement": True, "scheduler.enable_isolated_aggregate_filtering": True},
        "prefilters": False,
        "owner_trait": False,
    } | {key: spec[key] for key in ("prefilters",) if key in spec}
    return query_strings(case, NAMES)


def test_swap_is_rounded_up_and_zero_amounts_drop_out():
    assert queries()[0] == "limit=1000&resources=DISK_GB%3A12%2CMEMORY_MB%3A1024%2CVCPU%3A2"
    bare = {"resources:CUSTOM_IRON": "1", "resources:VCPU": "0", "resources:MEMORY_MB": "0", "resources:DISK_GB": "0"}
    assert queries(bare)[0] == "limit=1000&resources=CUSTOM_IRON%3A1"


def test_explicit_pcpu_with_a_thread_policy_still_asks_for_its_trait():
    query, fallback = queries({"resources:PCPU": "2", "hw:cpu_thread_policy": "isolate"})
    assert "required=%21HW_CPU_HYPERTHREADING" in query
    assert "HYPERTHREADING" not in fallback


def test_devices_of_an_alias_are_groups_of_one():
    alias = {"vendor_id": "10DE", "product_id": "1eb8", "traits": "a,HW_NUMA_ROOT"}
    query, _ = queries(pci_requests=[{"count": 2, "spec": [alias], "request_id": "r"}])
    assert "resourcesr-0=CUSTOM_PCI_10DE_1EB8%3A1&resourcesr-1=CUSTOM_PCI_10DE_1EB8%3A1" in query
    assert "requiredr-0=CUSTOM_A%2CHW_NUMA_ROOT" in query


def test_an_aggregate_reserved_for_a_trait_is_avoided_unless_it_is_asked_for():
    assert "member_of=%21in%3Ag" in queries(prefilters=True)[0]
    assert "member_of" not in queries({"trait:HW_NUMA_ROOT": "required"}, prefilters=True)[0]


def test_flavor_and_image_may_not_contradict_each_other():
    with pytest.raises(ConstraintError, match="FlavorImageConflict"):
        queries({"os:secure_boot": "optional"}, {"os_secure_boot": "required"})
