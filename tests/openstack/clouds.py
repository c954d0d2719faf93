"""Small clouds for the tests: a dump as a dict of file name -> object, with one way to change a value in it."""

import copy
import json

from binwright.formats.files import Blob
from binwright.openstack.dumps import read_dump

COMPUTE_1 = "00000000-0000-4000-8000-000000000001"
COMPUTE_2 = "00000000-0000-4000-8000-000000000002"
ZONE_A = "aaaaaaaa-0000-4000-8000-000000000000"
ZONE_B = "bbbbbbbb-0000-4000-8000-000000000000"
SERVER_1 = "11111111-0000-4000-8000-000000000000"
SERVER_2 = "22222222-0000-4000-8000-000000000000"


def inventory(resource_class, total, **fields):
    """A row of `openstack resource provider inventory list`."""
    row = {
        "resource_class": resource_class,
        "allocation_ratio": 1.0,
        "min_unit": 1,
        "max_unit": total,
        "reserved": 0,
        "step_size": 1,
        "total": total,
    }
    return row | fields


def inventories():
    return [
        inventory("VCPU", 16, allocation_ratio=4.0),
        inventory("MEMORY_MB", 65536, reserved=512, max_unit=65536),
        inventory("DISK_GB", 1000),
    ]


def server(name, uuid, host, status="ACTIVE", flavor="m1.small", **fields):
    """A row of `openstack server list --all-projects --long` at compute API 2.47 and later."""
    row = {
        "ID": uuid,
        "Name": name,
        "Status": status,
        "Task State": None,
        "Power State": 1,
        "Networks": {},
        "Image Name": "debian",
        "Image ID": "99999999-0000-4000-8000-000000000000",
        "Flavor": flavor,
        "Availability Zone": "",
        "Host": host,
        "Properties": {},
        "Project ID": "p1",
    }
    return row | fields


def small_cloud():
    """Two hosts in two zones, one running server, one pending."""
    return {
        "flavors.json": [
            {
                "ID": "1",
                "Name": "m1.small",
                "RAM": 2048,
                "Disk": 20,
                "Ephemeral": 0,
                "VCPUs": 2,
                "Is Public": True,
                "Swap": 0,
                "RXTX Factor": 1.0,
                "Properties": {},
            }
        ],
        "servers.json": [
            server("db", SERVER_1, "compute-1.example"),
            server("web", SERVER_2, None, "BUILD"),
        ],
        "hypervisors.json": [
            {
                "ID": COMPUTE_1,
                "Hypervisor Hostname": "compute-1.example",
                "Hypervisor Type": "QEMU",
                "Host IP": "10.0.0.1",
                "State": "up",
            },
            {
                "ID": COMPUTE_2,
                "Hypervisor Hostname": "compute-2.example",
                "Hypervisor Type": "QEMU",
                "Host IP": "10.0.0.2",
                "State": "up",
            },
        ],
        "aggregates.json": [
            {
                "ID": 1,
                "UUID": ZONE_A,
                "Name": "a",
                "Availability Zone": "az-a",
                "Properties": {},
                "Hosts": ["compute-1"],
            },
            {
                "ID": 2,
                "UUID": ZONE_B,
                "Name": "b",
                "Availability Zone": "az-b",
                "Properties": {},
                "Hosts": ["compute-2"],
            },
        ],
        "providers.json": [
            {
                "uuid": uuid,
                "name": name,
                "generation": 3,
                "root_provider_uuid": uuid,
                "parent_provider_uuid": None,
            }
            for uuid, name in ((COMPUTE_1, "compute-1.example"), (COMPUTE_2, "compute-2.example"))
        ],
        f"inventories/{COMPUTE_1}.json": inventories(),
        f"inventories/{COMPUTE_2}.json": inventories(),
        f"traits/{COMPUTE_1}.json": [{"name": "COMPUTE_NODE"}, {"name": "HW_CPU_X86_AVX2"}],
        f"traits/{COMPUTE_2}.json": [{"name": "COMPUTE_NODE"}],
        f"allocations/{COMPUTE_1}.json": {
            "uuid": COMPUTE_1,
            "name": "compute-1.example",
            "allocations": {SERVER_1: {"resources": {"VCPU": 2, "MEMORY_MB": 2048, "DISK_GB": 20}}},
        },
        f"allocations/{COMPUTE_2}.json": {"uuid": COMPUTE_2, "name": "compute-2.example", "allocations": {}},
        f"provider_aggregates/{COMPUTE_1}.json": [{"uuid": ZONE_A}],
        f"provider_aggregates/{COMPUTE_2}.json": [{"uuid": ZONE_B}],
    }


def blobs(files):
    """The files as `read_path` hands them over; text is taken as it is."""
    return [
        Blob(f"c1/{name}", (value if isinstance(value, str) else json.dumps(value)).encode())
        for name, value in sorted(files.items())
    ]


def read(files):
    return read_dump("c1", blobs(files))


def changed(files, name, *path, to):
    """A copy with one value replaced: `path` leads into the objects of the file `name`."""
    files = copy.deepcopy(files)
    if not path:
        files[name] = to
        return files
    target = files[name]
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = to
    return files


def without(files, *names):
    """A copy that lacks the files whose names begin with one of `names`."""
    return copy.deepcopy({name: value for name, value in files.items() if not name.startswith(names)})
