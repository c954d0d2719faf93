"""`capacity` of clouds: counts by hand, what stops each host, flavor by zone by trait; and beside really placing."""

import random

import pytest

from binwright.cli import capacity_report
from binwright.headroom import Question
from binwright.openstack.headroom import headroom_source
from binwright.openstack.place import place_cloud
from tests.openstack import random_dumps
from tests.openstack.clouds import COMPUTE_1, COMPUTE_2, blobs, changed, inventory, read, small_cloud


def asked(files, *shapes, after_pending=False):
    return headroom_source("c1", blobs(files), Question(tuple(shapes), after_pending))


def test_how_many_and_what_runs_out():
    found = asked(small_cloud())
    (answer,) = found.answers
    # 65,024 MiB a host, 2,048 used on the first: 30 and 31 by memory; 62 / 2 and 64 / 2 by CPU; 980 / 20 by disk
    assert (answer.count, answer.rounds, answer.refused, answer.runs_out) == (61, 61, "m1.small", "MEMORY_MB")
    assert [(room.host, room.counts, room.rule, room.text, room.short) for room in answer.hosts] == [
        ("compute-1.example", [30], "resources", "short of MEMORY_MB (2048 asked)", ["MEMORY_MB"]),
        ("compute-2.example", [31], "resources", "short of MEMORY_MB (2048 asked)", ["MEMORY_MB"]),
    ]
    assert answer.shapes[0].asked == {"DISK_GB": 20, "MEMORY_MB": 2048, "VCPU": 2}
    assert answer.message == "No valid host was found: 0/2 hosts: 2 short of MEMORY_MB (2048 asked)"
    assert (found.supposes, found.hosts) == ("in the cloud as it is, without what is pending", 2)
    after = asked(small_cloud(), after_pending=True)
    assert (after.answers[0].count, after.supposes) == (60, "after 1 of 1 pending servers were placed")


def test_what_never_takes_one():
    files = changed(small_cloud(), "flavors.json", 0, "Properties", to={"trait:HW_CPU_X86_AVX2": "required"})
    (answer,) = asked(files).answers
    assert [(room.counts, room.rule, room.text) for room in answer.hosts] == [
        ([30], "resources", "short of MEMORY_MB (2048 asked)"),
        ([0], "required", "without trait HW_CPU_X86_AVX2"),
    ]


def test_what_runs_out_counts_where_nothing_else_is_in_the_way():
    """Memory is short on the second host too, but a trait that nobody has stops both before."""
    files = changed(small_cloud(), "flavors.json", 0, "Properties", to={"trait:CUSTOM_H100": "required"})
    files["flavors.json"][0]["RAM"] = 65024
    (answer,) = asked(files).answers
    assert [(room.rule, room.short) for room in answer.hosts] == [("required", ["MEMORY_MB"]), ("required", [])]
    assert (answer.count, answer.runs_out) == (0, None)
    assert capacity_report.ended_by(answer) == "(without trait CUSTOM_H100)"


def test_flavor_by_zone_by_trait():
    files = small_cloud()
    files[f"traits/{COMPUTE_2}.json"].append({"name": "CUSTOM_FAST"})
    rows = [(row.shape, row.trait, row.zone, row.hosts, row.count) for row in asked(files).matrix]
    assert rows == [
        ("m1.small", "", "az-a", 1, 30),
        ("m1.small", "", "az-b", 1, 31),
        ("m1.small", "CUSTOM_FAST", "az-b", 1, 31),
    ]


def test_devices_below_the_root():
    files = small_cloud()
    for number, units in enumerate((2, 4)):
        gpu = f"00000000-0000-4000-8000-0000000000c{number}"
        files["providers.json"].append({"uuid": gpu, "name": f"gpu{number}", "parent_provider_uuid": COMPUTE_1})
        files |= {f"inventories/{gpu}.json": [inventory("VGPU", units)], f"allocations/{gpu}.json": {"allocations": {}}}
        files[f"traits/{gpu}.json"] = []
    files["flavors.json"][0]["Properties"] = {"resources1:VGPU": "1", "resources2:VGPU": "1", "group_policy": "isolate"}
    before = place_cloud(read(files)).placed
    (answer,) = asked(files).answers
    assert [(room.counts, room.rule) for room in answer.hosts] == [([2], "group_policy"), ([0], "resources1")]
    assert answer.hosts[0].text == "without a provider of its own for each group (isolate)"
    assert place_cloud(read(files)).placed == before


def test_a_mix_is_placed_in_turn():
    files = small_cloud()
    files["flavors.json"].append({"ID": "2", "Name": "big", "VCPUs": 16, "RAM": 32768, "Disk": 0})
    found = asked(files, "m1.small", "2:big")
    small, big, mix = found.answers
    assert (small.count, big.count) == (61, 2)
    assert (mix.rounds, mix.refused) == (1, "big")
    assert [(shape.name, shape.each, shape.count) for shape in mix.shapes] == [("m1.small", 1, 2), ("big", 2, 2)]
    assert [sum(room.counts) for room in mix.hosts] == [2, 2]
    assert mix.runs_out == "MEMORY_MB"
    assert [(room.rule, room.text) for room in mix.hosts] == [("resources", "short of MEMORY_MB (32768 asked)")] * 2


def test_flavors_that_there_are_not():
    found = asked(small_cloud(), "m1.small", "none")
    assert (len(found.answers), found.unknown) == (1, ["none"])


def test_a_filter_that_cannot_compare_stops_one_flavor_only():
    files = small_cloud()
    specs = {"capabilities:hypervisor_type": ">= 3"}
    files["flavors.json"].append({"ID": "2", "Name": "odd", "VCPUs": 1, "RAM": 1, "Disk": 0, "Properties": specs})
    small, odd = asked(files).answers
    assert small.count == 61
    assert (odd.count, odd.message) == (0, "not filtered: extra spec '>= 3': cannot be compared with 'QEMU'")
    mix = asked(files, "m1.small", "odd").answers[-1]
    assert (mix.rounds, mix.refused, mix.count) == (0, "odd", 1)
    assert "cannot be compared" in mix.message


@pytest.mark.parametrize("seed", range(20))
def test_as_many_as_are_really_placed(seed):
    """Random clouds: every flavor placed by the scheduler, one after another, until it is refused."""
    files = random_dumps.dump(random.Random(seed))
    pooled = any(row["name"] == "pool" for row in files["providers.json"])
    found = asked(files)
    wishes = [{"name": row["Name"], "flavor": row["Name"], "count": 90} for row in files["flavors.json"]]
    for answer, wish in zip(found.answers, wishes, strict=True):
        alone = files | {"servers.json": [row for row in files["servers.json"] if row["Host"]], "requests.json": [wish]}
        placed = [one.host for one in place_cloud(read(alone)).placed]
        where = f"seed {seed}, flavor {wish['name']}"
        if not pooled:  # of a shared pool it depends on the order of hosts how it is divided
            assert [placed.count(room.host) for room in answer.hosts] == [sum(room.counts) for room in answer.hosts], (
                where
            )
        assert bool(placed) == bool(answer.count), where
        for room in answer.hosts:
            assert room.rule is not None or not answer.message.startswith("No valid host"), where


def test_the_state_is_as_before():
    """Each flavor is asked of the same state: in any order the answers are the same."""
    files = random_dumps.dump(random.Random(3))
    forward = asked(files)
    files["flavors.json"].reverse()
    backward = asked(files)
    assert {one.shapes[0].name: one for one in forward.answers} == {one.shapes[0].name: one for one in backward.answers}
