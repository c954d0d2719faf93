"""`verify` of a cloud's own placements: what the rules refuse, and what Placement's books say otherwise."""

import random

import pytest

from binwright.openstack.capacity import cloud_hosts
from binwright.openstack.pending import pending_servers, wanted_servers
from binwright.openstack.scheduler import Scheduler
from binwright.openstack.verify import verify_source
from binwright.openstack.zones import cloud_zones
from binwright.verified import ALLOCATION, HOST_CHANGED, INFEASIBLE, ORPHAN, PAST
from tests.openstack import random_dumps
from tests.openstack.clouds import (
    COMPUTE_1,
    COMPUTE_2,
    SERVER_1,
    SERVER_2,
    blobs,
    changed,
    inventory,
    read,
    server,
    small_cloud,
    without,
)

SMALL = {"VCPU": 2, "MEMORY_MB": 2048, "DISK_GB": 20}


def two_on_the_first():
    """Two servers on the first host, the second one in the file came first."""
    files = small_cloud()
    files["servers.json"] = [
        server("late", SERVER_1, "compute-1.example", **{"Created At": "2026-11-02T00:00:00Z"}),
        server("early", SERVER_2, "compute-1.example", **{"Created At": "2026-11-01T00:00:00Z"}),
    ]
    files[f"allocations/{COMPUTE_1}.json"]["allocations"] = {
        one: {"resources": dict(SMALL)} for one in (SERVER_1, SERVER_2)
    }
    return files


def findings(files):
    found = verify_source("c1", blobs(files))
    return [(one.kind, one.name, one.host, [rule.text for rule in one.rejected_by]) for one in found.findings]


def test_what_the_rules_allow_is_no_finding():
    found = verify_source("c1", blobs(two_on_the_first()))
    assert (found.findings, found.checked, found.hosts, found.skipped) == ([], 2, 2, [])
    assert not any("creation time" in note for note in found.notes)


def test_the_later_one_is_refused():
    files = changed(two_on_the_first(), f"inventories/{COMPUTE_1}.json", 0, "allocation_ratio", to=0.125)
    assert findings(files) == [(INFEASIBLE, "late", "compute-1.example", ["short of VCPU (2 asked)"])]
    (one,) = verify_source("c1", blobs(files)).findings
    assert [(short.resource, short.asked, short.free) for short in one.shortfalls] == [("VCPU", 2, 0)]


def test_server_groups_see_the_members_that_were_there():
    files = two_on_the_first()
    files["server_groups.json"] = [{"ID": "g", "Name": "g", "Policy": "anti-affinity", "Members": [SERVER_1, SERVER_2]}]
    assert [one[:2] for one in findings(files)] == [(INFEASIBLE, "late")]


def test_what_would_be_taken_today_is_past():
    files = two_on_the_first()
    third = "33333333-0000-4000-8000-000000000000"
    files["servers.json"][0]["Host"] = "compute-2.example"
    row = files[f"allocations/{COMPUTE_1}.json"]["allocations"].pop(SERVER_1)
    files["servers.json"].append(
        server("last", third, "compute-2.example", **{"Created At": "2026-11-03T00:00:00Z"}),
    )
    files[f"allocations/{COMPUTE_2}.json"]["allocations"] = {SERVER_1: row, third: row}
    members = [SERVER_1, SERVER_2, third]
    files["server_groups.json"] = [{"ID": "g", "Name": "g", "Policy": "affinity", "Members": members}]
    # late left its only member early; last has company on the second host, so that today both would go there
    assert [one[:2] for one in findings(files)] == [(PAST, "late")]


def test_a_host_that_was_closed_since_is_told_apart():
    files = changed(two_on_the_first(), "hypervisors.json", 0, "State", to="down")
    assert [one[:2] for one in findings(files)] == [(HOST_CHANGED, "early"), (HOST_CHANGED, "late")]
    files = two_on_the_first()
    files[f"traits/{COMPUTE_1}.json"].append({"name": "COMPUTE_STATUS_DISABLED"})
    assert [one[:2] for one in findings(files)] == [(HOST_CHANGED, "early"), (HOST_CHANGED, "late")]


def test_books_that_differ_from_the_flavor():
    files = two_on_the_first()
    rows = files[f"allocations/{COMPUTE_1}.json"]["allocations"]
    rows[SERVER_1]["resources"]["VCPU"] = 4
    del rows[SERVER_2]
    assert findings(files) == [
        (ALLOCATION, "early", "compute-1.example", ["holds nothing in Placement"]),
        (ALLOCATION, "late", "compute-1.example", ["holds 4 VCPU, flavor m1.small asks 2"]),
    ]


def test_books_of_another_host():
    files = two_on_the_first()
    row = files[f"allocations/{COMPUTE_1}.json"]["allocations"].pop(SERVER_1)
    files[f"allocations/{COMPUTE_2}.json"]["allocations"] = {SERVER_1: row}
    text = "holds 2 VCPU, 2048 MEMORY_MB, 20 DISK_GB of compute-2.example, which is not its host"
    assert findings(files) == [(ALLOCATION, "late", "compute-1.example", [text])]


def test_consumers_that_nobody_knows():
    files = two_on_the_first()
    files[f"allocations/{COMPUTE_2}.json"]["allocations"] = {"gone": {"resources": {"VCPU": 3}}}
    text = "holds 3 VCPU, and is no server of the input: deleted, or a migration's record"
    assert findings(files) == [(ORPHAN, "gone", "compute-2.example", [text])]


def test_either_way_of_counting_pinned_cpus_is_right():
    files = changed(two_on_the_first(), "flavors.json", 0, "Properties", to={"hw:cpu_policy": "dedicated"})
    assert findings(files) == []  # VCPU, as in the second query
    for row in files[f"allocations/{COMPUTE_1}.json"]["allocations"].values():
        row["resources"]["PCPU"] = row["resources"].pop("VCPU")
    files[f"inventories/{COMPUTE_1}.json"].append(inventory("PCPU", 4))
    assert findings(files) == []


def test_bare_metal_nodes_are_reserved_because_they_are_in_use():
    files = without(two_on_the_first(), "aggregates", "provider_aggregates")
    specs = {f"resources:{name}": "0" for name in SMALL} | {"resources:CUSTOM_BAREMETAL": "1"}
    files["flavors.json"][0]["Properties"] = specs
    files["servers.json"].pop(0)
    files[f"inventories/{COMPUTE_1}.json"] = [inventory("CUSTOM_BAREMETAL", 1, reserved=1)]
    files[f"allocations/{COMPUTE_1}.json"]["allocations"] = {SERVER_2: {"resources": {"CUSTOM_BAREMETAL": 1}}}
    assert findings(files) == []


def test_what_cannot_be_judged_is_skipped_and_counted():
    files = two_on_the_first()
    files["servers.json"][0]["Host"] = "elsewhere"
    files["servers.json"][1]["Flavor"] = "gone"
    found = verify_source("c1", blobs(files))
    assert found.checked == 0
    assert sorted((one.why.split()[1], one.objects, one.example) for one in found.skipped) == [
        ("flavor", 1, "Server early"),
        ("host", 1, "Server late"),
    ]
    files = changed(two_on_the_first(), "flavors.json", 0, "Properties", to={"capabilities:hypervisor_type": "> 3"})
    assert findings(files) == [
        (INFEASIBLE, name, "compute-1.example", ["rejected by ComputeCapabilitiesFilter"]) for name in ("early", "late")
    ]


def test_without_placement_the_flavors_are_counted():
    files = without(two_on_the_first(), "providers", "inventories", "traits", "allocations", "provider_aggregates")
    for row in files["hypervisors.json"]:
        row |= {"vCPUs": 16, "vCPUs Used": 4, "Memory MB": 3000, "Memory MB Used": 4096}
        row |= {"Local GB": 100, "Local GB Used": 40}
    assert [one[:2] for one in findings(files)] == [(INFEASIBLE, "late")]
    notes = verify_source("c1", blobs(files)).notes
    assert any("used: the flavors" in note for note in notes)


@pytest.mark.parametrize("seed", range(40))
def test_what_place_places_is_allowed(seed):
    """Random clouds, their pending servers placed and booked as decided: nothing of it is refused or booked wrongly."""
    files = random_dumps.dump(random.Random(seed))
    cloud = read(files)
    wanted = wanted_servers(cloud)
    hosts = cloud_hosts(cloud, pending_servers(cloud))
    scheduler = Scheduler(cloud, hosts, cloud_zones(cloud, hosts), wanted)
    placed = set()
    for number, one in enumerate(wanted):
        decision = scheduler.place(one)
        row = next(row for row in files["servers.json"] if row["ID"] == one.uid)
        row["Created At"] = f"2026-11-01T00:00:{number:02}Z"
        if decision.host is None:
            continue
        placed.add(one.name)
        row |= {"Host": hosts.names[decision.host], "Status": "ACTIVE"}
        for provider, amounts in decision.allocations.items():
            files[f"allocations/{provider}.json"]["allocations"][one.uid] = {"resources": dict(amounts)}
    found = verify_source("c1", blobs(files))
    assert found.checked >= len(placed)
    wrong = [(one.kind, one.name, one.rejected_by) for one in found.findings if one.name in placed]
    assert wrong == [], f"seed {seed}"
