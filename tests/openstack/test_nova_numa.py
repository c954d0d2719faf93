"""NUMA and PCI by hand: what a flavor asks, onto which cells and CPUs it goes, which devices are left."""

from dataclasses import replace

import pytest

from binwright.errors import InputError, StateError
from binwright.openstack.cloud import Flavor
from binwright.openstack.nova.cpu_policies import Refusal, cpu_numbers
from binwright.openstack.nova.numa_cells import HostCell, Pages, used_by
from binwright.openstack.nova.numa_constraints import guest_topology
from binwright.openstack.nova.numa_fit import Devices, Limits, fit
from binwright.openstack.nova.pci import device_count, in_order, without_devices


def flavor(vcpus=4, memory_mb=1024, **specs):
    return Flavor("1", "m1", vcpus, memory_mb, extra_specs={key.replace("__", ":"): v for key, v in specs.items()})


def guest(vcpus=4, memory_mb=1024, properties=None, **specs):
    return guest_topology(flavor(vcpus, memory_mb, **specs), properties or {})


def cell(number, cpus=4, memory=4096, threads=2, **fields):
    every = range(number * cpus, (number + 1) * cpus)
    siblings = tuple(frozenset(every[at : at + threads]) for at in range(0, cpus, threads))
    made = HostCell(
        number, frozenset(every), frozenset(every), memory, siblings=siblings, mempages=(Pages(4, memory * 256),)
    )
    return replace(made, **fields)


def placed(host, wanted, **options):
    found = fit(host, wanted, **options)
    return None if found is None else [one.id for one in found.cells]


def test_no_topology_without_a_reason():
    assert guest() is None
    assert guest(hw__cpu_policy="shared") is None


def test_cells_of_a_guest():
    two = guest(hw__numa_nodes="2")
    assert [(sorted(one.cpuset), one.memory) for one in two.cells] == [([0, 1], 512), ([2, 3], 512)]
    mapped = guest(
        **{"hw__numa_nodes": "2", "hw__numa_cpus.0": "0", "hw__numa_cpus.1": "1-3"},
        **{"hw__numa_mem.0": "24", "hw__numa_mem.1": "1000"},
    )
    assert [(sorted(one.cpuset), one.memory) for one in mapped.cells] == [([0], 24), ([1, 2, 3], 1000)]
    mixed = guest(hw__cpu_policy="mixed", hw__cpu_dedicated_mask="^0-1")
    assert (sorted(mixed.cells[0].cpuset), sorted(mixed.cells[0].pcpuset)) == ([0, 1], [2, 3])


@pytest.mark.parametrize(
    ("specs", "properties", "kind"),
    [
        ({"hw__cpu_policy": "odd"}, {}, "InvalidCPUAllocationPolicy"),
        ({"hw__cpu_policy": "shared"}, {"hw_cpu_policy": "dedicated"}, "ImageCPUPinningForbidden"),
        ({"hw__cpu_thread_policy": "isolate"}, {}, "CPUThreadPolicyConfigurationInvalid"),
        ({"hw__cpu_policy": "mixed"}, {}, "RequiredMixedOrRealtimeCPUMask"),
        ({"hw__cpu_policy": "dedicated", "hw__cpu_dedicated_mask": "0"}, {}, "RequiredMixedInstancePolicy"),
        ({"hw__cpu_policy": "mixed", "hw__cpu_dedicated_mask": "0-3"}, {}, "InvalidMixedInstanceDedicatedMask"),
        ({"hw__cpu_realtime": "yes"}, {}, "RealtimeMaskNotFoundOrInvalid"),
        ({"hw__cpu_realtime": "yes", "hw__cpu_realtime_mask": "^0"}, {}, "RealtimeConfigurationInvalid"),
        ({"hw__emulator_threads_policy": "isolate"}, {}, "BadRequirementEmulatorThreadsPolicy"),
        ({"resources__PCPU": "3"}, {}, "InvalidRequest"),
        ({"hw__numa_nodes": "3"}, {}, "ImageNUMATopologyAsymmetric"),
        ({"hw__numa_nodes": "0"}, {}, "InvalidNUMANodesNumber"),
        ({"hw__numa_nodes": "1"}, {"hw_numa_nodes": "1"}, "ImageNUMATopologyForbidden"),
        ({"hw__mem_page_size": "huge"}, {}, "MemoryPageSizeInvalid"),
        ({"hw__mem_page_size": "small"}, {"hw_mem_page_size": "4"}, "MemoryPageSizeForbidden"),
        ({"hw__mem_encryption": "true"}, {}, "FlavorImageConflict"),
        ({"hw__numa_nodes": "1", "hw__numa_cpus.0": "0"}, {}, "ImageNUMATopologyIncomplete"),
        ({"hw__cpu_policy": "mixed", "hw__cpu_dedicated_mask": "x"}, {}, "Invalid"),
    ],
)
def test_refusals_carry_the_name_of_novas_exception(specs, properties, kind):
    with pytest.raises(Refusal) as caught:
        guest(properties=properties, **specs)
    assert caught.value.kind == kind
    assert "\n" not in str(caught.value)


def test_lists_of_cpus():
    assert cpu_numbers("0-2, 5,^1", 8) == {0, 2, 5}
    assert cpu_numbers("^1-2", 4) == {0, 3}


def test_pinning_fills_cores_unless_it_isolates():
    host = (cell(0, cpus=8),)
    both = fit(host, guest(2, hw__cpu_policy="dedicated"))
    assert set(both.cells[0].pinning.values()) == {0, 1}
    apart = fit(host, guest(2, hw__cpu_policy="dedicated", hw__cpu_thread_policy="isolate"))
    assert {number // 2 for number in apart.cells[0].pinning.values()} == {0, 1}
    busy = (cell(0, cpus=4, pinned_cpus=frozenset({0, 2})),)
    assert placed(busy, guest(2, hw__cpu_policy="dedicated", hw__cpu_thread_policy="require")) is None
    assert placed(busy, guest(2, hw__cpu_policy="dedicated")) == [0]


def test_the_emulator_gets_a_cpu_of_its_own():
    found = fit((cell(0),), guest(2, hw__cpu_policy="dedicated", hw__emulator_threads_policy="isolate"))
    assert len(found.cells[0].reserved) == 1
    assert found.cells[0].reserved.isdisjoint(found.cells[0].pinning.values())
    assert placed((cell(0),), guest(4, hw__cpu_policy="dedicated", hw__emulator_threads_policy="isolate")) is None


def test_the_emptiest_cells_first_or_the_fullest():
    host = (cell(0, memory_usage=1024), cell(1))
    assert placed(host, guest(2, hw__numa_nodes="1")) == [1]
    assert placed(host, guest(2, hw__numa_nodes="1"), packing=True) == [0]


def test_pages():
    host = (cell(0, mempages=(Pages(4, 1000), Pages(2048, 600), Pages(1048576, 0))),)
    assert fit(host, guest(2, hw__mem_page_size="large")).cells[0].pagesize == 2048
    assert fit(host, guest(2, memory_mb=2, hw__mem_page_size="small")).cells[0].pagesize == 4
    assert placed(host, guest(2, memory_mb=8, hw__mem_page_size="small")) is None
    assert placed(host, guest(2, memory_mb=3, hw__mem_page_size="2MB")) is None


def test_overcommit_and_networks():
    host = (cell(0, cpu_usage=4), cell(1, cpu_usage=4, physnets=frozenset({"n"})))
    wanted = guest(2, hw__numa_nodes="1")
    assert placed(host, wanted, limits=Limits(cpu=1.0)) is None
    assert placed(host, wanted, limits=Limits(cpu=2.0, physnets=frozenset({"n"}))) == [1]


def test_devices_choose_the_cell():
    pools = [{"vendor_id": "8086", "numa_node": 1, "count": 1}]
    asked = [{"spec": [{"vendor_id": "8086"}], "count": 1, "request_id": "r", "numa_policy": "required"}]
    host = (cell(0), cell(1, memory_usage=2048))
    assert placed(host, guest(2, hw__numa_nodes="1"), devices=Devices(pools, asked)) == [1]
    assert placed((cell(0),), guest(2, hw__numa_nodes="1"), devices=Devices(pools, asked)) is None


def test_what_a_guest_takes():
    host = (cell(0),)
    taken = used_by(host, fit(host, guest(2, hw__cpu_policy="dedicated")))
    assert (taken[0].memory_usage, taken[0].mempages[0].used, len(taken[0].pinned_cpus)) == (1024, 262144, 2)
    with pytest.raises(StateError, match="pinned already"):
        used_by(taken, fit(host, guest(2, hw__cpu_policy="dedicated")))
    bare = (replace(cell(0), mempages=()),)
    with pytest.raises(InputError, match="no page size"):
        used_by(bare, fit(bare, guest(2, hw__numa_nodes="1")))


def pool(**fields):
    return {"vendor_id": "8086", "product_id": "1", "numa_node": 0, "dev_type": "type-VF", "count": 2} | fields


def asked(count=1, policy=None, **spec):
    return [{"spec": [{"vendor_id": "8086", **spec}], "count": count, "request_id": "r", "numa_policy": policy}]


def test_pools_in_order_and_emptied():
    pools = in_order([pool(physical_network="n"), pool()])
    assert [len(one) for one in pools] == [5, 6]
    left = without_devices(pools, asked(3))
    assert [(one.get("physical_network"), one["count"]) for one in left] == [("n", 1)]
    assert without_devices(pools, asked(5)) is None
    assert device_count(pools) == 4


def test_some_devices_are_on_demand():
    assert without_devices([pool(dev_type="type-PF")], asked()) is None
    assert without_devices([pool(dev_type="type-PF")], asked(dev_type="type-PF")) is not None
    assert without_devices([pool(remote_managed="true")], asked()) is None
    assert without_devices([pool(remote_managed="true")], asked(remote_managed="True")) is not None


def test_numa_policies_of_devices():
    far, near, floating = pool(numa_node=1, count=1), pool(count=1), pool(numa_node=None, count=1)
    sockets = {0: 0, 1: 0}
    assert without_devices([far], asked(policy="required"), None, [0], sockets) is None
    assert without_devices([far], asked(), None, [0], sockets) is None
    assert without_devices([far], asked(policy="preferred"), None, [0], sockets) == []
    assert without_devices([far], asked(policy="socket"), None, [0], sockets) == []
    assert without_devices([far], asked(policy="socket"), None, [0], {0: 0, 1: None}) is None
    assert without_devices([far, floating, near], asked(2), None, [0], sockets) == [far]


def test_placements_choice_of_devices():
    pools = [pool(rp_uuid="a"), pool(rp_uuid="b")]
    left = without_devices(pools, asked(2), {"r-0": ["b"], "r-1": ["b"], "x-0": ["a"]})
    assert [one["rp_uuid"] for one in left] == ["a"]
    assert without_devices(pools, asked(3), {"r-0": ["a"], "r-1": ["a"], "r-2": ["a"]}) is None
