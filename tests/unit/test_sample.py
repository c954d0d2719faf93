"""The sample writes the bytes that ship, and its cloud is sound: racks, sums of allocations, ratios, groups, zones.

Other seeds are checked like the one that ships; a failure names the seed.
"""

import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from binwright.errors import BinwrightError
from binwright.sample import write_club_sandwich
from tests.unit.sample_files import key_of

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = ROOT / "examples" / "club-sandwich"


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


# bytes -------------------------------------------------------------------------------------------------------------
def test_committed_example_is_a_fresh_run(tmp_path):
    if not COMMITTED.is_dir():
        pytest.skip("examples/ is not beside the tests (installed package)")
    manifest = write_club_sandwich(tmp_path / "new" / "directory")
    fresh, committed = contents(tmp_path / "new" / "directory"), contents(COMMITTED)
    assert sorted(fresh) == sorted(committed)
    assert [name for name in fresh if fresh[name] != committed[name]] == []
    assert json.loads(fresh["manifest.json"]) == manifest


def test_small_enough_to_ship(sample):
    files = contents(sample.root)
    assert sum(map(len, files.values())) < 3_100_000
    assert 1500 <= sum(sample.manifest["counts"]["pods"].values()) <= 2500
    assert all(text.endswith(b"\n") and b"\r" not in text for text in files.values())


def test_bytes_do_not_hang_on_hash_order(tmp_path):
    code = "import sys; from binwright.sample import write_club_sandwich; write_club_sandwich(sys.argv[1], 5)"
    for hash_seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        subprocess.run([sys.executable, "-c", code, str(tmp_path / hash_seed)], check=True, env=environment)
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


def test_seeds_differ(tmp_path):
    for seed in (1, 2):
        write_club_sandwich(tmp_path / str(seed), seed=seed)
    one, two = contents(tmp_path / "1"), contents(tmp_path / "2")
    assert one["clouds/north/servers.json"] != two["clouds/north/servers.json"]
    assert one["clusters/shop/pods.json"] != two["clusters/shop/pods.json"]


@pytest.mark.parametrize("kind", ["not empty", "a file"])
def test_refuses_a_directory_in_use(tmp_path, kind):
    target = tmp_path / "target"
    if kind == "a file":
        target.write_text("mine")
    else:
        target.mkdir()
        (target / "mine").write_text("mine")
    with pytest.raises(BinwrightError, match=kind) as error:
        write_club_sandwich(target)
    assert "\n" not in str(error.value)
    assert str(target) in str(error.value)
    assert [path.read_text() for path in tmp_path.rglob("*") if path.is_file()] == ["mine"]


# the cloud ---------------------------------------------------------------------------------------------------------
def test_sixty_hypervisors_in_three_zones_and_six_racks(sample):
    rows = sample.table("hypervisors")
    kvm = [row["Hypervisor Hostname"] for row in rows if row["Hypervisor Type"] == "QEMU"]
    bare = [row["Hypervisor Hostname"] for row in rows if row["Hypervisor Type"] == "ironic"]
    assert (len(kvm), len(bare)) == (60, 6)
    assert Counter(sample.racks[host][0] for host in kvm) == dict.fromkeys(
        ("r11", "r12", "r21", "r22", "r31", "r32"), 10
    )
    assert Counter(sample.racks[host][1] for host in kvm) == {"az1": 20, "az2": 20, "az3": 20}
    aggregates = sample.table("aggregates")
    zones = {host: row["Name"] for row in aggregates if row["Availability Zone"] for host in row["Hosts"]}
    racks = {
        host: row["Properties"]["rack"]
        for row in aggregates
        if row["Name"].startswith("rack-")
        for host in row["Hosts"]
    }
    assert {host: sample.racks[host] for host in kvm} == {host: (racks[host], zones[host]) for host in kvm}
    assert sum(len(row["Hosts"]) for row in aggregates if row["Name"].startswith("rack-")) == 60  # no host in two racks
    for uuid, provider in sample.providers.items():
        if provider["parent_provider_uuid"] is None:
            rack, zone = sample.racks[provider["name"]]
            assert {trait for trait in provider["traits"] if "RACK" in trait} == {f"CUSTOM_RACK_{rack.upper()}"}
            names = {row["Name"] for row in aggregates if row["UUID"] in provider["aggregates"]}
            assert names & {"az1", "az2", "az3"} == {zone}, uuid
            assert uuid in {row["ID"] for row in rows}


def test_server_list_matches_allocations_and_inventories(sample):
    claims: dict[str, Counter] = defaultdict(Counter)
    providers_of: dict[str, set[str]] = defaultdict(set)
    for provider in sample.providers.values():
        used: Counter = Counter()
        root = sample.providers[provider["root_provider_uuid"]]["name"]
        for consumer, resources in provider["allocations"].items():
            claims[consumer].update(resources)
            providers_of[consumer].add(root)
            used.update(resources)
        for resource, row in provider["inventory"].items():
            assert row["used"] == used.pop(resource, 0)
            if not resource.startswith("CUSTOM_BAREMETAL"):  # a node in use is reserved whole
                assert row["used"] <= (row["total"] - row["reserved"]) * row["allocation_ratio"], provider["name"]
        assert not used
    for uuid, server in sample.servers.items():
        if server["Host"] is None:
            assert uuid not in claims
            continue
        flavor = sample.flavors[server["Flavor"]]
        wanted = Counter({"VCPU": flavor["VCPUs"], "MEMORY_MB": flavor["RAM"], "DISK_GB": flavor["Disk"]})
        if "booted from volume" in server["Image ID"]:
            del wanted["DISK_GB"]
        for spec, value in flavor["Properties"].items():
            if spec.startswith("resources:"):
                wanted[spec.removeprefix("resources:")] = int(value)
        assert claims.pop(uuid) == +wanted, server["Name"]
        assert providers_of[uuid] == {server["Host"]}
    assert not claims


def test_memory_is_reserved_and_cpu_is_idle(sample):
    rows = [provider["inventory"] for provider in sample.providers.values() if "VCPU" in provider["inventory"]]
    assert len(rows) == 60
    memory = sum(row["MEMORY_MB"]["used"] for row in rows)
    usable = sum(row["MEMORY_MB"]["total"] - row["MEMORY_MB"]["reserved"] for row in rows)
    assert 0.88 <= memory / usable <= 0.92
    kvm = {provider["name"] for provider in sample.providers.values() if "VCPU" in provider["inventory"]}
    series = sample.usage("north.servers.csv")
    cpu = sum(sum(use[0]) for (uuid, _), use in series.items() if sample.servers[uuid]["Host"] in kvm)
    under = {key_of(pod): pod["spec"].get("nodeName") for pod in sample.clusters["under"].pods}
    cpu += sum(sum(use[0]) for key, use in sample.usage("under.pods.csv").items() if under[key] in kvm)
    threads = sum(row["VCPU"]["total"] for row in rows)
    assert 0.17 <= cpu / 24 / 1000 / threads <= 0.19


def test_hard_server_groups_hold(sample):
    policies = Counter()
    for group in sample.table("server_groups"):
        members = [sample.servers[uuid] for uuid in group["Members"]]
        hosts = [server["Host"] for server in members if server["Host"]]
        policies[group["Policy"]] += 1
        if group["Policy"] == "anti-affinity":
            assert len(hosts) == len(set(hosts)), group["Name"]
        if group["Policy"] == "affinity":
            assert len(set(hosts)) == 1, group["Name"]
        assert {server["Project ID"] for server in members} <= {group["Project Id"]}
        for server in members:
            assert server["Scheduler Hints"] == {"group": [group["ID"]]}
    assert set(policies) == {"anti-affinity", "affinity", "soft-anti-affinity"}


def test_pinned_zones_and_traits_hold(sample):
    by_name = {provider["name"]: provider for provider in sample.providers.values()}
    for server in sample.servers.values():
        if server["Host"] is None:
            continue
        assert server["Availability Zone"] == sample.racks[server["Host"]][1]
        assert server["Pinned Availability Zone"] in (None, server["Availability Zone"])
        root = by_name[server["Host"]]["uuid"]
        tree = [provider for provider in sample.providers.values() if provider["root_provider_uuid"] == root]
        traits = set().union(*(provider["traits"] for provider in tree))
        wanted = {
            spec.removeprefix("trait:") for spec in sample.flavors[server["Flavor"]]["Properties"] if ":CUSTOM_" in spec
        }
        assert {trait for trait in wanted if not trait.startswith("resources:")} <= traits, server["Name"]
