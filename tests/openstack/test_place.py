"""Placing a whole cloud: what goes where by Nova's weighers, and why the rest does not fit."""

import json
import random
from pathlib import Path

import pytest

from binwright.errors import InputError
from binwright.formats.files import read_path
from binwright.openstack.place import place_source
from binwright.verdict import Verdict
from tests.openstack.clouds import (
    COMPUTE_1,
    COMPUTE_2,
    SERVER_1,
    SERVER_2,
    blobs,
    changed,
    inventory,
    server,
    small_cloud,
    without,
)


def place(files, **options):
    return place_source("c1", blobs(files), **options)


def test_the_emptier_host_is_taken():
    result = place(small_cloud())
    (placed,) = result.placed
    assert (placed.source, placed.kind, placed.namespace, placed.name, placed.uid) == (
        "c1",
        "Server",
        "p1",
        "web",
        SERVER_2,
    )
    assert placed.host == "compute-2.example"
    assert placed.verdict is Verdict.PLACED
    # CPU, RAM, disk and I/O are each best there: 1 + 1 + 1; no server runs there, so no I/O either.
    assert placed.score == pytest.approx(3.0)
    assert result.unplaced == []
    assert result.hosts == 2
    use = {one.name: (one.capacity, one.used_before, one.used_after) for one in result.resources}
    assert use == {"VCPU": (128, 2, 4), "MEMORY_MB": (130048, 2048, 4096), "DISK_GB": (2000, 20, 40)}
    assert [one.name for one in result.resources] == ["VCPU", "MEMORY_MB", "DISK_GB"]


def test_a_host_that_took_a_server_is_weighed_anew():
    files = changed(small_cloud(), "requests.json", to=[{"name": "w", "flavor": "m1.small", "count": 4}])
    hosts = [one.host for one in place(files).placed]
    assert hosts == ["compute-2.example", "compute-1.example"] * 2 + ["compute-2.example"]


@pytest.mark.parametrize(("zone", "host"), [("az-a", "compute-1.example"), ("az-b", "compute-2.example")])
def test_availability_zone(zone, host):
    assert place(changed(small_cloud(), "servers.json", 1, "Availability Zone", to=zone)).placed[0].host == host


def test_the_pinned_zone_counts_before_the_shown_one():
    files = changed(small_cloud(), "servers.json", 1, "Availability Zone", to="az-b")
    files["servers.json"][1]["Pinned Availability Zone"] = "az-a"
    assert place(files).placed[0].host == "compute-1.example"


def test_a_zone_that_no_aggregate_has_restricts_nothing_and_is_told():
    result = place(changed(small_cloud(), "servers.json", 1, "Availability Zone", to="az-z"))
    assert result.placed[0].host == "compute-2.example"
    assert any("availability zone az-z" in note for note in result.notes)


def test_a_wish_for_a_zone_that_is_none_is_refused():
    files = without(small_cloud(), "servers")
    files["requests.json"] = [{"name": "w", "flavor": "m1.small", "availability_zone": "az-z"}]
    (one,) = place(files).unplaced
    assert one.message == "No valid host was found: 0/2 hosts: 2 outside availability zone az-z"
    files["requests.json"][0]["availability_zone"] = "nova"
    assert place(files).placed


def refused(files):
    result = place(files)
    (one,) = result.unplaced
    assert result.placed == []
    return one


def test_reasons_are_counted_by_the_first_rule_that_rejects():
    files = changed(small_cloud(), "flavors.json", 0, "Properties", to={"trait:HW_CPU_X86_AVX2": "required"})
    files["servers.json"][1]["Availability Zone"] = "az-b"
    one = refused(files)
    assert [(reason.rule, reason.hosts, reason.text) for reason in one.reasons] == [
        ("member_of", 1, "outside availability zone az-b"),
        ("required", 1, "without trait HW_CPU_X86_AVX2"),
    ]
    assert one.verdict is Verdict.UNRESOLVABLE
    assert one.message == (
        "No valid host was found: 0/2 hosts: 1 outside availability zone az-b, 1 without trait HW_CPU_X86_AVX2"
    )
    assert one.smallest_change["kind"] == "rule"
    assert one.smallest_change["argument"] in ("outside availability zone az-b", "without trait HW_CPU_X86_AVX2")


def test_a_forbidden_trait():
    files = changed(small_cloud(), "flavors.json", 0, "Properties", to={"trait:COMPUTE_NODE": "forbidden"})
    assert [reason.text for reason in refused(files).reasons] == ["with forbidden trait COMPUTE_NODE"]


def test_not_enough():
    files = changed(small_cloud(), f"allocations/{COMPUTE_1}.json", "allocations", to={})
    for uuid in (COMPUTE_1, COMPUTE_2):
        files[f"allocations/{uuid}.json"]["allocations"]["x"] = {"resources": {"MEMORY_MB": 64000}}
    one = refused(files)
    assert [(reason.rule, reason.hosts, reason.text) for reason in one.reasons] == [
        ("resources", 2, "short of MEMORY_MB (2048 asked)")
    ]
    assert one.verdict is Verdict.UNSCHEDULABLE
    assert one.smallest_change == {
        "kind": "request",
        "host": "compute-1.example",
        "resource": "MEMORY_MB",
        "rule": None,
        "argument": None,
        "have": 1024,
        "need": 2048,
    }


def test_more_at_once_than_an_inventory_gives():
    files = changed(small_cloud(), "flavors.json", 0, "VCPUs", to=17)
    assert [reason.text for reason in refused(files).reasons] == [
        "whose inventory limits (min, max, step) forbid 17 VCPU"
    ]


def test_step_size():
    files = changed(small_cloud(), f"inventories/{COMPUTE_1}.json", 2, "step_size", to=8)
    files["servers.json"][1]["Availability Zone"] = "az-a"
    assert [reason.text for reason in refused(files).reasons] == [
        "outside availability zone az-a",
        "whose inventory limits (min, max, step) forbid 20 DISK_GB",
    ]


def test_a_class_that_nobody_offers():
    files = changed(small_cloud(), "flavors.json", 0, "Properties", to={"resources:CUSTOM_FPGA": "1"})
    assert [(reason.hosts, reason.text) for reason in refused(files).reasons] == [(2, "without CUSTOM_FPGA")]


def test_services_that_are_down_or_disabled():
    files = changed(small_cloud(), "hypervisors.json", 1, "State", to="down")
    assert place(files).placed[0].host == "compute-1.example"
    files[f"traits/{COMPUTE_1}.json"].append({"name": "COMPUTE_STATUS_DISABLED"})
    assert [(reason.rule, reason.text) for reason in refused(files).reasons] == [
        ("root_required", "with compute service disabled (COMPUTE_STATUS_DISABLED)"),
        ("ComputeFilter", "with compute service down or disabled"),
    ]


def bare_metal(in_use):
    files = without(small_cloud(), "aggregates", "provider_aggregates")
    files["flavors.json"][0]["Properties"] = {
        "resources:CUSTOM_BAREMETAL": "1",
        "resources:VCPU": "0",
        "resources:MEMORY_MB": "0",
        "resources:DISK_GB": "0",
    }
    for uuid, busy in ((COMPUTE_1, True), (COMPUTE_2, in_use)):
        files[f"inventories/{uuid}.json"] = [inventory("CUSTOM_BAREMETAL", 1, reserved=int(busy))]
        used = {"CUSTOM_BAREMETAL": 1} if busy else {}
        files[f"allocations/{uuid}.json"] = {"allocations": {"x": {"resources": used}} if busy else {}}
    return files


def test_bare_metal_nodes_take_one_instance():
    files = bare_metal(in_use=False)
    files["requests.json"] = [{"name": "second", "flavor": "m1.small"}]
    result = place(files)
    assert [one.host for one in result.placed] == ["compute-2.example"]
    assert [one.name for one in result.unplaced] == ["second"]
    use = result.resources[0]
    assert (use.name, use.capacity, use.used_before, use.used_after) == ("CUSTOM_BAREMETAL", 2, 1, 2)
    assert [reason.text for reason in result.unplaced[0].reasons] == ["short of CUSTOM_BAREMETAL (1 asked)"]
    assert result.unplaced[0].smallest_change is None  # not "a node for two"
    assert len(place(bare_metal(in_use=True)).unplaced) == 1


def test_errors_are_retried_on_wish():
    files = changed(small_cloud(), "servers.json", 1, "Status", to="ERROR")
    assert place(files).placed == []
    assert [one.name for one in place(files, retry_errors=True).placed] == ["web"]


def test_a_server_whose_flavor_is_gone_is_no_obstacle_while_it_is_not_needed():
    assert place(changed(small_cloud(), "servers.json", 0, "Flavor", to="gone")).placed
    with pytest.raises(InputError, match=r"servers\.json: server web: flavor: 'gone' is not in flavors\.json"):
        place(changed(small_cloud(), "servers.json", 1, "Flavor", to="gone"))


def test_weight_multipliers_of_aggregates():
    files = small_cloud()
    # One instance less on the second host, and stacking wanted there: the first one wins by its CPU and RAM weight.
    for metadata, host in (({"cpu_weight_multiplier": "-5"}, "compute-1.example"), ({}, "compute-2.example")):
        assert place(changed(files, "aggregates.json", 1, "Properties", to=metadata)).placed[0].host == host


def test_no_pending_server_and_no_host():
    result = place(without(changed(small_cloud(), "servers.json", to=[]), "requests"))
    assert (result.placed, result.unplaced, result.hosts) == ([], [], 2)
    files = without(small_cloud(), "aggregates", "inventories", "traits", "allocations", "provider_aggregates")
    files["providers.json"] = files["hypervisors.json"] = []
    assert place(files).unplaced[0].message == "No valid host was found: 0/0 hosts"


def unevaluated(files):
    return {one.rule: (one.objects, one.example) for one in place(files).not_evaluated}


def test_rules_that_nobody_uses_are_not_listed():
    files = small_cloud()
    for row in files["servers.json"]:
        del row["Image Name"], row["Image ID"]
    assert unevaluated(files) == {}


@pytest.mark.parametrize(
    ("properties", "rule"),
    [
        ({"hw:numa_nodes": "2"}, "NUMA topology, CPU pinning and huge pages"),
        ({"hw:mem_page_size": "large"}, "NUMA topology, CPU pinning and huge pages"),
        ({"pci_passthrough:alias": "gpu:1"}, "PCI devices"),
        ({"accel:device_profile": "fpga"}, "accelerators"),
        ({"aggregate_instance_extra_specs:ssd": "true"}, "aggregate extra specs"),
        ({"capabilities:cpu_info:arch": "x86_64"}, "capabilities of the host"),
        ({"trait:X": "maybe"}, "extra specs that Nova ignores with a warning"),
    ],
)
def test_extra_specs_that_are_not_evaluated_are_listed(properties, rule):
    objects, example = unevaluated(changed(small_cloud(), "flavors.json", 0, "Properties", to=properties))[rule]
    assert objects == 1
    assert example.startswith("web: flavor m1.small")


def test_what_else_is_not_evaluated_is_listed():
    files = without(small_cloud(), "traits", "aggregates", "provider_aggregates")
    files["flavors.json"][0]["Properties"] = {"trait:HW_CPU_X86_AVX2": "required"}
    files["servers.json"][1] |= {"Availability Zone": "az-a", "Scheduler Hints": {"group": "g", "query": "x"}}
    files["volumes.json"] = [{"ID": "v", "Name": "", "Attached to": [{"server_id": SERVER_2}]}]
    assert unevaluated(files) == {
        "required and forbidden traits: the input has no traits/": (1, "web: HW_CPU_X86_AVX2"),
        "availability zone: the input does not tell its hosts": (1, "web: az-a"),
        "server group policy: the input does not have the group": (1, "web: g"),
        "scheduler hints": (1, "web: query"),
        "image properties": (1, "web: debian"),
        "Cinder volumes": (1, "web"),
    }


def in_group(policy, **fields):
    """The running server and two wishes in one group."""
    files = changed(small_cloud(), "servers.json", to=small_cloud()["servers.json"][:1])
    group = {"ID": "g", "Name": "quorum", "Policy": policy, "Members": [SERVER_1]}
    files["server_groups.json"] = [group | fields]
    files["requests.json"] = [
        {"name": "w", "flavor": "m1.small", "count": 2, "scheduler_hints": {"group": ["g"]}},
    ]
    return place(files)


def test_anti_affinity_counts_members_as_they_are_placed():
    result = in_group("anti-affinity")
    assert [one.host for one in result.placed] == ["compute-2.example"]
    (one,) = result.unplaced
    assert [(reason.rule, reason.hosts) for reason in one.reasons] == [("ServerGroupAntiAffinityFilter", 2)]
    assert one.verdict is Verdict.UNSCHEDULABLE
    assert not any("group" in entry.rule for entry in result.not_evaluated)


def test_anti_affinity_with_two_a_host():
    result = in_group("anti-affinity", Rules={"max_server_per_host": "2"})
    assert [one.host for one in result.placed] == ["compute-2.example", "compute-1.example"]
    with pytest.raises(InputError, match=r"server group quorum: Rules: max_server_per_host '0' is not"):
        in_group("anti-affinity", Rules={"max_server_per_host": 0})


def test_affinity_stays_with_its_members():
    assert [one.host for one in in_group("affinity").placed] == ["compute-1.example"] * 2


def test_soft_policies_weigh():
    # The emptier host has 3 weights of 1.0 against a little less; the most members are worth 1.0 more, or less.
    assert in_group("soft-affinity").placed[0].host == "compute-1.example"
    assert in_group("soft-anti-affinity").placed[0].host == "compute-2.example"


@pytest.mark.parametrize(
    ("trait", "own", "child", "fits"),
    [
        ("required", [], ["CUSTOM_H100"], True),
        ("required", ["CUSTOM_H100"], [], True),
        ("required", [], [], False),
        ("forbidden", [], ["CUSTOM_H100"], False),
        ("forbidden", [], [], True),
        ("forbidden", ["CUSTOM_H100"], [], False),
    ],
)
def test_traits_of_the_provider_that_serves_a_class(trait, own, child, fits):
    files = small_cloud()
    gpu = "00000000-0000-4000-8000-0000000000c1"
    files["providers.json"].append({"uuid": gpu, "name": "gpu", "parent_provider_uuid": COMPUTE_1})
    files |= {f"inventories/{gpu}.json": [inventory("VGPU", 8)], f"allocations/{gpu}.json": {"allocations": {}}}
    files[f"traits/{gpu}.json"] = [{"name": name} for name in child]
    files[f"traits/{COMPUTE_1}.json"] += [{"name": name} for name in own]
    files["flavors.json"][0]["Properties"] = {"resources:VGPU": "1", "trait:CUSTOM_H100": trait}
    assert len(place(files).placed) == fits


def test_the_sample_is_placed_as_its_manifest_says():
    sample = Path(__file__).parents[2] / "examples" / "club-sandwich"
    if not sample.exists():
        pytest.skip(f"{sample} is absent")
    expected = {
        one["name"]: one["placeable"]
        for one in json.loads((sample / "manifest.json").read_text())["pending"]["servers"]
    }
    (cloud,) = (sample / "clouds").iterdir()
    result = place_source(cloud.name, read_path(cloud))
    answers = {one.name: one.host is not None for one in [*result.placed, *result.unplaced]}
    assert {name: answers[name] for name in expected} == expected


def test_disk_that_no_column_tells_is_left_out_and_listed():
    files = without(small_cloud(), "providers", "inventories", "traits", "allocations", "provider_aggregates")
    for row in files["hypervisors.json"]:
        row |= {"vCPUs": 16, "vCPUs Used": 0, "Memory MB": 65536, "Memory MB Used": 512}
    result = place(files)
    assert len(result.placed) == 1
    listed = {one.rule: one.example for one in result.not_evaluated}
    assert listed["resources that the input tells no capacity of"] == "web: DISK_GB"


def test_resources_below_the_root_are_told():
    files = small_cloud()
    child = "00000000-0000-4000-8000-0000000000c1"
    files["providers.json"].append({"uuid": child, "name": "gpu", "parent_provider_uuid": COMPUTE_1})
    files |= {f"inventories/{child}.json": [inventory("VGPU", 8)], f"allocations/{child}.json": {"allocations": {}}}
    files["flavors.json"][0]["Properties"] = {"resources:VGPU": "1"}
    result = place(files)
    assert result.placed[0].host == "compute-1.example"
    assert result.placed[0].devices == [{"provider": child, "name": "gpu", "resources": {"VGPU": 1}}]
    assert not any("nested" in one.rule for one in result.not_evaluated)


def test_notes_tell_which_file_gave_which_field():
    notes = place(small_cloud()).notes
    assert any(note.startswith("servers.json: ") and "host from 'Host'" in note for note in notes)
    assert "capacity: Placement inventories, (total - reserved) x allocation_ratio" in notes
    assert "used: Placement allocations" in notes


@pytest.mark.parametrize("seed", range(20))
def test_no_inventory_is_ever_overrun(seed):
    """Random clouds: what was placed, summed by hand from the outcomes, keeps every limit, and full means full."""
    dice = random.Random(seed)
    files = small_cloud()
    files["flavors.json"] = [
        {
            "ID": str(i),
            "Name": f"f{i}",
            "RAM": dice.choice([512, 2048, 8192]),
            "Disk": dice.randrange(0, 60),
            "VCPUs": i + 1,
        }
        for i in range(4)
    ]
    files["servers.json"] = [
        server(
            f"s{i}",
            f"uuid-{i}",
            None,
            "BUILD",
            f"f{dice.randrange(4)}",
            **{"Availability Zone": dice.choice(["", "az-a"])},
        )
        for i in range(90)
    ]
    for uuid in (COMPUTE_1, COMPUTE_2):
        files[f"allocations/{uuid}.json"] = {"allocations": {}}
        files[f"inventories/{uuid}.json"] = [
            inventory("VCPU", 16, allocation_ratio=dice.choice([1.0, 1.5, 4.0]), reserved=dice.randrange(3)),
            inventory("MEMORY_MB", 65536, reserved=512),
            inventory("DISK_GB", dice.choice([100, 2000])),
        ]
    result = place(files)
    flavors = {row["Name"]: row for row in files["flavors.json"]}
    asked = {row["Name"]: (row["Availability Zone"], flavors[row["Flavor"]]) for row in files["servers.json"]}
    free = {}
    for index, uuid in enumerate((COMPUTE_1, COMPUTE_2), 1):
        free[f"compute-{index}.example"] = {
            row["resource_class"]: int((row["total"] - row["reserved"]) * row["allocation_ratio"])
            for row in files[f"inventories/{uuid}.json"]
        }

    def amounts(flavor):
        return {"VCPU": flavor["VCPUs"], "MEMORY_MB": flavor["RAM"], "DISK_GB": flavor["Disk"]}

    for one in result.placed:
        zone, flavor = asked[one.name]
        assert zone == "" or one.host == "compute-1.example", f"seed {seed}"
        for name, amount in amounts(flavor).items():
            free[one.host][name] -= amount
            assert free[one.host][name] >= 0, f"seed {seed}"
    for one in result.unplaced:
        zone, flavor = asked[one.name]
        hosts = ["compute-1.example"] if zone else list(free)
        for host in hosts:
            assert any(free[host][name] < amount for name, amount in amounts(flavor).items()), f"seed {seed}"
    assert len(result.placed) + len(result.unplaced) == 90


def test_a_tie_goes_to_the_first_host():
    files = changed(small_cloud(), f"allocations/{COMPUTE_1}.json", "allocations", to={})
    files["servers.json"] = files["servers.json"][1:]
    assert place(files).placed[0].host == "compute-1.example"


def together(number, **changes):
    files = without(small_cloud(), "servers")
    files["requests.json"] = [{"name": "w", "flavor": "m1.small", "max_count": number}]
    files["servers.json"] = []
    for path, value in changes.items():
        files[path] = value
    return files


def test_one_request_for_several_places_all_or_none():
    files = together(3)
    assert [one.host for one in place(files).placed] == ["compute-2.example", "compute-1.example", "compute-2.example"]
    for uuid in (COMPUTE_1, COMPUTE_2):
        files[f"inventories/{uuid}.json"][0] = inventory("VCPU", 2)
        files[f"allocations/{uuid}.json"] = {"allocations": {}}
    result = place(files)
    assert result.placed == []
    assert [one.reasons[0].text for one in result.unplaced] == ["instance 3 of 3 found no host, so none gets one"] * 3
    assert all(use.used_before == use.used_after for use in result.resources)
    files["requests.json"].append({"name": "x", "flavor": "m1.small", "count": 2})
    assert [one.name for one in place(files).placed] == ["x-1", "x-2"]  # nothing is left behind


def test_several_in_one_request_or_as_many_requests():
    files = together(2)
    files["requests.json"][0]["count"] = 2
    with pytest.raises(InputError, match=r"requests\.json: request w: .*beside max_count or min_count"):
        place(files)
