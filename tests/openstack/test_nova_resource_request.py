"""What Nova asks Placement, by hand: groups, traits, aggregates, the fallback."""

from urllib.parse import parse_qsl

import pytest

from binwright.openstack.cloud import Aggregate, Flavor
from binwright.openstack.nova.compute_host import ComputeHost
from binwright.openstack.nova.cpu_policies import Refusal
from binwright.openstack.nova.features import normalised
from binwright.openstack.nova.prefilters import prefiltered, wishes_of
from binwright.openstack.nova.request_spec import Destination, Image, RequestedGroup, RequestSpec
from binwright.openstack.nova.resource_request import pinning_requested, placement_queries
from binwright.openstack.nova.schedule import NoValidHost

COMPUTES = [ComputeHost("h0", "n0", "u0"), ComputeHost("h1", "n1", "u1"), ComputeHost("h1", "n2", "u2")]


def request(properties=None, from_volume=False, fields=None, **specs):
    flavor = Flavor("1", "m1", 2, 512, 10, 5, 1, {key.replace("__", ":"): value for key, value in specs.items()})
    return RequestSpec(flavor, Image("i", properties or {}), from_volume=from_volume, **(fields or {}))


def query(wanted, config=None, wishes=None, fallback=False):
    made = placement_queries(wanted, wishes or wishes_of(wanted), COMPUTES, config or {})
    return parse_qsl(made.fallback if fallback else made.query)


def test_sizes_of_a_flavor():
    assert query(request()) == [("limit", "1000"), ("resources", "DISK_GB:16,MEMORY_MB:512,VCPU:2")]
    assert ("resources", "DISK_GB:6,MEMORY_MB:512,VCPU:2") in query(request(from_volume=True))
    bare = request(resources__VCPU="0", resources__MEMORY_MB="0", resources__DISK_GB="0", resources__CUSTOM_X="1")
    assert ("resources", "CUSTOM_X:1") in query(bare)


def test_dedicated_cpus_and_the_fallback():
    wanted = request(hw__cpu_policy="dedicated", hw__cpu_thread_policy="isolate", hw__emulator_threads_policy="isolate")
    asked = dict(query(wanted))
    assert (asked["resources"], asked["required"]) == ("DISK_GB:16,MEMORY_MB:512,PCPU:3", "!HW_CPU_HYPERTHREADING")
    again = dict(query(wanted, fallback=True))
    assert again["resources"] == "DISK_GB:16,MEMORY_MB:512,VCPU:2"
    assert "required" not in again
    assert pinning_requested(wanted)
    assert not pinning_requested(request(hw__cpu_policy="mixed", hw__cpu_dedicated_mask="0"))
    mixed = dict(query(request(hw__cpu_policy="mixed", hw__cpu_dedicated_mask="0")))
    assert mixed["resources"] == "DISK_GB:16,MEMORY_MB:512,PCPU:1,VCPU:1"


def test_groups_of_flavor_ports_and_devices():
    ports = [RequestedGroup(name, {"NET_BW_EGR_KILOBIT_PER_SEC": 9}, frozenset({"CUSTOM_P"})) for name in ("_a", "_b")]
    devices = [{"spec": [{"vendor_id": "10de", "product_id": "1eb8", "traits": "gold"}], "count": 2, "request_id": "r"}]
    wanted = request(fields={"requested_groups": ports, "same_subtrees": [("_b", "_a")], "pci_requests": devices})
    asked = dict(query(wanted, {"filter_scheduler.pci_in_placement": True}))
    assert asked["resources_a"] == asked["resources_b"] == "NET_BW_EGR_KILOBIT_PER_SEC:9"
    assert (asked["same_subtree"], asked["group_policy"]) == ("_a,_b", "none")
    assert (asked["resourcesr-0"], asked["requiredr-1"]) == ("CUSTOM_PCI_10DE_1EB8:1", "CUSTOM_GOLD")
    assert "group_policy" not in dict(query(request(resources1__VGPU="1", resources2__VGPU="1")))
    assert normalised("vgpu", {"VGPU"}) == "VGPU"


def test_features():
    wanted = request(
        {"hw_firmware_type": "uefi", "trait:CUSTOM_I": "required"},
        hw__mem_encryption="true",
        hw__tpm_version="2.0",
        os__secure_boot="required",
        hw__maxphysaddr_mode="emulate",
        hw__pmem="6GB,6GB",
        hw__pci_numa_affinity_policy="socket",
    )
    asked = dict(query(wanted))
    assert "CUSTOM_PMEM_NAMESPACE_6GB:2" in asked["resources"]
    assert "MEM_ENCRYPTION_CONTEXT:1" in asked["resources"]
    assert asked["required"].split(",") == [
        "COMPUTE_ADDRESS_SPACE_EMULATED",
        "COMPUTE_SECURITY_TPM_2_0",
        "COMPUTE_SECURITY_TPM_TIS",
        "COMPUTE_SECURITY_UEFI_SECURE_BOOT",
        "COMPUTE_SOCKET_PCI_NUMA_AFFINITY",
        "CUSTOM_I",
        "HW_CPU_X86_AMD_SEV",
    ]
    with pytest.raises(Refusal, match="FlavorImageConflict"):
        query(request({"hw_tpm_version": "1.2"}, hw__tpm_version="2.0"))


def test_a_host_by_name():
    assert dict(query(request(fields={"force_hosts": ["h0"]})))["in_tree"] == "u0"
    several = dict(query(request(fields={"force_hosts": ["h1"]})))
    assert several.keys() == {"resources"}
    assert dict(query(request(fields={"destination": Destination(host="h1", node="n2")})))["in_tree"] == "u2"
    with pytest.raises(NoValidHost, match="no such host"):
        query(request(fields={"force_hosts": ["nope"]}))


def test_hints_that_need_every_candidate():
    assert "limit" not in dict(query(request(fields={"hints": {"same_host": ["x"]}})))
    assert dict(query(request(), {"scheduler.max_placement_results": 7}))["limit"] == "7"


AGGREGATES = [
    Aggregate("1", "a1", "", metadata={"availability_zone": "z", "filter_tenant_id": "p"}),
    Aggregate("2", "a2", "", metadata={"trait:CUSTOM_X": "required"}),
]


def test_prefilters():
    wanted = request(fields={"zone": "z", "project": "p"}, accel__device_profile="d", hw__tpm_version="2.0")
    config = {
        "scheduler.limit_tenants_to_placement_aggregate": True,
        "scheduler.enable_isolated_aggregate_filtering": True,
        "scheduler.query_placement_for_image_type_support": True,
    }
    wishes = prefiltered(wanted, AGGREGATES, config, owner_trait=True)
    asked = query(wanted, wishes=wishes)
    assert [value for key, value in asked if key == "member_of"] == ["!in:a2", "in:a1", "in:a1"]
    assert dict(asked)["root_required"].split(",") == [
        "COMPUTE_ACCELERATORS",
        "COMPUTE_IMAGE_TYPE_QCOW2",
        "COMPUTE_SECURITY_TPM_SECRET_SECURITY_USER",
        "OWNER_NOVA",
        "!COMPUTE_STATUS_DISABLED",
    ]
    nobody = request(fields={"project": "q", "zone": "nowhere"})
    assert prefiltered(nobody, AGGREGATES, config, owner_trait=False).member_of == []
    required = config | {"scheduler.placement_aggregate_required_for_tenants": True}
    with pytest.raises(NoValidHost, match="project q"):
        prefiltered(nobody, AGGREGATES, required, owner_trait=False)
