"""Reading a dump: synonyms of columns, envelopes, the two shapes of Placement's files, what is refused and how."""

import json

import pytest

from binwright.errors import InputError
from binwright.openstack.dumps.fields import plain
from binwright.openstack.placement.inventory import MAX_INT
from tests.openstack.clouds import (
    COMPUTE_1,
    COMPUTE_2,
    SERVER_1,
    SERVER_2,
    changed,
    read,
    small_cloud,
    without,
)


def test_the_cloud_of_todays_client():
    cloud = read(small_cloud())
    assert [(server.name, server.host, server.status, server.flavor_ref) for server in cloud.servers] == [
        ("db", "compute-1.example", "ACTIVE", "m1.small"),
        ("web", None, "BUILD", "m1.small"),
    ]
    assert cloud.servers[0].project == "p1"
    assert not cloud.servers[0].from_volume
    flavor = cloud.flavors[0]
    assert (flavor.id, flavor.vcpus, flavor.memory_mb, flavor.root_gb, flavor.swap_mb) == ("1", 2, 2048, 20, 0)
    assert [one.hostname for one in cloud.hypervisors] == ["compute-1.example", "compute-2.example"]
    assert [one.state for one in cloud.hypervisors] == ["up", "up"]
    assert [(one.zone, one.hosts) for one in cloud.aggregates] == [("az-a", ("compute-1",)), ("az-b", ("compute-2",))]
    first = cloud.providers[0]
    assert first.inventories["VCPU"].capacity == 64
    assert first.inventories["MEMORY_MB"].capacity == 65024
    assert first.traits == {"COMPUTE_NODE", "HW_CPU_X86_AVX2"}
    assert first.used == {"VCPU": 2, "MEMORY_MB": 2048, "DISK_GB": 20}
    assert cloud.consumers == {SERVER_1: {COMPUTE_1: {"VCPU": 2, "MEMORY_MB": 2048, "DISK_GB": 20}}}
    assert cloud.columns["c1/servers.json"]["host"] == "Host"
    assert cloud.columns["inventories/*"]["max_unit"] == "max_unit"


@pytest.mark.parametrize(
    "row",
    [
        {"ID": "s", "Name": "n", "Status": "ACTIVE", "Flavor Name": "m1.small", "Flavor ID": "1", "Host": "h"},
        {"id": "s", "name": "n", "status": "active", "flavor_id": "1", "hypervisor_hostname": "h", "host": "other"},
        {"id": "s", "name": "n", "status": "ACTIVE", "flavor": {"id": "1", "links": []}, "OS-EXT-SRV-ATTR:host": "h"},
        {"id": "s", "name": "n", "status": "ACTIVE", "flavor": {"id": "1"}, "compute_host": "h"},
    ],
    ids=["list before 2.47", "sdk", "api before 2.47", "sdk without node"],
)
def test_a_server_under_every_name_of_its_columns(row):
    server = read({"servers.json": [row]}).servers[0]
    assert (server.id, server.name, server.status, server.flavor_ref, server.host) == ("s", "n", "ACTIVE", "1", "h")


def test_an_embedded_flavor_needs_no_flavors_json():
    flavor = {"original_name": "m1", "vcpus": 4, "ram": 8192, "disk": 10, "ephemeral": 5, "swap": "", "extra_specs": {}}
    server = read(
        {"servers.json": {"servers": [{"id": "s", "name": "n", "status": "BUILD", "flavor": flavor}]}}
    ).servers[0]
    assert (server.flavor.name, server.flavor.vcpus, server.flavor.memory_mb) == ("m1", 4, 8192)
    assert (server.flavor.root_gb, server.flavor.ephemeral_gb, server.flavor.swap_mb) == (10, 5, 0)


@pytest.mark.parametrize("nothing", [None, "", "None", "-"])
def test_a_host_that_is_nothing(nothing):
    assert read(changed(small_cloud(), "servers.json", 0, "Host", to=nothing)).servers[0].host is None


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"Image Name": "N/A (booted from volume)", "Image ID": "N/A (booted from volume)"}, True),
        ({"Image Name": "", "Image ID": ""}, True),
        ({"Image Name": "", "Image ID": "99999999-0000-4000-8000-000000000000"}, False),
        ({"Image Name": "debian"}, False),
    ],
)
def test_boot_from_volume(fields, expected):
    files = small_cloud()
    files["servers.json"][1].update(fields)
    assert read(files).servers[1].from_volume is expected


def test_properties_as_the_one_string_of_older_clients():
    files = changed(small_cloud(), "flavors.json", 0, "Properties", to="hw:cpu_policy='dedicated', a:b='it, works'")
    assert read(files).flavors[0].extra_specs == {"hw:cpu_policy": "dedicated", "a:b": "it, works"}


def test_hypervisor_columns_of_list_long_of_show_and_of_the_api():
    rows = [
        {"ID": 1, "Hypervisor Hostname": "a", "vCPUs Used": 3, "vCPUs": 8, "Memory MB Used": 512, "Memory MB": 2048},
        {"id": "u", "hypervisor_hostname": "b", "vcpus": 8, "memory_mb": 2048, "local_gb": 9, "service_host": "b-svc"},
        {"name": "c", "memory_size": 2048, "local_disk_size": 9, "service": {"host": "c-svc"}, "hypervisor_version": 1},
    ]
    first, second, third = read({"hypervisors.json": rows}).hypervisors
    assert (first.id, first.vcpus, first.vcpus_used, first.memory_mb, first.memory_mb_used) == ("1", 8, 3, 2048, 512)
    assert (second.local_gb, second.service_host) == (9, "b-svc")
    assert (third.memory_mb, third.local_gb, third.service_host, third.version) == (2048, 9, "c-svc", 1)


def test_placement_files_of_the_api():
    files = small_cloud()
    rows = {row.pop("resource_class"): row for row in files[f"inventories/{COMPUTE_1}.json"]}
    files[f"inventories/{COMPUTE_1}.json"] = {"inventories": rows, "resource_provider_generation": 3}
    files[f"traits/{COMPUTE_1}.json"] = {"traits": ["COMPUTE_NODE"], "resource_provider_generation": 3}
    files[f"provider_aggregates/{COMPUTE_1}.json"] = {"aggregates": ["x"]}
    files["providers.json"] = {"resource_providers": files["providers.json"]}
    first = read(files).providers[0]
    assert (first.inventories["VCPU"].total, first.traits, first.aggregates) == (16, {"COMPUTE_NODE"}, {"x"})


def test_a_provider_without_inventory():
    files = changed(small_cloud(), f"inventories/{COMPUTE_2}.json", to=[])
    assert read(files).providers[1].inventories == {}
    files = changed(small_cloud(), f"inventories/{COMPUTE_2}.json", to={"inventories": {}})
    assert read(files).providers[1].inventories == {}


def test_one_file_with_several_tables():
    files = small_cloud()
    cloud = read({"cloud.json": {"servers": files["servers.json"], "flavors": files["flavors.json"]}})
    assert (len(cloud.servers), len(cloud.flavors), cloud.present) == (2, 1, {"servers", "flavors"})


def test_other_files_are_counted_and_left_out():
    assert read(small_cloud() | {"images.json": [{"ID": 1}, {"ID": 2}]}).skipped == {"images": 2}


def test_requests():
    wishes = read(
        {"requests.json": [{"name": "w", "flavor": "m1.small", "count": 3, "availability_zone": "az-a"}]}
    ).wishes
    assert [(one.name, one.flavor_ref, one.count, one.zone) for one in wishes] == [("w", "m1.small", 3, "az-a")]


@pytest.mark.parametrize(
    ("column", "expected"), [("OS-EXT-SRV-ATTR:host", "osextsrvattrhost"), ("RAM (MiB)", "rammib"), ("vCPUs", "vcpus")]
)
def test_plain_column_names(column, expected):
    assert plain(column) == expected


INVENTORY = f"inventories/{COMPUTE_1}.json"
ALLOCATIONS = f"allocations/{COMPUTE_1}.json"
MALFORMED = {
    "negative RAM": (("flavors.json", 0, "RAM"), -1, "flavors.json: flavor m1.small: RAM: -1 is negative"),
    "vCPUs past int64": (
        ("flavors.json", 0, "VCPUs"),
        2**63,
        f"flavor m1.small: VCPUs: {2**63} is more than {MAX_INT}",
    ),
    "RAM is a word": (("flavors.json", 0, "RAM"), "much", "flavor m1.small: RAM: 'much' is not a whole number"),
    "disk of half a GB": (("flavors.json", 0, "Disk"), 0.5, "flavor m1.small: Disk: 0.5 is not a whole number"),
    "vCPUs true": (("flavors.json", 0, "VCPUs"), True, "flavor m1.small: VCPUs: True is not a whole number"),
    "vCPUs missing": (("flavors.json", 0, "VCPUs"), None, "flavor m1.small: VCPUs: missing"),
    "flavor without name": (("flavors.json", 0, "Name"), None, "flavors.json: flavor 1: Name: missing"),
    "flavor is a number": (("flavors.json", 0), 7, "flavors.json: flavor 1: 7 is not an object"),
    "properties list": (("flavors.json", 0, "Properties"), [1], "flavor m1.small: Properties: a list is not an object"),
    "properties text": (("flavors.json", 0, "Properties"), "a=b", "Properties: 'a=b' is not of the form key='value'"),
    "status missing": (("servers.json", 0, "Status"), None, "servers.json: server db: Status: missing"),
    "host is a list": (("servers.json", 0, "Host"), ["x"], "server db: Host: a list is not a text"),
    "hostname missing": (("hypervisors.json", 0, "Hypervisor Hostname"), None, "Hypervisor Hostname: missing"),
    "total negative": ((INVENTORY, 0, "total"), -4, f"{INVENTORY}: inventory VCPU: total: -4 is negative"),
    "total missing": ((INVENTORY, 0, "total"), None, f"{INVENTORY}: inventory VCPU: total: missing"),
    "total past int64": (
        (INVENTORY, 1, "total"),
        10**19,
        f"inventory MEMORY_MB: total: {10**19} is more than {MAX_INT}",
    ),
    "reserved above total": ((INVENTORY, 0, "reserved"), 17, "VCPU: reserved: 17 is more than the total, 16"),
    "ratio negative": ((INVENTORY, 0, "allocation_ratio"), -1.5, "VCPU: allocation_ratio: -1.5 is negative"),
    "ratio NaN text": ((INVENTORY, 0, "allocation_ratio"), "nan", "allocation_ratio: nan is not a finite number"),
    "ratio too large": ((INVENTORY, 0, "allocation_ratio"), 1e30, "makes a capacity of more than 2**56"),
    "step 0": ((INVENTORY, 0, "step_size"), 0, "VCPU: step_size: 0 is less than 1"),
    "class missing": ((INVENTORY, 0, "resource_class"), "", "inventory 1: resource_class: missing"),
    "class twice": ((INVENTORY, 1, "resource_class"), "VCPU", "inventory VCPU: resource_class occurs twice"),
    "trait without name": (
        (f"traits/{COMPUTE_1}.json", 0),
        {"x": 1},
        f"traits/{COMPUTE_1}.json: traits: an object has no name",
    ),
    "allocations list": ((ALLOCATIONS,), [1], f"{ALLOCATIONS}: allocations: 1 is not an object of consumers"),
    "amount negative": (
        (ALLOCATIONS, "allocations", SERVER_1, "resources", "VCPU"),
        -2,
        f"{ALLOCATIONS}: consumer {SERVER_1}: VCPU: -2 is negative",
    ),
    "consumer without resources": (
        (ALLOCATIONS, "allocations", SERVER_1),
        {},
        f"{ALLOCATIONS}: consumer {SERVER_1}: resources: missing",
    ),
    "truncated": (("servers.json",), '[{"ID": "x", "Na', "servers.json: line 1: JSON ends in the middle of a value"),
    "broken": (("servers.json",), '[{"ID" "x"}]', "servers.json: line 1: broken JSON"),
    "duplicate flavor": (("flavors.json",), small_cloud()["flavors.json"] * 2, "flavor 1: id occurs twice"),
    "duplicate hypervisor": (
        ("hypervisors.json", 1, "Hypervisor Hostname"),
        "compute-1.example",
        "hypervisors.json: hypervisor compute-1.example: hostname occurs twice",
    ),
    "duplicate server": (("servers.json", 1, "ID"), SERVER_1, f"server {SERVER_1}: id occurs twice"),
    "duplicate provider": (("providers.json", 1, "uuid"), COMPUTE_1, "provider compute-2.example: uuid occurs twice"),
    "duplicate provider name": (
        ("providers.json", 1, "name"),
        "compute-1.example",
        "provider compute-1.example: name occurs twice",
    ),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_input_is_one_line_that_names_file_object_and_field(case):
    path, value, expected = MALFORMED[case]
    with pytest.raises(InputError) as caught:
        read(changed(small_cloud(), *path, to=value))
    message = str(caught.value)
    assert expected in message
    assert "\n" not in message
    assert message.startswith("c1/")


@pytest.mark.parametrize(
    ("gone", "expected"),
    [
        ((f"inventories/{COMPUTE_2}",), f"provider compute-2.example: inventories/{COMPUTE_2}.json is missing"),
        ((f"allocations/{COMPUTE_2}",), f"provider compute-2.example: allocations/{COMPUTE_2}.json is missing"),
        (("providers.json",), f"allocations/{COMPUTE_1}.json: provider {COMPUTE_1}: providers.json is missing"),
    ],
)
def test_a_missing_file_is_named(gone, expected):
    with pytest.raises(InputError, match=expected.replace(".", r"\.")):
        read(without(small_cloud(), *gone))


def test_a_file_of_no_provider():
    with pytest.raises(InputError, match=r"traits/nobody\.json: provider nobody: not in providers\.json"):
        read(small_cloud() | {"traits/nobody.json": []})


def test_no_file_of_a_dump():
    with pytest.raises(InputError, match=r"no file of an OpenStack dump \(servers\.json"):
        read({"notes.json": [1, 2]})


def test_yaml_is_read_too():
    files = {"servers.yaml": "- {id: s, name: n, status: BUILD, flavor: f}\n"}
    assert read(files).servers[0].flavor_ref == "f"
    with pytest.raises(InputError, match=r"allocation_ratio: nan is not a finite number"):
        read(changed(small_cloud(), INVENTORY, to="- {resource_class: VCPU, total: 4, allocation_ratio: .nan}\n"))


def test_json_lines():
    rows = small_cloud()["servers.json"]
    assert len(read({"servers.jsonl": "\n".join(map(json.dumps, rows))}).servers) == 2
    assert SERVER_2 in {server.id for server in read({"servers.jsonl": "\n".join(map(json.dumps, rows))}).servers}
